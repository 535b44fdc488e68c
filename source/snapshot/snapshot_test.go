package snapshot_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

func TestMain(m *testing.M) { servers.Main(m) }

// database makes an empty database that is dropped with the test.
func database(t *testing.T, server *servers.MySQLServer) (string, *sql.DB) {
	t.Helper()
	name := "t" + strings.ToLower(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(t.Name(), "_"))
	name = name[:min(len(name), 60)]
	db := server.DB(t)
	_, err := db.Exec(fmt.Sprintf("DROP DATABASE IF EXISTS %s; CREATE DATABASE %s", name, name))
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = db.Exec("DROP DATABASE IF EXISTS " + name) })
	return name, db
}

func config(t *testing.T, server *servers.MySQLServer, database string) source.Config {
	t.Helper()
	c, err := source.ParseURL(server.URL(database))
	require.NoError(t, err)
	c.Connections = 2
	return c
}

func open(t *testing.T, c source.Config) *snapshot.Snapshot {
	t.Helper()
	s, _, err := source.New(c, slog.New(slog.DiscardHandler)).OpenSnapshot(t.Context())
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// rowText writes a row of a block so that two rows have the same text only if
// they are the same.
func rowText(image []schema.Vec, row int) string {
	var b strings.Builder
	for i := range image {
		v := &image[i]
		if v.IsNull(row) {
			b.WriteString("null|")
			continue
		}
		switch v.Kind {
		case schema.VecBytes:
			fmt.Fprintf(&b, "%q|", v.Bytes(row))
		case schema.VecDec128:
			fmt.Fprintf(&b, "%x|", v.Dec128(row))
		case schema.VecInt64, schema.VecFloat64:
			fmt.Fprintf(&b, "%d|", v.I64[row])
		default:
			fmt.Fprintf(&b, "%d|", v.I32[row])
		}
	}
	return b.String()
}

// collector takes the events of a load.
type collector struct {
	mu     sync.Mutex
	kinds  []string
	rows   map[schema.TableID]map[string]int
	commit []schema.Commit
	origin []schema.Origin
	onRows func(*schema.Block)
}

func (c *collector) Send(_ context.Context, e schema.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := e.(type) {
	case schema.SchemaChange:
		c.kinds = append(c.kinds, "shape")
		if !e.Reset {
			return errors.New("a load must void what was there")
		}
	case schema.Commit:
		c.kinds = append(c.kinds, "commit")
		c.commit = append(c.commit, e)
	case *schema.Block:
		c.kinds = append(c.kinds, "rows")
		if c.onRows != nil {
			c.onRows(e)
		}
		if c.rows == nil {
			c.rows = map[schema.TableID]map[string]int{}
		}
		table := c.rows[e.Table.ID]
		if table == nil {
			table = map[string]int{}
			c.rows[e.Table.ID] = table
		}
		for i := range e.Rows() {
			table[rowText(e.New, i)]++
		}
		c.origin = append(c.origin, e.Origins...)
		e.Release()
	}
	return nil
}

// readAll reads all chunks of the snapshot's only table.
func readAll(t *testing.T, s *snapshot.Snapshot) (rows map[string]int, chunks int) {
	t.Helper()
	rows = map[string]int{}
	var list []snapshot.Chunk
	for c, err := range s.Chunks(t.Context(), s.Tables[0]) {
		require.NoError(t, err)
		list = append(list, c)
	}
	for _, c := range list {
		require.NoError(t, s.Read(t.Context(), 0, c, func(b *schema.Block) error {
			for i := range b.Rows() {
				rows[rowText(b.New, i)]++
			}
			b.Release()
			return nil
		}))
	}
	return rows, len(list)
}

func readWhole(t *testing.T, s *snapshot.Snapshot) map[string]int {
	t.Helper()
	rows := map[string]int{}
	require.NoError(t, s.Read(t.Context(), 1, snapshot.Whole(s.Tables[0]), func(b *schema.Block) error {
		for i := range b.Rows() {
			rows[rowText(b.New, i)]++
		}
		b.Release()
		return nil
	}))
	return rows
}

// insert fills a table with rows of literals, many to a statement.
func insert(t *testing.T, db *sql.DB, table string, rows []string) {
	t.Helper()
	for part := range slices.Chunk(rows, 500) {
		_, err := db.Exec("INSERT IGNORE INTO " + table + " VALUES (" + strings.Join(part, "),(") + ")")
		require.NoError(t, err)
	}
}

func TestChunksCoverEveryRowOnce(t *testing.T) {
	server := servers.MySQL(t)
	random := rand.New(rand.NewPCG(1, 2))
	const n = 1500
	odd := []string{"''", "' '", "'a'", "'A'", "'b '", "'ä'", "'Ä'", "'ß'", "'ss'", "'😀'", "'\\0'", "'''quoted'''", "'back\\\\slash'", "'%'", "'_'", "'\\n'"}
	word := func() string {
		if random.IntN(20) == 0 {
			return odd[random.IntN(len(odd))]
		}
		const letters = "aAbBzZäÄéß _-09"
		runes := []rune(letters)
		w := make([]rune, 1+random.IntN(6))
		for i := range w {
			w[i] = runes[random.IntN(len(runes))]
		}
		return "'" + string(w) + "'"
	}
	date := func() string {
		return fmt.Sprintf("'%d-%02d-%02d %02d:%02d:%02d.%06d'", 1971+random.IntN(60), 1+random.IntN(12), 1+random.IntN(28), random.IntN(24), random.IntN(60), random.IntN(60), random.IntN(1e6))
	}
	for _, c := range []struct {
		name, ddl string
		row       func(i int) string
		cut       bool // into many chunks
	}{
		{"nothing but a key", "id INT PRIMARY KEY", func(i int) string { return fmt.Sprint(i) }, false},
		{"int dense", "id INT PRIMARY KEY", func(i int) string { return fmt.Sprintf("%d", i) }, true},
		{"int with holes and negative", "id INT PRIMARY KEY", func(i int) string { return fmt.Sprint((i - 1000) * (i % 7) * 100) }, true},
		{"bigint, extremes", "id BIGINT PRIMARY KEY", func(i int) string {
			return []string{fmt.Sprint(i), fmt.Sprint(-i), fmt.Sprint(int64(-1<<63) + int64(i)), fmt.Sprint(int64(1<<63-1) - int64(i))}[i%4]
		}, true},
		{"bigint unsigned", "id BIGINT UNSIGNED PRIMARY KEY", func(i int) string {
			return []string{fmt.Sprint(i), fmt.Sprint(uint64(1<<63) + uint64(i)), fmt.Sprint(uint64(1<<64-1) - uint64(i))}[i%3]
		}, true},
		{"tinyint", "id TINYINT PRIMARY KEY", func(i int) string { return fmt.Sprint(i%256 - 128) }, true},
		{"varchar ci", "id VARCHAR(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY", func(int) string { return word() }, true},
		{"varchar ci pad", "id VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY", func(int) string { return word() }, true},
		{"varchar bin", "id VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY", func(int) string { return word() }, true},
		{"char latin1", "id CHAR(10) CHARACTER SET latin1 COLLATE latin1_german1_ci PRIMARY KEY", func(int) string { return word() }, true},
		{"varbinary", "id VARBINARY(8) PRIMARY KEY", func(i int) string { return fmt.Sprintf("UNHEX('%0*X')", 2*(1+i%4), random.IntN(200)*i%65536) }, true},
		{"binary", "id BINARY(4) PRIMARY KEY", func(int) string { return fmt.Sprintf("UNHEX('%04X')", random.IntN(65536)) }, true},
		{"decimal", "id DECIMAL(30,10) PRIMARY KEY", func(i int) string { return fmt.Sprintf("%d12345678901234567.%010d", 1-2*(i%2), random.IntN(1e9)) }, true},
		{"datetime", "id DATETIME(6) PRIMARY KEY", func(i int) string { return date() }, true},
		{"timestamp", "id TIMESTAMP(3) PRIMARY KEY", func(i int) string { return date() }, true},
		{"date", "id DATE PRIMARY KEY", func(i int) string { return fmt.Sprintf("DATE '1990-01-01' + INTERVAL %d DAY", i) }, true},
		{"enum", "id ENUM('z','a','m') PRIMARY KEY", func(i int) string { return fmt.Sprint(1 + i%3) }, false},
		{"double", "id DOUBLE PRIMARY KEY", func(i int) string { return fmt.Sprintf("%d/3e0", i) }, false},
		{"bit", "id BIT(12) PRIMARY KEY", func(i int) string { return fmt.Sprint(i) }, false},
		{"composite", "a INT, b VARCHAR(10), PRIMARY KEY (a, b)", func(i int) string { return fmt.Sprintf("%d, %s", random.IntN(12)-6, word()) }, true},
		{"composite, other order", "b VARCHAR(10), c DATE, a INT, PRIMARY KEY (a, b, c)", func(i int) string {
			return fmt.Sprintf("%s, '2020-01-%02d', %d", word(), 1+random.IntN(28), random.IntN(3))
		}, true},
		{"composite, one leading value", "a INT, b INT, PRIMARY KEY (a, b)", func(i int) string { return fmt.Sprintf("7, %d", i) }, true},
		{"composite, enum last", "a INT, b ENUM('x','y','w'), PRIMARY KEY (a, b)", func(i int) string { return fmt.Sprintf("%d, %d", i/3, 1+i%3) }, true},
		{"composite, few leading values", "a CHAR(1), b DOUBLE, PRIMARY KEY (a, b)", func(i int) string { return fmt.Sprintf("'%c', %d", "aBcD"[i%4], i) }, true},
		{"prefix key", "a VARCHAR(200), b INT, PRIMARY KEY (a(3), b)", func(i int) string { return fmt.Sprintf("%s, %d", word(), i) }, true},
		{"unique instead of primary", "a INT, id INT NOT NULL, b VARCHAR(10) NOT NULL, UNIQUE KEY `odd ``key` (b, id)", func(i int) string { return fmt.Sprintf("NULL, %d, %s", i, word()) }, true},
		{"unique integer", "id INT NOT NULL UNIQUE", func(i int) string { return fmt.Sprint(i) }, true},
		{"no key", "a INT, b VARCHAR(20), UNIQUE KEY (b)", func(i int) string { return fmt.Sprintf("%d, %s", i, []string{"NULL", fmt.Sprintf("'%d'", i)}[i%2]) }, false},
		{"empty", "id INT PRIMARY KEY", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			name, db := database(t, server)
			table := name + ".`odd ``name.x`"
			ddl, value := c.ddl+", v INT", ", 1"
			if c.name == "nothing but a key" {
				ddl, value = c.ddl, ""
			}
			_, err := db.Exec("CREATE TABLE " + table + " (" + ddl + ")")
			require.NoError(t, err)
			if c.row != nil {
				rows := make([]string, n)
				for i := range rows {
					rows[i] = c.row(i) + value
				}
				insert(t, db, table, rows)
			}
			cfg := config(t, server, name)
			cfg.ChunkRows = 37
			s := open(t, cfg)
			want := readWhole(t, s)
			var count int
			require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM "+table).Scan(&count))
			require.Len(t, want, count)
			got, chunks := readAll(t, s)
			for row, times := range got {
				require.Equal(t, 1, times, row)
			}
			require.True(t, maps.Equal(want, got), "%d rows instead of %d", len(got), len(want))
			if c.cut {
				require.Greater(t, chunks, 2)
			}
			require.LessOrEqual(t, chunks, 1+count/37*4)
		})
	}
}

// TestChunksReadTheIndex holds that a chunk is read as a range: a chunk that
// scanned the table would be right, and make a load quadratic.
func TestChunksReadTheIndex(t *testing.T) {
	server := servers.MySQL(t)
	name, db := database(t, server)
	// No statistics: what was loaded just now looks empty to the optimizer.
	_, err := db.Exec("CREATE TABLE " + name + ".t (a CHAR(4) CHARACTER SET latin1, b DATETIME(6), c DECIMAL(10,2), v INT, PRIMARY KEY (a, b, c)) STATS_AUTO_RECALC=0")
	require.NoError(t, err)
	var rows []string
	for i := range 5000 {
		rows = append(rows, fmt.Sprintf("'k%d', '2020-01-01' + INTERVAL %d SECOND, %d.5, 1", i%7, i, i))
	}
	insert(t, db, name+".t", rows)
	cfg := config(t, server, name)
	cfg.ChunkRows = 100
	openings, examinedByOpening := executed(t, db, func() { open(t, cfg).Close() })
	var chunks int
	statements, examined := executed(t, db, func() {
		s := open(t, cfg)
		var got map[string]int
		got, chunks = readAll(t, s)
		require.Len(t, got, 5000)
		s.Close()
	})
	require.Greater(t, chunks, 40)
	require.Equal(t, 2*chunks, statements-openings, "one for a bound, one for a chunk")
	require.LessOrEqual(t, examined-examinedByOpening, 2*5000+2*chunks)
}

// executed returns how many prepared statements the sessions ran that f opens and
// closes, and how many rows the server looked at for them. The server counts a
// statement only after it has answered: all are counted once the session is gone.
func executed(t *testing.T, db *sql.DB, f func()) (statements, examined int) {
	t.Helper()
	db.SetMaxOpenConns(1) // so that later ids are those of f
	number := func(query string) (n int) {
		require.NoError(t, db.QueryRow(query).Scan(&n))
		return n
	}
	id := number("SELECT CONNECTION_ID()")
	const counters = " FROM performance_schema.events_statements_summary_global_by_event_name WHERE EVENT_NAME = 'statement/com/Execute'"
	statements, examined = number("SELECT COUNT_STAR"+counters), number("SELECT SUM_ROWS_EXAMINED"+counters)
	f()
	for number(fmt.Sprintf("SELECT COUNT(*) FROM performance_schema.threads WHERE PROCESSLIST_ID > %d", id)) > 0 {
		time.Sleep(time.Millisecond)
	}
	return number("SELECT COUNT_STAR"+counters) - statements, number("SELECT SUM_ROWS_EXAMINED"+counters) - examined
}

func TestLoadOrder(t *testing.T) {
	server := servers.MySQL(t)
	name, db := database(t, server)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, table := range []string{"a", "b", "c"} {
		_, err := db.Exec(fmt.Sprintf("CREATE TABLE %s.%s (id INT PRIMARY KEY)", name, table))
		require.NoError(t, err)
		var rows []string
		for i := range 700 {
			rows = append(rows, fmt.Sprint(i))
		}
		if table != "c" {
			insert(t, db, name+"."+table, rows)
		}
	}
	cfg := config(t, server, name)
	cfg.ChunkRows = 100
	s := open(t, cfg)
	var out collector
	require.NoError(t, s.Load(t.Context(), &out))
	require.Equal(t, []string{"shape", "shape", "shape"}, out.kinds[:3])
	require.Equal(t, "commit", out.kinds[len(out.kinds)-1])
	require.Len(t, out.commit, 1)
	for _, k := range out.kinds[3 : len(out.kinds)-1] {
		require.Equal(t, "rows", k)
	}
	for _, o := range out.origin {
		require.Equal(t, s.Position.File, o.File)
		require.Equal(t, s.Position.Offset, o.Pos)
		require.True(t, o.GTID.IsZero())
		require.Equal(t, s.Time.UnixMicro(), o.Time)
	}
	require.WithinDuration(t, time.Now(), s.Time, time.Minute)
	total := s.Progress().Total()
	require.Equal(t, int64(1400), total.Rows)
	require.True(t, total.Done)
	require.Equal(t, int64(1400), total.Estimated)
	require.Positive(t, total.Bytes)
	s.Close()
}

func TestLockWaitIsBounded(t *testing.T) {
	server := servers.MySQL(t, "--max-connections=50")
	name, db := database(t, server)
	_, err := db.Exec("CREATE TABLE " + name + ".t (id INT PRIMARY KEY)")
	require.NoError(t, err)
	holder, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer holder.Close()
	_, err = holder.ExecContext(t.Context(), "LOCK TABLES "+name+".t WRITE")
	require.NoError(t, err)
	var id int
	require.NoError(t, holder.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id))
	cfg := config(t, server, name)
	cfg.LockWait = 2 * time.Second
	_, _, err = source.New(cfg, slog.New(slog.DiscardHandler)).OpenSnapshot(t.Context())
	require.ErrorContains(t, err, "taking the global read lock: not granted within 2 s because of session")
	require.ErrorContains(t, err, fmt.Sprintf("KILL %d", id))
	cfg.Locking = snapshot.Tables
	_, _, err = source.New(cfg, slog.New(slog.DiscardHandler)).OpenSnapshot(t.Context())
	require.ErrorContains(t, err, "taking the read lock of the tables: not granted within 2 s because of session")
	require.ErrorContains(t, err, fmt.Sprintf("KILL %d", id))
	_, err = holder.ExecContext(t.Context(), "UNLOCK TABLES")
	require.NoError(t, err)
	_, err = db.Exec("INSERT INTO " + name + ".t VALUES (1)")
	require.NoError(t, err, "nothing of the attempt may stay locked")
	open(t, cfg)
	_, err = db.Exec("INSERT INTO " + name + ".t VALUES (2)")
	require.NoError(t, err, "a snapshot must not hold up writers")
}

func TestTableChangedDuringLoad(t *testing.T) {
	server := servers.MySQL(t)
	for name, ddl := range map[string]string{
		"altered":  "ALTER TABLE %[1]s.t ADD COLUMN x INT, ALGORITHM=COPY",
		"replaced": "RENAME TABLE %[1]s.t TO %[1]s.gone, %[1]s.shadow TO %[1]s.t",
		"dropped":  "DROP TABLE %[1]s.t",
		"renamed":  "ALTER TABLE %[1]s.t RENAME COLUMN v TO w",
	} {
		t.Run(name, func(t *testing.T) {
			name, db := database(t, server)
			_, err := db.Exec(fmt.Sprintf("CREATE TABLE %[1]s.t (id INT PRIMARY KEY, v INT)", name))
			require.NoError(t, err)
			var rows []string
			for i := range 1000 {
				rows = append(rows, fmt.Sprintf("%d, 1", i))
			}
			insert(t, db, name+".t", rows)
			// The dictionary's times have seconds.
			time.Sleep(1100 * time.Millisecond)
			_, err = db.Exec(fmt.Sprintf("CREATE TABLE %[1]s.shadow LIKE %[1]s.t", name))
			require.NoError(t, err)
			cfg := config(t, server, name)
			cfg.Tables, cfg.ChunkRows = []string{name + `\.t`}, 100
			s := open(t, cfg)
			_, err = db.Exec(fmt.Sprintf(ddl, name))
			require.NoError(t, err)
			var out collector
			err = s.Load(t.Context(), &out)
			require.ErrorIs(t, err, snapshot.ErrTableChanged)
			require.ErrorContains(t, err, name+".t")
			require.Empty(t, out.commit)
		})
	}
}

func TestLoadStopsWithItsReceiver(t *testing.T) {
	server := servers.MySQL(t)
	name, db := database(t, server)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	_, err := db.Exec("CREATE TABLE " + name + ".t (id INT PRIMARY KEY)")
	require.NoError(t, err)
	var rows []string
	for i := range 3000 {
		rows = append(rows, fmt.Sprint(i))
	}
	insert(t, db, name+".t", rows)
	cfg := config(t, server, name)
	cfg.ChunkRows = 10
	s := open(t, cfg)
	full := errors.New("full")
	err = s.Load(t.Context(), sendFunc(func(_ context.Context, e schema.Event) error {
		if _, rows := e.(*schema.Block); rows {
			return full
		}
		return nil
	}))
	require.ErrorIs(t, err, full)
	s.Close()

	s = open(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Load(ctx, sendFunc(func(context.Context, schema.Event) error { cancel(); return nil }))
	require.ErrorIs(t, err, context.Canceled)
	s.Close()
}

type sendFunc func(context.Context, schema.Event) error

func (f sendFunc) Send(ctx context.Context, e schema.Event) error { return f(ctx, e) }

func TestFloatIsExact(t *testing.T) {
	server := servers.MySQL(t)
	name, db := database(t, server)
	_, err := db.Exec(fmt.Sprintf("CREATE TABLE %[1]s.t (id INT PRIMARY KEY, f FLOAT); INSERT INTO %[1]s.t VALUES (1, 16777217), (2, 1.17549e-38), (3, 0.1)", name))
	require.NoError(t, err)
	s := open(t, config(t, server, name))
	require.NoError(t, s.Read(t.Context(), 0, snapshot.Whole(s.Tables[0]), func(b *schema.Block) error {
		require.Equal(t, float32(16777216), b.New[1].Float32(0))
		require.Equal(t, float32(0.1), b.New[1].Float32(2))
		return nil
	}))
}

func TestBigRowsMakeSmallBlocks(t *testing.T) {
	server := servers.MySQL(t)
	name, db := database(t, server)
	_, err := db.Exec(fmt.Sprintf("CREATE TABLE %[1]s.t (id INT PRIMARY KEY, b LONGBLOB)", name))
	require.NoError(t, err)
	for i := range 5 {
		_, err = db.Exec(fmt.Sprintf("INSERT INTO %s.t VALUES (%d, REPEAT('x', 3000000))", name, i))
		require.NoError(t, err)
	}
	s := open(t, config(t, server, name))
	var blocks []int
	require.NoError(t, s.Read(t.Context(), 0, snapshot.Whole(s.Tables[0]), func(b *schema.Block) error {
		blocks = append(blocks, b.Rows())
		return nil
	}))
	require.Equal(t, []int{2, 2, 1}, blocks)
}

func TestReadRows(t *testing.T) {
	server := servers.MySQL(t)
	for ddl, literals := range map[string][]string{
		"id BIGINT UNSIGNED": {"0", "18446744073709551615", "7"},
		"id INT":             {"-5", "0", "9"},
		"id DECIMAL(30,4)":   {"-12345678901234567890.1234", "0.0001"},
		"id DECIMAL(9,2)":    {"-0.05", "1234567.89"},
		"id DECIMAL(60,2)":   {"123456789012345678901234567890123456789012345678.25"},
		"id VARCHAR(10)":     {"'a'", "''", "'😀'"},
		"id VARBINARY(10)":   {"x'FF00'", "x''"},
		"id DATE":            {"'2020-02-29'", "'1000-01-01'"},
		"id DATETIME(6)":     {"'2020-02-29 23:59:59.000001'", "'1969-12-31 23:59:59.5'"},
		"id TIMESTAMP(3)":    {"'2020-02-29 23:59:59.001'"},
		"id TIME(6)":         {"'23:59:59.999999'", "'00:00:00'"},
		"id YEAR":            {"2024", "0"},
		"id BIT(1)":          {"1", "0"},
		"id BIT(20)":         {"1000000", "3"},
		"id ENUM('x','y')":   {"'y'", "'x'"},
		"id SET('x','y')":    {"'x,y'", "''"},
		"id DOUBLE":          {"0.1", "1e300"},
		"id FLOAT":           {"0.1", "16777216"},
		"a INT, id CHAR(3)":  {"1, 'x'", "2, 'x'", "1, 'y'"},
	} {
		t.Run(ddl, func(t *testing.T) {
			name, db := database(t, server)
			key := "id"
			if strings.HasPrefix(ddl, "a ") {
				key = "a, id"
			}
			_, err := db.Exec(fmt.Sprintf("CREATE TABLE %s.t (%s, PRIMARY KEY (%s))", name, ddl, key))
			require.NoError(t, err)
			insert(t, db, name+".t", literals)
			s := open(t, config(t, server, name))
			var all *schema.Block
			require.NoError(t, s.Read(t.Context(), 0, snapshot.Whole(s.Tables[0]), func(b *schema.Block) error { all = b; return nil }))
			require.Equal(t, len(literals), all.Rows())
			for i := range all.Rows() {
				found := map[string]int{}
				require.NoError(t, s.ReadRows(t.Context(), 1, s.Tables[0], all.New, []int{i}, func(b *schema.Block) error {
					for j := range b.Rows() {
						found[rowText(b.New, j)]++
					}
					return nil
				}))
				require.Equal(t, map[string]int{rowText(all.New, i): 1}, found)
			}
		})
	}
}

func TestSessionsAreClosed(t *testing.T) {
	server := servers.MySQL(t, "--max-connections=40")
	name, db := database(t, server)
	_, err := db.Exec("CREATE TABLE " + name + ".t (id INT PRIMARY KEY)")
	require.NoError(t, err)
	s := open(t, config(t, server, name))
	require.Equal(t, 2, s.Connections())
	s.Close()
	e := config(t, server, name).Endpoint
	own, err := session.Open(t.Context(), e)
	require.NoError(t, err)
	defer own.Close()
	for n := int64(2); n > 1; time.Sleep(10 * time.Millisecond) { // one is the test's own pool
		r, err := own.Query(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Sleep' AND USER = 'root' AND DB IS NULL")
		require.NoError(t, err)
		n, err = r.GetInt(0, 0)
		require.NoError(t, err)
	}
}
