package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/workload"
)

// TestEncryptedBinlog: the server decrypts what it sends, so only its files must not
// be taken for the binlog. The key is changed between them.
func TestEncryptedBinlog(t *testing.T) {
	server := servers.MySQL(t, append([]string{"--max-binlog-size=64K"}, fast...)...)
	giveKeyring(t, server)
	server.Exec(t, "RESET BINARY LOGS AND GTIDS; SET GLOBAL binlog_encryption = ON; FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
	w := &workload.Workload{DB: server.DB(t), Database: "e2e_encrypted", Seed: 21, Space: 400}
	require.NoError(t, w.Create(t.Context()))
	require.NoError(t, w.Fill(t.Context()))
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL(w.Database), "--to", lake}
	runs(t, command("run", args, "--once")...)
	for range 3 {
		require.NoError(t, w.Run(t.Context(), 2, 300))
		server.Exec(t, "ALTER INSTANCE ROTATE BINLOG MASTER KEY")
	}
	var file, size, encrypted string
	require.NoError(t, server.DB(t).QueryRow("SHOW BINARY LOGS").Scan(&file, &size, &encrypted)) // of the oldest
	require.Equal(t, "Yes", encrypted)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: ")
}

// giveKeyring restarts the server with a keyring in a file.
func giveKeyring(t *testing.T, server *servers.MySQLServer) {
	t.Helper()
	if server.Datadir == "" {
		servers.Skip(t, "the data directory is out of reach, and with it the keyring")
	}
	server.Stop(t)
	keys := filepath.Join(server.Datadir, "keys")
	for file, text := range map[string]string{
		"mysqld.my":                  `{"components": "file://component_keyring_file"}`,
		"component_keyring_file.cnf": fmt.Sprintf(`{"path": %q, "read_only": false}`, keys),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(server.Datadir, file), []byte(text), 0o644))
	}
	server.Start(t)
	var active int
	require.NoError(t, server.DB(t).QueryRow("SELECT COUNT(*) FROM performance_schema.keyring_component_status WHERE STATUS_KEY = 'Component_status' AND STATUS_VALUE = 'Active'").Scan(&active))
	if active == 0 {
		servers.Skip(t, "this server takes no keyring from its data directory: its installation has no mysqld.my that says so")
	}
}
