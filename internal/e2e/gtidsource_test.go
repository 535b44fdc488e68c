package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestGTIDSources has transactions that other servers committed first, as a replica
// of two sources has them.
func TestGTIDSources(t *testing.T) {
	const own, left = "aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"
	as := func(uuid string, n int, sql string) string {
		return fmt.Sprintf("SET gtid_next = '%s:%d'; %s; SET gtid_next = AUTOMATIC; ", uuid, n, sql)
	}
	const tables = "CREATE TABLE e2e_sources.a (id INT PRIMARY KEY, v INT)"
	first := as(own, 1, "CREATE DATABASE e2e_sources") + as(own, 2, tables) + as(own, 3, "INSERT INTO e2e_sources.a VALUES (1, 1), (2, 2)")
	options := map[string][]string{
		"includes": {"--gtid-source-includes", "AAAAAAAA-.*"},
		"excludes": {"--gtid-source-excludes", "bbbbbbbb-.*", "--kafka", "embedded"},
	}
	one, other := servers.MySQL(t, "--sync-binlog=0"), servers.MySQL(t, "--sync-binlog=0")
	one.Exec(t, "RESET BINARY LOGS AND GTIDS")
	other.Exec(t, "RESET BINARY LOGS AND GTIDS; "+first)
	one.Exec(t, first)
	run := func(lake string, server *servers.MySQLServer, options ...string) []string {
		return append([]string{"run", "--once", "--from", server.URL("e2e_sources"), "--to", lake}, options...)
	}
	lakes := map[string]string{}
	for name, options := range options {
		lakes[name] = filepath.Join(t.TempDir(), "lake")
		runs(t, run(lakes[name], one, options...)...)
	}
	rows := func(name string) []string { return readerRows(t, lakes[name], "e2e_sources", "a") }
	one.Exec(t, as(left, 1, "INSERT INTO e2e_sources.a VALUES (3, 3), (4, 4)")+as(left, 2, "DELETE FROM e2e_sources.a WHERE id = 1")+
		as(own, 4, "UPDATE e2e_sources.a SET v = 33 WHERE id = 3")+as(left, 3, "XA START 'x'; INSERT INTO e2e_sources.a VALUES (6, 6); XA END 'x'; XA PREPARE 'x'")+as(left, 4, "XA COMMIT 'x'")+
		as(own, 5, "INSERT INTO e2e_sources.a VALUES (5, 5)"))
	for name, options := range options {
		t.Run(name, func(t *testing.T) {
			said := runs(t, run(lakes[name], one, options...)...)
			require.Contains(t, said, own+":1-5,"+left+":1-4", "what was passed over counts as seen")
			require.Len(t, rows(name), 4, "1, 2, 3 and 5")
			p := start(t, append([]string{"verify", "--from", one.URL("e2e_sources"), "--to", lakes[name]}, options[:2]...)...)
			require.Equal(t, fault, p.wait(t))
			require.Contains(t, p.out.String(), "rows differ where servers wrote to them that")
			require.Contains(t, p.out.String(), "2 missing in the lake, 1 extra, 0 different")
		})
	}

	// A server that never had those transactions, then one that has purged others.
	other.Exec(t, as(own, 4, "BEGIN; COMMIT")+as(own, 5, "INSERT INTO e2e_sources.a VALUES (5, 5)")+as(own, 6, "INSERT INTO e2e_sources.a VALUES (7, 7)"))
	lake := lakes["includes"]
	refused := start(t, run(lake, other)...)
	require.Equal(t, position, refused.wait(t), "without the option the lake is ahead of it")
	require.Contains(t, refused.out.String(), left+":1-4")
	runs(t, run(lake, other, options["includes"]...)...)
	require.Len(t, rows("includes"), 5)
	other.Exec(t, as(left, 1, "BEGIN; COMMIT")+as(left, 2, "BEGIN; COMMIT")+as(left, 7, "INSERT INTO e2e_sources.a VALUES (8, 8)")+"FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 HOUR; ")
	said := runs(t, run(lake, other, options["includes"]...)...)
	require.Contains(t, said, left+":1-4:7")

	// One that receives, while it is followed, what we have passed elsewhere.
	live := start(t, append([]string{"run", "--from", other.URL("e2e_sources"), "--to", lake, "--commit-interval", "50ms"}, options["includes"]...)...)
	reaches := func(set string) {
		live.until(t, set, func() bool { return strings.Contains(runs(t, "status", "--to", lake), set) })
	}
	other.Exec(t, as(own, 7, "INSERT INTO e2e_sources.a VALUES (9, 9)"))
	reaches(own + ":1-7")
	other.Exec(t, as(left, 3, "DROP TABLE IF EXISTS e2e_sources.b")+as(left, 4, "INSERT INTO e2e_sources.a VALUES (3, 3)")+as(left, 8, "TRUNCATE TABLE e2e_sources.a")+
		as(own, 8, "INSERT INTO e2e_sources.a VALUES (11, 11)"))
	reaches(own + ":1-8")
	live.terminate(t)
	require.Len(t, rows("includes"), 7)

	// Position only: the rows of the others are replicated.
	other.Exec(t, as(left, 9, "INSERT INTO e2e_sources.a VALUES (10, 10)"))
	runs(t, run(lake, other, append(options["includes"], "--gtid-source-filter-rows=false")...)...)
	require.Len(t, rows("includes"), 8)
	other.Exec(t, "CREATE TABLE e2e_sources.nokey (id INT)")
	require.Contains(t, checkedOn(t, other, options["includes"]), "--gtid-source-includes leaves out changes of its rows, and it has no key")
}

// checkedOn is what check says of a server.
func checkedOn(t *testing.T, server *servers.MySQLServer, options []string) string {
	return said(t, append([]string{"check", "--from", server.URL(""), "--to", filepath.Join(t.TempDir(), "lake")}, options...)...)
}

// TestGTIDSourcesNeedGTIDs: servers whose transactions do not name their source.
func TestGTIDSourcesNeedGTIDs(t *testing.T) {
	options := []string{"--gtid-source-excludes", "bbbbbbbb-.*"}
	require.Contains(t, checkedOn(t, servers.MariaDB(t), options), "FAULT    --gtid-source-excludes: MariaDB's GTIDs have no UUID")
	require.Contains(t, checkedOn(t, servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"), options), "FAULT    --gtid-source-excludes: gtid_mode is OFF")
}
