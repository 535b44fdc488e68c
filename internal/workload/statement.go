package workload

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// command is a statement, and the rows that LOAD DATA in it reads from the client.
type command struct{ sql, rows string }

// statement runs one change of a table, or a pair that takes a key away and
// gives it back. A key that is there already, or one that is referred to, fails
// the statement and not the transaction, as applications do it.
func (s *session) statement(ctx context.Context, t *table) (total int64, err error) {
	for _, c := range s.change(t) {
		s.statements.Add(1)
		n, err := s.perform(ctx, c)
		switch {
		case isError(err, errDuplicate), isError(err, errReferred), isError(err, errNoParent), isError(err, errAltered):
			continue
		case undone(err):
			return total, err
		case err != nil:
			return 0, fmt.Errorf("executing %.300s: %w", c.sql, err)
		}
		total += n
	}
	return total, nil
}

// perform executes the statement as text or, now and then, prepared.
func (s *session) perform(ctx context.Context, c command) (int64, error) {
	switch {
	case c.rows != "":
		mysql.RegisterReaderHandler(s.name, func() io.Reader { return strings.NewReader(c.rows) })
		defer mysql.DeregisterReaderHandler(s.name)
	case s.rand.IntN(8) == 0:
		statement, err := s.conn.PrepareContext(ctx, c.sql)
		if err != nil {
			return 0, err
		}
		defer statement.Close()
		r, err := statement.ExecContext(ctx)
		if err != nil {
			return 0, err
		}
		return r.RowsAffected()
	}
	return s.exec(ctx, c.sql)
}

// change makes the statements of one change.
func (s *session) change(t *table) []command {
	key := t.newKey(s.rand, s.space)
	switch n := s.rand.IntN(16); {
	case t.copies && n < 3:
		return one("INSERT INTO %s%s SELECT %[3]s FROM %[1]s WHERE %[4]s LIMIT %[5]d", t.name, t.columnList(), t.names(), t.where(key), 1+s.rand.IntN(8))
	case n < 2:
		return one("%s (%s)", t.insert("INSERT"), s.rowOf(t, key))
	case n < 3: // a duplicate in the middle undoes the rows before it
		return one("%s %s", t.insert("INSERT"), s.rows(t, 2+s.rand.IntN(20)))
	case n < 4:
		return one("%s %s", t.insert("REPLACE"), s.rows(t, 1+s.rand.IntN(3)))
	case n < 7:
		return one("UPDATE %s SET %s WHERE %s", t.name, s.assignments(t), t.where(key))
	case n < 8:
		return one("UPDATE %s SET %s WHERE %s", t.name, s.assignments(t), t.from(key, 2+s.rand.IntN(30)))
	case n < 9:
		return one("DELETE FROM %s WHERE %s", t.name, t.where(key))
	case n < 10:
		return one("DELETE FROM %s WHERE %s", t.name, t.from(key, 1+s.rand.IntN(4)))
	case n < 11: // a key that was just deleted
		return append(one("DELETE FROM %s WHERE %s", t.name, t.where(key)), one("%s (%s)", t.insert("INSERT"), s.rowOf(t, key))...)
	case n < 12: // a key change, and sometimes back
		to := t.newKey(s.rand, s.space)
		there := one("UPDATE %s SET %s WHERE %s", t.name, t.setKey(to), t.where(key))
		if s.rand.IntN(3) == 0 {
			return append(there, one("UPDATE %s SET %s, %s WHERE %s", t.name, t.setKey(key), s.assignments(t), t.where(to))...)
		}
		return there
	case n < 14: // an insert where the key is free, else an update
		return one("%s (%s) ON DUPLICATE KEY UPDATE %s", t.insert("INSERT"), s.rowOf(t, key), s.assignments(t))
	case n < 15:
		return s.between(t, key)
	default:
		return s.bulk(t)
	}
}

// between makes a statement over two tables.
func (s *session) between(t *table, key []string) []command {
	other := s.table()
	switch {
	case !t.numbered || !other.numbered || other.name == t.name:
		return one("UPDATE %s SET %s WHERE %s", t.name, s.assignments(t), t.where(key))
	case s.rand.IntN(3) == 0:
		return one("DELETE t, other FROM %s t JOIN %s other USING (id) WHERE t.id BETWEEN %s AND %[3]s + %d", t.name, other.name, key[0], s.rand.IntN(4))
	}
	return one("UPDATE %s t JOIN %s other USING (id) SET t.%s, other.%s WHERE t.id BETWEEN %s AND %[5]s + %d",
		t.name, other.name, s.assignment(t), s.assignment(other), key[0], s.rand.IntN(20))
}

// bulk makes a statement that brings many rows, from another table or from the
// client.
func (s *session) bulk(t *table) []command {
	switch {
	case t.line != nil && s.rand.IntN(3) == 0:
		var rows strings.Builder
		for range 1 + s.rand.IntN(100) {
			rows.WriteString(t.line(s.rand, t.newKey(s.rand, s.space)))
		}
		sql := fmt.Sprintf("LOAD DATA LOCAL INFILE 'Reader::%s' %s INTO TABLE %s FIELDS TERMINATED BY ','%s", s.name, pick(s.rand, "REPLACE", "IGNORE"), t.name, t.columnList())
		return []command{{sql, rows.String()}}
	case t.origin != "":
		columns := strings.TrimPrefix(t.names(), t.key[0])
		return one("INSERT IGNORE INTO %s%s SELECT %s%s FROM %s WHERE id >= %d ORDER BY id LIMIT %d",
			t.name, t.columnList(), t.originKey, columns, t.origin, 1+s.rand.IntN(s.space), 1+s.rand.IntN(10))
	}
	return one("%s %s", t.insert("REPLACE"), s.rows(t, 1+s.rand.IntN(12)))
}

func one(format string, values ...any) []command {
	return []command{{sql: fmt.Sprintf(format, values...)}}
}
