package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/sysbench"
	"github.com/beluga-cdc/beluga/internal/workload"
)

const (
	durable  = "what has come of the load is durable"
	proceeds = "continuing a load that was interrupted"
)

// TestKilledLoadCostsLittle kills a load ten times. All rows that the server hands
// out are counted by the server.
func TestKilledLoadCostsLittle(t *testing.T) {
	const rows, kills = 2_000_000, 10
	server := servers.MySQL(t, "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0")
	const database = "e2e_load_cost"
	server.Exec(t, "CREATE DATABASE "+database)
	tables := &sysbench.Tables{DB: server.DB(t), Database: database, Count: 1, Rows: rows}
	require.NoError(t, tables.Create(t.Context(), false))
	require.NoError(t, tables.Fill(t.Context(), func(int) {}))
	read := func() (n int) {
		require.NoError(t, server.DB(t).QueryRow("SELECT SUM(COUNT_FETCH) FROM performance_schema.table_io_waits_summary_by_table WHERE OBJECT_SCHEMA = ?", database).Scan(&n))
		return n
	}
	for name, options := range transports(t) {
		t.Run(name, func(t *testing.T) { killedLoadCostsLittle(t, server.URL(database), rows, kills, read, options) })
	}
}

// transports returns the options of each way from a source to a sink.
func transports(t *testing.T) map[string][]string {
	return map[string][]string{
		"direct":          nil,
		"embedded_broker": {"--kafka", "embedded"},
		"kafka":           {"--kafka", servers.Kafka(t).Addr, "--kafka-topic-prefix", t.Name()},
	}
}

func killedLoadCostsLittle(t *testing.T, from string, rows, kills int, read func() int, options []string) {
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", from, "--to", lake, "--name", "e2e_load_cost"} // the broker is shared
	// What is in memory when the process dies is read again, so it is kept small.
	run := append(command("run", args, "--once", "--snapshot-chunk-rows", "5000", "--memory-limit", "128MiB"), options...)
	before := read()
	for kill := range kills {
		p := start(t, append(run, "--snapshot-checkpoint-interval", "20ms")...)
		p.says(t, durable)
		p.killAfter(t, 0)
		require.Equal(t, kill > 0, strings.Contains(p.out.String(), proceeds), p.out.String())
		for _, n := range rowsOf(t, lake) {
			require.Equal(t, "0", n, "half a load can be seen")
		}
	}
	require.Contains(t, runs(t, run...), proceeds)
	cost := float64(read()-before) / float64(rows)
	t.Logf("%d kills: each row was read %.3f times", kills, cost)
	require.Less(t, cost, 1.3)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 1 table, 2,000,000 rows")
}

// TestKilledLoads kills loads of tables of all types and kinds of keys, while they
// are written to, under each kind of lock.
func TestKilledLoads(t *testing.T) {
	broker := servers.Kafka(t).Addr
	for name, options := range map[string][]string{
		"global":  nil,
		"none":    {"--snapshot-locking", "none"},
		"vectors": {"--readers", "duckdb,pyiceberg"},

		"embedded_broker":      {"--kafka", "embedded"},
		"embedded_broker_none": {"--kafka", "embedded", "--kafka-partitions", "3", "--snapshot-locking", "none"},
		"kafka":                {"--kafka", broker, "--kafka-topic-prefix", t.Name(), "--kafka-partitions", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			unlocked := strings.HasSuffix(name, "none")
			server := servers.MySQL(t, "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0")
			database := "e2e_load_" + name
			w := &workload.Workload{DB: server.DB(t), Database: database, Seed: 11, Space: 2000}
			require.NoError(t, w.Create(t.Context()))
			require.NoError(t, w.Fill(t.Context()))
			if unlocked { // rows without a key need a lock
				server.Exec(t, "DROP TABLE "+database+".alike, "+database+".without_key")
			}
			writing, stop := context.WithCancel(t.Context())
			defer stop()
			written := make(chan error, 1)
			if unlocked {
				// The workload writes to all of its tables.
				server.Exec(t, "CREATE TABLE "+database+".other (id INT PRIMARY KEY, v INT); INSERT INTO "+database+".other VALUES (1, 1)")
				db := server.DB(t)
				go func() {
					for writing.Err() == nil {
						if _, err := db.ExecContext(writing, "UPDATE "+database+".other SET v = v + 1"); err != nil && writing.Err() == nil {
							written <- err
							return
						}
					}
					written <- nil
				}()
			} else {
				go func() { written <- <-loading(writing, t, w) }()
			}
			lake := filepath.Join(t.TempDir(), "lake")
			args := []string{"--from", server.URL(database), "--to", lake, "--name", database} // the broker is shared
			run := append(command("run", args, "--snapshot-chunk-rows", "20"), options...)
			rng := rand.New(rand.NewPCG(3, 4))
			for kill := range 4 {
				// The moment is one of the load's progress: by the clock a fast machine
				// would be through.
				p := start(t, append(run, "--snapshot-checkpoint-interval", fmt.Sprint(1+rng.IntN(40), "ms"))...)
				p.says(t, durable)
				p.killAfter(t, 0)
				require.Equal(t, kill > 0, strings.Contains(p.out.String(), proceeds), p.out.String())
				require.Contains(t, runs(t, "status", "--to", lake), "none: nothing was committed yet")
				for _, n := range rowsOf(t, lake) {
					require.Equal(t, "0", n, "half a load can be seen")
				}
			}
			stop()
			require.NoError(t, <-written)
			waitForServer(t, server.DB(t), database)
			require.Contains(t, runs(t, append(run, "--once")...), proceeds)
			require.Contains(t, runs(t, command("verify", args)...), "equal: ")
			requireSameRows(t, server.DB(t), database, lake)
		})
	}
}

// TestInterruptedLoadThatCannotGoOn: tables that were altered, emptied or dropped
// since, or are not captured any more, do not stand in the way.
func TestInterruptedLoadThatCannotGoOn(t *testing.T) {
	for name, c := range map[string]struct {
		sql     string
		options []string
		says    string
	}{
		"altered":   {"ALTER TABLE DB.wide DROP COLUMN w", nil, proceeds},
		"truncated": {"TRUNCATE TABLE DB.wide; INSERT INTO DB.wide (text) VALUES ('y')", nil, proceeds},
		"dropped":   {"DROP TABLE DB.wide", nil, "cannot be continued"},
		"left out":  {"SELECT 1", []string{"--tables-exclude", `DB\.wide`}, "cannot be continued"},
		"purged":    {"DELETE FROM DB.wide WHERE id = 1; FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY", nil, "cannot be continued"},
		"renamed":   {"RENAME TABLE DB.wide TO DB.z", nil, "cannot be continued"},
		"exchanged": {"RENAME TABLE DB.wide TO DB.z, DB.b TO DB.wide, DB.z TO DB.b", nil, proceeds},

		"log altered":  {"ALTER TABLE DB.wide DROP COLUMN w", nil, proceeds},
		"log left out": {"SELECT 1", []string{"--tables-exclude", `DB\.wide`}, "cannot be continued"},
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t, "--max-binlog-size=1G")
			database := "e2e_" + strings.ReplaceAll(name, " ", "_")
			_, args := shop(t, server, database)
			server.Exec(t, "CREATE TABLE "+database+".wide (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(100), w INT); INSERT INTO "+database+".wide (text) VALUES (REPEAT('x', 100))")
			for range 15 {
				server.Exec(t, "INSERT INTO "+database+".wide (text) SELECT text FROM "+database+".wide")
			}
			server.Exec(t, "ANALYZE TABLE "+database+".wide") // the largest is loaded first
			run := command("run", args, "--once", "--snapshot-chunk-rows", "100")
			if strings.HasPrefix(name, "log ") {
				run = append(run, "--kafka", "embedded")
			}
			p := start(t, append(run, "--snapshot-checkpoint-interval", "1ms")...)
			p.says(t, durable)
			p.killAfter(t, 0)
			// The server tells versions of a table apart by the second.
			server.Exec(t, "DO SLEEP(1.1); UPDATE "+database+".a SET v = 5; "+strings.ReplaceAll(c.sql, "DB", database))
			options := make([]string, len(c.options))
			for i, o := range c.options {
				options[i] = strings.ReplaceAll(o, "DB", database)
			}
			require.Contains(t, runs(t, append(run, options...)...), c.says)
			require.Contains(t, runs(t, append(command("verify", args), options...)...), "equal: ")
		})
	}
}
