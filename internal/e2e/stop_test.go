package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

const loadAgain = "load the tables again: run with an empty lake (--to another folder)"

// TestPositionLost takes from the server what the lake still needs, and then
// gives it less than the lake has.
func TestPositionLost(t *testing.T) {
	server := servers.MySQL(t, "--max-binlog-size=1G")
	lake, args := shop(t, server, "shop")
	runs(t, command("run", args, "--once")...)
	uuid := queryText(t, server, "SELECT @@server_uuid")
	had := queryText(t, server, "SELECT @@gtid_executed")
	require.Equal(t, uuid+":1-6", had)
	names := []string{"SERVER", server.Addr, "LAKE", lake}

	server.Exec(t, "INSERT INTO shop.a VALUES (3, 3, 3); INSERT INTO shop.b VALUES (3, 3, 3); FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
	const purged = "continuing from the lake's position at SERVER: the server has purged transactions UUID:7-8, which come after our position%sremedy: " +
		againMode + keepLonger
	refused(t, names, position, "beluga: "+fmt.Sprintf(purged, "\n    ")+"\n", command("run", args)...)
	refused(t, names, fault, "ok       server: can be replicated\nFAULT    position: "+fmt.Sprintf(purged, "\n         ")+"\nbeluga: check: 1 of the above must be repaired first\n", command("check", args)...)

	server.Exec(t, "RESET BINARY LOGS AND GTIDS; DELETE FROM shop.a WHERE id = 3")
	const ahead = "continuing from the lake's position at SERVER: the lake holds transactions that the server does not have: UUID:2-6%sremedy: " +
		"if this is the wrong server, correct --from; if it was reset, promoted or restored without them, " + againMode
	refused(t, names, position, "beluga: "+fmt.Sprintf(ahead, "\n    ")+"\n", command("run", args, "--once")...)
	refused(t, names, fault, "ok       server: can be replicated\nFAULT    position: "+fmt.Sprintf(ahead, "\n         ")+"\nbeluga: check: 1 of the above must be repaired first\n", command("check", args)...)
	require.Contains(t, runs(t, command("status", args)...), "does not have transactions that the lake has: "+uuid+":2-6; beluga check says what to do")

	// The remedy.
	args[3] = filepath.Join(t.TempDir(), "another")
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows")
}

func queryText(t *testing.T, server *servers.MySQLServer, query string) (s string) {
	t.Helper()
	require.NoError(t, server.DB(t).QueryRow(query).Scan(&s))
	return s
}

// TestStatementsThatCannotBeFollowed: the run stops at them with the table, the
// statement and the remedy; what came before stays as it was, and the remedy is
// one.
func TestStatementsThatCannotBeFollowed(t *testing.T) {
	const remedy = "\n    remedy: run with --on-incompatible reload, which loads the table again beside the others, or new-column, by which single columns begin anew beside what they held; or " + loadAgain + ", where --tables can leave this one out"
	server := servers.MySQL(t)
	for name, c := range map[string]struct{ statements, text string }{
		"narrower": {"ALTER TABLE a MODIFY w DECIMAL(4, 0)",
			"table e2e_stop.a: column w was altered from int to decimal(4,0), which may have changed values without a trace in the binlog" + remedy},
	} {
		t.Run(name, func(t *testing.T) {
			lake, args := shop(t, server, "e2e_stop")
			p := start(t, command("run", args, "--commit-interval", "50ms")...)
			p.says(t, "following the binlog")
			server.Exec(t, "INSERT INTO e2e_stop.a VALUES (3, 3, 3); INSERT INTO e2e_stop.b VALUES (3, 3, 3)")
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 6 rows")
			server.Exec(t, "USE e2e_stop; "+c.statements)
			require.Equal(t, fault, p.wait(t), p.out.String())
			require.Equal(t, "beluga: "+c.text+"\n", plain(nil, p.out.String()))
			refused(t, nil, fault, "beluga: "+c.text+"\n", command("run", args)...)
			require.Contains(t, runs(t, append([]string{"verify", "e2e_stop.b"}, args...)...), "equal: 1 table, 3 rows")
			require.Equal(t, []string{"3", "3"}, rowsOf(t, lake))

			runs(t, command("run", args, "--once", "--on-incompatible", "reload")...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: ")
			args[3] = filepath.Join(t.TempDir(), "another")
			runs(t, command("run", args, "--once")...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: ")
		})
	}
}

// TestTableWithoutKeyWhileRunning: the statement in the message repairs it, and
// the same lake goes on.
func TestTableWithoutKeyWhileRunning(t *testing.T) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "e2e_keyless")
	p := start(t, command("run", args, "--keyless", "refuse")...)
	p.says(t, "following the binlog")
	server.Exec(t, "CREATE TABLE e2e_keyless.log (line TEXT)")
	require.Equal(t, fault, p.wait(t), p.out.String())
	require.Equal(t, "beluga: the server cannot be replicated: table e2e_keyless.log: it has neither a primary key nor a unique one without NULL, and --keyless refuse is set\n"+
		"    remedy: ALTER TABLE `e2e_keyless`.`log` ADD COLUMN my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY INVISIBLE; or make a key of columns it has, or leave the table out with --tables, or let --keyless exact replicate it by whole rows\n",
		plain(nil, p.out.String()))
	server.Exec(t, remedies(p.out.String())[0]+"; INSERT INTO e2e_keyless.log VALUES ('one'), ('one')")
	runs(t, command("run", args, "--once", "--keyless", "refuse")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 3 tables, 6 rows")
}

// TestZeroDatesAreCounted: they become NULL, the only values that are not kept as
// they are, and each run says how many.
func TestZeroDatesAreCounted(t *testing.T) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "e2e_zero")
	server.Exec(t, `SET sql_mode = ''; CREATE TABLE e2e_zero.dates (id INT PRIMARY KEY, d DATE, t DATETIME); INSERT INTO e2e_zero.dates VALUES (1, '0000-00-00', '0000-00-00'), (2, '2020-00-10', '2020-01-10')`)
	const warning = `level=WARN msg="zero or partial dates, which Iceberg does not have, became NULL, or 1970-01-01 where that was chosen" values=`
	require.Contains(t, runs(t, command("run", args, "--once")...), warning+"3\n")
	server.Exec(t, "SET sql_mode = ''; INSERT INTO e2e_zero.dates VALUES (3, '2020-01-10', '0000-00-00'), (4, NULL, NULL)")
	require.Contains(t, runs(t, command("run", args, "--once")...), warning+"1\n")
	require.NotContains(t, runs(t, command("run", args, "--once")...), warning)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 3 tables, 8 rows")
}

// rowsOf returns how many rows the lake's tables have, by their names.
func rowsOf(t *testing.T, lake string) (rows []string) {
	t.Helper()
	for line := range strings.Lines(runs(t, "status", "--to", lake)) {
		if f := strings.Fields(line); len(f) > 2 && strings.Contains(f[0], ".") && f[1] != "is" { // which a line of a load has
			rows = append(rows, f[1])
		}
	}
	return rows
}
