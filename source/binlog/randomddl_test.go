package binlog_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

// TestRandomDefinitions runs random statements against the server, and follows them
// through the log: the shape under which each row comes is the one that
// information_schema showed when it was written, and at the end old rows have the
// values that SELECT shows. Only what is not followed in this version may stop it. Where
// the log has no names of columns, more may, and rows from before a statement may come
// under the names from behind it: at the end nothing may be left of that.
//
// BELUGA_TEST_SEED is the seed, BELUGA_TEST_STATEMENTS how many statements there are.
func TestRandomDefinitions(t *testing.T) {
	seed, statements := number(t, "BELUGA_TEST_SEED", 1), number(t, "BELUGA_TEST_STATEMENTS", 400)
	t.Logf("to repeat it: BELUGA_TEST_SEED=%d BELUGA_TEST_STATEMENTS=%d", seed, statements)
	for name, server := range map[string]struct {
		start   func(testing.TB, ...string) *servers.MySQLServer
		options []string
		unnamed bool
		part    int // of the statements
	}{
		"MySQL":         {start: servers.MySQL, part: 1},
		"without names": {start: servers.MySQL, options: []string{"--binlog-row-metadata=MINIMAL"}, unnamed: true, part: 8},
		"MariaDB":       {start: servers.MariaDB, part: 2},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase(t, server.start(t, server.options...))
			d.config.Describe, d.config.Fill = d.describe, fillSevens
			rnd := rand.New(rand.NewPCG(seed, 11))
			run, tables, refused := 0, 0, 0
			for ; run < int(statements)/server.part; tables++ {
				table := &alteredTable{database: d, unnamed: server.unnamed, id: schema.TableID{Database: d.name, Name: fmt.Sprintf("t%d", tables)}, alters: &alters{Rand: rnd}}
				count, stopped := table.test(t, rnd)
				run += count
				if stopped {
					refused++
				}
			}
			t.Logf("%d statements in %d tables, %d of which were refused", run, tables, refused)
			require.Less(t, refused, tables)
		})
	}
}

func number(t *testing.T, name string, usual uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n
}

// alteredTable is a table that is altered, and what the stream makes of it.
type alteredTable struct {
	*database
	*alters
	id      schema.TableID
	unnamed bool     // the log has no names of columns
	log     []string // of statements that the server took
	want    []string // the columns when each row was written
	shape   *schema.Table
	rows    map[string]map[string]string // by key, values by column
	arrived int
}

// test alters the table some times, and follows that.
func (a *alteredTable) test(t *testing.T, rnd *rand.Rand) (statements int, stopped bool) {
	a.alters.database, a.alters.table, a.rows = a.id.Database, a.id.Name, map[string]map[string]string{}
	a.exec(t, "SET sql_mode = ''; CREATE TABLE "+a.id.Name+" (id INT PRIMARY KEY AUTO_INCREMENT, v INT DEFAULT 7, w VARCHAR(10) DEFAULT '7', INDEX i (v))")
	followed, most := true, 12
	if a.unnamed {
		most = 1 + rnd.IntN(2) // of more, it would be refused always
	}
	for tries := 0; len(a.log) < most && tries < 200; tries++ {
		var mode []string
		if a.ansi = rnd.IntN(3) == 0; a.ansi {
			mode = append(mode, "ANSI_QUOTES")
		}
		if a.plain = rnd.IntN(3) == 0; a.plain {
			mode = append(mode, "NO_BACKSLASH_ESCAPES")
		}
		a.exec(t, "SET sql_mode = '"+strings.Join(append(mode, "STRICT_TRANS_TABLES"), ",")+"'") // else NOT NULL is refused
		a.columns = a.read(t)
		text, ok := a.statement()
		if _, err := a.conn.ExecContext(t.Context(), text); err != nil {
			continue
		}
		a.log, followed = append(a.log, text), followed && ok
		if rnd.IntN(3) > 0 || !ok { // else the next statement comes before any row
			a.exec(t, "INSERT INTO "+a.id.Name+" () VALUES ()")
			a.columns = a.read(t)
			a.want = append(a.want, a.describe())
		}
		if !ok {
			break
		}
	}
	a.exec(t, "SET sql_mode = ''")
	a.config.Captures = func(id schema.TableID) bool { return id == a.id }
	err := a.stream(t, a)
	a.start = a.position(t)
	if err != nil && a.unnamed && strings.Contains(err.Error(), "the binlog has no column names") {
		return len(a.log), true
	}
	if err != nil {
		require.False(t, followed, "%v\n%s", err, a.said())
		require.Regexp(t, "cannot be followed|may have changed values", err, a.said())
		return len(a.log), true
	}
	require.Len(t, a.want, a.arrived, a.said())
	a.requireSame(t)
	return len(a.log), false
}

func (a *alteredTable) said() string { return a.id.String() + ":\n" + strings.Join(a.log, ";\n") }

// read returns the columns that the server shows.
func (a *alteredTable) read(t *testing.T) (columns []alterColumn) {
	rows, err := a.conn.QueryContext(t.Context(), "SELECT column_name, column_type, column_key = 'PRI' FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", a.id.Database, a.id.Name)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var c alterColumn
		require.NoError(t, rows.Scan(&c.name, &c.typ, &c.key))
		if c.typ == "int(11)" { // as MariaDB shows it
			c.typ = "int"
		}
		columns = append(columns, c)
	}
	require.NoError(t, rows.Err())
	return columns
}

// describe writes the columns as comparisons see them.
func (a *alteredTable) describe() string {
	var s []string
	for _, c := range a.columns {
		s = append(s, fmt.Sprintf("%q %s", c.name, c.typ))
	}
	return strings.Join(s, ", ")
}

// Send takes what the stream says, as a lake would.
func (a *alteredTable) Send(_ context.Context, e schema.Event) error {
	switch e := e.(type) {
	case schema.SchemaChange:
		a.reshape(e)
	case *schema.Block:
		if e.Table != a.shape {
			return fmt.Errorf("rows under a shape that was not announced")
		}
		for i := range e.Ops {
			var s []string
			row := map[string]string{}
			for c, col := range e.Table.Columns {
				s = append(s, fmt.Sprintf("%q %s", col.Name, col.Type))
				row[col.Name] = show(&e.New[c], i)
			}
			if got := strings.Join(s, ", "); a.arrived == len(a.want) || got != a.want[a.arrived] && !a.unnamed {
				return fmt.Errorf("row %d comes under %s instead of %s", a.arrived, got, a.want[min(a.arrived, len(a.want)-1)])
			}
			a.rows[key(e.Table, e.New, i)] = row
			a.arrived++
		}
	}
	return nil
}

// reshape gives the rows that are there the columns of a new shape.
func (a *alteredTable) reshape(c schema.SchemaChange) {
	was := a.shape
	a.shape = c.Table
	if was == nil || c.Reset {
		return
	}
	pairs := schema.Counterparts(was, c.Table, c.Renamed)
	for k, row := range a.rows {
		now := map[string]string{}
		for i, col := range was.Columns {
			if j := pairs[i]; j >= 0 {
				now[c.Table.Columns[j].Name] = row[col.Name]
			}
		}
		for i, col := range c.Table.Columns {
			if c.Fill != nil && !c.Fill.New[i].IsNull(0) {
				now[col.Name] = show(&c.Fill.New[i], 0)
			}
		}
		a.rows[k] = now
	}
}

// requireSame compares the rows, and the last shape, with the server's.
func (a *alteredTable) requireSame(t *testing.T) {
	t.Helper()
	a.columns = a.read(t)
	var shown []string
	for _, c := range a.shape.Columns {
		shown = append(shown, fmt.Sprintf("%q %s", c.Name, c.Type))
	}
	require.Equal(t, a.describe(), strings.Join(shown, ", "), a.said())
	rows, err := a.db.QueryContext(t.Context(), "SELECT * FROM "+a.id.String())
	require.NoError(t, err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		values := make([]sql.NullString, len(a.columns))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		want, k := map[string]string{}, ""
		for i, c := range a.columns {
			want[c.name] = values[i].String
			if c.key {
				k = values[i].String
			}
		}
		require.Equal(t, want, a.rows[k], a.said())
	}
	require.NoError(t, rows.Err())
	require.Len(t, a.rows, n, a.said())
}

// fillSevens: all columns are added with DEFAULT 7.
func fillSevens(_ context.Context, t *schema.Table, added []binlog.Added) (*schema.Block, error) {
	b := schema.NewBlock(t)
	for i := range t.Columns {
		b.New[i].AppendNull()
	}
	for _, a := range added {
		i := a.Column
		b.New[i].Reset(b.New[i].Kind)
		if b.New[i].Kind == schema.VecBytes {
			b.New[i].AppendBytes([]byte("7"))
		} else {
			b.New[i].AppendInt32(7)
		}
	}
	b.Ops = append(b.Ops, schema.OpRead)
	return b, nil
}
