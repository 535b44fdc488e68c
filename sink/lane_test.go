package sink

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// commitLoading commits with tables in lanes, of which so much is left.
func (w *world) commitLoading(rest int, names ...string) error {
	w.next++
	p := position(w, w.next)
	p.History = 1
	c := schema.Commit{Position: p, Time: time.Unix(1_700_000_000+w.next, 0)}
	for _, name := range names {
		c.Loading = append(c.Loading, schema.Progress{Table: w.shapes[name], Load: schema.Load{Rest: []schema.Range{{Lower: fmt.Sprint(rest)}}}})
	}
	return w.lake.Commit(context.Background(), c)
}

// laneWorld has the tables "old", which is loaded again in a lane, and "other".
func laneWorld(t *testing.T, cfg Config) *world {
	w := newWorld(t, cfg)
	for _, name := range []string{"old", "other"} {
		w.define(shapeOf(t, name, keyInteger), keyInteger, schema.SchemaChange{Reset: true, History: 1})
		require.NoError(t, w.load(name, 0, 300))
	}
	require.NoError(t, w.commitIn(1))
	return w
}

// TestLaneStaysHidden: neither readers of main nor those of the cuts see a table that
// is in a lane, whether it is new or not and whatever shape it has; and the others go on.
func TestLaneStaysHidden(t *testing.T) {
	for name, cfg := range map[string]Config{"position deletes": {}, "deletion vectors": {Readers: []string{"duckdb"}}} {
		t.Run(name, func(t *testing.T) {
			w := laneWorld(t, cfg)
			was := map[string][]string{"old": w.want("old"), "new": {}}
			for _, name := range []string{"old", "new"} {
				w.define(shapeOf(t, name, keyInteger, "note"), keyInteger, schema.SchemaChange{Reset: true, Lane: true, History: 1})
			}
			for n := range 4 {
				for _, name := range []string{"old", "new", "other"} {
					require.NoError(t, w.write(name, w.randomChanges(400, 100)))
				}
				require.NoError(t, w.commitLoading(n, "old", "new"))
				w.check("other")
				for name, rows := range was {
					require.Equal(t, rows, w.readAny(name), name)
				}
				cuts, err := w.lake.Cuts(t.Context(), 1)
				require.NoError(t, err)
				require.Len(t, cuts[0].Snapshots, 1)
				if n%2 == 1 {
					r := w.restart()
					require.Len(t, r.Lanes, 2)
					require.Empty(t, r.Loads)
					require.False(t, r.Unfinished())
					old := w.shapes["old"].ID
					require.Equal(t, fmt.Sprint(n), r.Lanes[old].Rest[0].Lower)
					require.Equal(t, r.Position.String(), r.Tables[old].Position.String())
					require.Len(t, r.Tables[old].Table.Columns, len(w.shapes["old"].Columns))
				}
			}
			require.NoError(t, w.commitLoading(0))
			cuts, err := w.lake.Cuts(t.Context(), 1)
			require.NoError(t, err)
			require.Len(t, cuts[0].Snapshots, 3)
			require.Empty(t, w.restart().Lanes)
			for _, name := range []string{"old", "new", "other"} {
				w.check(name)
			}
		})
	}
}

// TestLaneRowsWait: rows that a lane read are durable after the interval, and at once with
// anything that the stream has of the table. A process that ends before lost rows and the
// progress that they made, and nothing else.
func TestLaneRowsWait(t *testing.T) {
	w := laneWorld(t, Config{LaneInterval: time.Hour})
	w.define(w.shapes["old"], keyInteger, schema.SchemaChange{Reset: true, Lane: true, History: 1})
	require.NoError(t, w.commitLoading(9, "old"))
	was, kept := map[int]record{}, map[int]record{}
	step := func(rest, key int, lane bool) {
		row := w.record()
		require.NoError(t, w.writeAs("old", changes{key: &row}, lane))
		require.NoError(t, w.write("other", changes{key: &row}))
		require.NoError(t, w.commitLoading(rest, "old"))
	}
	rest := func() string {
		r := w.restart()
		require.True(t, r.Position.Contains(r.Tables[w.shapes["old"].ID].Position))
		w.check("other")
		return r.Lanes[w.shapes["old"].ID].Rest[0].Lower
	}
	step(8, 1, true)
	step(7, 2, true)
	w.rows["old"] = was
	require.Equal(t, "9", rest(), "the rows were to wait")

	step(8, 1, true)
	step(7, 2, false)
	maps.Copy(kept, w.rows["old"])
	step(6, 3, true)
	require.Equal(t, "7", rest(), "the stream's change does not wait, and what was read before it goes with it")
	w.rows["old"] = kept

	step(5, 4, true)
	require.NoError(t, w.commitLoading(0))
	require.Empty(t, w.restart().Lanes)
	w.check("old")
}

// TestLaneFailpoints: the process dies at each step of the commits of a lane.
func TestLaneFailpoints(t *testing.T) {
	steps := []string{stepDataFileClosed, stepCommitSent, stepCommitLanded, stepTableCommitted, stepBeforeCut, stepCutPublished}
	for _, step := range steps {
		for n := int64(1); n <= 3; n++ {
			t.Run(fmt.Sprintf("%s/%d", step, n), func(t *testing.T) {
				w := laneWorld(t, Config{})
				passed := failAt(t, step, n)
				err := w.lane(pipeline.Resume{})
				require.GreaterOrEqual(t, passed.Load(), n)
				if err != nil {
					require.ErrorIs(t, err, errInjected)
					require.NoError(t, w.lane(w.restart()))
				}
				require.Empty(t, w.restart().Lanes)
				w.check("old")
				w.check("other")
			})
		}
	}
}

// lane loads "old" as a source does that goes on from r.
func (w *world) lane(r pipeline.Resume) error {
	id := w.shapes["old"].ID
	_, begun := r.Lanes[id]
	merged := r.Tables != nil && !begun && w.next > 3 // by the commit that died
	if !begun && !merged {
		w.rows["old"] = map[int]record{}
		if err := w.lake.Define(context.Background(), schema.SchemaChange{Table: w.shapes["old"], Reset: true, Lane: true, History: 1}); err != nil {
			return err
		}
	}
	for n := range 2 {
		for _, name := range []string{"old", "other"} {
			c := changes{}
			for k := range 200 {
				row := w.record()
				c[100*n+k] = &row
			}
			if err := w.write(name, c); err != nil {
				return err
			}
		}
		if merged {
			continue
		}
		if err := w.commitLoading(n, "old"); err != nil {
			return err
		}
	}
	return w.commitLoading(0)
}

// TestLaneOfDroppedTable: a table of the name that is loaded in a lane, over a restart, is
// not one that was dropped.
func TestLaneOfDroppedTable(t *testing.T) {
	w := laneWorld(t, Config{})
	require.NoError(t, w.lake.Define(t.Context(), schema.SchemaChange{Table: w.shapes["old"], Dropped: true}))
	require.NoError(t, w.commit())
	require.NotEmpty(t, w.info("old").Dropped)
	w.restart()
	failAt(t, stepCutPublished, 1)
	require.ErrorIs(t, w.lane(pipeline.Resume{}), errInjected)
	require.NoError(t, w.lane(w.restart()))
	w.check("old")
	require.Empty(t, w.info("old").Dropped)
	cuts, err := w.lake.Cuts(t.Context(), 1)
	require.NoError(t, err)
	require.Contains(t, cuts[0].Snapshots, "shop.old")
}
