package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/sysbench"
	"github.com/beluga-cdc/beluga/internal/workload"
)

const (
	laneBegins = "loading a table in a lane of its own"
	laneSent   = "the rows of a lane are sent"
	laneEnds   = "the lane of a table is complete"
	laneGone   = "a table that was to be loaded in a lane is gone"
)

// TestLaneOfNewlySelectedTables: tables that the configuration names only later are
// loaded while the others go on, whatever their key.
func TestLaneOfNewlySelectedTables(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB, ...string) *servers.MySQLServer
		way   []string
	}{
		"mysql": {servers.MySQL, nil}, "mariadb": {servers.MariaDB, nil},
		"embedded": {servers.MySQL, []string{"--kafka", "embedded"}}, "mariadb_embedded": {servers.MariaDB, []string{"--kafka", "embedded"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := c.start(t)
			database := "e2e_lane_" + name
			lake, args := shop(t, server, database)
			plain := args
			args = append(args, c.way...)
			runs(t, command("run", args, "--once", "--tables", database+`\.b`)...)
			server.Exec(t, fmt.Sprintf(`CREATE TABLE %[1]s.nokey (v INT, w TEXT); INSERT INTO %[1]s.nokey VALUES (1, 'x'), (1, 'x'), (2, NULL);
				CREATE TABLE %[1]s.words (a VARCHAR(20), b INT, v INT, PRIMARY KEY (a, b)); INSERT INTO %[1]s.words VALUES ('a', 1, 1), ('b', 2, 2), ('b', 3, 3); UPDATE %[1]s.b SET v = 7`, database))
			runs(t, command("run", args, "--once", "--tables", database+`\.b`)...)
			said := runs(t, command("run", args, "--once")...)
			require.Equal(t, 3, strings.Count(said, laneEnds), said)
			require.Contains(t, runs(t, command("verify", plain)...), "equal: 4 tables, 10 rows")
			requireSameRows(t, server.DB(t), database, lake)
			require.NotContains(t, runs(t, command("run", args, "--once")...), laneBegins)
		})
	}
}

// TestKilledLanes kills runs in the middle of lanes, while the tables are written to.
func TestKilledLanes(t *testing.T) {
	t.Run("mysql", func(t *testing.T) { killLanes(t, servers.MySQL(t, fast...), false) })
	t.Run("mariadb", func(t *testing.T) { killLanes(t, servers.MariaDB(t, fast...), true) })
	t.Run("embedded", func(t *testing.T) { killLanes(t, servers.MySQL(t, fast...), false, "--kafka", "embedded") })
	t.Run("kafka", func(t *testing.T) {
		killLanes(t, servers.MySQL(t, fast...), false, "--kafka", servers.Kafka(t).Addr, "--kafka-partitions", "3")
	})
}

func killLanes(t *testing.T, server *servers.MySQLServer, plain bool, way ...string) {
	database := "e2e_lanes_killed"
	w := &workload.Workload{DB: server.DB(t), Database: database, Seed: 21, Space: 2000, Plain: plain}
	require.NoError(t, w.Create(t.Context()))
	require.NoError(t, w.Fill(t.Context()))
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL(database), "--to", lake, "--name", database} // the broker is shared
	run := append(command("run", args, "--snapshot-chunk-rows", "200", "--commit-interval", "20ms", "--snapshot-checkpoint-interval", "50ms"), way...)
	const first = "by_integer"
	runs(t, append(run, "--once", "--tables", database+`\.`+first)...)

	writing, stop := context.WithCancel(t.Context())
	defer stop()
	written := make(chan error, 1)
	go func() { written <- keepLoading(writing, w) }()
	rng := rand.New(rand.NewPCG(5, 6))
	lanes := 0
	for i := range 5 {
		p := start(t, run...)
		if p.says(t, laneBegins); i%2 == 1 {
			p.says(t, laneSent)
		}
		p.killAfter(t, time.Duration(rng.IntN(1000))*time.Millisecond)
		t.Log(p.out.String())
		lanes += strings.Count(p.out.String(), laneEnds)
	}
	t.Logf("%d lanes came to their end before the last run", lanes)
	stop()
	require.NoError(t, <-written)
	waitForServer(t, server.DB(t), database)
	runs(t, append(run, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: ")
	requireSameRows(t, server.DB(t), database, lake)
}

// TestLanesMeetDDL: statements that reach a table in the middle of its lane, also those
// that end a run otherwise, neither stop the others nor make it differ.
func TestLanesMeetDDL(t *testing.T) {
	for name, sql := range map[string]string{
		"embedded added":     "ALTER TABLE DB.wide ADD COLUMN n INT DEFAULT 7; UPDATE DB.wide SET n = 8 WHERE id < 9",
		"embedded recreated": "DROP TABLE DB.wide; CREATE TABLE DB.wide (other VARCHAR(9) PRIMARY KEY); INSERT INTO DB.wide VALUES ('x')",
		"embedded new key":   "ALTER TABLE DB.wide DROP PRIMARY KEY, ADD PRIMARY KEY (id, text)",

		"added":     "ALTER TABLE DB.wide ADD COLUMN n INT DEFAULT 7; UPDATE DB.wide SET n = 8 WHERE id < 9",
		"widened":   "ALTER TABLE DB.wide MODIFY w BIGINT; UPDATE DB.wide SET w = 5000000000 WHERE id = 3",
		"truncated": "TRUNCATE TABLE DB.wide; INSERT INTO DB.wide VALUES (1, 'new', 1)",
		"recreated": "DROP TABLE DB.wide; CREATE TABLE DB.wide (other VARCHAR(9) PRIMARY KEY); INSERT INTO DB.wide VALUES ('x')",
		"exchanged": "RENAME TABLE DB.wide TO DB_x.wide, DB_x.narrow TO DB.wide; INSERT INTO DB.wide VALUES (2)",
		"new key":   "ALTER TABLE DB.wide DROP PRIMARY KEY, ADD PRIMARY KEY (id, text)",
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t)
			database := "e2e_ddl_" + strings.ReplaceAll(name, " ", "_")
			_, args := shop(t, server, database)
			plain := args
			if strings.HasPrefix(name, "embedded") {
				args = append(args, "--kafka", "embedded")
			}
			runs(t, command("run", args, "--once")...)
			server.Exec(t, strings.ReplaceAll(`DROP DATABASE IF EXISTS DB_x; CREATE DATABASE DB_x; CREATE TABLE DB_x.narrow (id INT PRIMARY KEY); INSERT INTO DB_x.narrow VALUES (1);
				CREATE TABLE DB_x.wide (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(100), w INT); INSERT INTO DB_x.wide (text) VALUES (REPEAT('x', 100))`, "DB", database))
			for range 14 {
				server.Exec(t, "INSERT INTO "+database+"_x.wide (text) SELECT text FROM "+database+"_x.wide")
			}
			run := command("run", args, "--snapshot-chunk-rows", "300", "--commit-interval", "50ms")
			p := start(t, run...)
			p.says(t, "following the binlog")
			server.Exec(t, "RENAME TABLE "+database+"_x.wide TO "+database+".wide")
			p.says(t, laneBegins)
			server.Exec(t, strings.ReplaceAll(sql, "DB", database)+"; UPDATE "+database+".a SET v = 9")
			// A lane may find the table gone between its DROP and its CREATE, and needs no end then.
			p.until(t, "the end of the lane", func() bool {
				return strings.Contains(p.out.String(), laneEnds) || strings.Contains(p.out.String(), laneGone)
			})
			p.terminate(t)
			runs(t, append(run, "--once")...)
			require.Contains(t, runs(t, command("verify", plain)...), "equal: 3 tables")
		})
	}
}

// TestLaneOfTableThatIsDropped: it ends, and the others go on.
func TestLaneOfTableThatIsDropped(t *testing.T) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "e2e_lane_dropped")
	runs(t, command("run", args, "--once", "--tables", `e2e_lane_dropped\.b`)...)
	for range 14 {
		server.Exec(t, "INSERT INTO e2e_lane_dropped.a SELECT id + (SELECT MAX(id) FROM e2e_lane_dropped.a), v, w FROM e2e_lane_dropped.a")
	}
	p := start(t, command("run", args, "--snapshot-chunk-rows", "300", "--commit-interval", "50ms")...)
	p.says(t, laneBegins)
	server.Exec(t, "DROP TABLE e2e_lane_dropped.a; UPDATE e2e_lane_dropped.b SET v = 9")
	p.says(t, laneGone)
	p.terminate(t)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args, "--tables", `e2e_lane_dropped\.b`)...), "equal: 1 table, 2 rows")
}

// TestLaneLeavesOthersAlone loads a large table while another one is written to: readers
// of the large one see nothing of it, or all. Then it is loaded again, and how far the lake
// lags behind meanwhile is compared with what it was in the same run before.
func TestLaneLeavesOthersAlone(t *testing.T) {
	const rows = 300_000
	server := servers.MySQL(t, fast...)
	const database = "e2e_lane_lag"
	lake, args := shop(t, server, database)
	tables := &sysbench.Tables{DB: server.DB(t), Database: database, Count: 1, Rows: rows}
	require.NoError(t, tables.Create(t.Context(), false))
	require.NoError(t, tables.Fill(t.Context(), func(int) {}))
	run := command("run", args, "--commit-interval", "100ms", "--snapshot-chunk-rows", "2000") // slowly, so that there is something to see
	runs(t, append(run, "--once", "--tables", database+`\.[ab]`)...)

	writing, stop := context.WithCancel(t.Context())
	defer stop()
	written := make(chan error, 1)
	db := server.DB(t)
	go func() {
		for writing.Err() == nil {
			if _, err := db.ExecContext(writing, "UPDATE "+database+".a SET v = v + 1"); err != nil && writing.Err() == nil {
				written <- err
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		written <- nil
	}()
	p := start(t, run...)
	p.says(t, laneBegins)
	looked := time.Now()
	p.until(t, "the lane", func() bool {
		if time.Since(looked) > 500*time.Millisecond { // a look costs what the others lack
			for _, n := range rowsOf(t, lake) {
				require.Contains(t, []string{"2", "0", "300,000"}, n, "half a lane can be seen")
			}
			looked = time.Now()
		}
		return strings.Contains(p.out.String(), laneEnds)
	})
	time.Sleep(time.Second) // the table's first commit is behind the others
	before := time.Now()
	time.Sleep(3 * time.Second)
	ended := time.Now()
	runs(t, "snapshot", "--to", lake, database+`\.sbtest1`)
	p.until(t, "the beginning of the lane", func() bool { return strings.Count(p.out.String(), laneBegins) == 2 })
	begun := time.Now()
	p.until(t, "the rows of the lane", func() bool { return strings.Count(p.out.String(), laneSent) == 2 })
	complete := time.Now()
	p.until(t, "the end of the lane", func() bool { return strings.Count(p.out.String(), laneEnds) == 2 })
	stop()
	require.NoError(t, <-written)
	p.terminate(t)
	runs(t, append(run, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 3 tables, 300,004 rows")
	without, with := lagsBetween(t, lake, before, ended), lagsBetween(t, lake, begun, complete)
	require.NotEmpty(t, without)
	require.NotEmpty(t, with, "no cut of the others while the lane went on")
	t.Logf("median lag %v without a lane (%d cuts in %v), %v with one (%d cuts in %v)", median(without), len(without), ended.Sub(before).Round(time.Millisecond),
		median(with), len(with), complete.Sub(begun).Round(time.Millisecond))
	require.Less(t, median(with), complete.Sub(begun)/4, "the others waited for the lane")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// lagsBetween returns of each cut that was published between two moments how long
// before the source had committed what it ends with.
func lagsBetween(t *testing.T, lake string, from, to time.Time) (lags []time.Duration) {
	t.Helper()
	out := runPython(t, servers.Python(t, readers...), `
import sys
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
for row in catalog.load_table(("_beluga", "cuts")).scan().to_arrow().to_pylist():
    print(int(row["published_at"].timestamp() * 1e6), int(row["source_time"].timestamp() * 1e6))
`, lake)
	for line := range strings.Lines(out) {
		var published, source int64
		_, err := fmt.Sscan(line, &published, &source)
		require.NoError(t, err)
		if at := time.UnixMicro(published); at.After(from) && at.Before(to) {
			lags = append(lags, at.Sub(time.UnixMicro(source)))
		}
	}
	return lags
}
