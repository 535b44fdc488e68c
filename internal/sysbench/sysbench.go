package sysbench

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"
)

// mark is the comment of tables that this package made, by which it knows them.
const mark = "made by beluga bench"

// Tables are sbtest1 to sbtest<Count> in one database.
type Tables struct {
	DB       *sql.DB // opened by Open
	Database string
	Count    int
	Rows     int // of each table, when it is filled
	Seed     uint64
}

// Server is where the tables are made.
type Server struct {
	Network, Address string // "tcp" and host:port, or "unix" and a path
	User, Password   string
	TLS              *tls.Config // nil: plain
}

// Open opens a pool on the server. It connects when it is used.
func Open(s Server) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.TLS = s.Network, s.Address, s.User, s.Password, s.TLS
	c.MultiStatements = true // a whole transaction in one round trip
	c.MaxAllowedPacket = 0   // ask the server
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("configuring the connection to %s: %w", s.Address, err)
	}
	return sql.OpenDB(connector), nil
}

// Name returns the quoted name of table n, from 1.
func (t *Tables) Name(n int) string {
	return fmt.Sprintf("`%s`.`sbtest%d`", strings.ReplaceAll(t.Database, "`", "``"), n)
}

// Create makes the database and the empty tables. Tables of an earlier run are
// made anew; a table that is somebody else's is an error, unless force is set.
func (t *Tables) Create(ctx context.Context, force bool) error {
	if _, err := t.DB.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS `"+strings.ReplaceAll(t.Database, "`", "``")+"`"); err != nil {
		return fmt.Errorf("creating database %s: %w", t.Database, err)
	}
	if !force {
		if err := t.refuseForeign(ctx); err != nil {
			return err
		}
	}
	for n := 1; n <= t.Count; n++ {
		_, err := t.DB.ExecContext(ctx, "DROP TABLE IF EXISTS "+t.Name(n)+"; CREATE TABLE "+t.Name(n)+` (
			id INT NOT NULL AUTO_INCREMENT,
			k INT NOT NULL DEFAULT 0,
			c CHAR(120) NOT NULL DEFAULT '',
			pad CHAR(60) NOT NULL DEFAULT '',
			PRIMARY KEY (id),
			KEY k_`+strconv.Itoa(n)+` (k)
		) ENGINE=InnoDB COMMENT='`+mark+`'`)
		if err != nil {
			return fmt.Errorf("creating table %s: %w", t.Name(n), err)
		}
	}
	return nil
}

// ErrForeign says that a table of the same name is there and is not ours.
var ErrForeign = errors.New("not made by beluga bench")

func (t *Tables) refuseForeign(ctx context.Context) error {
	for n := 1; n <= t.Count; n++ {
		var comment string
		err := t.DB.QueryRowContext(ctx, "SELECT table_comment FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
			t.Database, fmt.Sprintf("sbtest%d", n)).Scan(&comment)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return fmt.Errorf("looking for table %s: %w", t.Name(n), err)
		case comment != mark:
			return fmt.Errorf("table %s exists and was %w; use another database, or --force to drop it", t.Name(n), ErrForeign)
		}
	}
	return nil
}

// rowsPerStatement makes statements of about 1 MB.
const rowsPerStatement = 5000

// Fill puts Rows rows into each table, with ids from 1. report, which may be
// nil, is told how many rows each statement put in, from several goroutines.
func (t *Tables) Fill(ctx context.Context, report func(rows int)) error {
	g, ctx := errgroup.WithContext(ctx)
	for n := 1; n <= t.Count; n++ {
		g.Go(func() error {
			r := t.rand(1, n)
			var b []byte
			for first := 1; first <= t.Rows; first += rowsPerStatement {
				rows := min(rowsPerStatement, t.Rows-first+1)
				b = t.appendInsert(b[:0], r, n, first, rows)
				if _, err := t.DB.ExecContext(ctx, string(b)); err != nil {
					return fmt.Errorf("filling %s: %w", t.Name(n), err)
				}
				if report != nil {
					report(rows)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// appendInsert appends an INSERT of rows with ids from first on, or with first =
// 0 with ids that the server gives.
func (t *Tables) appendInsert(b []byte, r *rand.Rand, n, first, rows int) []byte {
	b = append(b, "INSERT INTO "...)
	b = append(b, t.Name(n)...)
	b = append(b, " (id, k, c, pad) VALUES "...)
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		id := 0
		if first > 0 {
			id = first + i
		}
		b = t.appendRow(b, r, id)
	}
	return b
}

func (t *Tables) appendRow(b []byte, r *rand.Rand, id int) []byte {
	b = append(b, '(')
	b = strconv.AppendInt(b, int64(id), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, 1+r.Int64N(int64(max(t.Rows, 1))), 10)
	b = append(b, ",'"...)
	b = appendDigits(b, r, groupsC)
	b = append(b, "','"...)
	b = appendDigits(b, r, groupsPad)
	return append(b, "')"...)
}

func (t *Tables) rand(stage, n int) *rand.Rand {
	return rand.New(rand.NewPCG(t.Seed, uint64(stage)<<32|uint64(n)))
}
