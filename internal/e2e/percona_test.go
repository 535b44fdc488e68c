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
	for name, options := range map[string][]string{"captured": nil, "excluded": {"--tables-exclude", `.*\._+a_(new|old)`}} {
		t.Run(name, func(t *testing.T) { migrate(t, "e2e_percona_"+name, runPTOnlineSchemaChange, options...) })
	}
}

func runPTOnlineSchemaChange(t *testing.T, m *migration) {
	host, port, _ := strings.Cut(m.server.Addr, ":")
	args := []string{"--execute", "--no-version-check", "--recursion-method=none", "--alter", migratedBy, "--user=" + m.server.User}
	if m.server.Password != "" {
		args = append(args, "--password="+m.server.Password)
	}
	said := servers.Percona(t, "pt-online-schema-change", append(args, "h="+host+",P="+port+",D="+m.database+",t=a")...)
	require.Contains(t, said, "Successfully altered `"+m.database+"`.`a`")
}
