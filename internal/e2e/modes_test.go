package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestHandlingModes loads and follows tables in changing modes, through topics of
// several partitions, which are always read back. Keys are of the types that the
// modes write in other ways, and so move to other partitions.
func TestHandlingModes(t *testing.T) {
	const database = "e2e_modes"
	server := servers.MySQL(t)
	server.Exec(t, `DROP DATABASE IF EXISTS e2e_modes; CREATE DATABASE e2e_modes; USE e2e_modes;
		CREATE TABLE t (de DECIMAL(15,4), biu BIGINT UNSIGNED, bin VARBINARY(9), dt DATETIME(3), d DATE, tm TIME(3), note INT, PRIMARY KEY (de, biu, bin, dt));
		INSERT INTO t VALUES (-0.0500, 18446744073709551615, x'fbff0a', '2024-02-29 12:34:56.500', '1000-01-01', '12:34:56.5', 0),
			(99999999999.9999, 0, '', '9999-12-31 23:59:59.999', '9999-12-31', '23:59:59.999', 0), (0, 9223372036854775808, x'00', '1969-12-31 23:59:59.999', NULL, NULL, 0);
		CREATE TABLE wide (id INT PRIMARY KEY, de DECIMAL(65,30), at DATETIME(6)); INSERT INTO wide VALUES (1, -12345678901234567890123456789012345.000000000000000000000000000001, NOW(6))`)
	args := []string{"--from", server.URL(database), "--to", filepath.Join(t.TempDir(), "lake"), "--kafka", "embedded", "--kafka-partitions", "3", "--name", database}
	changes := `USE e2e_modes; UPDATE t SET note = note + 1; UPDATE IGNORE t SET de = de + 0.0001 WHERE de < 1; DELETE FROM t WHERE note > 2;
		INSERT IGNORE INTO t SELECT de / 2, biu, CONCAT(bin, 'x'), dt, d, tm, 0 FROM t; UPDATE wide SET de = -de, at = NOW(6)`
	for _, modes := range []string{"", "string precise hex isostring json-schema", "precise precise base64-url-safe microseconds json", "double long base64 connect json", ""} {
		options := []string{"--once"}
		if f := strings.Fields(modes); len(f) > 0 {
			options = append(options, "--kafka-decimal-handling-mode", f[0], "--bigint-unsigned-handling-mode", f[1], "--kafka-binary-handling-mode", f[2], "--time-precision-mode", f[3], "--kafka-format", f[4])
		}
		if strings.HasPrefix(modes, "double") {
			text := said(t, command("run", args, options...)...)
			require.Contains(t, text, "table e2e_modes.wide, column de (decimal): it has 65 digits, of which decimal handling mode double keeps 15\n    remedy: --kafka-decimal-handling-mode precise or string")
			require.Contains(t, text, "table e2e_modes.wide, column at (datetime): it has 6 digits of the second's fraction, of which time precision mode connect keeps 3")
			continue
		}
		runs(t, command("run", args, options...)...)
		require.Contains(t, runs(t, command("verify", args[:4], "--name", database)...), "equal: 2 tables")
		server.Exec(t, changes)
	}
	server.Exec(t, "USE e2e_modes; DROP TABLE wide")
	runs(t, command("run", args, "--once")...)
	server.Exec(t, strings.Split(changes, "; UPDATE wide")[0])
	runs(t, command("run", args, "--once", "--kafka-decimal-handling-mode", "double", "--kafka-time-precision-mode", "connect")...)
	require.Contains(t, runs(t, command("verify", args[:4], "--name", database)...), "equal: 1 table,")
}
