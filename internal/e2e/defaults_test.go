package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// initialDefaults prints the tables and columns that have initial defaults.
const initialDefaults = `
import sys
from pyiceberg.catalog.sql import SqlCatalog
lake, space = sys.argv[1:]
catalog = SqlCatalog("beluga", uri=f"sqlite:///{lake}/catalog.db", warehouse=f"file://{lake}")
for name in sorted(catalog.list_tables(space)):
    print(name[1], " ".join(sorted(f.name for f in catalog.load_table(name).schema().fields if f.initial_default is not None)))
`

// TestDefaultsOfAddedColumns: old rows show MySQL's default by each of the ways, in
// readers that take it; or NULL, where that was asked for.
func TestDefaultsOfAddedColumns(t *testing.T) {
	sql := readCase(t, "add-columns")
	const vectors = "duckdb,pyiceberg"
	shown := "keyed c\nkeyless c\nlast_change b\nnever_a_row at bin bits\nt at at_once bin bits by_copy d day e f flag hidden i no_number no_text nothing s u\nwithout_rows v\n"
	none := "keyed \nkeyless \nlast_change \nnever_a_row \nt \nwithout_rows \n"
	for name, c := range map[string]struct {
		options []string
		initial string
	}{
		"direct":       {[]string{"--readers", vectors}, shown},
		"embedded":     {[]string{"--readers", vectors, "--kafka", "embedded"}, shown},
		"any_reader":   {nil, none},
		"other_reader": {[]string{"--readers", vectors + ",spark"}, none},
		"rewrite":      {[]string{"--readers", vectors, "--on-default", "rewrite"}, none},
		"null":         {[]string{"--readers", vectors, "--on-default", "null"}, none},
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t)
			database := "e2e_default_" + name
			server.Exec(t, "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database)
			server.Exec(t, sqlFor(database, sql.load))
			lake := filepath.Join(t.TempDir(), "lake")
			args := []string{"--from", server.URL(database), "--to", lake}
			run := append(command("run", args, "--commit-interval", "10ms"), c.options...)
			runs(t, append(run, "--once")...)
			p := start(t, run...)
			p.says(t, "following the binlog")
			server.Exec(t, sqlFor(database, sql.stream))
			p.killAfter(t, 0)
			runs(t, append(run, "--once")...)
			require.Equal(t, c.initial, runPython(t, servers.Python(t, readers...), initialDefaults, lake, database))

			db := server.DB(t)
			tables := tablesOf(t, db, database)
			seen := readLake(t, lake, tables)
			if name == "null" {
				require.ElementsMatch(t, []string{"'31 NULL '3130", "'32 NULL '3230"}, seen[tableName{database, "last_change"}].Rows)
				told := start(t, command("verify", args)...)
				require.Equal(t, fault, told.wait(t))
				require.Contains(t, told.out.String(), database+".last_change: 0 missing in the lake, 0 extra, 2 different")
				keyless := seen[tableName{database, "keyless"}].lakeView // whose rows are told apart by all columns
				keyless.requireSeen(t, readSource(t, db, tableName{database, "keyless"}), "keyless")
				return
			}
			require.Contains(t, runs(t, command("verify", args)...), "equal: 6 tables")
			for _, table := range tables {
				head := seen[table].lakeView
				head.requireSeen(t, readSource(t, db, table), table.String())
			}
		})
	}
}
