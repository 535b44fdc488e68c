package workload

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// transaction runs one transaction and returns how many row changes it
// committed: none when it rolled back, by choice or because of a deadlock.
func (s *session) transaction(ctx context.Context) (int64, error) {
	switch s.rand.IntN(40) {
	case 0:
		return s.xa(ctx)
	case 1, 2, 3, 4, 5, 6, 7, 8:
		n, err := s.statement(ctx, s.table()) // autocommit
		if isError(err, errDeadlock) || isError(err, errLockWait) {
			err = nil // the statement is undone, those before it are not
		}
		return n, err
	}
	if err := s.run(ctx, "BEGIN"); err != nil {
		return 0, err
	}
	n, err := s.statements(ctx)
	switch {
	case isError(err, errDeadlock) || isError(err, errLockWait):
		return 0, s.run(ctx, "ROLLBACK")
	case err != nil:
		return 0, err
	case s.rand.IntN(8) == 0:
		return 0, s.run(ctx, "ROLLBACK")
	}
	return n, s.run(ctx, "COMMIT")
}

// statements runs the inside of a transaction: one to eight statements on up
// to three tables, some of them undone by a savepoint.
func (s *session) statements(ctx context.Context) (int64, error) {
	some := []*table{s.table(), s.table(), s.table()}
	var total, saved int64
	savepoint := false
	for range 1 + s.rand.IntN(8) {
		n, err := s.statement(ctx, some[s.rand.IntN(len(some))])
		if err != nil {
			return 0, err
		}
		total += n
		switch {
		case s.rand.IntN(10) == 0:
			if err := s.run(ctx, "SAVEPOINT here"); err != nil {
				return 0, err
			}
			savepoint, saved = true, total
		case savepoint && s.rand.IntN(3) == 0:
			if err := s.run(ctx, "ROLLBACK TO SAVEPOINT here"); err != nil {
				return 0, err
			}
			total = saved
		}
	}
	return total, nil
}

func (s *session) run(ctx context.Context, sql string) error {
	if _, err := s.exec(ctx, sql); err != nil {
		return fmt.Errorf("executing %s: %w", sql, err)
	}
	return nil
}

func (s *session) table() *table { return &s.tables[s.rand.IntN(len(s.tables))] }

// statement runs one change of a table, or a pair that takes a key away and
// gives it back. A key that is there already fails the statement and not the
// transaction, as applications do it.
func (s *session) statement(ctx context.Context, t *table) (total int64, err error) {
	for _, sql := range s.change(t) {
		n, err := s.exec(ctx, sql)
		switch {
		case isError(err, errDuplicate):
			continue
		case isError(err, errDeadlock) || isError(err, errLockWait):
			return total, err
		case err != nil:
			return 0, fmt.Errorf("executing %.300s: %w", sql, err)
		}
		total += n
	}
	return total, nil
}

// change makes the statements of one change.
func (s *session) change(t *table) []string {
	key := t.newKey(s.rand, s.space)
	insert := "INSERT INTO " + t.name + t.columnList() + " VALUES "
	if t.copies && s.rand.IntN(6) == 0 {
		names := strings.Trim(t.columnList(), " ()")
		return []string{fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s LIMIT %d", t.name, names, names, t.name, t.where(key), 1+s.rand.IntN(8))}
	}
	switch s.rand.IntN(12) {
	case 0, 1:
		return []string{insert + "(" + s.rowOf(t, key) + ")"}
	case 2:
		// A duplicate in the middle undoes the rows before it.
		var rows []string
		for range 2 + s.rand.IntN(20) {
			rows = append(rows, "("+s.row(t)+")")
		}
		return []string{insert + strings.Join(rows, ", ")}
	case 3, 4, 5:
		return []string{"UPDATE " + t.name + " SET " + s.assignments(t) + " WHERE " + t.where(key)}
	case 6:
		return []string{"UPDATE " + t.name + " SET " + s.assignments(t) + " WHERE " + t.key[0] + " >= " + key[0] + " ORDER BY " + strings.Join(t.key, ", ") + fmt.Sprintf(" LIMIT %d", 2+s.rand.IntN(30))}
	case 7:
		return []string{"DELETE FROM " + t.name + " WHERE " + t.where(key)}
	case 8: // a key that was just deleted
		return []string{"DELETE FROM " + t.name + " WHERE " + t.where(key), insert + "(" + s.rowOf(t, key) + ")"}
	case 9: // a key change, and sometimes back
		to := t.newKey(s.rand, s.space)
		there := "UPDATE " + t.name + " SET " + t.setKey(to) + " WHERE " + t.where(key)
		if s.rand.IntN(3) == 0 {
			return []string{there, "UPDATE " + t.name + " SET " + t.setKey(key) + ", " + s.assignments(t) + " WHERE " + t.where(to)}
		}
		return []string{there}
	case 10:
		return []string{"DELETE FROM " + t.name + " WHERE " + t.key[0] + " >= " + key[0] + " ORDER BY " + strings.Join(t.key, ", ") + fmt.Sprintf(" LIMIT %d", 1+s.rand.IntN(4))}
	default: // an insert where the key is free, else an update
		return []string{insert + "(" + s.rowOf(t, key) + ") ON DUPLICATE KEY UPDATE " + s.assignments(t)}
	}
}

func (s *session) row(t *table) string { return s.rowOf(t, t.newKey(s.rand, s.space)) }

func (s *session) rowOf(t *table, key []string) string {
	values := slices.Clone(key)
	for _, c := range t.columns {
		values = append(values, s.value(c))
	}
	return strings.Join(values, ", ")
}

// value is a value of the column, sometimes NULL where it may be.
func (s *session) value(c column) string {
	if !strings.Contains(c.ddl, "NOT NULL") && s.rand.IntN(7) == 0 {
		return "NULL"
	}
	return c.value(s.rand)
}

// assignments changes a few columns outside the key.
func (s *session) assignments(t *table) string {
	var list []string
	for _, i := range s.rand.Perm(len(t.columns))[:1+s.rand.IntN(3)] {
		list = append(list, t.columns[i].name+" = "+s.value(t.columns[i]))
	}
	return strings.Join(list, ", ")
}

func (t *table) columnList() string {
	names := slices.Clone(t.key)
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return " (" + strings.Join(names, ", ") + ")"
}

func (t *table) where(key []string) string { return strings.Join(t.pairs(key), " AND ") }

func (t *table) setKey(key []string) string { return strings.Join(t.pairs(key), ", ") }

func (t *table) pairs(key []string) (list []string) {
	for i, k := range t.key {
		list = append(list, k+" = "+key[i])
	}
	return list
}
