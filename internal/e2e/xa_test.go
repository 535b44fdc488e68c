package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestXA: rows of XA transactions are in the lake once they are committed, and
// only then, wherever the load, a stop or a kill falls between their two phases.
func TestXA(t *testing.T) {
	server := servers.MySQL(t)
	for name, options := range map[string][]string{"direct": nil, "embedded": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			database := "e2e_xa_" + name
			_, args := shop(t, server, database)
			prepare := func(id string, from int) {
				server.Exec(t, fmt.Sprintf("USE %[1]s; XA START '%[1]s %[2]s'; INSERT INTO a VALUES (%[3]d, 0, 0), (%[3]d + 1, 0, 0); UPDATE b SET v = %[3]d WHERE id = 1 AND %[3]d < 20; XA END '%[1]s %[2]s'; XA PREPARE '%[1]s %[2]s'",
					database, id, from))
			}
			decide := func(how, id string) { server.Exec(t, fmt.Sprintf("XA %s '%s %s'", how, database, id)) }
			equal := func(rows int) {
				require.Contains(t, runs(t, command("verify", args)...), fmt.Sprintf("equal: 2 tables, %d rows", rows))
			}
			once := append(command("run", args, "--once"), options...)

			prepare("before the load", 10)
			prepare("never", 30)
			runs(t, once...)
			equal(4)
			decide("COMMIT", "before the load")
			p := start(t, append(command("run", args, "--commit-interval", "50ms"), options...)...)
			p.says(t, "following the binlog")
			prepare("across a kill", 40)
			prepare("rolled back", 50)
			equal(6)
			require.NoError(t, p.cmd.Process.Kill())
			<-p.done
			p.done <- nil
			decide("ROLLBACK", "rolled back")
			decide("COMMIT", "across a kill")
			server.Exec(t, "FLUSH BINARY LOGS; UPDATE "+database+".a SET v = v + 1 WHERE id < 10")
			runs(t, once...)
			equal(8)
			decide("ROLLBACK", "never")
			runs(t, once...)
			equal(8)
		})
	}
}
