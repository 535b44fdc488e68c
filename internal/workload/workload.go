package workload

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
	Plain   bool
	changes atomic.Int64
}

// Tables returns the names of the tables.
func Tables() (names []string) {
	for _, t := range tables(false) {
		names = append(names, t.name)
	}
	return names
}

// Changes returns how many row changes have been committed.
func (w *Workload) Changes() int64 { return w.changes.Load() }

// Create makes the database anew, with empty tables.
func (w *Workload) Create(ctx context.Context) error {
	s, err := w.session(ctx, "DROP DATABASE IF EXISTS "+w.Database, "CREATE DATABASE "+w.Database+" CHARACTER SET utf8mb4")
	if err != nil {
		return err
	}
	defer s.close()
	for _, t := range tables(w.Plain) {
		if _, err := s.conn.ExecContext(ctx, "USE "+w.Database+"; "+t.ddl); err != nil {
			return fmt.Errorf("creating table %s: %w", t.name, err)
		}
	}
	return nil
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
	for _, t := range tables(w.Plain) {
		for done := 0; done < w.Space/2; done += rows {
			var values []string
			for range rows {
				values = append(values, "("+s.row(&t)+")")
			}
			n, err := s.exec(ctx, "INSERT IGNORE INTO "+t.name+t.columnList()+" VALUES "+strings.Join(values, ", "))
			if err != nil {
				return fmt.Errorf("filling table %s: %w", t.name, err)
			}
			w.changes.Add(n)
		}
	}
	return nil
}

// Run changes rows from so many sessions until so many more row changes have
// been committed, or ctx ends.
func (w *Workload) Run(ctx context.Context, sessions int, changes int64) error {
	until := w.Changes() + changes
	g, ctx := errgroup.WithContext(ctx)
	for n := range sessions {
		g.Go(func() error {
			s, err := w.session(ctx, "USE "+w.Database)
			if err != nil {
				return err
			}
			defer s.close()
			s.name = fmt.Sprintf("%s %d", w.Database, n)
			s.rand = rand.New(rand.NewPCG(w.Seed, uint64(until)<<8|uint64(n+1)))
			for w.Changes() < until && ctx.Err() == nil {
				n, err := s.transaction(ctx)
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

	name     string // of its XA transactions
	branches int
}

// session opens a connection with the settings that the values of the workload
// count on.
func (w *Workload) session(ctx context.Context, statements ...string) (*session, error) {
	conn, err := w.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	for _, sql := range append([]string{"SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES', NAMES utf8mb4"}, statements...) {
		if _, err := conn.ExecContext(ctx, sql); err != nil {
			return nil, errors.Join(fmt.Errorf("executing %s: %w", sql, err), conn.Close())
		}
	}
	return &session{conn: conn, tables: tables(w.Plain), space: w.Space}, nil
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
)

func isError(err error, number uint16) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == number
}
