package e2e

import (
	"context"
	"database/sql"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestLoadPauses loads from a replica that is behind, then from one that is busy,
// and while a query of ours says so. Each time it goes on once that has passed.
func TestLoadPauses(t *testing.T) {
	const database = "e2e_pause"
	of, replica := servers.MySQL(t, "--sync-binlog=0"), servers.MySQL(t, "--sync-binlog=0", "--skip-replica-start")
	_, port, err := net.SplitHostPort(of.Addr)
	require.NoError(t, err)
	replica.Exec(t, "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT="+port+", SOURCE_USER='root', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1; START REPLICA")
	shop(t, of, database)
	of.Exec(t, "CREATE TABLE "+database+".lag (seconds DECIMAL(5,1) PRIMARY KEY); INSERT INTO "+database+".lag VALUES (7.5)")
	caughtUp(t, replica, of)

	// load starts one into a new lake, ends what it pauses for, and waits for its end.
	load := func(because string, end func(), options ...string) {
		t.Helper()
		args := []string{"--from", replica.URL(database), "--to", filepath.Join(t.TempDir(), "lake")}
		p := start(t, command("run", append(args, "--once"), options...)...)
		p.says(t, because)
		end()
		require.Zero(t, p.wait(t), p.out.String())
		require.Contains(t, p.out.String(), "the load goes on")
		caughtUp(t, replica, of)
		runs(t, command("run", args, "--once")...)
		require.Contains(t, runs(t, command("verify", args)...), "equal: 3 tables")
	}

	replica.Exec(t, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 3600; START REPLICA SQL_THREAD")
	of.Exec(t, "INSERT INTO "+database+".a VALUES (3, 3, 3)")
	db := replica.DB(t)
	for secondsBehind(t, db) < 2 { // whole ones
		time.Sleep(20 * time.Millisecond)
	}
	load(`the load pauses" part=source because="the replica is `, func() {
		replica.Exec(t, "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0; START REPLICA SQL_THREAD")
	}, "--snapshot-pause-replica-lag", "500ms")

	busy, idle := context.WithCancel(t.Context())
	defer idle()
	sleepers := sleeping(t, busy, db, 30)
	load(`because="Threads_running is `, func() { idle(); sleepers.Wait() }, "--snapshot-pause-load", "Threads_running>25")

	load(`because="the replica is 7.5s behind, and may be 7s"`, func() { of.Exec(t, "UPDATE "+database+".lag SET seconds = 0") },
		"--snapshot-pause-replica-lag", "7s", "--snapshot-pause-lag-query", "SELECT seconds FROM "+database+".lag")
}

// secondsBehind is what the replica says of its lag; 0: it says nothing.
func secondsBehind(t *testing.T, db *sql.DB) int64 {
	t.Helper()
	rows, err := db.Query("SHOW REPLICA STATUS")
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(into...))
	text := string(values[slices.Index(columns, "Seconds_Behind_Source")])
	seconds, _ := strconv.ParseInt(text, 10, 64) // of NULL too
	return seconds
}

// caughtUp waits until the replica has what its source has.
func caughtUp(t *testing.T, replica, of *servers.MySQLServer) {
	t.Helper()
	var set string
	require.NoError(t, of.DB(t).QueryRow("SELECT @@global.gtid_executed").Scan(&set))
	var timedOut int
	require.NoError(t, replica.DB(t).QueryRow("SELECT WAIT_FOR_EXECUTED_GTID_SET(?)", set).Scan(&timedOut))
	require.Zero(t, timedOut)
}

// sleeping has statements run until ctx ends; it returns once the server runs them.
func sleeping(t *testing.T, ctx context.Context, db *sql.DB, n int) *sync.WaitGroup {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			var zero int
			_ = db.QueryRowContext(ctx, "SELECT SLEEP(100000) FROM DUAL -- e2e_pause").Scan(&zero) // its end is an error
		})
	}
	for running := 0; running < n; {
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM performance_schema.processlist WHERE STATE = 'User sleep'").Scan(&running))
	}
	return &wg
}
