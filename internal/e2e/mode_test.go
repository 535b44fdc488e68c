package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

const (
	againMode   = "load the tables again: run with --snapshot-mode when_needed, now and from now on, or once with always; or with an empty lake (--to another folder)"
	againSwitch = "load the tables again: set snapshot.configuration-based.on-data-error, or run once with --snapshot-mode always; or with an empty lake (--to another folder)"
	againStart  = "start again: snapshot.mode always loads all tables anew"
	keepLonger  = "; and keep the binlog longer (SET PERSIST binlog_expire_logs_seconds = …)"
)

// lostText is what a run says whose position the server cannot continue.
func lostText(what, remedy string) string {
	return "beluga: continuing from the lake's position at SERVER: " + what + "\n    remedy: " + remedy + "\n"
}

func purgedText(gtids, remedy string) string {
	return lostText("the server has purged transactions "+gtids+", which come after our position", remedy+keepLonger)
}

func surplusText(gtids, remedy string) string {
	return lostText("the lake holds transactions that the server does not have: "+gtids,
		"if this is the wrong server, correct --from; if it was reset, promoted or restored without them, "+remedy)
}

// purge takes from the server everything that was written so far.
func purge(t *testing.T, server *servers.MySQLServer) {
	t.Helper()
	server.Exec(t, "FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
}

// modesThatStop are the modes that do not load by themselves what is lost, with
// the remedy that each names.
var modesThatStop = map[string]struct {
	options []string
	remedy  string
}{
	"initial":              {nil, againMode},
	"no_data":              {[]string{"--snapshot-mode", "no_data"}, againMode},
	"schema_only":          {[]string{"--snapshot-mode", "schema_only"}, againMode},
	"recovery":             {[]string{"--snapshot-mode", "recovery"}, againMode},
	"schema_only_recovery": {[]string{"--snapshot-mode", "schema_only_recovery"}, againMode},
	"never":                {[]string{"--snapshot-mode", "never"}, againMode},
	"configuration_based":  {[]string{"--snapshot-mode", "configuration_based", "--snapshot-configuration-based-start-stream"}, againSwitch},
}

// modesThatLoad load at a start what is lost.
var modesThatLoad = map[string][]string{
	"always":                   {"--snapshot-mode", "always"},
	"when_needed":              {"--snapshot-mode", "when_needed"},
	"configuration_based data": {"--snapshot-mode", "configuration_based", "--snapshot-configuration-based-data", "--snapshot-configuration-based-start-stream"},
	"configuration_based on-data-error": {"--snapshot-mode", "configuration_based", "--snapshot-configuration-based-on-data-error",
		"--snapshot-configuration-based-start-stream"},
}

// TestModesWhenPurged, at a start: the position is gone, and rows were deleted
// that the lake has.
func TestModesWhenPurged(t *testing.T) {
	server := servers.MySQL(t, "--max-binlog-size=1G")
	_, args := shop(t, server, "shop")
	runs(t, command("run", args, "--once")...)
	server.Exec(t, "DELETE FROM shop.a WHERE id = 1; INSERT INTO shop.a VALUES (3, 3, 3)")
	purge(t, server)
	for name, mode := range modesThatStop {
		t.Run(name, func(t *testing.T) {
			refused(t, []string{"SERVER", server.Addr}, position, purgedText("UUID:7-8", mode.remedy), command("run", args, mode.options...)...)
		})
	}
	require.Contains(t, runs(t, command("run", args, "--snapshot-mode", "initial_only")...), "nothing to load: the lake has its position")
	said := runs(t, command("check", args, "--snapshot-mode", "when_needed")...)
	require.Contains(t, said, "warning  position: continuing from")
	require.Contains(t, said, "a run in this snapshot mode loads all tables anew")
	for name, options := range modesThatLoad {
		t.Run(name, func(t *testing.T) {
			lake := filepath.Join(t.TempDir(), "lake")
			args := []string{args[0], args[1], "--to", lake}
			runs(t, command("run", args, "--once")...)
			server.Exec(t, "DELETE FROM shop.a ORDER BY id LIMIT 1; REPLACE INTO shop.a VALUES (100, 1, 1); DELETE FROM shop.b WHERE id = 2")
			purge(t, server)
			runs(t, command("run", args, append(options, "--once")...)...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, ")
			// From here on it is followed as ever.
			server.Exec(t, "INSERT INTO shop.b VALUES (2, 7, 7)")
			runs(t, command("run", args, "--once")...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, ")
		})
	}
}

// TestModesWhenReset: the server begins to count anew, so that its transactions
// have the names of others, and a table of the lake is gone with it.
func TestModesWhenReset(t *testing.T) {
	for name, transport := range map[string][]string{"direct": nil, "kafka": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t, "--max-binlog-size=1G")
			_, args := shop(t, server, "shop")
			run := func(options ...string) []string { return append(command("run", args, options...), transport...) }
			server.Exec(t, "CREATE TABLE shop.gone (id INT PRIMARY KEY); INSERT INTO shop.gone VALUES (1), (2); CREATE TABLE shop.emptied (id INT PRIMARY KEY); INSERT INTO shop.emptied VALUES (1), (2)")
			runs(t, run("--once")...)
			server.Exec(t, "INSERT INTO shop.a VALUES (3, 3, 3); INSERT INTO shop.b VALUES (3, 3, 3)")
			runs(t, run("--once")...)
			reset := func() {
				server.Exec(t, "DELETE FROM shop.a WHERE id = 3; DELETE FROM shop.emptied; DROP TABLE IF EXISTS shop.gone; RESET BINARY LOGS AND GTIDS; UPDATE shop.b SET v = v + 1")
			}
			reset()
			for name, mode := range modesThatStop {
				if transport != nil && name != "initial" {
					continue // the transport has no part in it
				}
				t.Run(name, func(t *testing.T) {
					refused(t, []string{"SERVER", server.Addr}, position, surplusText("UUID:2-12", mode.remedy), run(mode.options...)...)
				})
			}
			for name, options := range modesThatLoad {
				t.Run(name, func(t *testing.T) {
					reset()
					said := runs(t, run(append(options, "--once")...)...)
					require.Contains(t, runs(t, command("verify", args, "--tables", `shop\.(a|b|emptied)`)...), "equal: 3 tables, ")
					if strings.HasSuffix(name, "needed") {
						require.Contains(t, said, "loading all tables anew")
					}
					// Transactions with names that the lake and the log have known for others.
					for i := range 12 {
						server.Exec(t, fmt.Sprintf("REPLACE INTO shop.a VALUES (%d, 8, 8); UPDATE shop.b SET w = w + 1", i))
					}
					runs(t, run("--once")...)
					require.Contains(t, runs(t, command("verify", args, "--tables", `shop\.(a|b|emptied)`)...), "equal: 3 tables, ")
				})
			}
			// A table that stayed in the lake is a new one when it is created again.
			server.Exec(t, "CREATE TABLE shop.gone (id INT PRIMARY KEY); INSERT INTO shop.gone VALUES (3)")
			runs(t, run("--once")...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: 4 tables, ")
		})
	}
}

// TestPositionLostWhileRunning: the connection is lost, and when the server is
// back, it cannot continue. when_needed loads anew at once, in the same run.
func TestPositionLostWhileRunning(t *testing.T) {
	for name, lose := range map[string]string{
		"reset":  "DELETE FROM shop.a WHERE id = 3; RESET BINARY LOGS AND GTIDS; UPDATE shop.b SET v = v + 1",
		"purged": "DELETE FROM shop.a WHERE id = 3; UPDATE shop.b SET v = v + 1; FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY",
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t, "--max-binlog-size=1G")
			_, args := shop(t, server, "shop")
			p := start(t, command("run", args, "--snapshot-mode", "when_needed", "--commit-interval", "50ms")...)
			p.says(t, "following the binlog")
			server.Exec(t, "INSERT INTO shop.a VALUES (3, 3, 3)")
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows")
			// Paused while the server loses what we need: the server keeps files that it
			// is sending, so that the connection has to end first.
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGSTOP))
			for _, id := range dumps(t, server) {
				server.Exec(t, "KILL "+id)
			}
			server.Exec(t, lose)
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGCONT))
			p.says(t, "loading all tables anew")
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 4 rows")
			server.Exec(t, "INSERT INTO shop.a VALUES (4, 4, 4)")
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows")
			p.terminate(t)
		})
	}
}

// dumps returns the connections that the binlog is sent over.
func dumps(t *testing.T, server *servers.MySQLServer) (ids []string) {
	t.Helper()
	rows, err := server.DB(t).Query("SELECT id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	return ids
}

// TestResetUnderTheStream: the server does not end the connection that it sends
// its binlog over, and begins with the first names again.
func TestResetUnderTheStream(t *testing.T) {
	server := servers.MySQL(t, "--max-binlog-size=1G")
	_, args := shop(t, server, "shop")
	p := start(t, command("run", args, "--snapshot-mode", "when_needed", "--commit-interval", "50ms")...)
	p.says(t, "following the binlog")
	server.Exec(t, "RESET BINARY LOGS AND GTIDS; UPDATE shop.b SET v = v + 1")
	p.says(t, "loading all tables anew")
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 4 rows")
	p.terminate(t)
}

// TestAnotherServerTakesTheAddress: another server, restored from an older
// state, stands behind --from. when_needed makes the lake its copy.
func TestAnotherServerTakesTheAddress(t *testing.T) {
	first, second := servers.MySQL(t, "--max-binlog-size=1G"), servers.MySQL(t, "--max-binlog-size=1G")
	lake, args := shop(t, first, "shop")
	runs(t, command("run", args, "--once")...)
	shop(t, second, "shop")
	second.Exec(t, "DELETE FROM shop.a WHERE id = 2")
	args = []string{"--from", second.URL("shop"), "--to", lake}
	refused(t, []string{"SERVER", second.Addr}, position, surplusText("UUID:1-6", againMode), command("run", args)...)
	require.Contains(t, runs(t, command("run", args, "--once", "--snapshot-mode", "when_needed")...), "loading all tables anew")
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 3 rows")
}

// TestModesWithoutPosition: what each mode makes of an empty lake.
func TestModesWithoutPosition(t *testing.T) {
	server := servers.MySQL(t, "--max-binlog-size=1G")
	_, args := shop(t, server, "shop")
	for mode, equal := range map[string]string{"initial": "4 rows", "always": "4 rows", "initial_only": "4 rows", "when_needed": "4 rows", "never": "4 rows", "no_data": "", "schema_only": ""} {
		t.Run(mode, func(t *testing.T) {
			args := []string{args[0], args[1], "--to", filepath.Join(t.TempDir(), "lake")}
			runs(t, command("run", args, "--snapshot-mode", mode, "--once")...)
			if equal == "" {
				require.Equal(t, []string{"0", "0"}, rowsOf(t, args[3]))
				server.Exec(t, "UPDATE shop.a SET v = v + 1 WHERE id = 1")
				runs(t, command("run", args, "--snapshot-mode", mode, "--once")...)
				require.Equal(t, []string{"1", "0"}, rowsOf(t, args[3]))
				return
			}
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, "+equal)
		})
	}
	t.Run("recovery", func(t *testing.T) {
		args := []string{args[0], args[1], "--to", filepath.Join(t.TempDir(), "lake")}
		refused(t, nil, fault, "beluga: snapshot.mode recovery goes on from the lake's position, and there is none yet\n    remedy: load the tables: run once with --snapshot-mode initial\n",
			command("run", args, "--snapshot-mode", "recovery")...)
		runs(t, command("run", args, "--once")...)
		runs(t, command("run", args, "--once", "--snapshot-mode", "recovery")...)
		server.Exec(t, "ALTER TABLE shop.b ADD COLUMN x INT")
		refused(t, nil, fault, "beluga: the server's tables are not those that the lake knows: table shop.b: column x added\n"+
			"    remedy: go on with --snapshot-mode initial if the binlog after the lake's position holds the change; else load the tables again: run once with --snapshot-mode always\n",
			command("run", args, "--snapshot-mode", "recovery")...)
		runs(t, command("run", args, "--once", "--snapshot-mode", "configuration_based", "--snapshot-configuration-based-on-schema-error", "--snapshot-configuration-based-start-stream")...)
		require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 4 rows")
	})
}
