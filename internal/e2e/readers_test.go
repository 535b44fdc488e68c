package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// readers are the packages of the readers that are not ours.
var readers = []string{"pyiceberg[sql-sqlite,pyarrow]==0.12.0", "duckdb==1.5.5", "duckdb-extension-iceberg==1.5.5", "duckdb-extension-avro==1.5.5"}

// readTables prints what PyIceberg and DuckDB see of each table: columns and rows,
// the rows in the form of sourceRows. All of it goes through one process: starting
// the readers takes longer than reading.
const readTables = `
import glob, importlib, json, os, struct, sys
import duckdb
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

lake = sys.argv[1]
catalog = SqlCatalog("beluga", uri=f"sqlite:///{lake}/catalog.db", warehouse=f"file://{lake}")
db = duckdb.connect(config={"threads": 1})
db.execute("SET enable_progress_bar = false") # it would stand in the answer
for e in ("avro", "iceberg"): # as their packages bring them: nothing is downloaded
    folder = os.path.dirname(importlib.import_module("duckdb_extension_" + e).__file__)
    db.execute("load '%s'" % glob.glob(folder + "/**/*.duckdb_extension", recursive=True)[0])

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

def duck(table, snapshot):
    at = "" if snapshot is None else f", snapshot_from_id => {snapshot}"
    found = db.execute("FROM iceberg_scan(?" + at + ")", [table.metadata_location])
    columns = [(d[0], str(d[1])) for d in found.description]
    return {"columns": columns, "rows": rows(found.to_arrow_table())}

def view(table, schema, snapshot):
    return {
        "columns": [f.name for f in schema.fields], "types": {f.name: str(f.field_type) for f in schema.fields}, "fields": {f.name: f.field_id for f in schema.fields},
        "rows": rows(table.scan(snapshot_id=snapshot).to_arrow()), "duckdb": duck(table, snapshot),
    }

for name in json.load(sys.stdin):
    table = catalog.load_table(tuple(name))
    line = {"table": name, "head": view(table, table.schema(), None)}
    first = table.snapshot_by_id(table.history()[0].snapshot_id)
    if first is not None and first.schema_id != table.schema().schema_id: # it was altered since
        line["first"] = view(table, table.schemas()[first.schema_id], first.snapshot_id)
    print(json.dumps(line))
`

// lakeTable is what other readers see of a table.
type lakeTable struct {
	lakeView
	first *lakeView // its first snapshot, where it was altered since
}

// lakeView is what they see of one snapshot: PyIceberg, and DuckDB where it is said.
type lakeView struct {
	Columns []string // in their order
	Types   columnTypes
	Fields  fieldIDs
	Rows    []string
	DuckDB  struct {
		Columns [][2]string // name and type
		Rows    []string
	}
}

// columnTypes are the Iceberg types by the columns' names.
type columnTypes map[string]string

// fieldIDs are the Iceberg field ids by the columns' names.
type fieldIDs map[string]int

func readLake(t *testing.T, lake string, tables []tableName) map[tableName]lakeTable {
	t.Helper()
	names := make([][2]string, len(tables))
	for i, n := range tables {
		names[i] = [2]string{n.database, n.name}
	}
	input, err := json.Marshal(names)
	require.NoError(t, err)
	read := map[tableName]lakeTable{}
	text := feedPython(t, servers.Python(t, readers...), readTables, input, lake)
	out := json.NewDecoder(strings.NewReader(text))
	for out.More() {
		var line struct {
			Table [2]string
			Head  lakeView
			First *lakeView
		}
		require.NoError(t, out.Decode(&line), text)
		read[tableName{line.Table[0], line.Table[1]}] = lakeTable{line.Head, line.First}
	}
	return read
}

// requireSeen compares what both readers see of a snapshot with the columns and rows
// that the server had then.
func (v *lakeView) requireSeen(t *testing.T, want sourceTable, what string) {
	t.Helper()
	require.Equal(t, want.columns, v.Columns, "the columns of %s", what)
	columns := make([][2]string, len(v.Columns))
	for i, name := range v.Columns {
		columns[i] = [2]string{name, duckType(v.Types[name])}
	}
	require.Equal(t, columns, v.DuckDB.Columns, "the columns of %s in DuckDB", what)
	for reader, rows := range map[string][]string{"PyIceberg": v.Rows, "DuckDB": v.DuckDB.Rows} {
		if rows = slices.Sorted(slices.Values(rows)); !slices.Equal(want.rows, rows) {
			t.Errorf("%s: %s", what, firstDifferences(reader, want.rows, rows))
		}
	}
}

// duckType is how DuckDB calls an Iceberg type.
func duckType(iceberg string) string {
	if precision, isDecimal := strings.CutPrefix(iceberg, "decimal"); isDecimal {
		return "DECIMAL" + strings.ReplaceAll(precision, " ", "")
	}
	return map[string]string{
		"boolean": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "string": "VARCHAR", "binary": "BLOB", "date": "DATE", "time": "TIME",
		"timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMP WITH TIME ZONE", "list<float>": "FLOAT[]",
	}[iceberg]
}

// readerRows returns the rows of one table.
func readerRows(t *testing.T, lake, database, table string) []string {
	t.Helper()
	name := tableName{database, table}
	return readLake(t, lake, []tableName{name})[name].Rows
}

func runPython(t *testing.T, python, script string, args ...string) string {
	t.Helper()
	return feedPython(t, python, script, nil, args...)
}

func feedPython(t *testing.T, python, script string, input []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command(python, append([]string{"-c", script}, args...)...)
	cmd.Env = append(os.Environ(), "TZ=UTC") // in which DuckDB shows timestamps
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("readers of the lake: %v\n%s", err, stderr.String())
	}
	return stdout.String()
}

// equalityDeletes lists the equality-delete files of all tables.
func equalityDeletes(t *testing.T, lake string) string {
	t.Helper()
	return runPython(t, servers.Python(t, readers...), `
import sys
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
for space in catalog.list_namespaces():
    for name in catalog.list_tables(space):
        for f in catalog.load_table(name).inspect.delete_files().to_pylist():
            if f["content"] == 2: print(name, f["file_path"])
`, lake)
}
