package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestKilledWhileTablesChange empties tables, drops them and makes them again among
// their rows, and kills the binary all the while.
func TestKilledWhileTablesChange(t *testing.T) {
	for name, options := range map[string][]string{"direct": {"--on-drop", "drop"}, "log": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t)
			database := "e2e_whole_" + name
			server.Exec(t, fmt.Sprintf("DROP DATABASE IF EXISTS %[1]s; CREATE DATABASE %[1]s; USE %[1]s; %[2]s; %[3]s; INSERT INTO keyed VALUES (-1, -1); INSERT INTO keyless VALUES (-1, -1)",
				database, wholeTables["keyed"], wholeTables["keyless"]))
			lake := filepath.Join(t.TempDir(), "lake")
			args := []string{"--from", server.URL(database), "--to", lake}
			run := command("run", args, options...)
			runs(t, append(run, "--once")...)
			changed := make(chan error, 1)
			go func() { changed <- changeTables(server.DB(t), database) }()
			kills := rand.New(rand.NewPCG(11, 99))
			for done := false; !done; {
				select {
				case err := <-changed:
					require.NoError(t, err)
					done = true
				default:
					start(t, append(run, "--commit-interval", "100ms")...).killAfter(t, time.Duration(50+kills.IntN(1500))*time.Millisecond)
				}
			}
			runs(t, append(run, "--once")...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: ")
			requireSameRows(t, server.DB(t), database, lake)
		})
	}
}

// wholeTables are the statements that make the tables.
var wholeTables = map[string]string{
	"keyed":   "CREATE TABLE keyed (id INT PRIMARY KEY, v INT)",
	"keyless": "CREATE TABLE keyless (id INT, v INT)",
}

// changeTables changes rows of the tables, and now and then all of a table.
func changeTables(db *sql.DB, database string) error {
	rng := rand.New(rand.NewPCG(10, 99))
	for range 30 {
		statements := []string{"USE " + database}
		for range 1 + rng.IntN(3) {
			table := []string{"keyed", "keyless"}[rng.IntN(2)]
			switch rng.IntN(6) {
			case 0, 1:
				statements = append(statements, "TRUNCATE TABLE "+table)
			case 2:
				statements = append(statements, "DROP TABLE "+table, wholeTables[table])
			}
			for range rng.IntN(8) {
				id, v := rng.IntN(20), rng.IntN(3)
				statements = append(statements, []string{
					fmt.Sprintf("REPLACE INTO %s VALUES (%d, %d)", table, id, v),
					fmt.Sprintf("UPDATE %s SET v = v + 1 WHERE id = %d", table, id),
					fmt.Sprintf("DELETE FROM %s WHERE id = %d LIMIT 1", table, id),
				}[rng.IntN(3)])
			}
		}
		if _, err := db.Exec(strings.Join(statements, "; ")); err != nil {
			return fmt.Errorf("%q: %w", statements, err)
		}
		time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
	}
	return nil
}

// TestDroppedTables: what the lake has of a table that is dropped stays readable and is
// marked, or goes too. All others go on, and one that is made under the name again has no
// row of before.
func TestDroppedTables(t *testing.T) {
	server := servers.MySQL(t)
	const list = `
import sys, os
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
for name in sorted(catalog.list_tables(sys.argv[2])):
    t = catalog.load_table(name)
    print(name[1], sorted(r["id"] for r in t.scan().to_arrow().to_pylist()), "beluga.dropped" in t.properties)
print(sorted(os.listdir(f"{sys.argv[1]}/{sys.argv[2]}")))
`
	for name, c := range map[string]struct {
		policy, dropped, again string
		options                []string
	}{
		"keep": {"keep", "a [1, 2] True\nb [1, 2, 3] False\n['a', 'b']\n", "a [3] False\nb [1, 2, 3] False\n['a', 'b']\n", nil},
		"drop": {"drop", "b [1, 2, 3] False\n['b']\n", "a [3] False\nb [1, 2, 3] False\n['a', 'b']\n", nil},
		// One that has another table's name in MySQL is not taken for that.
		"renamed": {"drop", "a [1, 2, 3] False\n['a']\n", "a [1, 2, 3] False\nb [3] False\n['a', 'b']\n", []string{"--names-rename", "e2e_dropped_renamed.a=e2e_dropped_renamed.b", "--names-rename", "e2e_dropped_renamed.b=e2e_dropped_renamed.a"}},
	} {
		t.Run(name, func(t *testing.T) {
			database := "e2e_dropped_" + name
			lake, args := shop(t, server, database)
			run := append(command("run", args, "--once", "--on-drop", c.policy), c.options...)
			runs(t, run...)
			server.Exec(t, fmt.Sprintf("DROP TABLE %[1]s.a; INSERT INTO %[1]s.b VALUES (3, 3, 3)", database))
			runs(t, run...)
			seen := func() string { return runPython(t, servers.Python(t, readers...), list, lake, database) }
			require.Equal(t, c.dropped, seen())
			require.Equal(t, c.policy == "keep", strings.Contains(runs(t, "status", "--to", lake), database+".a was dropped in the source, at "))
			require.Contains(t, runs(t, command("verify", args)...), "equal: 1 table, 3 rows")
			runs(t, append(run, "--tables", database+`\.b`)...)

			server.Exec(t, fmt.Sprintf("CREATE TABLE %[1]s.a LIKE %[1]s.b; INSERT INTO %[1]s.a VALUES (3, 3, 3)", database))
			runs(t, run...)
			require.Equal(t, c.again, seen())
			require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 4 rows")

			server.Exec(t, "DROP DATABASE "+database+"; CREATE DATABASE "+database+"; CREATE TABLE "+database+".last (id INT PRIMARY KEY)")
			runs(t, run...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: 1 table, 0 rows")
		})
	}
}
