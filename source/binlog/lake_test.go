package binlog_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

func TestMain(m *testing.M) { servers.Main(m) }

// lake applies events as a sink must, strictly: an insert of a key that is
// there, or a change of one that is not, is an error. So a row that came twice,
// or not at all, does not go unseen.
type lake struct {
	mu      sync.Mutex
	shapes  map[schema.TableID]*schema.Table
	rows    map[schema.TableID]map[string]string
	commits []schema.Commit
	changes []schema.SchemaChange
	blocks  int
	largest int                 // bytes of a block
	open    []schema.Origin     // since the last commit
	next    map[schema.GTID]int // the TxnRow that must come next
	onBlock func(n int)
	arrived chan struct{}
}

func newLake() *lake {
	return &lake{shapes: map[schema.TableID]*schema.Table{}, rows: map[schema.TableID]map[string]string{}, next: map[schema.GTID]int{}, arrived: make(chan struct{}, 1)}
}

func (l *lake) Send(_ context.Context, e schema.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := e.(type) {
	case schema.SchemaChange:
		l.changes = append(l.changes, e)
		if e.Dropped {
			delete(l.shapes, e.Table.ID)
			delete(l.rows, e.Table.ID)
			return nil
		}
		if was := l.shapes[e.Table.ID]; was != nil && !e.Reset {
			l.reshape(was, e)
		}
		l.shapes[e.Table.ID] = e.Table
		if e.Reset {
			l.rows[e.Table.ID] = map[string]string{}
		}
		if e.Fill != nil {
			l.fill(e)
		}
	case schema.Commit:
		for _, o := range l.open {
			if e.Position.UsesGTIDs() && !e.Position.GTIDs.Contains(o.GTID) {
				return fmt.Errorf("a commit at %s, but rows of %s were sent before it", e.Position, o.GTID)
			}
			if len(l.commits) > 0 && l.commits[len(l.commits)-1].Position.Covers(&o) {
				return fmt.Errorf("rows of %s came behind a commit that contains it", o.GTID)
			}
		}
		l.open = l.open[:0]
		l.commits = append(l.commits, e)
		select {
		case l.arrived <- struct{}{}:
		default:
		}
	case *schema.Block:
		l.blocks++
		l.largest = max(l.largest, e.Size())
		if l.onBlock != nil {
			l.onBlock(l.blocks)
		}
		return l.apply(e)
	}
	return nil
}

// reshape gives rows that are there the columns of a new shape, by their names and
// places.
func (l *lake) reshape(was *schema.Table, c schema.SchemaChange) {
	d := schema.DiffTables(was, c.Table, c.Renamed...)
	if len(d.Dropped) == 0 && len(d.Renamed) == 0 && !d.Moved && !d.KeyChanged {
		return
	}
	pairs := schema.Counterparts(was, c.Table, c.Renamed)
	rows := map[string]string{}
	for k, row := range l.rows[c.Table.ID] {
		values := make([]string, len(c.Table.Columns))
		for _, f := range strings.Fields(row) {
			name, value, _ := strings.Cut(f, "=")
			if j := pairs[was.Column(name)]; j >= 0 {
				values[j] = c.Table.Columns[j].Name + "=" + value + " "
			}
		}
		if d.KeyChanged {
			var parts []string
			for _, i := range c.Table.Key {
				_, value, _ := strings.Cut(values[i], "=")
				parts = append(parts, strings.TrimSpace(value))
			}
			k = strings.Join(parts, "/")
		}
		rows[k] = strings.Join(values, "")
	}
	l.rows[c.Table.ID] = rows
}

// fill gives rows that are there the values of new columns.
func (l *lake) fill(c schema.SchemaChange) {
	for k, row := range l.rows[c.Table.ID] {
		for i, col := range c.Table.Columns {
			if !c.Fill.New[i].IsNull(0) {
				row += col.Name + "=" + show(&c.Fill.New[i], 0) + " "
			}
		}
		l.rows[c.Table.ID][k] = row
	}
}

func (l *lake) apply(b *schema.Block) error {
	if l.shapes[b.Table.ID] != b.Table {
		return fmt.Errorf("rows of %s under a shape that was not announced", b.Table.ID)
	}
	if err := l.number(b); err != nil {
		return err
	}
	rows := l.rows[b.Table.ID]
	for i, op := range b.Ops {
		if op != schema.OpInsert {
			k := key(b.Table, b.Old, i)
			if _, ok := rows[k]; !ok {
				return fmt.Errorf("%c of %s, which is not in %s", op, k, b.Table.ID)
			}
			delete(rows, k)
		}
		if op != schema.OpDelete {
			k := key(b.Table, b.New, i)
			if _, ok := rows[k]; ok {
				return fmt.Errorf("%c of %s, which is in %s already", op, k, b.Table.ID)
			}
			row := ""
			for c := range b.Table.Columns {
				if !b.New[c].IsNull(i) {
					row += b.Table.Columns[c].Name + "=" + show(&b.New[c], i) + " "
				}
			}
			rows[k] = row
		}
	}
	for c := range b.New {
		if b.New[c].N != b.Rows() {
			return fmt.Errorf("column %d has %d values for %d rows", c, b.New[c].N, b.Rows())
		}
	}
	for c := range b.Old {
		if b.Old[c].N != b.Rows() && b.Old[c].N != 0 {
			return fmt.Errorf("column %d has %d old values for %d rows", c, b.Old[c].N, b.Rows())
		}
	}
	return nil
}

// number checks that the rows of each transaction are numbered without gap.
func (l *lake) number(b *schema.Block) error {
	for i, o := range b.Origins {
		end := b.Rows()
		if i+1 < len(b.Origins) {
			end = b.Origins[i+1].Row
		}
		if !o.GTID.IsZero() && len(l.shapes) == 1 { // blocks of several tables interleave
			if l.next[o.GTID] != o.TxnRow {
				return fmt.Errorf("%s: row %d comes where %d is due", o.GTID, o.TxnRow, l.next[o.GTID])
			}
			l.next[o.GTID] += end - o.Row
		}
	}
	l.open = append(l.open, b.Origins...)
	return nil
}

func key(t *schema.Table, image []schema.Vec, row int) string {
	var s []string
	for _, k := range t.Key {
		s = append(s, show(&image[k], row))
	}
	return strings.Join(s, "/")
}

func show(v *schema.Vec, i int) string {
	switch v.Kind {
	case schema.VecInt32:
		return strconv.Itoa(int(v.I32[i]))
	case schema.VecInt64:
		return strconv.FormatInt(v.I64[i], 10)
	}
	return string(v.Bytes(i))
}

// database is a database of a test, with a stream of its own.
type database struct {
	server *servers.MySQLServer
	name   string
	db     *sql.DB
	conn   *sql.Conn
	config binlog.Config
	start  schema.Position
	maria  bool
}

var databases atomic.Int64

// newDatabase makes an empty database on the server.
func newDatabase(t testing.TB, server *servers.MySQLServer) *database {
	d := &database{server: server, name: fmt.Sprintf("stream_%d", databases.Add(1)), db: server.DB(t)}
	var err error
	d.conn, err = d.db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { d.conn.Close() })
	d.exec(t, "DROP DATABASE IF EXISTS "+d.name)
	d.exec(t, "CREATE DATABASE "+d.name)
	d.exec(t, "USE "+d.name)
	var version string
	require.NoError(t, d.db.QueryRow("SELECT VERSION()").Scan(&version))
	d.maria = strings.Contains(version, "MariaDB")
	query := "SELECT id, character_set_name FROM information_schema.collations"
	if d.maria {
		query = "SELECT id, character_set_name FROM information_schema.collation_character_set_applicability WHERE id IS NOT NULL"
	}
	rows, err := d.db.Query(query)
	require.NoError(t, err)
	defer rows.Close()
	collations := map[uint64]string{}
	for rows.Next() {
		var id uint64
		var name string
		require.NoError(t, rows.Scan(&id, &name))
		collations[id] = name
	}
	require.NoError(t, rows.Err())
	d.config = binlog.Config{
		Login: func() (binlog.Login, error) {
			return binlog.Login{Addr: server.Addr, User: server.User, Password: server.Password}, nil
		},
		MariaDB:    d.maria,
		ServerUUID: "server",
		Heartbeat:  time.Second, // a server that shuts down waits for it
		Captures:   func(id schema.TableID) bool { return id.Database == d.name },
		Collations: collations,
		Describe:   func(context.Context, schema.TableID) (*schema.Table, error) { return nil, nil },
		Fill:       func(context.Context, *schema.Table, []binlog.Added) (*schema.Block, error) { return nil, nil },
		Keyless:    func(id schema.TableID) error { return fmt.Errorf("table %s has no primary key", id) },
	}
	d.start = d.position(t)
	return d
}

func (d *database) exec(t testing.TB, statements string) {
	t.Helper()
	_, err := d.conn.ExecContext(t.Context(), statements)
	require.NoError(t, err, "%.200s", statements)
}

// position is where the server stands.
func (d *database) position(t testing.TB) schema.Position {
	var file, text string
	var p schema.Position
	var ignore sql.NullString
	if d.maria {
		require.NoError(t, d.conn.QueryRowContext(t.Context(), "SHOW BINLOG STATUS").Scan(&file, &p.Offset, &ignore, &ignore))
		require.NoError(t, d.conn.QueryRowContext(t.Context(), "SELECT @@global.gtid_binlog_pos").Scan(&text))
	} else {
		require.NoError(t, d.conn.QueryRowContext(t.Context(), "SHOW BINARY LOG STATUS").Scan(&file, &p.Offset, &ignore, &ignore, &text))
	}
	var err error
	p.GTIDs, err = schema.ParseGTIDSet(strings.ReplaceAll(text, "\n", ""))
	require.NoError(t, err)
	p.File, p.Server = file, "server"
	return p
}

// stream sends everything since the start to a lake.
func (d *database) stream(t testing.TB, out binlog.Sender) error {
	until := d.position(t)
	cfg := d.config
	cfg.Until = &until
	return binlog.New(cfg).Run(t.Context(), pipeline.Resume{Position: d.start}, out)
}

// requireEqual compares the lake with the server.
func (d *database) requireEqual(t testing.TB, l *lake, tables ...string) {
	t.Helper()
	for _, name := range tables {
		rows, err := d.db.Query("SELECT * FROM " + d.name + "." + name)
		require.NoError(t, err)
		cols, err := rows.Columns()
		require.NoError(t, err)
		want := map[string]string{}
		for rows.Next() {
			values := make([]sql.NullString, len(cols))
			ptrs := make([]any, len(cols))
			for i := range values {
				ptrs[i] = &values[i]
			}
			require.NoError(t, rows.Scan(ptrs...))
			row := ""
			for i, v := range values {
				if v.Valid {
					row += cols[i] + "=" + v.String + " "
				}
			}
			want[values[0].String] = row
		}
		require.NoError(t, rows.Err())
		rows.Close()
		got := l.rows[schema.TableID{Database: d.name, Name: name}]
		require.Len(t, got, len(want), name)
		for k, row := range want {
			require.Equal(t, row, got[k], "%s %s", name, k)
		}
	}
}

func verifyNoLeak(t *testing.T) {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
}
