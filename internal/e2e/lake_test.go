package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// shop makes a database of its own with the tables a and b, of two rows each,
// and returns the arguments that replicate it.
func shop(t *testing.T, server *servers.MySQLServer, database string) (lake string, args []string) {
	t.Helper()
	server.Exec(t, fmt.Sprintf(`DROP DATABASE IF EXISTS %[1]s; CREATE DATABASE %[1]s; CREATE TABLE %[1]s.a (id INT PRIMARY KEY, v INT, w INT); CREATE TABLE %[1]s.b LIKE %[1]s.a;
		INSERT INTO %[1]s.a VALUES (1, 1, 1), (2, 2, 2); INSERT INTO %[1]s.b VALUES (1, 1, 1), (2, 2, 2)`, database))
	lake = filepath.Join(t.TempDir(), "lake")
	return lake, []string{"--from", server.URL(database), "--to", lake}
}

// command puts a command before arguments, and options behind.
func command(name string, args []string, options ...string) []string {
	return append(append([]string{name}, args...), options...)
}

func TestRefusesForeignWarehouses(t *testing.T) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "e2e_foreign")
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(in("file"), nil, 0o644))
	for _, d := range []string{"notes", "text", "database", "theirs"} {
		require.NoError(t, os.Mkdir(in(d), 0o755))
	}
	require.NoError(t, os.WriteFile(in("notes/thesis.tex"), nil, 0o644))
	require.NoError(t, os.WriteFile(in("text/catalog.db"), []byte("something else altogether"), 0o644))
	sqlite(t, in("database/catalog.db"), "CREATE TABLE notes (x INT)")
	sqlite(t, in("theirs/catalog.db"), "CREATE TABLE iceberg_tables (catalog_name TEXT)", "CREATE TABLE iceberg_namespace_properties (catalog_name TEXT)", "INSERT INTO iceberg_tables VALUES ('theirs')")

	for to, text := range map[string]string{
		"file":      "warehouse DIR/file is a file; name a folder, which may be missing or empty",
		"file/lake": "looking at warehouse: stat DIR/file/lake: not a directory; name a folder, which may be missing or empty",
		"notes":     `warehouse DIR/notes: the folder holds "thesis.tex", and no catalog.db: it belongs to something else; name an empty or a new folder`,
		"text":      "catalog DIR/text/catalog.db is no SQLite database; name another warehouse folder",
		"database":  "catalog DIR/database/catalog.db is an SQLite database of something else (table notes); name another warehouse folder",
		"theirs":    "catalog DIR/theirs/catalog.db belongs to the Iceberg catalog theirs, not to beluga; name another warehouse folder",
	} {
		t.Run(to, func(t *testing.T) {
			refused(t, []string{"DIR", dir}, fault, "beluga: "+text+"\n", "run", "--once", "--from", args[1], "--to", in(to))
			refused(t, []string{"DIR", dir}, fault, fmt.Sprintf("ok       server: can be replicated\nFAULT    lake: %s\nbeluga: check: 1 of the above must be repaired first\n", text),
				"check", "--from", args[1], "--to", in(to))
		})
	}
	for name, to := range map[string]string{"the folder does not exist; check --to, or make it": "none", "the folder is empty; check --to, or fill it": "empty"} {
		t.Run(to, func(t *testing.T) {
			if to == "empty" {
				require.NoError(t, os.Mkdir(in(to), 0o755))
			}
			text := fmt.Sprintf("beluga: warehouse DIR/%s: no lake there: %s with beluga run\n", to, name)
			refused(t, []string{"DIR", dir}, fault, text, "status", "--to", in(to))
			refused(t, []string{"DIR", dir}, fault, text, "verify", "--from", args[1], "--to", in(to))
		})
	}
	t.Run("not writable", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			servers.Skip(t, "only Linux has a folder in which not even root can write")
		}
		refused(t, nil, fault, "ok       server: can be replicated\n"+
			"FAULT    lake: writing to /proc: open /proc/.beluga-check-N: no such file or directory; give the user of this process the right to write there, or choose another folder\n"+
			"beluga: check: 1 of the above must be repaired first\n", "check", "--from", args[1], "--to", "/proc/lake")
		refused(t, nil, fault, "beluga: writing to /proc: open /proc/.beluga-check-N: no such file or directory; give the user of this process the right to write there, or choose another folder\n",
			"run", "--from", args[1], "--to", "/proc/lake")
	})
}

func sqlite(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open(sqliteshim.ShimName, path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, s := range statements {
		_, err := db.Exec(s)
		require.NoError(t, err)
	}
}

// TestRefusesTablesOfOthers: in one folder, tables of another pipeline and of
// another tool are left as they are, and told all at once.
func TestRefusesTablesOfOthers(t *testing.T) {
	server := servers.MySQL(t)
	lake, args := shop(t, server, "e2e_owner")
	runs(t, command("run", args, "--once", "--tables", `e2e_owner\.a`)...)
	runPython(t, servers.Python(t, readers...), `
import sys
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import IntegerType, NestedField
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
catalog.create_table(("e2e_owner", "b"), Schema(NestedField(1, "theirs", IntegerType())))
`, lake)
	const faults = `table e2e_owner.a: the table belongs to the pipeline "beluga"; run Beluga under that name, or choose another warehouse
%stable e2e_owner.b: the lake has a table of that name that was not made by Beluga; rename or drop it, or choose another warehouse
`
	other := append(args, "--name", "other")
	refused(t, nil, fault, "beluga: "+fmt.Sprintf(faults, ""), command("run", other, "--once")...)
	refused(t, nil, fault, "ok       server: can be replicated\nFAULT    lake: "+fmt.Sprintf(faults, "         ")+"beluga: check: 1 of the above must be repaired first\n", command("check", other)...)
	refused(t, nil, fault, "beluga: "+strings.SplitAfter(faults, "\n")[0], command("verify", other)...)
	require.Contains(t, runs(t, command("verify", args, "--tables", `e2e_owner\.a`)...), "equal: 1 table, 2 rows")

	// Its remedy: the pipeline's own name, and the foreign table gone.
	runPython(t, servers.Python(t, readers...), `
import sys
from pyiceberg.catalog.sql import SqlCatalog
SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}").drop_table(("e2e_owner", "b"))
`, lake)
	runs(t, command("run", other, "--once", "--tables", `e2e_owner\.b`)...)
	require.Contains(t, runs(t, command("verify", other, "--tables", `e2e_owner\.b`)...), "equal: 1 table, 2 rows")
}

// TestRefusesToForgetTables: what the lake follows cannot be left out in passing,
// for its changes would be lost without a word.
func TestRefusesToForgetTables(t *testing.T) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "e2e_forget")
	runs(t, command("run", args, "--once")...)
	server.Exec(t, "UPDATE e2e_forget.a SET v = 9; UPDATE e2e_forget.b SET v = 9")
	narrow := append(args, "--tables", `e2e_forget\.b`)
	const text, remedy = `table e2e_forget.a: the lake follows it, and --tables e2e_forget\.b leaves it out: its changes would be lost`,
		"remedy: name it in --from or --tables as before; or run without it into an empty lake (--to another folder)"
	refused(t, nil, fault, "beluga: the server cannot be replicated: "+text+"\n    "+remedy+"\n", command("run", narrow, "--once")...)
	refused(t, nil, fault, "ok       server: can be replicated\nFAULT    "+text+"\n         "+remedy+"\nbeluga: check: 1 of the above must be repaired first\n", command("check", narrow)...)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 4 rows")
}

// TestCheckTellsOfTablesThatWereNeverLoaded: a table that is captured only since the lake
// was made is not passed over, though the binlog may never tell of it: the next run loads
// it, and check says so. One that was made since is taken up.
func TestCheckTellsOfTablesThatWereNeverLoaded(t *testing.T) {
	for name, way := range map[string][]string{"direct": nil, "embedded": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t)
			database := "e2e_wider_" + name
			_, plain := shop(t, server, database)
			args := append(plain[:len(plain):len(plain)], way...)
			runs(t, command("run", args, "--once", "--tables", database+`\.b`)...)
			require.Contains(t, runs(t, command("check", args)...), "warning  table "+database+".a: it is older than the lake's position, and was never loaded into the lake; the next run loads it beside the others\n")
			server.Exec(t, fmt.Sprintf("CREATE TABLE %[1]s.c LIKE %[1]s.a; INSERT INTO %[1]s.c VALUES (1, 1, 1)", database))
			runs(t, command("run", args, "--once", "--tables", database+`\.[bc]`)...)
			require.Contains(t, runs(t, command("verify", plain, "--tables", database+`\.[bc]`)...), "equal: 2 tables, 3 rows")
		})
	}
}

func TestRefusesSecondInstance(t *testing.T) {
	server := servers.MySQL(t)
	lake, args := shop(t, server, "e2e_second")
	first := start(t, command("run", args, "--commit-interval", "100ms")...)
	first.says(t, "following the binlog")
	refused(t, []string{"LAKE", lake}, instance, "beluga: warehouse LAKE, pipeline beluga: another instance is at work; stop it first; for other tables in the same folder, give this pipeline a name of its own (--name)\n",
		command("run", args)...)
	server.Exec(t, "INSERT INTO e2e_second.a VALUES (3, 3, 3)")
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 5 rows", "the first goes on")
	first.terminate(t)
}
