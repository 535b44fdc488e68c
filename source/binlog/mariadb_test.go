package binlog_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

// TestMariaDBFollowsAModel is TestStreamFollowsAModel with the events of MariaDB:
// compressed ones, two domains, over connections that are lost at any byte.
func TestMariaDBFollowsAModel(t *testing.T) {
	verifyNoLeak(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := newDatabase(t, servers.MariaDB(t, "--max-allowed-packet=64M"))
	d.config.OldImages = binlog.Full
	d.exec(t, threeTables)
	workload(t, d, rnd, 300)
	d.exec(t, "CREATE TABLE big (id INT PRIMARY KEY, k INT, c VARCHAR(120))")
	d.exec(t, "INSERT INTO big SELECT seq, seq % 7, repeat('x', 100) FROM seq_1_to_60000")
	d.exec(t, "UPDATE big SET k = 5 WHERE id % 3 = 0; FLUSH BINARY LOGS; INSERT INTO b VALUES ('last', 1)")
	p := newProxy(t, d.server.Addr)
	p.limit = func(n int64) int64 {
		if n < 12 {
			return rnd.Int64N(n*n*4000) + 1
		}
		return 0
	}
	d.through(p)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "a", "b", "c", "big")
	last := l.commits[len(l.commits)-1].Position
	require.True(t, last.GTIDs.Equal(d.position(t).GTIDs), "%s", last)
	require.Len(t, last.GTIDs.Last(), 2, "a position has each domain")
	require.Greater(t, p.lost.Load(), int64(5))
}

// TestMariaDBXA is TestXA, and what does not fit into memory.
func TestMariaDBXA(t *testing.T) {
	for _, options := range []string{"--log-bin-compress=OFF", "--log-bin-compress=ON"} {
		t.Run(options, func(t *testing.T) {
			d := newXA(t, servers.MariaDB(t, options))
			l := newLake()
			step := func(statements string) {
				t.Helper()
				d.exec(t, statements)
				require.NoError(t, d.goOn(t, l))
				d.requireEqual(t, l, "t", "u")
			}
			d.exec(t, "CREATE TABLE big (id INT PRIMARY KEY, k INT, c VARCHAR(120))")
			step("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three'); INSERT INTO u VALUES (1, 'u'); INSERT INTO big VALUES (0, 0, '')")
			d.prepare(t, "'a'", "UPDATE t SET id = 100, c = repeat('a', 90) WHERE id = 1; INSERT INTO u VALUES (7, 'a'), (8, repeat('a', 80))")
			step("INSERT INTO other.t VALUES (1)")
			d.prepare(t, "'b','q',7", "DELETE FROM t WHERE id = 2; UPDATE u SET c = 'b' WHERE id = 1")
			d.prepare(t, "X'00ff20'", "INSERT INTO t VALUES (9, 'gone'); DELETE FROM t WHERE id = 3")
			step("FLUSH BINARY LOGS")
			step("XA COMMIT 'b','q',7")
			step("XA ROLLBACK X'00ff20'")
			step("XA START 'one'; INSERT INTO t VALUES (9, 'one phase'); DELETE FROM t WHERE id = 3; XA END 'one'; XA COMMIT 'one' ONE PHASE")
			step("XA COMMIT 'a'; UPDATE t SET c = concat('!', substr(c, 1, 80))")
			d.prepare(t, "'a'", "INSERT INTO t VALUES (10, 'the name once more')")
			d.prepare(t, "'large'", "INSERT INTO big SELECT seq, seq % 7, repeat('x', 100) FROM seq_1_to_60000")
			step("XA COMMIT 'a'")
			d.exec(t, "XA COMMIT 'large'")
			require.NoError(t, d.goOn(t, l))
			d.requireEqual(t, l, "t", "u", "big")
			require.Less(t, l.largest, 8<<20)
		})
	}
}

// TestMariaDBStatements: what only MariaDB's statements do.
func TestMariaDBStatements(t *testing.T) {
	for _, c := range []struct{ statement, want string }{
		{"RENAME TABLE IF EXISTS t WAIT 5 TO u", "gives its name to a table that was not loaded"},
		{"ALTER TABLE IF EXISTS t WAIT 5 DROP PARTITION p0", "has DROP PARTITION"},
		{"ALTER TABLE t CONVERT PARTITION p0 TO TABLE u", "has CONVERT PARTITION"},
		{"SET SESSION binlog_format = 'STATEMENT'; INSERT INTO t VALUES (50)", "the binlog holds a statement instead of its rows"},
	} {
		t.Run(c.statement, func(t *testing.T) {
			d := newDatabase(t, servers.MariaDB(t))
			d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (100)); INSERT INTO t VALUES (1)")
			d.exec(t, c.statement)
			l := newLake()
			require.ErrorContains(t, d.stream(t, l), c.want)
		})
	}
}

// TestMariaDBPassesOver: an ALTER in two phases counts once, when it has ended, and
// sequences are no tables.
func TestMariaDBPassesOver(t *testing.T) {
	d := newDatabase(t, servers.MariaDB(t))
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1); CREATE SEQUENCE s; DO NEXTVAL(s)")
	d.exec(t, "SET SESSION binlog_alter_two_phase = 1; ALTER TABLE t COMMENT 'two', FORCE; SET STATEMENT max_statement_time = 100 FOR TRUNCATE TABLE t; INSERT INTO t VALUES (1); TRUNCATE t WAIT 5; INSERT INTO t VALUES (1); DROP TABLE IF EXISTS t WAIT 5; CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1); CREATE /*M! OR REPLACE */ TABLE t (id INT PRIMARY KEY); DO NEXTVAL(s); INSERT INTO t VALUES (NEXTVAL(s))")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t")
	require.NotContains(t, l.rows, schema.TableID{Database: d.name, Name: "s"})
}

// TestMariaDBPositionLost: what the server says where it cannot go on.
func TestMariaDBPositionLost(t *testing.T) {
	for name, do := range map[string]func(t *testing.T, d *database){
		"purged": func(t *testing.T, d *database) {
			d.exec(t, "FLUSH BINARY LOGS; INSERT INTO t VALUES (2); FLUSH BINARY LOGS")
			for n := 2; n > 1; { // a file that the engine may need for its recovery stays a while
				d.exec(t, fmt.Sprintf("PURGE BINARY LOGS TO '%s'", d.position(t).File))
				n = 0
				rows, err := d.db.Query("SHOW BINARY LOGS")
				require.NoError(t, err)
				for rows.Next() {
					n++
				}
				require.NoError(t, rows.Close())
			}
		},
		"reset": func(t *testing.T, d *database) { d.exec(t, "RESET MASTER; INSERT INTO t VALUES (2)") },
		"other server": func(t *testing.T, d *database) {
			d.exec(t, "SET SESSION server_id = 99; INSERT INTO t VALUES (2), (3)")
			var ours schema.GTIDSet
			for _, g := range d.start.GTIDs.Last() {
				ours.Add(schema.MariaDBGTID(g.Domain(), 98, g.N+1))
			}
			d.start.GTIDs = ours
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase(t, servers.MariaDB(t, "--gtid-domain-id=3"))
			d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)")
			d.start = d.position(t)
			do(t, d)
			until := d.position(t)
			until.GTIDs.AddSet(d.start.GTIDs)
			for _, g := range until.GTIDs.Last() {
				until.GTIDs.Add(schema.MariaDBGTID(g.Domain(), 1, g.N+100))
			}
			cfg := d.config
			cfg.Until = &until
			err := binlog.New(cfg).Run(t.Context(), pipeline.Resume{Position: d.start}, newLake())
			require.ErrorIs(t, err, binlog.ErrPositionLost)
		})
	}
}
