package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// printTables prints the tables as PyIceberg shows them, if DuckDB shows the same.
const printTables = `
import glob, importlib, os, sys
import duckdb
from pyiceberg.catalog.sql import SqlCatalog
lake, space = sys.argv[1:]
catalog = SqlCatalog("beluga", uri=f"sqlite:///{lake}/catalog.db", warehouse=f"file://{lake}")
db = duckdb.connect()
for e in ("avro", "iceberg"):
    folder = os.path.dirname(importlib.import_module("duckdb_extension_" + e).__file__)
    db.execute("load '%s'" % glob.glob(folder + "/**/*.duckdb_extension", recursive=True)[0])
def text(t):
    return [t.column_names] + sorted([str(v) for v in row] for row in zip(*[c.to_pylist() for c in t.columns]))
for name in sorted(catalog.list_tables(space)):
    table = catalog.load_table(name)
    seen, other = text(table.scan().to_arrow()), text(db.execute("FROM iceberg_scan(?)", [table.metadata_location]).to_arrow_table())
    if seen != other: sys.exit(f"{name}: {seen} in PyIceberg, {other} in DuckDB")
    print(name[1], *(" ".join(row) for row in seen), sep="\n  ")
`

// TestNewColumn: with new-column a column whose values changed without a trace begins
// anew, under a field id of its own, and what rows held stays in the lake, also when the
// files are written anew; through whatever way, and however often the run is killed.
// Where rows are told apart by the column, the table is loaded again.
func TestNewColumn(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB, ...string) *servers.MySQLServer
		way   func(*testing.T) []string
	}{
		"mysql":    {servers.MySQL, func(*testing.T) []string { return nil }},
		"mariadb":  {servers.MariaDB, func(*testing.T) []string { return nil }},
		"embedded": {servers.MySQL, func(*testing.T) []string { return []string{"--kafka", "embedded"} }},
		"kafka": {servers.MySQL, func(t *testing.T) []string {
			return []string{"--kafka", servers.Kafka(t).Addr, "--kafka-partitions", "3"}
		}},
	} {
		t.Run(name, func(t *testing.T) { beginAnew(t, "e2e_new_column_"+name, c.start(t), c.way(t)) })
	}
}

func beginAnew(t *testing.T, database string, server *servers.MySQLServer, way []string) {
	exec := func(sql string) { server.Exec(t, "SET sql_mode = ''; USE "+database+"; "+sql) }
	server.Exec(t, "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database)
	exec(`CREATE TABLE a (id INT PRIMARY KEY, v INT, w VARCHAR(20)); INSERT INTO a VALUES (1, 40000, 'abcdefg'), (2, 7, 'x'), (3, 8, 'y');
		CREATE TABLE labels (id INT PRIMARY KEY, v ENUM('a', 'b', 'c') NOT NULL); INSERT INTO labels VALUES (1, 'a'), (2, 'c');
		CREATE TABLE moved (id INT PRIMARY KEY, w INT, z INT); INSERT INTO moved VALUES (1, 5, 6);
		CREATE TABLE resting (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO resting VALUES (1, 70000);
		CREATE TABLE keyed (id INT PRIMARY KEY, n INT); INSERT INTO keyed VALUES (1, 0);
		CREATE TABLE keyless (v INT); INSERT INTO keyless VALUES (1), (1)`)
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL(database), "--to", lake, "--name", fmt.Sprintf("%s-%d", database, os.Getpid())} // the broker is shared
	run := append(command("run", args, "--on-incompatible", "new-column", "--commit-interval", "20ms"), way...)
	runs(t, append(run, "--once")...)
	a := tableName{database, "a"}
	before := readLake(t, lake, []tableName{a})[a]

	rng := rand.New(rand.NewPCG(8, 4))
	for _, sql := range []string{
		"ALTER TABLE a MODIFY v SMALLINT, MODIFY w VARCHAR(3); UPDATE a SET v = 9 WHERE id = 1",
		"ALTER TABLE labels MODIFY v ENUM('b', 'a') NOT NULL; UPDATE labels SET v = 'b' WHERE id = 1",
		"ALTER TABLE moved CHANGE w renamed VARCHAR(9) FIRST; INSERT INTO moved (id, renamed) VALUES (2, 'new')",
		"ALTER TABLE resting MODIFY v SMALLINT NOT NULL",
		"ALTER TABLE keyed MODIFY id VARCHAR(9); ALTER TABLE keyless MODIFY v VARCHAR(5)",
		"ALTER TABLE a ADD d INT NOT NULL DEFAULT 5; DELETE FROM a WHERE id = 3",
		"ALTER TABLE a MODIFY v TINYINT; ALTER TABLE a MODIFY v INT; INSERT INTO a VALUES (4, 70000, 'z', 6)",
		"ALTER TABLE labels MODIFY v ENUM('b', 'a', 'c') NOT NULL",
	} {
		p := start(t, run...)
		p.says(t, "following the binlog")
		exec(sql)
		p.killAfter(t, time.Duration(rng.IntN(300))*time.Millisecond)
	}
	runs(t, append(run, "--once")...)
	require.Equal(t, `a
  id v w d v_before w_before v_before_2
  1 None abc 5 None None 9
  2 None None 5 7 x None
  4 70000 z 6 None None None
keyed
  id n
  1 0
keyless
  v
  1
  1
labels
  id v v_before
  1 b None
  2 None c
moved
  renamed id z renamed_before
  None 1 6 5
  new 2 None None
resting
  id v v_before
  1 None 70000
`, runPython(t, servers.Python(t, readers...), printTables, lake, database))
	after := readLake(t, lake, []tableName{a})[a]
	for column, id := range map[string]string{"id": "id", "v_before": "v", "w_before": "w"} {
		require.Equal(t, before.Fields[id], after.Fields[column], column)
	}
	require.NotContains(t, before.Fields, after.Fields["v"])

	p := start(t, command("verify", args)...)
	require.Equal(t, fault, p.wait(t))
	for table, differ := range map[string]int{"a": 2, "labels": 1, "moved": 1, "resting": 1} {
		require.Contains(t, p.out.String(), fmt.Sprintf("%s.%s: 0 missing in the lake, 0 extra, %d different", database, table, differ))
	}
}
