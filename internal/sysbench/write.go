package sysbench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"
)

// RowsPerTransaction is how many row changes one transaction of Write makes.
const RowsPerTransaction = 4

// insertRows is how many rows one transaction of Insert puts in.
const insertRows = 10_000

// Insert adds rows to the tables in turn, in transactions of ten thousand rows.
func (t *Tables) Insert(ctx context.Context, rows int, report func(rows int)) error {
	g, ctx := errgroup.WithContext(ctx)
	var left atomic.Int64
	left.Store(int64(rows))
	for n := 1; n <= t.Count; n++ {
		g.Go(func() error {
			r := t.rand(2, n)
			var b []byte
			for {
				count := int(min(insertRows, left.Add(-insertRows)+insertRows))
				if count <= 0 {
					return nil
				}
				b = append(b[:0], "BEGIN;"...)
				for done := 0; done < count; done += rowsPerStatement {
					b = t.appendInsert(b, r, n, 0, min(rowsPerStatement, count-done))
					b = append(b, ';')
				}
				b = append(b, "COMMIT"...)
				if err := t.transact(ctx, string(b)); err != nil {
					return fmt.Errorf("inserting into %s: %w", t.Name(n), err)
				}
				if report != nil {
					report(count)
				}
			}
		})
	}
	return g.Wait()
}

// Write runs transactions like oltp_write_only's from several sessions: an
// update of the indexed column, an update of a text, and a delete and insert of
// the same id, on random rows of one random table.
func (t *Tables) Write(ctx context.Context, transactions, sessions int, report func(rows int)) error {
	g, ctx := errgroup.WithContext(ctx)
	var left atomic.Int64
	left.Store(int64(transactions))
	for s := range sessions {
		g.Go(func() error {
			r := t.rand(3, s)
			var b []byte
			for left.Add(-1) >= 0 {
				b = t.appendTransaction(b[:0], r)
				if err := t.transact(ctx, string(b)); err != nil {
					return fmt.Errorf("writing: %w", err)
				}
				if report != nil {
					report(RowsPerTransaction)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (t *Tables) appendTransaction(b []byte, r *rand.Rand) []byte {
	name := t.Name(1 + r.IntN(t.Count))
	id := func() int { return 1 + r.IntN(t.Rows) }
	b = append(b, "BEGIN;UPDATE "...)
	b = append(b, name...)
	b = append(b, " SET k = k + 1 WHERE id = "...)
	b = strconv.AppendInt(b, int64(id()), 10)
	b = append(b, ";UPDATE "...)
	b = append(b, name...)
	b = append(b, " SET c = '"...)
	b = appendDigits(b, r, groupsC)
	b = append(b, "' WHERE id = "...)
	b = strconv.AppendInt(b, int64(id()), 10)
	b = append(b, ";DELETE FROM "...)
	b = append(b, name...)
	b = append(b, " WHERE id = "...)
	again := id()
	b = strconv.AppendInt(b, int64(again), 10)
	b = append(b, ";INSERT INTO "...)
	b = append(b, name...)
	b = append(b, " (id, k, c, pad) VALUES "...)
	b = t.appendRow(b, r, again)
	return append(b, ";COMMIT"...)
}

// The errors by which InnoDB asks for a transaction to be tried again.
const (
	errLockWait = 1205
	errDeadlock = 1213
)

// transact runs the statements of one transaction until they are committed. The
// statements after one that fails are not run by the server, so that the COMMIT
// at the end is run only if all went well.
func (t *Tables) transact(ctx context.Context, statements string) error {
	conn, err := t.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	for {
		_, err := conn.ExecContext(ctx, statements)
		var failed *mysql.MySQLError
		if !errors.As(err, &failed) || failed.Number != errDeadlock && failed.Number != errLockWait {
			return err
		}
		if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			return fmt.Errorf("rolling back: %w", err)
		}
	}
}

// AddColumn adds a column to every table, and sets it in every tenth row. It
// has a default, which the rows that are there show without being logged.
func (t *Tables) AddColumn(ctx context.Context, column string, report func(rows int)) error {
	for n := 1; n <= t.Count; n++ {
		if _, err := t.DB.ExecContext(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s VARCHAR(40) NOT NULL DEFAULT 'as before'", t.Name(n), column)); err != nil {
			return fmt.Errorf("adding a column to %s: %w", t.Name(n), err)
		}
		r, err := t.DB.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s = CONCAT('row ', id) WHERE id %% 10 = 0", t.Name(n), column))
		if err != nil {
			return fmt.Errorf("setting the new column of %s: %w", t.Name(n), err)
		}
		rows, err := r.RowsAffected()
		if err != nil {
			return fmt.Errorf("setting the new column of %s: %w", t.Name(n), err)
		}
		if report != nil {
			report(int(rows))
		}
	}
	return nil
}
