package e2e

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestServerLosesWhatTheLogHolds: a source is killed when the log holds transactions
// behind the last cut, and the server loses them. Whether it gives their numbers to
// others or not, the run stops, and a load of all tables repairs it.
func TestServerLosesWhatTheLogHolds(t *testing.T) {
	for name, c := range map[string]struct {
		again      bool // as many transactions follow
		exit       int
		says, mode string
	}{
		"renamed": {true, fault, "the log holds rows of another transaction", "always"},
		"gone":    {false, position, "the lake holds transactions that the server does not have", "when_needed"},
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t, fast...)
			lake, args := shop(t, server, "shop")
			args = append(args, "--kafka", "embedded")
			runs(t, command("run", args, "--once")...)
			var executed string
			require.NoError(t, server.DB(t).QueryRow("SELECT @@global.gtid_executed").Scan(&executed))

			p := start(t, command("run", args, "--commit-interval", "1h")...)
			p.says(t, "following the binlog")
			before, lost := sizeOf(t, lake), 0
			p.until(t, "rows in the log", func() bool {
				server.Exec(t, "INSERT INTO shop.a (id, v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i + m, 0 FROM n, (SELECT MAX(id) m FROM shop.a) x")
				lost++
				// Less could be a batch that is not whole, or none of rows.
				const fourStatements = 200_000
				return sizeOf(t, lake) > before+fourStatements
			})
			p.killAfter(t, 0)
			server.Exec(t, fmt.Sprintf("SET sql_log_bin = 0; DELETE FROM shop.a WHERE id > 2; RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '%s'", executed))
			if c.again {
				for range lost + 1 {
					server.Exec(t, "UPDATE shop.a SET v = v + 1 WHERE id = 1")
				}
			}
			refused := start(t, command("run", args, "--once")...)
			require.Equal(t, c.exit, refused.wait(t), refused.out.String())
			require.Contains(t, refused.out.String(), c.says)
			require.Contains(t, refused.out.String(), "remedy: ")
			runs(t, command("run", args, "--once", "--snapshot-mode", c.mode)...)
			require.Contains(t, runs(t, command("verify", args[:4])...), "equal: 2 tables, 4 rows")
		})
	}
}

// sizeOf returns how many bytes the files below a folder have.
func sizeOf(t *testing.T, dir string) (size int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	}))
	return size
}
