package source_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/session"
)

// memory is a transport that keeps what it gets as a lake would: rows by key, the
// shapes, the position.
type memory struct {
	mu       sync.Mutex
	resume   pipeline.Resume
	rows     map[schema.TableID]map[schema.Key]string
	shapes   map[schema.TableID]*schema.Table
	fills    map[schema.TableID]*schema.Block
	position schema.Position
	reads    int // rows of loads
	resets   int
	changed  chan struct{} // closed and renewed with every commit
}

func newMemory() *memory {
	return &memory{rows: map[schema.TableID]map[schema.Key]string{}, shapes: map[schema.TableID]*schema.Table{},
		fills: map[schema.TableID]*schema.Block{}, changed: make(chan struct{})}
}

func (m *memory) Resume() pipeline.Resume   { return m.resume }
func (*memory) Close(context.Context) error { return nil }

func (m *memory) Send(_ context.Context, e schema.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e := e.(type) {
	case schema.SchemaChange:
		m.shapes[e.Table.ID] = e.Table
		m.fills[e.Table.ID] = e.Fill
		if e.Reset {
			m.rows[e.Table.ID] = map[schema.Key]string{}
			m.resets++
		}
	case schema.Commit:
		m.position = e.Position
		close(m.changed)
		m.changed = make(chan struct{})
	case *schema.Block:
		keys, rows := schema.NewKeyer(e.Table), m.rows[e.Table.ID]
		for i, op := range e.Ops {
			switch op {
			case schema.OpRead:
				m.reads++
				rows[keys.Key(e.New, i)] = rowText(e.Table, e.New, i)
			case schema.OpInsert:
				rows[keys.Key(e.New, i)] = rowText(e.Table, e.New, i)
			case schema.OpUpdate:
				delete(rows, keys.Key(e.Old, i))
				rows[keys.Key(e.New, i)] = rowText(e.Table, e.New, i)
			case schema.OpDelete:
				delete(rows, keys.Key(e.Old, i))
			}
		}
		e.Release()
	}
	return nil
}

// wait waits until everything before p has come.
func (m *memory) wait(t *testing.T, p schema.Position) {
	t.Helper()
	m.waitFor(t, func() bool { return m.position.Contains(p) })
}

// waitFor waits until a Commit after which the condition holds.
func (m *memory) waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for {
		m.mu.Lock()
		done, changed := condition(), m.changed
		m.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatal("no Commit said so")
		}
	}
}

// state returns what a restart reads.
func (m *memory) state() pipeline.Resume {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := pipeline.Resume{Position: m.position, Tables: map[schema.TableID]pipeline.TableState{}}
	for id, t := range m.shapes {
		r.Tables[id] = pipeline.TableState{Table: t, Position: m.position}
	}
	return r
}

func rowText(t *schema.Table, image []schema.Vec, row int) string {
	var b strings.Builder
	for i := range image {
		v := &image[i]
		fmt.Fprintf(&b, "%s=", t.Columns[i].Name)
		switch {
		case v.IsNull(row):
			b.WriteString("null")
		case v.Kind == schema.VecBytes:
			fmt.Fprintf(&b, "%q", v.Bytes(row))
		case v.Kind == schema.VecDec128:
			fmt.Fprintf(&b, "%x", v.Dec128(row))
		case v.Kind == schema.VecInt64 || v.Kind == schema.VecFloat64:
			fmt.Fprintf(&b, "%d", v.I64[row])
		default:
			fmt.Fprintf(&b, "%d", v.I32[row])
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// requireEqual compares with a load of now.
func (m *memory) requireEqual(t *testing.T, c source.Config) {
	t.Helper()
	now := newMemory()
	s, _, err := source.New(c, quiet()).OpenSnapshot(t.Context())
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Load(t.Context(), now))
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, want := range now.rows {
		got := m.rows[id]
		if !maps.Equal(want, got) {
			require.Equal(t, slices.Sorted(maps.Values(want)), slices.Sorted(maps.Values(got)), "table %s", id)
		}
	}
	require.Len(t, m.rows, len(now.rows))
}

func position(t *testing.T, c source.Config) schema.Position {
	t.Helper()
	p, _, err := source.New(c, quiet()).ServerPosition(t.Context())
	require.NoError(t, err)
	return p
}

// start runs the source until the returned function is called, which returns
// Run's error.
func start(t *testing.T, c source.Config, from pipeline.Resume, out pipeline.Writer) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- source.New(c, quiet()).Run(ctx, from, out) }()
	return func() error { cancel(); return <-result }
}

const workload = `
	INSERT INTO %[1]s.a VALUES (100, 'new'), (101, 'newer');
	UPDATE %[1]s.a SET v = 'changed' WHERE id < 3;
	UPDATE %[1]s.a SET id = 500 WHERE id = 5;
	DELETE FROM %[1]s.a WHERE id = 7;
	START TRANSACTION; INSERT INTO %[1]s.b VALUES ('x', 1); UPDATE %[1]s.a SET v = 'both' WHERE id = 1; COMMIT;
	START TRANSACTION; DELETE FROM %[1]s.b; ROLLBACK;
	ALTER TABLE %[1]s.a ADD COLUMN extra DECIMAL(8,2) NOT NULL DEFAULT 1.5;
	INSERT INTO %[1]s.a VALUES (102, 'wide', 2.25);
	CREATE TABLE %[1]s.c (id INT PRIMARY KEY); INSERT INTO %[1]s.c VALUES (1)`

func prepare(t *testing.T, server *servers.MySQLServer, database string) {
	t.Helper()
	server.Exec(t, fmt.Sprintf(`DROP DATABASE IF EXISTS %[1]s; CREATE DATABASE %[1]s;
		CREATE TABLE %[1]s.a (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE %[1]s.b (k VARCHAR(10) PRIMARY KEY, n BIGINT);
		INSERT INTO %[1]s.a VALUES (1,'one'),(2,'two'),(3,'three'),(5,NULL),(7,'seven'); INSERT INTO %[1]s.b VALUES ('k', 1), ('K2', -5)`, database))
}

func TestRunLoadsThenFollows(t *testing.T) {
	server := servers.MySQL(t, "--max-connections=80")
	const database = "follows"
	prepare(t, server, database)
	c := config(t, server, database)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())

	m := newMemory()
	stop := start(t, c, pipeline.Resume{}, m)
	m.wait(t, position(t, c))
	require.Equal(t, 7, m.reads)
	m.requireEqual(t, c)
	server.Exec(t, fmt.Sprintf("INSERT INTO %s.a VALUES (50, 'live')", database))
	m.wait(t, position(t, c))
	m.requireEqual(t, c)
	require.NoError(t, stop())

	// A restart goes on, and loads nothing.
	server.Exec(t, fmt.Sprintf("UPDATE %s.a SET v = 'while away' WHERE id = 50", database))
	stop = start(t, c, m.state(), m)
	m.wait(t, position(t, c))
	m.requireEqual(t, c)
	require.Equal(t, 7, m.reads)

	// So does a stream whose server restarts.
	server.Restart(t)
	server.Exec(t, fmt.Sprintf(workload, database))
	m.wait(t, position(t, c))
	require.NoError(t, stop())
	fill := m.fills[schema.TableID{Database: database, Name: "a"}]
	require.Equal(t, 1, fill.Rows())
	require.Equal(t, int64(150), fill.New[2].I64[0])
	require.Equal(t, 7, m.reads)
	require.Equal(t, 3, m.resets, "two by the load, one by CREATE TABLE")
	// Rows that were there show the fill.
	a := m.rows[schema.TableID{Database: database, Name: "a"}]
	for k, row := range a {
		if !strings.Contains(row, "extra=") {
			a[k] = row + "extra=150 "
		}
	}
	m.requireEqual(t, c)
}

func TestRunOnce(t *testing.T) {
	server := servers.MySQL(t)
	const database = "once"
	prepare(t, server, database)
	c := config(t, server, database)
	c.Once = true
	m := newMemory()
	run := func() {
		t.Helper()
		require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
		m.requireEqual(t, c)
	}
	run()
	require.Equal(t, 7, m.reads)
	run() // nothing new
	server.Exec(t, fmt.Sprintf("DELETE FROM %[1]s.a WHERE id = 1; INSERT INTO %[1]s.b VALUES ('later', 2)", database))
	run()
	require.Equal(t, 7, m.reads)
}

func TestRunRefusesABadServer(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP DATABASE IF EXISTS refused; CREATE DATABASE refused; CREATE TABLE refused.nokey (a INT)")
	m := newMemory()
	c := config(t, server, "refused")
	c.RefuseKeyless = true
	err := source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m)
	var faults source.Faults
	require.ErrorAs(t, err, &faults)
	require.ErrorContains(t, err, "table refused.nokey: it has neither a primary key nor a unique one without NULL")
	require.Empty(t, m.shapes)
}

func TestTableThatWasNeverLoaded(t *testing.T) {
	server := servers.MySQL(t)
	const database = "neverloaded"
	prepare(t, server, database)
	c := config(t, server, database)
	c.Once = true
	m := newMemory()
	only := c
	only.Tables = []string{database + `\.a`}
	require.NoError(t, source.New(only, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, fmt.Sprintf("INSERT INTO %s.b VALUES ('new', 3)", database))
	err := source.New(c, quiet()).Run(t.Context(), m.state(), m)
	require.ErrorContains(t, err, database+".b")
	require.ErrorContains(t, err, "never loaded")
}

func TestAheadOfServer(t *testing.T) {
	server := servers.MySQL(t)
	prepare(t, server, "ahead")
	c := config(t, server, "ahead")
	c.ReplicaWait = 10 * time.Millisecond
	m := newMemory()
	once := c
	once.Once = true // such a run must not take "we have all that it has" for an end
	require.NoError(t, source.New(once, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	from := m.state()
	const extra = "3e11fa47-71ca-11e1-9e33-c80aa9429562:5-7"
	set, err := schema.ParseGTIDSet(extra)
	require.NoError(t, err)
	from.Position.GTIDs = from.Position.GTIDs.Clone()
	from.Position.GTIDs.AddSet(set)
	err = source.New(once, quiet()).Run(t.Context(), from, m)
	var ahead *source.AheadError
	require.ErrorAs(t, err, &ahead)
	require.ErrorContains(t, err, "the lake holds transactions that the server does not have: "+extra+"; remedy: if this is the wrong server, correct --from")
}

func TestPositionLost(t *testing.T) {
	server := servers.MySQL(t, "--max-connections=70")
	prepare(t, server, "lost")
	c := config(t, server, "lost")
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	from := m.state()
	server.Exec(t, "INSERT INTO lost.a VALUES (60, 'x'), (61, 'y')")
	gone := position(t, c).GTIDs.Subtract(from.Position.GTIDs)
	server.Exec(t, "FLUSH BINARY LOGS; INSERT INTO lost.a VALUES (62, 'z')")
	purge(t, server, position(t, c).File)
	err := source.New(c, quiet()).Run(t.Context(), from, m)
	require.ErrorIs(t, err, source.ErrPositionLost)
	var lost *source.PositionLostError
	require.ErrorAs(t, err, &lost)
	require.True(t, lost.Missing.Equal(gone), "%s instead of %s", lost.Missing, gone)
	require.ErrorContains(t, err, "the server has purged transactions "+gone.String())
	require.ErrorContains(t, err, "load the tables again")
}

// purge drops the binlog files before one. A file that a session still reads
// stays, without a word, and the server finds out that a reader is gone only when
// it sends the next event.
func purge(t *testing.T, server *servers.MySQLServer, to string) {
	t.Helper()
	for reading := 1; reading > 0; time.Sleep(10 * time.Millisecond) {
		require.NoError(t, server.DB(t).QueryRow("SELECT COUNT(*) FROM performance_schema.processlist WHERE COMMAND LIKE 'Binlog Dump%'").Scan(&reading))
	}
	server.Exec(t, fmt.Sprintf("PURGE BINARY LOGS TO '%s'", to))
}

func TestFilePositions(t *testing.T) {
	server := servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
	prepare(t, server, "files")
	c := config(t, server, "files")
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	require.False(t, m.position.UsesGTIDs())
	server.Exec(t, "INSERT INTO files.a VALUES (60, 'x')")
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	m.requireEqual(t, c)

	from := m.state()
	from.Position.Server = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	err := source.New(c, quiet()).Run(t.Context(), from, m)
	var ahead *source.AheadError
	require.ErrorAs(t, err, &ahead)
	require.ErrorContains(t, err, "is a place in the files of server 3e11fa47")

	from = m.state()
	from.Position.Offset += 1000
	require.ErrorAs(t, source.New(c, quiet()).Run(t.Context(), from, m), &ahead)

	server.Exec(t, "FLUSH BINARY LOGS; INSERT INTO files.a VALUES (61, 'y')")
	now := position(t, c)
	purge(t, server, now.File)
	err = source.New(c, quiet()).Run(t.Context(), m.state(), m)
	require.ErrorIs(t, err, source.ErrPositionLost)
	require.ErrorContains(t, err, "the server has purged binary log file "+m.position.File)
}

// everyType is a table with a column of every type.
const everyType = `(id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, k2 VARCHAR(10) CHARACTER SET latin1 NOT NULL,
	ti TINYINT, tiu TINYINT UNSIGNED, b BOOLEAN, si SMALLINT, siu SMALLINT(5) UNSIGNED ZEROFILL, mi MEDIUMINT, miu MEDIUMINT UNSIGNED, i INT NOT NULL, iu INT UNSIGNED, bi BIGINT,
	d0 DECIMAL, d9 DECIMAL(9,2), d30 DECIMAL(30,10) UNSIGNED, d38 DECIMAL(38,0), d65 DECIMAL(65,30), f FLOAT, f2 FLOAT(7,2), f53 FLOAT(53), dbl DOUBLE UNSIGNED,
	b1 BIT, b8 BIT(8), b64 BIT(64), y YEAR, dt DATE, t0 TIME, t6 TIME(6), dt0 DATETIME, dt3 DATETIME(3) NOT NULL, ts0 TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL,
	c CHAR(10), cb CHAR(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, cl CHAR(255), v VARCHAR(5), vl VARCHAR(1000), va VARCHAR(9) CHARACTER SET ascii, vbin VARCHAR(9) CHARACTER SET binary,
	tt TINYTEXT, tx TEXT CHARACTER SET latin1, mt MEDIUMTEXT, lt LONGTEXT CHARACTER SET utf8mb3, bn BINARY(7), vb VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB,
	e ENUM('a','b,c','d''e','f\\g','h
i','','ü)'), s SET('x','y z','it''s'), el ENUM('q','ä') CHARACTER SET latin1, j JSON,
	cg VARCHAR(9) CHARACTER SET gbk, cs CHAR(200) CHARACTER SET sjis, cu VARCHAR(9) CHARACTER SET ucs2, cx TEXT CHARACTER SET utf32, eg ENUM('中','ф') CHARACTER SET gb18030, sg SET('я','ё') CHARACTER SET koi8r,
	gp POINT, gg GEOMETRY NOT NULL,
	hidden INT INVISIBLE DEFAULT 3, gv INT GENERATED ALWAYS AS (i + 1) VIRTUAL, gs VARCHAR(30) GENERATED ALWAYS AS (CONCAT(v, '!')) STORED,
	` + "`odd ``name, (x)`" + ` INT COMMENT 'it''s', KEY ((i * 2)), KEY (f), PRIMARY KEY (k2, id), KEY (id))`

// TestShapesAgree reads a table's shape from information_schema, and from the
// table map of a row.
func TestShapesAgree(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP DATABASE IF EXISTS shapes; CREATE DATABASE shapes; CREATE TABLE shapes.first (id INT PRIMARY KEY)")
	c := config(t, server, "shapes")
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, "CREATE TABLE shapes.every "+everyType+"; INSERT INTO shapes.every (k2, i, dt3, cg, cs, cu, cx, eg, sg, gp, gg) VALUES ('k', 1, '2020-01-01', '中', '表', 'ф', '😀', 'ф', 'я,ё', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(1 2)', 4326))")
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	id := schema.TableID{Database: "shapes", Name: "every"}
	streamed := m.shapes[id]
	require.NotNil(t, streamed)

	_, tables, err := open(t, c)
	require.NoError(t, err)
	loaded := tables[slices.IndexFunc(tables, func(t *schema.Table) bool { return t.ID == id })]
	d := schema.DiffTables(loaded, streamed)
	require.True(t, d.IsEmpty(), d.Describe(loaded, streamed))
	require.Equal(t, loaded.Key, streamed.Key)
	require.Len(t, streamed.Columns, len(loaded.Columns))
	for i, l := range loaded.Columns {
		s := streamed.Columns[i]
		require.Equal(t, l.Name, s.Name)
		require.Equal(t, l.Nullable, s.Nullable, l.Name)
		require.Equal(t, l.Type.Kind, s.Type.Kind, l.Name)
		require.Equal(t, l.Type.Labels, s.Type.Labels, l.Name)
		require.Equal(t, l.Type.Charset, s.Type.Charset, l.Name)
		if k := l.Type.Kind; k == schema.Char || k == schema.VarChar {
			require.Equal(t, l.Type.Length, s.Type.Length, l.Name)
		}
		require.Equal(t, [...]int{l.Type.Precision, l.Type.Scale}, [...]int{s.Type.Precision, s.Type.Scale}, l.Name)
	}
	m.requireEqual(t, c)
	require.True(t, loaded.Columns[loaded.Column("gv")].Generated)
	require.Equal(t, "3", *loaded.Columns[loaded.Column("hidden")].Default)
	require.Equal(t, "it's", loaded.Columns[loaded.Column("odd `name, (x)")].Comment)
}

// TestLabelsBeyondTheBMP: the server shows their characters as question marks
// wherever it describes the table, but not in its rows and table maps.
func TestLabelsBeyondTheBMP(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "SET NAMES utf8mb4; DROP DATABASE IF EXISTS moods; CREATE DATABASE moods CHARACTER SET utf8mb4; CREATE TABLE moods.t (id INT PRIMARY KEY, e ENUM('😀', '😁', '?x'), s SET('😀', 'b') CHARACTER SET utf16); INSERT INTO moods.t VALUES (1, '😁', '😀,b')")
	c := config(t, server, "moods")
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, "SET NAMES utf8mb4; INSERT INTO moods.t VALUES (2, '😀', '😀'), (3, '?x', 'b')")
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	m.requireEqual(t, c)
	server.Exec(t, "SET NAMES utf8mb4; ALTER TABLE moods.t MODIFY e ENUM('😀', '😁', '?x', '😂'); INSERT INTO moods.t VALUES (4, '😂', '😀,b'); UPDATE moods.t SET s = 'b' WHERE id = 1")
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	m.requireEqual(t, c)
	server.Exec(t, "SET NAMES utf8mb4; ALTER TABLE moods.t MODIFY e ENUM('😁', '😀', '?x', '😂'); INSERT INTO moods.t VALUES (5, '😁', '')")
	require.ErrorContains(t, source.New(c, quiet()).Run(t.Context(), m.state(), m), "table moods.t: column e was altered from enum('😀','😁','?x','😂') to enum('😁','😀','?x','😂'), which may have changed values")
}

// TestKeysAgree: what takes the place of a primary key is the same in the
// dictionary and in the binlog.
func TestKeysAgree(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP DATABASE IF EXISTS key_shapes; CREATE DATABASE key_shapes; CREATE TABLE key_shapes.seed (id INT PRIMARY KEY)")
	c := config(t, server, "key_shapes")
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	cases := map[string]struct{ columns, key string }{
		"not_the_first_by_name": {"a INT, b INT NOT NULL, c INT NOT NULL, UNIQUE KEY z (c), UNIQUE KEY y (b)", "c"},
		"several_columns":       {"a INT NOT NULL, b VARCHAR(20) NOT NULL, c INT, UNIQUE KEY pre (b(5)), UNIQUE KEY nul (a, c), UNIQUE KEY ok (b, a)", "b, a"},
		"nullable":              {"a INT, b INT NOT NULL, c INT, UNIQUE KEY (a), UNIQUE KEY (a, b)", ""},
		"expression":            {"a INT NOT NULL, b INT NOT NULL, c INT, UNIQUE KEY f ((a + b))", ""},
		"prefix":                {"a VARCHAR(20) NOT NULL, b INT, c INT, UNIQUE KEY (a(3))", ""},
		"not_unique":            {"a INT NOT NULL, b INT, c INT, KEY (a)", ""},
		"primary_wins":          {"a INT NOT NULL UNIQUE, b INT, c INT, PRIMARY KEY (b, a)", "b, a"},
	}
	for name, table := range cases {
		server.Exec(t, fmt.Sprintf("CREATE TABLE key_shapes.%[1]s (%[2]s); INSERT INTO key_shapes.%[1]s (a, b) VALUES (1, 2)", name,
			strings.NewReplacer("b INT NOT NULL, c INT NOT NULL", "b INT NOT NULL, c INT NOT NULL DEFAULT 3").Replace(table.columns)))
	}
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	_, tables, err := open(t, c)
	require.NoError(t, err)
	for _, loaded := range tables {
		streamed := m.shapes[loaded.ID]
		require.NotNil(t, streamed, loaded.ID)
		if loaded.ID.Name == "seed" {
			continue
		}
		var names []string
		for _, k := range loaded.Key {
			names = append(names, loaded.Columns[k].Name)
		}
		require.Equal(t, cases[loaded.ID.Name].key, strings.Join(names, ", "), loaded.ID)
		require.Equal(t, loaded.Key, streamed.Key, loaded.ID)
	}
}

func open(t *testing.T, c source.Config) (any, []*schema.Table, error) {
	t.Helper()
	s, tables, err := source.New(c, quiet()).OpenSnapshot(t.Context())
	if err == nil {
		t.Cleanup(s.Close)
	}
	return s, tables, err
}

func TestGeneratedInvisibleKey(t *testing.T) {
	server := servers.MySQL(t, "--sql-generate-invisible-primary-key=ON", "--show-gipk-in-create-table-and-information-schema=OFF")
	server.Exec(t, "CREATE DATABASE gipk; CREATE TABLE gipk.t (a INT); INSERT INTO gipk.t VALUES (5), (5)")
	c := config(t, server, "gipk")
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, "INSERT INTO gipk.t VALUES (5)")
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	m.requireEqual(t, c)
	require.Len(t, m.rows[schema.TableID{Database: "gipk", Name: "t"}], 3)
}

func TestTLSPreferredFollowsPlain(t *testing.T) {
	server := servers.MySQL(t, "--tls-version=")
	prepare(t, server, "plain")
	c := config(t, server, "plain")
	c.Endpoint.TLS, c.Once = session.TLSPreferred, true
	want(t, preflight(t, c), source.Warning, "tls=preferred", "the connection is not encrypted", "say tls=required")
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, "INSERT INTO plain.a VALUES (60, 'x')")
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	m.requireEqual(t, c)
}

func TestUnixSocket(t *testing.T) {
	server := servers.MySQL(t)
	if server.Socket == "" {
		servers.Skip(t, "the MySQL of BELUGA_TEST_MYSQL, or of Docker, shows no unix socket to this machine")
	}
	prepare(t, server, "sockets")
	c, err := source.ParseURL("mysql://root@/sockets?socket=" + url.QueryEscape(server.Socket))
	require.NoError(t, err)
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, "INSERT INTO sockets.a VALUES (60, 'x')")
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))
	m.requireEqual(t, c)
}
