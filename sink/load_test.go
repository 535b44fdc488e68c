package sink

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

const loadRows = 500

// progress is that of a table of which the keys below lower were sent.
func (w *world) progress(name string, history int64, lower int) schema.Progress {
	p := position(w, 1)
	p.History = history
	l := schema.Load{Position: p, Overlap: p, Version: "v"}
	if lower < loadRows {
		l.Rest = []schema.Range{{Lower: strconv.Itoa(lower)}}
	}
	return schema.Progress{Table: w.shapes[name], Load: l}
}

// loadTables loads the tables as a source does that goes on from r: in parts, each
// a little beyond what it tells of.
func (w *world) loadTables(r pipeline.Resume, history int64, names ...string) error {
	ctx := context.Background()
	for _, name := range names {
		id := w.shapes[name].ID
		l, begun := r.Loads[id]
		lower := 0
		switch {
		case !begun && r.Tables[id].Position.History == history:
			continue
		case begun && len(l.Rest) == 0:
			continue
		case begun:
			lower, _ = strconv.Atoi(l.Rest[0].Lower)
		default:
			w.rows[name] = map[int]record{}
			if err := w.lake.Define(ctx, schema.SchemaChange{Table: w.shapes[name], Reset: true, History: history}); err != nil {
				return err
			}
		}
		for ; lower < loadRows; lower += 200 {
			if err := w.load(name, lower, min(lower+200, loadRows)); err != nil {
				return err
			}
			if lower+130 >= loadRows {
				break
			}
			if err := w.lake.Checkpoint(ctx, []schema.Progress{w.progress(name, history, lower+130)}); err != nil {
				return err
			}
		}
		if err := w.lake.Checkpoint(ctx, []schema.Progress{w.progress(name, history, loadRows)}); err != nil {
			return err
		}
	}
	return nil
}

// TestLoadIsShownWhenComplete: until a load of new tables, or of ones that have
// rows and another shape, is complete, readers see what there was; and the
// process may end after any checkpoint.
func TestLoadIsShownWhenComplete(t *testing.T) {
	for name, cfg := range map[string]Config{"position deletes": {}, "deletion vectors": {Readers: []string{"duckdb"}}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cfg)
			for _, name := range []string{"old", "altered"} {
				w.define(shapeOf(t, name, keyInteger), keyInteger, schema.SchemaChange{Reset: true, History: 1})
				require.NoError(t, w.load(name, 0, 300))
			}
			require.NoError(t, w.commitIn(1))
			was := map[string][]string{"old": w.want("old"), "altered": w.want("altered"), "new": {}}
			w.shapes["altered"] = shapeOf(t, "altered", keyInteger, "note")
			w.shapes["new"], w.kinds["new"] = shapeOf(t, "new", keyString), keyString
			var r pipeline.Resume
			for n := int64(1); ; n++ {
				failAt(t, stepLoadCheckpointed, n%2+1)
				err := w.loadTables(r, 2, "old", "altered", "new")
				for name, rows := range was {
					require.Equal(t, rows, w.readAny(name), name)
				}
				if err == nil {
					break
				}
				require.ErrorIs(t, err, errInjected)
				r = w.restart()
				require.True(t, r.Unfinished())
				require.EqualValues(t, 2, r.History)
			}
			require.NoError(t, w.commitIn(2))
			require.False(t, w.restart().Unfinished())
			for name := range was {
				w.check(name)
				require.Nil(t, w.info(name).head.SnapshotByName(loadBranch))
				require.NotContains(t, w.info(name).head.Properties(), propLoad)
				require.NoError(t, w.write(name, w.randomChanges(600, 50)))
			}
			require.NoError(t, w.commitIn(2))
			for name := range was {
				w.check(name)
			}
		})
	}
}

// readAny is read of a table that may not be there yet.
func (w *world) readAny(name string) []string {
	infos, err := w.lake.Tables(context.Background())
	require.NoError(w, err)
	for _, i := range infos {
		if i.Table.ID.Name == name {
			return w.read(name, 0)
		}
	}
	return []string{}
}

// TestLoadFailpoints: the process dies at each step of a load, and the next one
// goes on with it, until the cut that shows it.
func TestLoadFailpoints(t *testing.T) {
	steps := map[string]int64{stepDataFileClosed: 6, stepLoadCheckpointed: 6, stepTableCommitted: 2, stepBeforeCut: 1, stepDeleteFileClosed: 1}
	for step, times := range steps {
		for n := int64(1); n <= times; n++ {
			t.Run(fmt.Sprintf("%s/%d", step, n), func(t *testing.T) {
				w := newWorld(t, Config{})
				for _, name := range []string{"customers", "orders"} {
					w.shapes[name], w.kinds[name] = shapeOf(t, name, keyInteger), keyInteger
				}
				var r pipeline.Resume
				if step == stepDeleteFileClosed { // what a load that goes on puts in place of rows of the one before
					failAt(t, stepLoadCheckpointed, 1)
					require.ErrorIs(t, w.loadTables(r, 1, "customers", "orders"), errInjected)
					r = w.restart()
				}
				passed := failAt(t, step, n)
				err := w.loadTables(r, 1, "customers", "orders")
				if err == nil {
					err = w.commitIn(1)
				}
				require.GreaterOrEqual(t, passed.Load(), n)
				require.ErrorIs(t, err, errInjected)
				r = w.restart()
				require.True(t, r.Position.IsZero())
				require.NoError(t, w.loadTables(r, 1, "customers", "orders"))
				require.NoError(t, w.commitIn(1))
				w.check("customers")
				w.check("orders")
				cuts, err := w.lake.Cuts(context.Background(), 2)
				require.NoError(t, err)
				require.Len(t, cuts, 1)
				require.Len(t, cuts[0].Snapshots, 2)
			})
		}
	}
}

// TestLostReplyOfCheckpoint: whether the commit to the branch was lost or only the
// answer, the rows are there once.
func TestLostReplyOfCheckpoint(t *testing.T) {
	for _, step := range []string{stepCommitSent, stepCommitLanded} {
		for n := int64(1); n <= 4; n++ { // of the last the reply that main has taken the branch over
			t.Run(fmt.Sprintf("%s/%d", step, n), func(t *testing.T) {
				w := newWorld(t, Config{})
				w.shapes["orders"], w.kinds["orders"] = shapeOf(t, "orders", keyInteger), keyInteger
				passed := failAt(t, step, n)
				require.NoError(t, w.loadTables(pipeline.Resume{}, 1, "orders"))
				require.NoError(t, w.commitIn(1))
				require.GreaterOrEqual(t, passed.Load(), n)
				w.restart()
				w.check("orders")
			})
		}
	}
}

// TestLoadBeginsAgain: a load that was interrupted is followed by one that does
// not go on with it, and that does not bring one of its tables.
func TestLoadBeginsAgain(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %t", restart), func(t *testing.T) {
			w := newWorld(t, Config{})
			for _, name := range []string{"stays", "gone", "never"} {
				w.shapes[name], w.kinds[name] = shapeOf(t, name, keyInteger), keyInteger
			}
			require.NoError(t, w.loadTables(pipeline.Resume{}, 1, "stays", "gone"))
			require.NoError(t, w.commitIn(1))
			was := w.want("gone")
			require.NoError(t, w.loadTables(pipeline.Resume{}, 2, "stays", "gone", "never"))
			if restart {
				r := w.restart()
				require.Len(t, r.Loads, 3)
				require.NotContains(t, r.Tables, w.shapes["never"].ID)
			}
			require.NoError(t, w.loadTables(pipeline.Resume{}, 3, "stays"))
			require.NoError(t, w.commitIn(3))
			w.check("stays")
			require.Equal(t, was, w.read("gone", 0))
			require.Empty(t, w.read("never", 0))
			r := w.restart()
			require.Empty(t, r.Loads)
			require.False(t, r.Unfinished())
			for _, name := range []string{"stays", "gone", "never"} {
				require.Nil(t, w.info(name).head.SnapshotByName(loadBranch))
			}
		})
	}
}

// TestLoadComesTwice: a log brings the rows of a load that went on, those among them
// that were read twice too, to the process that took the load's begin or to one
// that took it complete.
func TestLoadComesTwice(t *testing.T) {
	for _, kind := range []keyKind{keyInteger, keyString} {
		for _, between := range []string{"nothing", "commit", "restart"} {
			t.Run(fmt.Sprint(kind, " ", between), func(t *testing.T) {
				w := newWorld(t, Config{})
				shape := shapeOf(t, "t", kind)
				w.define(shape, kind, schema.SchemaChange{Reset: true, History: 1})
				require.NoError(t, w.load("t", 0, 300))
				if between != "nothing" {
					require.NoError(t, w.commitIn(1))
				}
				if between == "restart" {
					w.restart()
				}
				w.define(shape, kind, schema.SchemaChange{Continued: true, History: 1})
				require.NoError(t, w.load("t", 200, loadRows))
				require.NoError(t, w.commitIn(1))
				w.check("t")
			})
		}
	}
}
