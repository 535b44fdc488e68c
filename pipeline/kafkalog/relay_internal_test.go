package kafkalog

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"

	"github.com/beluga-cdc/beluga/schema"
)

func shape(t testing.TB) *schema.Table {
	s := &schema.Table{ID: schema.TableID{Database: "d", Name: "t"}, Key: []int{0}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.BigInt}}}}
	require.NoError(t, s.Prepare())
	return s
}

// TestRelayChoosesTheLog holds where a reader must not take what is in memory.
func TestRelayChoosesTheLog(t *testing.T) {
	r := newRelay(semaphore.NewWeighted(1000), 1000)
	look := func(offset int64) string {
		switch m, fetch := r.look(offset); {
		case m != nil:
			return "memory"
		case fetch:
			return "log"
		}
		return "wait"
	}
	require.Equal(t, "log", look(0), "before the writer's place is known")
	r.open(10)
	require.Equal(t, "log", look(9), "before the writer's place")
	require.Equal(t, "wait", look(10))
	r.pass(&passage{base: 10, next: 12}, 12)
	r.pass(&passage{base: 13, next: 20}, 20)
	require.Equal(t, "log", look(5), "what stands before the first in memory")
	require.Equal(t, "memory", look(10))
	require.Equal(t, "log", look(12), "a record of somebody else's stands between")
	require.Equal(t, "memory", look(13))
	r.pass(nil, 25)
	require.Equal(t, "log", look(20), "what was not lent")
	r.pass(&passage{base: 25, next: 30}, 30)
	require.Equal(t, "wait", look(30), "it was fetched together with what was before")
}

// TestQueueIsBounded lets a source make cuts that nobody reads: those beyond the
// bound are read from the log.
func TestQueueIsBounded(t *testing.T) {
	r := newRelay(semaphore.NewWeighted(1), 1)
	r.open(0)
	const cuts = 3 * maxQueued
	for i := range int64(cuts) {
		r.pass(&passage{base: i, next: i + 1}, i+1)
	}
	require.Len(t, r.queue, maxQueued)
	for i := range int64(cuts) {
		m, fetch := r.look(i)
		require.Equal(t, i < maxQueued, m != nil)
		require.Equal(t, i >= maxQueued, fetch)
	}
	_, fetch := r.look(cuts)
	require.False(t, fetch, "all was seen")
}

// TestLoansComeBack counts what is lent: all of it comes back, however a block
// ends, and one that was given away is not released.
func TestLoansComeBack(t *testing.T) {
	const limit = 1 << 20
	r := newRelay(semaphore.NewWeighted(limit), limit)
	free := func() bool {
		if !r.room.TryAcquire(limit) {
			return false
		}
		r.room.Release(limit)
		return true
	}
	lend := func() *loan {
		b := schema.NewBlock(shape(t))
		for i := range 5 {
			b.Ops = append(b.Ops, schema.OpInsert)
			b.New[0].AppendInt64(int64(i))
		}
		return r.lend(t.Context(), b, func() {})
	}
	l := lend()
	require.False(t, free())
	l.back(2)
	l.back(1)
	l.back(3)
	require.True(t, free())
	require.Nil(t, l.block.Table, "released")

	l = lend()
	b := l.whole()
	require.False(t, free(), "its encoder may not be done")
	l.back(1)
	require.True(t, free())
	require.NotNil(t, b.Table, "the sink has it")

	flushed := false
	l = r.lend(t.Context(), b, func() { flushed = true })
	require.True(t, r.room.TryAcquire(limit-l.weight))
	require.Nil(t, r.lend(t.Context(), b, func() { flushed = true }))
	require.True(t, flushed, "what waits to be sent is what there may be room after")
	require.True(t, r.behind.Load())
}
