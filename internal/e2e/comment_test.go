package e2e

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestComments: the comments of tables and columns, and the defaults of columns where the
// readers take them, are in the lake as they are in the server's dictionary, whether a load read them, a statement alone changed them, or one
// that a run passed before the next saw a row. No row and no field id moves.
func TestComments(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB, ...string) *servers.MySQLServer
		way   []string
	}{"direct": {servers.MySQL, nil}, "embedded": {servers.MySQL, []string{"--kafka", "embedded"}}, "mariadb": {servers.MariaDB, nil}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := c.start(t)
			database := "e2e_comments_" + name
			lake, args := shop(t, server, database)
			run := append(command("run", args, "--once", "--readers", "duckdb,pyiceberg"), c.way...)
			step := func(sql string) { // and what a run makes of it
				t.Helper()
				server.Exec(t, strings.ReplaceAll(sql, "DB", database))
				runs(t, run...)
				require.Equal(t, serverComments(t, server.DB(t), database), lakeComments(t, lake, database))
			}
			step("CREATE TABLE DB.c (id INT PRIMARY KEY COMMENT 'the key', v INT COMMENT 'it''s a \"value\", 値', w INT) COMMENT 'table of it'; INSERT INTO DB.c VALUES (1, 1, 1)")
			before := idsOf(t, lake, database+".c")
			step("ALTER TABLE DB.c COMMENT = 'another'")
			step("ALTER TABLE DB.c MODIFY v INT COMMENT 'altered'; ALTER TABLE DB.c MODIFY w BIGINT COMMENT 'wider', COMMENT ''; UPDATE DB.c SET w = 5000000000; ALTER TABLE DB.a COMMENT 'of a'")
			step(`CREATE TABLE DB.f (id INT PRIMARY KEY, i BIGINT UNSIGNED DEFAULT 18446744073709551615, b TINYINT NOT NULL DEFAULT -5, s VARCHAR(20) CHARACTER SET latin1 DEFAULT 'a "b" ä', n DECIMAL(9, 3) DEFAULT 1.5,
				x DOUBLE DEFAULT 0.1, d DATE DEFAULT '2024-02-29', m DATETIME(6) DEFAULT '2024-02-29 12:00:00.5', h TIME DEFAULT '10:11:12', e ENUM('a', 'b') DEFAULT 'b', y YEAR DEFAULT 1999, vacant CHAR(3) DEFAULT '', none INT,
				now DATETIME DEFAULT CURRENT_TIMESTAMP, computed VARCHAR(40) DEFAULT (CONCAT('a', 'b')))`)
			step("INSERT INTO DB.f (id) VALUES (1); ALTER TABLE DB.f ALTER COLUMN b SET DEFAULT 7, ALTER COLUMN s DROP DEFAULT, ALTER COLUMN none SET DEFAULT 3; INSERT INTO DB.f (id, s) VALUES (2, '2')")
			step("ALTER TABLE DB.f MODIFY b INT NOT NULL DEFAULT 70000, MODIFY n DECIMAL(12, 3), RENAME COLUMN none TO some, MODIFY x DOUBLE DEFAULT 1e3")
			step("ALTER TABLE DB.f MODIFY x DOUBLE, ADD COLUMN more INT NOT NULL DEFAULT 5; ALTER TABLE DB.f ALTER COLUMN more SET DEFAULT 6; INSERT INTO DB.f (id, s) VALUES (3, 'x')")
			step("ALTER TABLE DB.c MODIFY v INT, RENAME COLUMN w TO x; INSERT INTO DB.c VALUES (2, 2, 2)")
			require.Equal(t, map[string]int{"id": before["id"], "v": before["v"], "x": before["w"]}, idsOf(t, lake, database+".c"))

			// A table map tells the column, and its statement is long past.
			server.Exec(t, strings.ReplaceAll("SET SESSION sql_log_bin = 0; ALTER TABLE DB.a ADD COLUMN unlogged INT; SET SESSION sql_log_bin = 1; ALTER TABLE DB.a ADD COLUMN n INT COMMENT 'not seen yet'", "DB", database))
			runs(t, run...)
			step("INSERT INTO DB.a VALUES (9, 9, 9, 9, 9)")
			step("CREATE TABLE DB.d (id INT PRIMARY KEY, v INT COMMENT 'new') COMMENT 'of d'; INSERT INTO DB.d VALUES (1, 1); CREATE TABLE DB.e LIKE DB.d; ALTER TABLE DB.e COMMENT 'of e'; INSERT INTO DB.e VALUES (1, 1)")
			require.Contains(t, runs(t, command("verify", args)...), "equal: 6 tables")
		})
	}
}

// idsOf returns the field ids of a table's columns.
func idsOf(t *testing.T, lake, table string) map[string]int {
	t.Helper()
	var tables []struct {
		Versions []struct{ Columns []shownColumn }
	}
	require.NoError(t, json.Unmarshal([]byte(runs(t, "tables", table, "--json", "--to", lake)), &tables))
	ids := map[string]int{}
	for _, c := range tables[0].Versions[0].Columns {
		ids[c.Name] = c.FieldID
	}
	return ids
}

// serverComments returns the comments that there are, by table and by table.column, and
// the constant defaults behind these and an equals sign.
func serverComments(t *testing.T, db *sql.DB, database string) map[string]string {
	t.Helper()
	rows, err := db.Query(`SELECT table_name, table_comment FROM information_schema.tables WHERE table_schema = ? AND table_comment != ''
		UNION ALL SELECT CONCAT(table_name, '.', column_name), column_comment FROM information_schema.columns WHERE table_schema = ? AND column_comment != ''
		UNION ALL SELECT CONCAT(table_name, '.', column_name, '='), TRIM(BOTH '''' FROM column_default) FROM information_schema.columns
			WHERE table_schema = ? AND column_default NOT RLIKE '^NULL$|[(]' AND extra NOT LIKE '%DEFAULT_GENERATED%'`, database, database, database)
	require.NoError(t, err)
	defer rows.Close()
	comments := map[string]string{}
	for rows.Next() {
		var name, comment string
		require.NoError(t, rows.Scan(&name, &comment))
		comments[name] = comment
	}
	require.NoError(t, rows.Err())
	return comments
}

// lakeComments returns the same of the lake.
func lakeComments(t *testing.T, lake, database string) (comments map[string]string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(runPython(t, servers.Python(t, readers...), `
import json, sys
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
comments = {}
for name in catalog.list_tables(sys.argv[2]):
    table = catalog.load_table(name)
    if table.properties.get("comment"):
        comments[name[-1]] = table.properties["comment"]
    comments |= {f"{name[-1]}.{f.name}": f.doc for f in table.schema().fields if f.doc}
    comments |= {f"{name[-1]}.{f.name}=": str(f.write_default).replace("T", " ") for f in table.schema().fields if f.write_default is not None}
print(json.dumps(comments))
`, lake, database)), &comments))
	return comments
}
