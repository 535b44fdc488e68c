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
		if undone(err) {
			err = nil // the statement is undone, those before it are not
		}
		return n, err
	}
	if err := s.run(ctx, "BEGIN"); err != nil {
		return 0, err
	}
	n, err := s.several(ctx, s.aside)
	switch {
	case undone(err):
		return 0, s.run(ctx, "ROLLBACK")
	case err != nil:
		return 0, err
	case s.rand.IntN(8) == 0:
		return 0, s.run(ctx, "ROLLBACK")
	}
	return n, s.run(ctx, "COMMIT")
}

// several runs the inside of a transaction: one to eight statements on up to
// three tables, some of them undone by a savepoint, and between them some on the
// table aside, which nothing undoes.
func (s *session) several(ctx context.Context, aside string) (int64, error) {
	some := []*table{s.table(), s.table(), s.table()}
	var total, saved int64
	savepoint := false
	for range 1 + s.rand.IntN(8) {
		n, err := s.statement(ctx, some[s.rand.IntN(len(some))])
		if err != nil {
			return 0, err
		}
		total += n
		if aside != "" && s.rand.IntN(5) == 0 {
			if err := s.run(ctx, fmt.Sprintf("INSERT INTO %s.notes (note) VALUES (%s)", aside, text(100, letters)(s.rand))); err != nil {
				return 0, err
			}
		}
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

func (s *session) row(t *table) string { return s.rowOf(t, t.newKey(s.rand, s.space)) }

func (s *session) rowOf(t *table, key []string) string {
	values := slices.Clone(key)
	for _, c := range t.columns {
		values = append(values, s.value(c))
	}
	return strings.Join(values, ", ")
}

// rows makes so many rows, each with a key of its own making.
func (s *session) rows(t *table, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "(" + s.row(t) + ")"
	}
	return strings.Join(list, ", ")
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

// assignment changes one column outside the key.
func (s *session) assignment(t *table) string {
	c := t.columns[s.rand.IntN(len(t.columns))]
	return c.name + " = " + s.value(c)
}
