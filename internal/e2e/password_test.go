package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestPasswordRotation replaces the password under a running Beluga: the
// connection that it loses then comes back once the file holds the new one.
func TestPasswordRotation(t *testing.T) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "e2e_rotation")
	server.Exec(t, `DROP USER IF EXISTS e2e_rotated@'%'; CREATE USER e2e_rotated@'%' IDENTIFIED BY 'first';
		GRANT REPLICATION SLAVE, REPLICATION CLIENT, FLUSH_TABLES ON *.* TO e2e_rotated@'%'; GRANT SELECT ON e2e_rotation.* TO e2e_rotated@'%'`)
	file := filepath.Join(t.TempDir(), "password")
	write := func(password string) { require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o600)) }
	from := func(server *servers.MySQLServer) string {
		return "mysql://e2e_rotated@" + server.Addr + "/e2e_rotation?password-file=" + url.QueryEscape(file)
	}
	write("wrong")
	refused(t, []string{"SERVER", server.Addr, "FILE", file}, fault, "beluga: the server cannot be replicated: connection: the server at SERVER refuses user \"e2e_rotated\": "+
		"the user does not exist for this host or the password is wrong\n    remedy: write the password into FILE; if SHOW CREATE USER says REQUIRE SSL, add tls=required to --from\n",
		"run", "--from", from(server), "--to", args[3])

	write("first")
	p := start(t, "run", "--from", from(server), "--to", args[3], "--commit-interval", "50ms")
	const dump = "FROM information_schema.PROCESSLIST WHERE USER = 'e2e_rotated' AND COMMAND LIKE 'Binlog Dump%'"
	p.until(t, "the binlog", func() bool { return queryText(t, server, "SELECT COUNT(*) "+dump) != "0" })
	server.Exec(t, "ALTER USER e2e_rotated@'%' IDENTIFIED BY 'second'; INSERT INTO e2e_rotation.a VALUES (3, 3, 3)")
	server.Exec(t, fmt.Sprintf("KILL %s", queryText(t, server, "SELECT MAX(ID) "+dump)))
	p.says(t, "Access denied")
	server.Exec(t, "INSERT INTO e2e_rotation.b VALUES (3, 3, 3)")
	write("second")
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 6 rows")
	p.terminate(t)
}
