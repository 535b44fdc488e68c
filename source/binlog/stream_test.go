package binlog_test

import (
	"context"
	"database/sql"
	"errors"
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

const threeTables = `
	CREATE TABLE a (id INT PRIMARY KEY, k INT NOT NULL, c VARCHAR(120));
	CREATE TABLE b (id VARCHAR(20) PRIMARY KEY, n BIGINT);
	CREATE TABLE c (id BIGINT PRIMARY KEY, v TEXT, INDEX (id))`

// workload changes the three tables in transactions of all shapes.
func workload(t *testing.T, d *database, rnd *rand.Rand, transactions int) {
	change := func() {
		id := rnd.IntN(200)
		switch rnd.IntN(9) {
		case 0, 1:
			d.exec(t, fmt.Sprintf("INSERT IGNORE INTO a VALUES (%d, %d, 'ä%d')", id, rnd.IntN(9), rnd.Int()))
		case 2:
			d.exec(t, fmt.Sprintf("REPLACE INTO b VALUES ('k%d', %d), ('k%d', NULL)", id, rnd.Int64(), id+1))
		case 3:
			d.exec(t, fmt.Sprintf("UPDATE a SET k = k + 1, c = IF(k %% 3, NULL, c) WHERE id BETWEEN %d AND %d", id, id+10))
		case 4:
			d.exec(t, fmt.Sprintf("DELETE FROM a WHERE id BETWEEN %d AND %d", id, id+2))
		case 5:
			d.exec(t, fmt.Sprintf("UPDATE IGNORE a SET id = id + 1000 WHERE id = %d", id))
		case 6:
			d.exec(t, fmt.Sprintf("INSERT INTO c VALUES (%d, repeat('x', %d)) ON DUPLICATE KEY UPDATE v = concat('+', v)", id, rnd.IntN(2000)))
		case 7:
			d.exec(t, fmt.Sprintf("UPDATE a, b SET a.k = 1, b.n = 2 WHERE a.id = %d AND b.id = 'k%d'", id, id))
		case 8:
			d.exec(t, fmt.Sprintf("DELETE FROM c WHERE id < %d", id/4))
		}
	}
	for range transactions {
		switch rnd.IntN(12) {
		case 0:
			if d.maria {
				d.exec(t, fmt.Sprintf("SET GLOBAL log_bin_compress = %d, GLOBAL log_bin_compress_min_len = 10", rnd.IntN(2)))
				continue
			}
			d.exec(t, fmt.Sprintf("SET SESSION binlog_transaction_compression = %d", rnd.IntN(2)))
		case 1:
			d.exec(t, "FLUSH BINARY LOGS")
		case 2:
			other, back := "SET SESSION gtid_next = 'AUTOMATIC:blue'", "SET SESSION gtid_next = 'AUTOMATIC'"
			if d.maria {
				other, back = "SET SESSION gtid_domain_id = 7", "SET SESSION gtid_domain_id = DEFAULT"
			}
			d.exec(t, other)
			change()
			d.exec(t, back)
		case 3, 4:
			change() // its own transaction
		default:
			d.exec(t, "BEGIN")
			for range 1 + rnd.IntN(5) {
				change()
			}
			if rnd.IntN(3) == 0 {
				d.exec(t, "SAVEPOINT s")
				change()
				d.exec(t, "ROLLBACK TO s")
				change()
			}
			d.exec(t, []string{"COMMIT", "COMMIT", "COMMIT", "ROLLBACK"}[rnd.IntN(4)])
		}
	}
}

// TestStreamFollowsAModel holds the lake, as the stream fills it, against the
// server, after random transactions; the lake checks on its own that each commit
// contains exactly what was sent before it.
func TestStreamFollowsAModel(t *testing.T) {
	verifyNoLeak(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, old := range []binlog.OldImages{binlog.IdentityOnly, binlog.Full} {
		d := newDatabase(t, servers.MySQL(t))
		d.config.OldImages = old
		d.exec(t, threeTables)
		workload(t, d, rand.New(rand.NewPCG(seed, 1)), 400)
		l := newLake()
		require.NoError(t, d.stream(t, l))
		d.requireEqual(t, l, "a", "b", "c")
		last := l.commits[len(l.commits)-1].Position
		require.True(t, last.GTIDs.Equal(d.position(t).GTIDs), "%s", last)
		require.Less(t, l.blocks, 200, "rows of many transactions share a block")
	}
}

// TestResume cuts a stream at random commits and goes on from there.
func TestResume(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t))
	d.exec(t, threeTables)
	rnd := rand.New(rand.NewPCG(7, 7))
	from := pipeline.Resume{Position: d.start, Tables: map[schema.TableID]pipeline.TableState{}}
	l := newLake()
	for range 6 {
		workload(t, d, rnd, 40)
		cfg := d.config
		until := d.position(t)
		cfg.Until = &until
		require.NoError(t, binlog.New(cfg).Run(t.Context(), from, l))
		from.Position = l.commits[len(l.commits)-1].Position
		for id, shape := range l.shapes {
			from.Tables[id] = pipeline.TableState{Table: shape, Position: from.Position}
		}
	}
	d.requireEqual(t, l, "a", "b", "c")
	require.Len(t, l.changes, 3, "a table that did not change is not announced again")
	require.NoError(t, d.stream(t, newLake()))
}

// TestTableAhead: a table that is ahead of the published cut gets no row twice.
func TestTableAhead(t *testing.T) {
	d := newDatabase(t, servers.MySQL(t))
	d.exec(t, threeTables)
	l := newLake()
	workload(t, d, rand.New(rand.NewPCG(3, 3)), 60)
	require.NoError(t, d.stream(t, l))
	a := schema.TableID{Database: d.name, Name: "a"}
	ahead := l.commits[len(l.commits)-1].Position
	d.exec(t, "INSERT INTO a VALUES (5000, 1, 'new'); INSERT INTO b VALUES ('new', 1)")
	from := pipeline.Resume{Position: d.start, Tables: map[schema.TableID]pipeline.TableState{a: {Table: l.shapes[a], Position: ahead}}}
	cfg := d.config
	until := d.position(t)
	cfg.Until = &until
	again := newLake()
	again.rows[a], again.shapes[a] = l.rows[a], l.shapes[a]
	require.NoError(t, binlog.New(cfg).Run(t.Context(), from, again))
	d.requireEqual(t, again, "a", "b", "c")
}

// TestLargeTransaction: blocks of a large transaction go on before its end, and
// are published by one commit.
func TestLargeTransaction(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t))
	large(t, d)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "big")
	require.Greater(t, l.blocks, 4)
	require.Less(t, l.largest, 8<<20)
	require.LessOrEqual(t, len(l.commits), 3)
}

const largeRows = 200_000

func large(t *testing.T, d *database) {
	d.exec(t, "CREATE TABLE big (id INT PRIMARY KEY, k INT, c VARCHAR(120))")
	d.exec(t, "SET SESSION cte_max_recursion_depth = 1000000")
	d.exec(t, fmt.Sprintf("INSERT INTO big WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n WHERE i < %d) SELECT i, i %% 7, repeat(char(65 + i %% 26), 100) FROM n", largeRows))
}

// countConnections counts those that streams make from now on.
func (d *database) countConnections() *int {
	n, login := new(int), d.config.Login
	d.config.Login = func() (binlog.Login, error) { *n++; return login() }
	return n
}

// kill ends the server's dump threads.
func kill(t *testing.T, d *database) {
	rows, err := d.db.Query("SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id int64
		require.NoError(t, rows.Scan(&id))
		if _, err := d.db.Exec(fmt.Sprintf("KILL %d", id)); err != nil {
			t.Logf("KILL %d: %v", id, err) // it may have gone meanwhile
		}
	}
}

// TestKilledConnection kills the server's side within a large transaction,
// several times; each time a part of it was handed on.
func TestKilledConnection(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t))
	d.exec(t, "CREATE TABLE z (id INT PRIMARY KEY); INSERT INTO z VALUES (1)")
	large(t, d)
	d.exec(t, "UPDATE big SET k = 99 WHERE id % 2; DELETE FROM big WHERE id % 5 = 0; INSERT INTO z VALUES (2)")
	connects := d.countConnections()
	l := newLake()
	l.onBlock = func(n int) {
		if n%4 == 2 {
			kill(t, d)
			time.Sleep(50 * time.Millisecond) // what is on its way already is still read
		}
	}
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "big", "z")
	require.Greater(t, *connects, 2)
}

// TestResetBeforeTheFirstFile: a server that is reset after it was checked, and
// before it opens a file for us, leaves out what has the names of ours.
func TestResetBeforeTheFirstFile(t *testing.T) {
	verifyNoLeak(t)
	server := servers.MySQL(t, "--max-binlog-size=1G")
	d := newDatabase(t, server)
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	at := d.position(t)
	checks := 0
	d.config.Check = func(_ context.Context, at schema.Position) error {
		if checks++; checks == 1 {
			d.exec(t, "RESET BINARY LOGS AND GTIDS; INSERT INTO t VALUES (3)")
			return nil
		}
		if now := d.position(t); !now.Contains(at) {
			return fmt.Errorf("%w: the server is at %s", binlog.ErrPositionLost, now)
		}
		return nil
	}
	require.ErrorIs(t, binlog.New(d.config).Run(t.Context(), pipeline.Resume{Position: at}, l), binlog.ErrPositionLost)
}

// TestLiveRows: rows are published while nothing else happens, a cancelled run
// returns nil, and a server that restarts is found again.
func TestLiveRows(t *testing.T) {
	verifyNoLeak(t)
	server := servers.MySQL(t, "--sync-binlog=1")
	d := newDatabase(t, server)
	d.exec(t, threeTables)
	l := newLake()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- binlog.New(d.config).Run(ctx, pipeline.Resume{Position: d.start}, l)
	}()
	wait := func(id string) {
		for {
			l.mu.Lock()
			_, ok := l.rows[schema.TableID{Database: d.name, Name: "b"}][id]
			published := len(l.open) == 0
			l.mu.Unlock()
			if ok && published {
				return
			}
			<-l.arrived
		}
	}
	d.exec(t, "INSERT INTO b VALUES ('first', 1)")
	wait("first")
	server.Restart(t)
	server.Exec(t, "INSERT INTO "+d.name+".b VALUES ('second', 2)")
	wait("second")
	cancel()
	require.NoError(t, <-done)
}

// TestPositionLost: purged logs are an error of their own kind.
func TestPositionLost(t *testing.T) {
	d := newDatabase(t, servers.MySQL(t, "--sync-binlog=1"))
	d.exec(t, threeTables)
	d.exec(t, "INSERT INTO b VALUES ('x', 1); FLUSH BINARY LOGS")
	d.exec(t, fmt.Sprintf("PURGE BINARY LOGS TO '%s'", d.position(t).File))
	d.exec(t, "INSERT INTO b VALUES ('y', 1)")
	err := d.stream(t, newLake())
	require.ErrorIs(t, err, binlog.ErrPositionLost)
	require.ErrorContains(t, err, "purged")
	d.start = schema.Position{File: "binlog.000001", Offset: 4}
	require.ErrorIs(t, d.stream(t, newLake()), binlog.ErrPositionLost)
}

func TestWrongPassword(t *testing.T) {
	d := newDatabase(t, servers.MySQL(t))
	d.exec(t, "CREATE TABLE a (id INT PRIMARY KEY)")
	d.config.Login = func() (binlog.Login, error) {
		return binlog.Login{Addr: d.server.Addr, User: d.server.User, Password: "wrong"}, nil
	}
	require.ErrorContains(t, d.stream(t, newLake()), "Access denied")
}

// TestFilePosition: without GTIDs positions are places in files.
func TestFilePosition(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"))
	require.True(t, d.start.GTIDs.IsEmpty())
	d.exec(t, threeTables)
	d.exec(t, "INSERT INTO b VALUES ('x', 1); FLUSH BINARY LOGS; INSERT INTO b VALUES ('y', 1)")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "b")
	last := l.commits[len(l.commits)-1].Position
	require.Equal(t, d.position(t), last)

	d.exec(t, "FLUSH BINARY LOGS; INSERT INTO b VALUES ('z', 1)")
	d.start = last
	l.onBlock = func(int) { kill(t, d); l.onBlock = nil }
	cfg, until := d.config, d.position(t)
	cfg.Until = &until
	tables := map[schema.TableID]pipeline.TableState{}
	for id, shape := range l.shapes {
		tables[id] = pipeline.TableState{Table: shape, Position: last}
	}
	require.NoError(t, binlog.New(cfg).Run(t.Context(), pipeline.Resume{Position: last, Tables: tables}, l))
	d.requireEqual(t, l, "b")

	large(t, d)
	l = newLake()
	l.onBlock = func(n int) {
		if n == 2 {
			kill(t, d)
			time.Sleep(50 * time.Millisecond)
		}
	}
	d.start = until
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "big")
}

func TestSenderErrorEndsTheRun(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t))
	d.exec(t, threeTables)
	workload(t, d, rand.New(rand.NewPCG(1, 1)), 20)
	until := d.position(t)
	d.config.Until = &until
	broken := errors.New("the sink is gone")
	require.ErrorIs(t, binlog.New(d.config).Run(t.Context(), pipeline.Resume{Position: d.start}, failing{broken}), broken)
}

type failing struct{ err error }

func (f failing) Send(context.Context, schema.Event) error { return f.err }

func columnNames(t *testing.T, db *sql.DB, database, table string) string {
	var names string
	require.NoError(t, db.QueryRow("SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = ? AND table_name = ?", database, table).Scan(&names))
	return names
}
