package e2e

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// reader are the packages of the reader that is not ours.
var reader = []string{"pyiceberg[sql-sqlite,pyarrow]==0.12.0"}

// requireSameRows compares every row of the database, as MySQL's own functions
// write it, with what PyIceberg reads from the lake.
func requireSameRows(t *testing.T, db *sql.DB, database, lake string) {
	t.Helper()
	requireSameDatabases(t, db, []string{database}, lake)
}

// requireSameDatabases does so for several at once, and returns what PyIceberg
// sees.
func requireSameDatabases(t *testing.T, db *sql.DB, databases []string, lake string) map[tableName]lakeTable {
	t.Helper()
	var tables []tableName
	for _, database := range databases {
		its := tablesOf(t, db, database)
		require.NotEmpty(t, its, "database %s", database)
		tables = append(tables, its...)
	}
	lakeTables := readLake(t, lake, tables)
	rows := 0
	for _, table := range tables {
		want, got := sourceRows(t, db, table), lakeTables[table].rows
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("table %s: %s", table, firstDifferences(want, got))
		}
		rows += len(want)
	}
	require.False(t, t.Failed(), "the lake differs from the database")
	t.Logf("PyIceberg reads the same as MySQL: %d tables, %d rows", len(tables), rows)
	return lakeTables
}

// tableName is a table's name on both sides.
type tableName struct{ database, name string }

func (n tableName) String() string { return n.database + "." + n.name }

// columnTypes are the Iceberg types by the columns' names.
type columnTypes map[string]string

func firstDifferences(want, got []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "MySQL has %d rows, PyIceberg reads %d", len(want), len(got))
	n := 0
	for _, side := range []struct {
		name string
		a, b []string
	}{{"only in MySQL", want, got}, {"only in the lake", got, want}} {
		for _, row := range side.a {
			if _, ok := slices.BinarySearch(side.b, row); !ok && n < 3 {
				fmt.Fprintf(&b, "\n%s: %.1500s", side.name, row)
				n++
			}
		}
		n = 0
	}
	return b.String()
}

func tablesOf(t *testing.T, db *sql.DB, database string) (names []tableName) {
	t.Helper()
	rows, err := db.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY 1", database)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		n := tableName{database: database}
		require.NoError(t, rows.Scan(&n.name))
		names = append(names, n)
	}
	require.NoError(t, rows.Err())
	return names
}

// sourceRows returns each row as a JSON list of texts. What text a value has is
// said once here, in SQL, and once in readRows, in Python; Beluga's own code has
// no part in it.
func sourceRows(t *testing.T, db *sql.DB, table tableName) (lines []string) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "SET time_zone = '+00:00'")
	require.NoError(t, err)
	stmt, err := conn.PrepareContext(t.Context(), fmt.Sprintf("SELECT %s FROM %s.%s", expressions(t, db, table), quoteName(table.database), quoteName(table.name)))
	require.NoError(t, err)
	defer stmt.Close()
	rows, err := stmt.Query() // prepared: as text, FLOAT would be rounded
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		require.NoError(t, rows.Scan(values...))
		list := make([]any, len(names))
		for i := range values {
			switch v := (*values[i].(*any)).(type) {
			case nil:
			case []byte:
				list[i] = string(v)
			case float32:
				list[i] = fmt.Sprintf("%08x", math.Float32bits(v))
			case float64:
				list[i] = fmt.Sprintf("%016x", math.Float64bits(v))
			default:
				t.Fatalf("column %s: unexpected %T", names[i], v)
			}
		}
		b, err := json.Marshal(list)
		require.NoError(t, err)
		lines = append(lines, plainJSON(t, b))
	}
	require.NoError(t, rows.Err())
	return lines
}

// plainJSON writes a list without Go's escaping of HTML, hex-encoded so that a
// row is one line and sorts the same everywhere.
func plainJSON(t *testing.T, b []byte) string {
	t.Helper()
	var list []*string
	require.NoError(t, json.Unmarshal(b, &list))
	parts := make([]string, len(list))
	for i, s := range list {
		if s == nil {
			parts[i] = "NULL"
		} else {
			parts[i] = "'" + hex.EncodeToString([]byte(*s))
		}
	}
	return strings.Join(parts, " ")
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func expressions(t *testing.T, db *sql.DB, table tableName) string {
	t.Helper()
	rows, err := db.Query("SELECT column_name, data_type, COALESCE(numeric_precision, 0), column_type LIKE '%zerofill%' FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", table.database, table.name)
	require.NoError(t, err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name, kind string
		var precision int
		var zerofill bool
		require.NoError(t, rows.Scan(&name, &kind, &precision, &zerofill))
		c := quoteName(name)
		if zerofill { // which is how it is shown, not what it is
			c = "(" + c + " + 0)"
		}
		switch kind {
		case "float", "double":
		case "year":
			c = fmt.Sprintf("CAST(%s + 0 AS CHAR)", c)
		case "bit":
			if precision == 1 {
				c = fmt.Sprintf("CAST(%s + 0 AS CHAR)", c)
			} else {
				c = fmt.Sprintf("LPAD(LOWER(HEX(%s + 0)), %d, '0')", c, (precision+7)/8*2)
			}
		case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
			c = fmt.Sprintf("LOWER(HEX(%s))", c)
		case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geomcollection":
			// From SRID, byte order, type and the rest to byte order, type with its bit, SRID and the rest.
			c = fmt.Sprintf("LOWER(IF(ST_SRID(%[1]s) = 0, SUBSTR(HEX(%[1]s), 9), CONCAT(SUBSTR(HEX(%[1]s), 9, 8), '20', SUBSTR(HEX(%[1]s), 1, 8), SUBSTR(HEX(%[1]s), 19))))", c)
		case "vector": // its bytes are those of its numbers
			c = fmt.Sprintf("LOWER(HEX(%s))", c)
		case "date":
			c = wholeDate(c, "%Y-%m-%d")
		case "time":
			c = fmt.Sprintf("TIME_FORMAT(%s, '%%H:%%i:%%s.%%f')", c)
		case "datetime", "timestamp":
			c = wholeDate(c, "%Y-%m-%d %H:%i:%s.%f")
		default:
			c = fmt.Sprintf("CAST(%s AS CHAR CHARACTER SET utf8mb4)", c)
		}
		list = append(list, c)
	}
	require.NoError(t, rows.Err())
	return strings.Join(list, ", ")
}

// wholeDate writes a date, and NULL for the dates that the lake does not have:
// zero ones, those without month or day, and days that their month lacks.
func wholeDate(column, format string) string {
	return fmt.Sprintf("IF(LAST_DAY(%[1]s) IS NULL OR DAYOFMONTH(%[1]s) NOT BETWEEN 1 AND DAYOFMONTH(LAST_DAY(%[1]s)), NULL, DATE_FORMAT(%[1]s, '%[2]s'))", column, format)
}

// readTables prints each table's types and rows, the rows in the same form. All
// of it goes through one process: starting PyIceberg takes longer than reading.
const readTables = `
import json, struct, sys
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

lake = sys.argv[1]
catalog = SqlCatalog("beluga", uri=f"sqlite:///{lake}/catalog.db", warehouse=f"file://{lake}")

def writer(kind):
    if pa.types.is_boolean(kind): return lambda v: "1" if v else "0"
    if pa.types.is_float32(kind): return lambda v: struct.pack(">f", v).hex()
    if pa.types.is_float64(kind): return lambda v: struct.pack(">d", v).hex()
    if pa.types.is_decimal(kind): return lambda v: format(v, "f")
    if pa.types.is_date(kind): return lambda v: "%04d-%02d-%02d" % (v.year, v.month, v.day)
    if pa.types.is_time(kind): return lambda v: v.strftime("%H:%M:%S.%f")
    if pa.types.is_timestamp(kind):
        return lambda v: "%04d-%02d-%02d %02d:%02d:%02d.%06d" % (v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind): return lambda v: v.hex()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind): return lambda v: struct.pack(f"<{len(v)}f", *v).hex()
    return str

def rows(data):
    columns = []
    for values in data.columns:
        write = writer(values.type)
        columns.append(["NULL" if v is None else "'" + write(v).encode().hex() for v in values.to_pylist()])
    return [" ".join(row) for row in zip(*columns)]

def fields(schema): return {f.name: f.field_id for f in schema.fields}

for name in json.load(sys.stdin):
    table = catalog.load_table(tuple(name))
    line = {"table": name, "types": {f.name: str(f.field_type) for f in table.schema().fields}, "fields": fields(table.schema()), "rows": rows(table.scan().to_arrow())}
    first = table.snapshot_by_id(table.history()[0].snapshot_id)
    if first is not None and first.schema_id != table.schema().schema_id: # it was altered since
        line["first"] = {"fields": fields(table.schemas()[first.schema_id]), "rows": rows(table.scan(snapshot_id=first.snapshot_id).to_arrow())}
    print(json.dumps(line))
`

// lakeTable is what PyIceberg sees of a table.
type lakeTable struct {
	types  columnTypes
	fields fieldIDs
	rows   []string
	first  *firstSnapshot // of a table that was altered since
}

// fieldIDs are the Iceberg field ids by the columns' names.
type fieldIDs map[string]int

// firstSnapshot is what PyIceberg sees of a table as it was loaded.
type firstSnapshot struct {
	Fields fieldIDs
	Rows   []string
}

func readLake(t *testing.T, lake string, tables []tableName) map[tableName]lakeTable {
	t.Helper()
	names := make([][2]string, len(tables))
	for i, n := range tables {
		names[i] = [2]string{n.database, n.name}
	}
	input, err := json.Marshal(names)
	require.NoError(t, err)
	read := map[tableName]lakeTable{}
	out := json.NewDecoder(strings.NewReader(feedPython(t, servers.Python(t, reader...), readTables, input, lake)))
	for out.More() {
		var line struct {
			Table  [2]string
			Types  columnTypes
			Fields fieldIDs
			Rows   []string
			First  *firstSnapshot
		}
		require.NoError(t, out.Decode(&line))
		read[tableName{line.Table[0], line.Table[1]}] = lakeTable{line.Types, line.Fields, line.Rows, line.First}
	}
	return read
}

// readerRows returns the rows of one table.
func readerRows(t *testing.T, lake, database, table string) []string {
	t.Helper()
	name := tableName{database, table}
	return readLake(t, lake, []tableName{name})[name].rows
}

func runPython(t *testing.T, python, script string, args ...string) string {
	t.Helper()
	return feedPython(t, python, script, nil, args...)
}

func feedPython(t *testing.T, python, script string, input []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command(python, append([]string{"-c", script}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("PyIceberg: %v\n%s", err, stderr.String())
	}
	return stdout.String()
}

// equalityDeletes lists the equality-delete files of all tables.
func equalityDeletes(t *testing.T, lake string) string {
	t.Helper()
	return runPython(t, servers.Python(t, reader...), `
import sys
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
for space in catalog.list_namespaces():
    for name in catalog.list_tables(space):
        for f in catalog.load_table(name).inspect.delete_files().to_pylist():
            if f["content"] == 2: print(name, f["file_path"])
`, lake)
}
