package sink

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/deletes"
	"github.com/beluga-cdc/beluga/sink/snapshot"
)

var encodings = map[string][]string{"position-deletes": nil, "deletion-vectors": {"spark", "duckdb"}}

// A seeded random workload over tables of all kinds of key, with restarts: after
// every commit the lake equals the model.
func TestAgainstModel(t *testing.T) {
	for name, readers := range encodings {
		for _, kind := range []keyKind{keyInteger, keyString, keyComposite} {
			t.Run(fmt.Sprintf("%s/%s", name, kind), func(t *testing.T) {
				w := newWorld(t, Config{Readers: readers, TargetFileBytes: 60_000})
				w.define(shapeOf(t, "orders", kind), kind, schema.SchemaChange{Reset: true})
				require.NoError(t, w.load("orders", 0, 5000))
				require.NoError(t, w.commit())
				w.check("orders")
				for i := range 14 {
					for range 1 + w.rnd.IntN(3) { // several writes a batch: a row may die in the batch that wrote it
						require.NoError(t, w.write("orders", w.randomChanges(6000, 1+w.rnd.IntN(600))))
					}
					require.NoError(t, w.commit())
					w.check("orders")
					if i%6 == 5 {
						r := w.restart()
						require.Equal(t, position(t, w.next), r.Position)
						require.Equal(t, position(t, w.next), r.Tables[w.shapes["orders"].ID].Position)
					}
				}
				// Nothing at all is left, and the table can be filled again.
				all := changes{}
				for k := range 6000 {
					all[k] = nil
				}
				require.NoError(t, w.write("orders", all))
				require.NoError(t, w.commit())
				w.check("orders")
				info := w.info("orders")
				require.Zero(t, info.Rows)
				require.Zero(t, info.DataFiles)
				require.NoError(t, w.write("orders", w.randomChanges(6000, 500)))
				require.NoError(t, w.commit())
				w.restart()
				w.check("orders")
			})
		}
	}
}

func (w *world) info(name string) TableInfo {
	w.Helper()
	infos, err := w.lake.Tables(context.Background())
	require.NoError(w, err)
	for _, i := range infos {
		if i.Table.ID.Name == name {
			return i
		}
	}
	w.Fatalf("no table %s", name)
	return TableInfo{}
}

// However many batches delete rows all over the table, a data file has few live
// delete files.
func TestDeleteFilesStayFew(t *testing.T) {
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Readers: readers, TargetFileBytes: 60_000})
			w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 10000))
			require.NoError(t, w.commit())
			for range 2*maxDeleteFiles + 4 {
				require.NoError(t, w.write("orders", w.randomChanges(10000, 100)))
				require.NoError(t, w.commit())
				tasks, err := w.lake.tables[w.shapes["orders"].ID].head.t.Scan().PlanFiles(context.Background())
				require.NoError(t, err)
				seen := map[string]map[string]bool{}
				for _, task := range tasks {
					files := seen[task.File.FilePath()]
					if files == nil {
						files = map[string]bool{}
						seen[task.File.FilePath()] = files
					}
					for _, d := range append(task.DeleteFiles, task.DeletionVectorFiles...) {
						files[snapshot.Key(d)] = true
					}
				}
				for f, ds := range seen {
					require.LessOrEqual(t, len(ds), maxDeleteFiles, "live delete files of %s", f)
				}
			}
			w.check("orders")
			// The delete files hold no position twice, and none of a row that is gone.
			h := w.lake.tables[w.shapes["orders"].ID].head
			live, err := snapshot.Live(h.fs, h.t.CurrentSnapshot())
			require.NoError(t, err)
			dead, err := deletes.Load(context.Background(), h.fs, live)
			require.NoError(t, err)
			rows, gone := int64(0), int64(0)
			for _, f := range live {
				if p := dead.Positions[f.FilePath()]; p != nil {
					gone += int64(p.GetCardinality())
				}
				if dead.Touched[snapshot.Key(f)] == nil {
					rows += f.Count()
				}
			}
			require.Equal(t, int64(len(w.rows["orders"])), rows-gone)
			require.Equal(t, rows-gone, w.info("orders").Rows)
		})
	}
}
