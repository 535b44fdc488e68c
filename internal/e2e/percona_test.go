package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestPTOnlineSchemaChange: so does one that pt-online-schema-change migrates, whose
// triggers write the copy in the transactions of the table.
func TestPTOnlineSchemaChange(t *testing.T) {
	m := &migration{server: servers.MySQL(t), database: "e2e_percona", rows: 20_000, clauses: "ADD COLUMN extra INT NOT NULL DEFAULT 3, MODIFY w VARCHAR(200) AFTER id, ADD KEY (v)"}
	m.migrate(t, func(t *testing.T, m *migration) {
		host, port, _ := strings.Cut(m.server.Addr, ":")
		args := []string{"--execute", "--no-version-check", "--recursion-method=none", "--alter", m.clauses, "--user=" + m.server.User}
		if m.server.Password != "" {
			args = append(args, "--password="+m.server.Password)
		}
		said := servers.Percona(t, "pt-online-schema-change", append(args, "h="+host+",P="+port+",D="+m.database+",t=a")...)
		require.Contains(t, said, "Successfully altered `"+m.database+"`.`a`")
	})
}
