package sink

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

func (w *world) commitIn(history int64) error {
	w.next++
	p := position(w, w.next)
	p.History = history
	return w.lake.Commit(context.Background(), schema.Commit{Position: p, Time: time.Unix(1_700_000_000+w.next, 0)})
}

// dataFiles returns how many data files a table's folder has.
func (w *world) dataFiles(name string) int {
	w.Helper()
	files, err := os.ReadDir(filepath.Join(warehouse.Path(w.lake.tables[w.shapes[name].ID].head.t.Location()), "data"))
	require.NoError(w, err)
	return len(files)
}

// TestTablesLeftBehind: a load does not bring a table of the lake, but the batch
// holds changes of it: half a transaction of the history before, or half of a
// load that was given up. None of it is committed, and the table is in no cut
// until it is created again.
func TestTablesLeftBehind(t *testing.T) {
	for name, stale := range map[string]func(w *world) error{
		"half a transaction": func(w *world) error {
			gone := int32(-1)
			return w.write("gone", changes{1: nil, 2: {v: &gone}, 500: {v: &gone}})
		},
		"half a load": func(w *world) error {
			w.define(w.shapes["gone"], keyInteger, schema.SchemaChange{Reset: true, History: 2})
			return w.load("gone", 0, 10)
		},
		"another shape": func(w *world) error {
			w.define(shapeOf(w, "gone", keyInteger, "more"), keyInteger, schema.SchemaChange{})
			return w.write("gone", w.randomChanges(100, 20))
		},
		"nothing": func(*world) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			shape := shapeOf(t, "gone", keyInteger)
			for _, s := range []*schema.Table{shape, shapeOf(t, "stays", keyInteger)} {
				w.define(s, keyInteger, schema.SchemaChange{Reset: true, History: 1})
				require.NoError(t, w.load(s.ID.Name, 0, 100))
			}
			require.NoError(t, w.commitIn(1))
			was, files := w.want("gone"), w.dataFiles("gone")

			require.NoError(t, stale(w))
			w.define(w.shapes["stays"], keyInteger, schema.SchemaChange{Reset: true, History: 3})
			require.NoError(t, w.load("stays", 50, 150))
			require.NoError(t, w.commitIn(3))
			w.check("stays")
			w.shapes["gone"] = shape
			require.Equal(t, was, w.read("gone", 0))
			require.Equal(t, files, w.dataFiles("gone"), "a file of rows that were given up is left over")
			cuts, err := w.lake.Cuts(t.Context(), 1)
			require.NoError(t, err)
			require.Contains(t, cuts[0].Snapshots, "shop.stays")
			require.NotContains(t, cuts[0].Snapshots, "shop.gone")

			r := w.restart()
			require.False(t, r.Unfinished())
			require.Equal(t, int64(1), r.Tables[shape.ID].Position.History)
			require.Len(t, r.Tables[shape.ID].Table.Columns, len(shape.Columns))
			w.define(shape, keyInteger, schema.SchemaChange{Reset: true, History: 3})
			require.NoError(t, w.write("gone", w.randomChanges(100, 20)))
			require.NoError(t, w.commitIn(3))
			w.check("gone")
			cuts, err = w.lake.Cuts(t.Context(), 1)
			require.NoError(t, err)
			require.Contains(t, cuts[0].Snapshots, "shop.gone")
		})
	}
}
