package sink

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
)

// readLake prints, as JSON, the rows of shop.orders as PyIceberg and DuckDB read
// them, and the published cuts. It finds the table by the catalog, by the
// folder's version hint, and by the snapshot that a cut names.
const readLake = `
import sys, json, glob, os, importlib, datetime, duckdb
from pyiceberg.catalog.sql import SqlCatalog
dir, = sys.argv[1:]
catalog = SqlCatalog("beluga", uri="sqlite:///" + dir + "/catalog.db", warehouse="file://" + dir)
def text(rows):
    return sorted("|".join("null" if v is None else str(v) for v in row) for row in rows)
def arrow(t):
    t = t.set_column(t.schema.get_field_index("amt"), "amt", [[None if v is None else int(v.scaleb(2)) for v in t["amt"].to_pylist()]])
    t = t.set_column(t.schema.get_field_index("at"), "at", [[None if v is None else (v - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1) for v in t["at"].to_pylist()]])
    return text(zip(*[t[c].to_pylist() for c in t.column_names]))
orders = catalog.load_table("shop.orders")
cuts = catalog.load_table("_beluga.cuts").scan().to_arrow().to_pylist()
cuts.sort(key=lambda c: c["cut"])
at = dict(cuts[0]["tables"])["shop.orders"]
db = duckdb.connect()
db.execute("SET enable_progress_bar = false") # it would stand in the answer
for e in ("avro", "iceberg"):  # as their packages bring them: nothing is downloaded
    folder = os.path.dirname(importlib.import_module("duckdb_extension_" + e).__file__)
    db.execute("load '%s'" % glob.glob(folder + "/**/*.duckdb_extension", recursive=True)[0])
columns = 'id, v, s, (amt * 100)::BIGINT, epoch_us("at"), note'
out = {
    "pyiceberg": arrow(orders.scan().to_arrow()),
    "pyiceberg-first-cut": arrow(orders.scan(snapshot_id=at).to_arrow()),
    "pyiceberg-positive": arrow(orders.scan(row_filter="v > 0 and amt > 0").to_arrow()),
    "duckdb-positive": text(db.execute("select " + columns + " from iceberg_scan('" + dir + "/shop/orders') where v > 0 and amt > 0").fetchall()),
    "duckdb": text(db.execute("select " + columns + " from iceberg_scan('" + dir + "/shop/orders')").fetchall()),
    "cuts": [[c["pipeline"], c["cut"], c["position"], str(c["source_time"]), len(c["tables"])] for c in cuts],
    "duckdb-cuts": [r[0] for r in db.execute("select cut from iceberg_scan('" + dir + "/_beluga/cuts') order by cut").fetchall()],
    "identifier": sorted(orders.schema().identifier_field_names()),
}
json.dump(out, sys.stdout)
`

// Independent readers see the same rows: with both encodings, after a column
// was added and others became wider, at the head and at a cut.
func TestIndependentReaders(t *testing.T) {
	python := servers.Python(t, "pyiceberg[sql-sqlite,pyarrow]", "duckdb", "duckdb-extension-iceberg", "duckdb-extension-avro")
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Readers: readers, TargetFileBytes: 60_000})
			shape := shapeOf(t, "orders", keyInteger)
			w.define(shape, keyInteger, schema.SchemaChange{Reset: true})
			w.define(shapeOf(t, "empty", keyString), keyString, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 3000))
			require.NoError(t, w.commit())
			first := w.want("orders")
			for i := range 8 {
				if i == 4 {
					w.define(shapeOf(t, "orders", keyInteger, "note"), keyInteger, schema.SchemaChange{})
				}
				if i == 6 {
					wider := shapeOf(t, "orders", keyInteger, "note")
					wider.Columns[1].Type.Kind, wider.Columns[3].Type.Precision = schema.BigInt, 30
					require.NoError(t, wider.Prepare())
					w.define(wider, keyInteger, schema.SchemaChange{})
				}
				require.NoError(t, w.write("orders", w.randomChanges(4000, 200)))
				require.NoError(t, w.commit())
			}
			w.check("orders")

			script := exec.CommandContext(context.Background(), python, "-c", readLake, w.cfg.Dir)
			out, err := script.Output()
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				t.Fatalf("%s\n%s", err, exit.Stderr)
			}
			require.NoError(t, err)
			var got struct {
				PyIceberg   []string `json:"pyiceberg"`
				AtCut       []string `json:"pyiceberg-first-cut"`
				DuckDB      []string `json:"duckdb"`
				Filtered    []string `json:"pyiceberg-positive"`
				DuckDBSome  []string `json:"duckdb-positive"`
				Cuts        [][]any  `json:"cuts"`
				DuckDBCuts  []int64  `json:"duckdb-cuts"`
				Identifiers []string `json:"identifier"`
			}
			require.NoError(t, json.Unmarshal(out, &got))
			want := w.want("orders")
			slices.Sort(got.PyIceberg)
			slices.Sort(got.DuckDB)
			slices.Sort(got.AtCut)
			require.Equal(t, want, got.PyIceberg)
			require.Equal(t, want, got.DuckDB)
			require.Equal(t, first, got.AtCut)
			// Their bounds are those of the narrower types in files from before.
			positive := slices.DeleteFunc(slices.Clone(want), func(row string) bool {
				f := strings.Split(row, "|")
				return f[1] == "null" || f[1][0] == '-' || f[1] == "0" || f[3][0] == '-' || f[3] == "0"
			})
			slices.Sort(got.Filtered)
			slices.Sort(got.DuckDBSome)
			require.Equal(t, positive, got.Filtered)
			require.Equal(t, positive, got.DuckDBSome)
			require.Equal(t, []string{"id"}, got.Identifiers)
			require.Len(t, got.Cuts, 9)
			require.Equal(t, []any{"p1", float64(9), position(t, w.next).String(), "2023-11-14 22:13:30+00:00", float64(2)}, got.Cuts[8])
			require.Len(t, got.DuckDBCuts, 9)
			require.FileExists(t, filepath.Join(w.cfg.Dir, "shop", "orders", "metadata", "version-hint.text"))
		})
	}
}
