package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// rowsOfLoad makes a block of rows that a load read.
func rowsOfLoad(tbl *schema.Table, keys ...int64) *schema.Block {
	b := schema.NewBlock(tbl)
	b.Origins = append(b.Origins, schema.Origin{})
	for _, k := range keys {
		b.Ops = append(b.Ops, schema.OpRead)
		b.New[0].AppendInt64(k)
		b.New[1].AppendInt32(0)
	}
	return b
}

// TestCheckpoints: what a load tells of is made durable as often as was asked for
// and when the run is stopped; and not once changes of the stream have followed.
func TestCheckpoints(t *testing.T) {
	a := table(t, "a")
	progress := schema.Progress{Table: a, Load: schema.Load{Position: position(3)}}
	stream := transaction(a, 4, change{op: schema.OpInsert, new: 9})
	load := []schema.Event{schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true, History: 1}, rowsOfLoad(a, 1, 2), progress}
	for name, c := range map[string]struct {
		interval time.Duration
		events   []schema.Event
		finish   bool
		want     int
	}{
		"due":                     {0, load, false, 1},
		"not due":                 {time.Hour, load, false, 0},
		"stopped":                 {time.Hour, load, true, 1},
		"stopped while replaying": {time.Hour, append(load[:4:4], stream), true, 0},
		"void":                    {time.Hour, append(load[:4:4], schema.SchemaChange{Table: a, Reset: true, History: 2}), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			jobs := manyJobs()
			b := newBatcher(Limits{Interval: time.Hour, Rows: 1, Bytes: 1 << 20, Checkpoint: c.interval}, Resume{}, jobs, new(Stats))
			for _, e := range c.events {
				require.NoError(t, b.event(t.Context(), e))
			}
			if c.finish {
				require.NoError(t, b.finish(t.Context()))
			}
			close(jobs.queue)
			checkpoints, writes := 0, 0
			for j := range jobs.queue {
				switch {
				case j.checkpoint != nil:
					checkpoints++
					require.Equal(t, []schema.Progress{progress}, j.checkpoint)
					require.Equal(t, 1, writes, "before the rows that it is about")
				case j.write != nil:
					writes++
				}
				require.Nil(t, j.commit)
			}
			require.Equal(t, c.want, checkpoints)
		})
	}
}

// TestLoadContinued: rows of a load that is continued are taken for such, and its
// end is published although its only table was complete.
func TestLoadContinued(t *testing.T) {
	a := table(t, "a")
	at := position(3)
	at.History = 1
	lake := Resume{History: 1, Loads: map[schema.TableID]schema.Progress{a.ID: {Table: a, Load: schema.Load{Position: at}}}}
	jobs := manyJobs()
	b := newBatcher(Limits{Interval: 0, Rows: 1, Bytes: 1 << 20, Checkpoint: time.Hour}, lake, jobs, new(Stats))
	require.NoError(t, b.event(t.Context(), rowsOfLoad(a, 1)))
	before := position(2)
	before.History = 1
	require.NoError(t, b.event(t.Context(), schema.Commit{Position: before}))
	require.Len(t, jobs.queue, 1, "no cut before what the rows may show")
	require.True(t, (<-jobs.queue).write.Load)
	require.NoError(t, b.event(t.Context(), schema.Commit{Position: at}))
	require.NotNil(t, (<-jobs.queue).commit)
}
