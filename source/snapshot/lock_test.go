package snapshot_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// TestLockGivesWay makes a circle that the server does not see: the lock waits for
// a transaction that waits for a row of another, which waits behind the lock. The
// transactions themselves would wait for longer than the lock does.
func TestLockGivesWay(t *testing.T) {
	server := servers.MySQL(t, "--innodb-lock-wait-timeout=1000")
	for _, locking := range []snapshot.Locking{snapshot.Global, snapshot.Tables} {
		t.Run(string(locking), func(t *testing.T) {
			name, db := database(t, server)
			for _, table := range []string{"a", "b", "c"} {
				_, err := db.Exec(fmt.Sprintf("CREATE TABLE %[1]s.%[2]s (id INT PRIMARY KEY, n INT); INSERT INTO %[1]s.%[2]s VALUES (1, 0)", name, table))
				require.NoError(t, err)
			}
			update := func(tx *sql.Tx, table string) error {
				_, err := tx.Exec("UPDATE " + name + "." + table + " SET n = n + 1")
				return err
			}
			// waiters waits until so many sessions wait for what the condition tells.
			waiters := func(n int, condition string) {
				t.Helper()
				for found := -1; found != n; time.Sleep(5 * time.Millisecond) {
					require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM performance_schema.processlist WHERE "+condition).Scan(&found))
				}
			}
			owner, err := db.Begin()
			require.NoError(t, err)
			require.NoError(t, update(owner, "c"))
			waiting, err := db.Begin()
			require.NoError(t, err)
			require.NoError(t, update(waiting, "b"))
			done := make(chan error, 2)
			go func() { done <- update(waiting, "c") }()
			waiters(1, "info LIKE 'UPDATE%' AND state = 'updating'")

			var log bytes.Buffer
			cfg := config(t, server, name)
			cfg.Locking = locking
			opened := make(chan error, 1)
			go func() {
				s, _, err := source.New(cfg, slog.New(slog.NewTextHandler(&log, nil))).OpenSnapshot(t.Context())
				if err == nil {
					s.Close()
				}
				opened <- err
			}()
			waiters(1, "info LIKE '%READ%' AND state LIKE 'Waiting for %'")
			go func() { done <- update(owner, "a") }()
			require.NoError(t, <-done)
			require.NoError(t, owner.Commit())
			require.NoError(t, <-done)
			require.NoError(t, waiting.Commit())
			require.NoError(t, <-opened)
			require.Contains(t, log.String(), "is not granted, letting others pass and trying again")
		})
	}
}
