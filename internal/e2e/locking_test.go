package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/workload"
)

// TestLockingWithFewGrants loads tables of all types and kinds of keys while they
// are written to, as a user who may not lock all of the server, or nothing. What is
// published is compared while the writes go on, and at their end; of the harder way
// by an independent reader too.
func TestLockingWithFewGrants(t *testing.T) {
	const grants = "CREATE USER few; GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO few; "
	for name, c := range map[string]struct{ grants, says string }{
		"tables": {grants + "GRANT LOCK TABLES ON *.* TO few", "locking=tables"},
		"none":   {grants, "locking=none"},
	} {
		for transport, options := range map[string][]string{"direct": nil, "kafka": {"--kafka", "embedded"}} {
			t.Run(name+"_"+transport, func(t *testing.T) {
				server := servers.MySQL(t, "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0")
				server.Exec(t, c.grants)
				database := "e2e_locking"
				w := &workload.Workload{DB: server.DB(t), Database: database, Seed: 7, Space: 2000}
				require.NoError(t, w.Create(t.Context()))
				require.NoError(t, w.Fill(t.Context()))
				load, stop := context.WithCancel(t.Context())
				defer stop()
				loaded := loading(load, t, w)

				few := *server
				few.User, few.Password = "few", ""
				args := []string{"--from", few.URL(database), "--to", filepath.Join(t.TempDir(), "lake")}
				run := append(command("run", args, "--snapshot-connections", "4", "--snapshot-chunk-rows", "100", "--commit-interval", "200ms"), options...)
				for range 3 {
					said := runs(t, append(run, "--snapshot-mode", "always", "--once")...)
					require.Contains(t, said, c.says)
				}
				p := start(t, run...)
				verifyWhileWritten(t, command("verify", args)...)
				p.terminate(t)
				stop()
				require.NoError(t, <-loaded)
				runs(t, append(run, "--once")...)
				require.Contains(t, runs(t, command("verify", args)...), "equal: ")
				if name == "none" {
					requireSameRows(t, server.DB(t), database, args[3])
				}
			})
		}
	}
}

// verifyWhileWritten compares until nothing is left undecided: of a row that changes
// faster than the lake is looked at, verify can say nothing, and asks to be called
// again. What differs for good is a fault at once.
func verifyWhileWritten(t *testing.T, args ...string) {
	t.Helper()
	for {
		p := start(t, args...)
		code := p.wait(t)
		said := p.out.String()
		if code == 0 {
			require.Contains(t, said, "equal: ")
			return
		}
		require.Contains(t, said, "changed at every look", said)
		for line := range strings.Lines(said) {
			if strings.Contains(line, " missing in the lake") {
				require.Contains(t, line, ": 0 missing in the lake, 0 extra, 0 different;", said)
			}
		}
	}
}
