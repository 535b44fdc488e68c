package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestLaneRows: rows of a lane are handed on as they come, behind what the stream
// sent of the table before them. They wait for no Commit, and the Commit without
// the table is a cut although nothing else came.
func TestLaneRows(t *testing.T) {
	a := table(t, "a")
	jobs := manyJobs()
	lake := Resume{Position: position(1), Tables: map[schema.TableID]TableState{a.ID: {Table: a, Position: position(1)}}}
	b := newBatcher(Limits{Interval: 0, Rows: 1 << 20, Bytes: 1 << 20, Checkpoint: time.Hour}, lake, jobs, new(Stats))
	send := func(e schema.Event) { require.NoError(t, b.event(t.Context(), e)) }
	loading := []schema.Progress{{Table: a, Load: schema.Load{Rest: []schema.Range{{}}}}}

	send(schema.SchemaChange{Table: a, Reset: true, Lane: true})
	require.NotNil(t, (<-jobs.queue).define)
	send(transaction(a, 2, change{op: schema.OpInsert, new: 1, v: 7}))
	require.Empty(t, jobs.queue, "changes of the stream wait for their batch")
	send(rowsOfLoad(a, 5, 6))
	w := (<-jobs.queue).write
	require.Len(t, w.Rows, 3)
	require.False(t, w.Load, "a key may be there")
	require.Empty(t, jobs.queue)
	send(schema.Commit{Position: position(2), Loading: loading})
	require.Equal(t, loading, (<-jobs.queue).commit.Loading)

	send(rowsOfLoad(a, 8))
	require.Len(t, (<-jobs.queue).write.Rows, 1)
	require.False(t, b.open, "a run that is stopped now commits what came before")
	require.False(t, b.changed, "the lag is of changes that the source committed")
	send(schema.Commit{Position: position(2), Loading: loading})
	require.NotNil(t, (<-jobs.queue).commit)
	send(schema.Commit{Position: position(2)})
	require.Empty(t, (<-jobs.queue).commit.Loading, "the lane has ended")
	send(schema.Commit{Position: position(2)})
	require.Empty(t, jobs.queue)
}

// manyJobs is a queue that never holds up who sends to it.
func manyJobs() *jobs { return &jobs{queue: make(chan job, 16), room: make(chan struct{}, 16)} }

// TestLaneRowsDoNotHoldUp: with a commit under way and the next job waiting, blocks of
// a lane are still taken, and the next change of the stream is not.
func TestLaneRowsDoNotHoldUp(t *testing.T) {
	q := newJobs()
	for range jobsAhead {
		require.NoError(t, q.send(t.Context(), job{commit: new(schema.Commit)}))
	}
	for range laneBlocksAhead {
		require.NoError(t, q.send(t.Context(), job{write: &TableChanges{Lane: true}}))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, q.send(ended, job{write: new(TableChanges)}), context.Canceled)
	require.ErrorIs(t, q.send(ended, job{write: &TableChanges{Lane: true}}), context.Canceled, "there is a bound")
	for range jobsAhead {
		j := <-q.queue
		q.done(&j)
	}
	require.NoError(t, q.send(t.Context(), job{write: new(TableChanges)}))
}
