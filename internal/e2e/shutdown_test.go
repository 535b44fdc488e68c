package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestSignalWhileOpening: a run that is told to stop while it still looks at a
// server that says nothing ends well, and leaves nothing behind.
func TestSignalWhileOpening(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			silent, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer silent.Close()
			lake := filepath.Join(t.TempDir(), "lake")
			p := start(t, "run", "--from", "mysql://root@"+silent.Addr().String()+"/shop", "--to", lake)
			conn, err := silent.Accept()
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, p.cmd.Process.Signal(s))
			require.Zero(t, p.wait(t), p.out.String())
			require.Contains(t, p.out.String(), "stopped before anything was read")
			require.NoDirExists(t, lake)
		})
	}
}

// TestSecondSignal ends at once what the first one could not.
func TestSecondSignal(t *testing.T) {
	server := servers.MySQL(t)
	const database = "e2e_twice"
	lake, args := shop(t, server, database)
	p, unlock := startAgainstLock(t, server, database, lake, args, "--shutdown-timeout", "1h")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	p.says(t, "stopping: committing what has been read")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	p.wait(t)
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.Equal(t, syscall.SIGINT, status.Signal(), p.out.String())
	unlock()
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows")
}

// TestShutdownDeadline: a commit that takes longer than it may is given up. The
// run says so and ends with a fault, and the next one reads the batch again.
func TestShutdownDeadline(t *testing.T) {
	server := servers.MySQL(t)
	const database = "e2e_deadline"
	lake, args := shop(t, server, database)
	p, unlock := startAgainstLock(t, server, database, lake, args, "--shutdown-timeout", "100ms")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, fault, p.wait(t), p.out.String())
	require.Equal(t, "beluga: shutdown.timeout is over (100ms), and the last batch is not committed: the next run reads it again\n"+
		"    remedy: if that takes too long, give it more time (--shutdown-timeout), or commit smaller batches (--commit-interval, --commit-rows)\n", plain(nil, p.out.String()))
	unlock()
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows")
}

// startAgainstLock starts a run that has a row to commit, and cannot until
// unlock is called, since somebody else is writing to the catalog.
func startAgainstLock(t *testing.T, server *servers.MySQLServer, database, lake string, args []string, options ...string) (p *process, unlock func()) {
	t.Helper()
	runs(t, command("run", args, "--once")...)
	p = start(t, command("run", args, append(options, "--commit-interval", "1ms")...)...)
	p.says(t, "following the binlog")
	db, err := sql.Open(sqliteshim.ShimName, filepath.Join(lake, "catalog.db")+"?_txlock=immediate")
	require.NoError(t, err)
	tx, err := db.BeginTx(context.Background(), nil)
	require.NoError(t, err)
	unlock = sync.OnceFunc(func() {
		require.NoError(t, tx.Rollback())
		require.NoError(t, db.Close())
	})
	t.Cleanup(unlock)
	before := len(dataFiles(t, lake))
	server.Exec(t, "INSERT INTO "+database+".a VALUES (3, 3, 3)")
	p.until(t, "the batch to be written", func() bool { return len(dataFiles(t, lake)) > before })
	return p, unlock
}

// dataFiles lists the lake's data files.
func dataFiles(t *testing.T, lake string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(lake, "*", "*", "data", "*.parquet"))
	require.NoError(t, err)
	return files
}

// TestSigtermWhileStreaming: what was read is committed, in whole transactions,
// though the interval would have had it wait for an hour.
func TestSigtermWhileStreaming(t *testing.T) {
	server := servers.MySQL(t)
	lake, args := shop(t, server, "e2e_term")
	runs(t, command("run", args, "--once")...)
	p := start(t, command("run", args, "--commit-interval", "1h")...)
	p.says(t, "following the binlog")
	for i := range 40 {
		server.Exec(t, fmt.Sprintf("BEGIN; INSERT INTO e2e_term.a VALUES (%[1]d, 0, 0), (%[1]d + 1, 0, 0); INSERT INTO e2e_term.b VALUES (%[1]d, 0, 0); COMMIT", 10+2*i))
	}
	p.until(t, "the server to send all", func() bool {
		return queryText(t, server, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND STATE LIKE '%has sent all binlog%'") != "0"
	})
	require.Equal(t, []string{"2", "2"}, rowsOf(t, lake))
	p.terminate(t)
	require.Contains(t, p.out.String(), "stopping: committing what has been read")
	var a, b int
	got := rowsOf(t, lake)
	_, err := fmt.Sscan(strings.Join(got, " "), &a, &b)
	require.NoError(t, err)
	require.Greater(t, b, 2, "nothing was committed")
	require.Equal(t, 2*(b-2), a-2, "half a transaction was committed: %v", got)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 124 rows")
}

// TestSigtermWhileLoading: the run ends well and at once, and nobody sees half a
// load; the next run goes on with it.
func TestSigtermWhileLoading(t *testing.T) {
	server := servers.MySQL(t)
	lake, args := shop(t, server, "e2e_load")
	server.Exec(t, `CREATE TABLE e2e_load.long_one (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(100)); INSERT INTO e2e_load.long_one (text) VALUES (REPEAT('x', 100))`)
	for range 17 {
		server.Exec(t, "INSERT INTO e2e_load.long_one (text) SELECT text FROM e2e_load.long_one")
	}
	p := start(t, command("run", args, "--snapshot-chunk-rows", "10", "--snapshot-max-threads", "1")...)
	p.says(t, "snapshot opened")
	p.terminate(t)
	require.NotContains(t, p.out.String(), "tables loaded", "the load was over before the signal came")
	said := runs(t, "status", "--to", lake)
	require.Contains(t, said, "none: nothing was committed yet")
	for _, n := range rowsOf(t, lake) {
		require.Equal(t, "0", n, "half a load can be seen:\n%s", said)
	}
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 3 tables, 131,076 rows")
}
