package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// idOfServer stands within a GTID, and is the server's port.
var idOfServer = regexp.MustCompile(`\b4-\d+`)

// TestPositionLostOnMariaDB: what comes after the position was purged, or the
// server was reset; each stops with exit code 3 and the exact difference, and
// when_needed loads anew.
func TestPositionLostOnMariaDB(t *testing.T) {
	for name, c := range map[string]struct{ lose, says string }{
		"purged": {"FLUSH BINARY LOGS; INSERT INTO gone.t VALUES (2); DELETE FROM gone.t WHERE id = 1; FLUSH BINARY LOGS", "the server has purged transactions 4-N"},
		"reset":  {"DELETE FROM gone.t; RESET MASTER; INSERT INTO gone.t VALUES (3)", "the lake holds transactions that the server does not have: 4-N"},
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.MariaDB(t, "--gtid-domain-id=4")
			server.Exec(t, "CREATE DATABASE gone; CREATE TABLE gone.t (id INT PRIMARY KEY); INSERT INTO gone.t VALUES (1)")
			lake := filepath.Join(t.TempDir(), "lake")
			run := command("run", []string{"--once", "--from", server.URL("gone"), "--to", lake})
			runs(t, run...)
			server.Exec(t, c.lose)
			if name == "purged" {
				purgeAll(t, server)
			}
			p := start(t, run...)
			require.Equal(t, 3, p.wait(t), p.out.String())
			require.Contains(t, idOfServer.ReplaceAllString(p.out.String(), "4-N"), c.says)
			runs(t, append(run, "--snapshot-mode", "when_needed")...)
			require.Contains(t, runs(t, "verify", "--from", server.URL("gone"), "--to", lake), "equal: ")
			requireSameRows(t, server.DB(t), "gone", lake)
		})
	}
}

// purgeAll purges all files but the last. One that the engine may need for its
// recovery stays a while.
func purgeAll(t *testing.T, server *servers.MySQLServer) {
	t.Helper()
	db := server.DB(t)
	for files := 2; files > 1; {
		var last string
		var size int64
		rows, err := db.Query("SHOW BINARY LOGS")
		require.NoError(t, err)
		for files = 0; rows.Next(); files++ {
			require.NoError(t, rows.Scan(&last, &size))
		}
		require.NoError(t, rows.Close())
		server.Exec(t, "PURGE BINARY LOGS TO '"+last+"'")
	}
}

// TestLoadWithoutLockOnMariaDB loads as a user who may not lock, under writes.
func TestLoadWithoutLockOnMariaDB(t *testing.T) {
	server := servers.MariaDB(t)
	server.Exec(t, `CREATE OR REPLACE DATABASE unlocked; USE unlocked; CREATE TABLE unlocked.a (id INT PRIMARY KEY, n INT); CREATE TABLE unlocked.b LIKE unlocked.a;
		INSERT INTO unlocked.a SELECT seq, 0 FROM seq_1_to_20000; INSERT INTO unlocked.b SELECT * FROM unlocked.a;
		CREATE OR REPLACE USER weak@'%'; GRANT SELECT ON unlocked.* TO weak@'%'; GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO weak@'%'`)
	done := make(chan struct{})
	writing := make(chan error, 1)
	db := server.DB(t)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				writing <- nil
				return
			default:
			}
			if _, err := db.Exec(fmt.Sprintf("BEGIN; UPDATE unlocked.a SET n = n + 1 WHERE id %% 977 = %[1]d; UPDATE unlocked.b SET n = n + 1 WHERE id %% 977 = %[1]d; DELETE FROM unlocked.a WHERE id = %[2]d; COMMIT", n%977, n)); err != nil {
				writing <- err
				return
			}
		}
	}()
	lake := filepath.Join(t.TempDir(), "lake")
	from := server.URL("unlocked")
	server.User = "weak"
	run := command("run", []string{"--once", "--snapshot-locking", "none", "--snapshot-connections", "4", "--from", server.URL("unlocked"), "--to", lake})
	server.User = "root"
	runs(t, run...)
	runs(t, run...)
	close(done)
	require.NoError(t, <-writing)
	runs(t, run...)
	require.Contains(t, runs(t, "verify", "--from", from, "--to", lake), "equal: ")
	requireSameRows(t, server.DB(t), "unlocked", lake)
}
