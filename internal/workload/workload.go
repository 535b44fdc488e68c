package workload

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"
)

// Workload is a database and what happens in it.
type Workload struct {
	DB       *sql.DB // a pool on the server; which database it uses does not matter
	Database string
	Seed     uint64
	Space    int // keys of a table, about; half of them are filled at first
	// Plain leaves out geometries and vectors, which MariaDB declares otherwise.
	Plain bool
	// Mixed lets transactions also write to a table that cannot be rolled back. It
	// has a database of its own, named Aside.
	Mixed bool
	// Retype lets Alter give columns types that do not hold what they held, whose values
	// the server cuts.
	Retype bool

	cascades   bool // the server logs what foreign keys do by themselves
	runs       atomic.Uint64
	changes    atomic.Int64
	statements atomic.Int64
	altered    atomic.Int64
	alterer    *alterer // nil: nothing was altered yet
}

// Changes returns how many row changes have been committed. What triggers and
// foreign keys did comes on top.
func (w *Workload) Changes() int64 { return w.changes.Load() }

// Statements returns how many statements have tried to change rows.
func (w *Workload) Statements() int64 { return w.statements.Load() }

// Altered returns how many statements have altered a table.
func (w *Workload) Altered() int64 { return w.altered.Load() }

// Aside is the database of the table that cannot be rolled back.
func (w *Workload) Aside() string { return w.Database + "_aside" }

func (w *Workload) tables() []table { return tables(w.Plain, w.cascades) }

// Create makes the database anew, with empty tables.
func (w *Workload) Create(ctx context.Context) error {
	s, err := w.session(ctx, "DROP DATABASE IF EXISTS "+w.Database, "CREATE DATABASE "+w.Database+" CHARACTER SET utf8mb4")
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.conn.QueryRowContext(ctx, "SHOW GLOBAL VARIABLES WHERE variable_name = 'innodb_native_foreign_keys' AND value = 'OFF'").Scan(new(string), new(string)); err == nil {
		w.cascades = true
	} else if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("asking whether foreign keys are logged: %w", err)
	}
	for _, t := range w.tables() {
		for _, ddl := range append([]string{"USE " + w.Database, t.ddl}, t.triggers...) {
			if err := s.run(ctx, ddl); err != nil {
				return fmt.Errorf("creating table %s: %w", t.name, err)
			}
		}
	}
	if !w.Mixed {
		return nil
	}
	return s.run(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %[1]s; CREATE DATABASE %[1]s; CREATE TABLE %[1]s.notes (id INT PRIMARY KEY AUTO_INCREMENT, note TEXT) ENGINE = MyISAM", w.Aside()))
}

// Fill puts the first rows into all tables.
func (w *Workload) Fill(ctx context.Context) error {
	s, err := w.session(ctx, "USE "+w.Database)
	if err != nil {
		return err
	}
	defer s.close()
	s.rand = rand.New(rand.NewPCG(w.Seed, 0))
	const rows = 100
	for _, t := range w.tables() {
		for done := 0; done < w.Space/2; done += rows {
			n, err := s.exec(ctx, t.insert("INSERT IGNORE")+s.rows(&t, rows))
			if err != nil {
				return fmt.Errorf("filling table %s: %w", t.name, err)
			}
			w.changes.Add(n)
		}
	}
	return nil
}

// Run changes rows from so many sessions until so many more row changes have
// been committed, or ctx ends. It ends no transaction in the middle: one that is
// prepared would stay, and keep its locks from everybody.
func (w *Workload) Run(ctx context.Context, sessions int, changes int64) error {
	until, run := w.Changes()+changes, w.runs.Add(1)
	g, ctx := errgroup.WithContext(ctx)
	for n := range sessions {
		g.Go(func() error {
			s, err := w.session(ctx, "USE "+w.Database)
			if err != nil {
				return err
			}
			defer s.close()
			s.name = fmt.Sprintf("%s %d", w.Database, n)
			s.rand = rand.New(rand.NewPCG(w.Seed, run<<8|uint64(n)))
			for w.Changes() < until && ctx.Err() == nil {
				n, err := s.transaction(context.WithoutCancel(ctx))
				if err != nil {
					return fmt.Errorf("session %d of the workload: %w", n, err)
				}
				w.changes.Add(n)
			}
			return context.Cause(ctx)
		})
	}
	return g.Wait()
}

// session is one connection and its dice.
type session struct {
	conn   *sql.Conn
	rand   *rand.Rand
	tables []table
	space  int
	aside  string // database of a table that cannot be rolled back, or empty

	statements *atomic.Int64

	name     string // of its XA transactions, and of what it loads
	branches int
}

// session opens a connection with the settings that the values of the workload
// count on.
func (w *Workload) session(ctx context.Context, statements ...string) (*session, error) {
	conn, err := w.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	for _, sql := range append([]string{"SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES', NAMES utf8mb4", "SET GLOBAL local_infile = ON"}, statements...) {
		if _, err := conn.ExecContext(ctx, sql); err != nil {
			return nil, errors.Join(fmt.Errorf("executing %s: %w", sql, err), conn.Close())
		}
	}
	s := &session{conn: conn, tables: w.tables(), space: w.Space, statements: &w.statements}
	if w.Mixed {
		s.aside = w.Aside()
	}
	return s, nil
}

func (s *session) close() { _ = s.conn.Close() } // gives it back to the pool

func (s *session) exec(ctx context.Context, sql string) (int64, error) {
	r, err := s.conn.ExecContext(ctx, sql)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Numbers of the server's errors.
const (
	errDuplicate = 1062
	errLockWait  = 1205
	errDeadlock  = 1213
	errXALost    = 1614
	errXAState   = 1399
	errReferred  = 1451 // a child refers to the row
	errNoParent  = 1452
	errNoSuch    = 1305 // savepoint, among others
	errAltered   = 1412 // since the transaction began
)

func isError(err error, number uint16) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == number
}

// refused tells whether the server did not take a statement.
func refused(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e)
}

// undone tells whether the server has undone the transaction, or the statement that
// waited too long in it. That a savepoint is gone was seen once, while tables were
// locked by hand, and is taken for the first.
func undone(err error) bool {
	return isError(err, errDeadlock) || isError(err, errLockWait) || isError(err, errNoSuch) || isError(err, errXALost)
}
