package kafkalog

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// The rows that a source appends to a partition need not come back from the
// broker as JSON when the sink is in the same process: once a batch is
// acknowledged, the reader may have the block that it was made of. What the
// reader is told is what the log holds, in the log's order and under the log's
// numbers, so it can change between memory and log at every batch.

// patience is how long a source waits for a reader that has so much in hand that
// no more is lent. One that does not make room by then is behind, and reads from the
// log: a slow sink must not keep the source from the binlog.
const patience = 100 * time.Millisecond

// maxQueued bounds the batches that wait for a reader. Rows have a bound of their
// own, but a cut has none, and a source goes on making them while a sink stands
// still, or is in another process.
const maxQueued = 256

// relay is one partition's way past the broker.
type relay struct {
	room *semaphore.Weighted // of the transport: bytes that may be lent
	size int64

	behind atomic.Bool // the reader did not make room in time, and has not caught up since

	mu    sync.Mutex
	queue []*passage
	begin int64 // offset of the first record that can come through here; -1: not known yet
	gone  int64 // offset behind the last batch that did not come through here
	ready chan struct{}
}

func newRelay(room *semaphore.Weighted, size int64) *relay {
	return &relay{room: room, size: size, begin: -1, ready: make(chan struct{}, 1)}
}

// passage is an acknowledged batch.
type passage struct {
	base, next  int64 // offsets
	epoch       int64
	first, last int64 // numbers
	pieces      []piece
	mark        *protocol.Record // the last record, where it is no row
}

// piece is a run of a loan's rows whose records stand in one batch.
type piece struct {
	loan     *loan
	from, to int
	version  int64
}

func (m *passage) drop() {
	for _, p := range m.pieces {
		p.loan.back(p.to - p.from)
	}
}

// loan is a block that is encoded here and handed on there.
type loan struct {
	block  *schema.Block
	rows   int
	weight int64
	relay  *relay
	left   atomic.Int64 // rows that are neither handed on nor dropped; and one, until all are encoded
	taken  bool         // the block is the sink's; written before left comes to 0
}

// lend makes a loan of a block, or returns nil: then its rows go through the
// log. flush sends what of earlier loans has not been sent yet.
func (r *relay) lend(ctx context.Context, b *schema.Block, flush func()) *loan {
	l := &loan{block: b, rows: b.Rows(), weight: min(int64(b.Size()), r.size), relay: r}
	if !r.room.TryAcquire(l.weight) {
		if r.behind.Load() {
			return nil
		}
		flush()
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if r.room.Acquire(ctx, l.weight) != nil {
			r.behind.Store(true)
			return nil
		}
	}
	l.left.Store(int64(l.rows) + 1)
	return l
}

// back says that n rows are done with; the encoder itself counts as one.
func (l *loan) back(n int) {
	if l.left.Add(-int64(n)) > 0 {
		return
	}
	l.relay.room.Release(l.weight)
	if !l.taken {
		l.block.Release()
	}
}

// whole gives the block away.
func (l *loan) whole() *schema.Block {
	b := l.block
	l.taken = true
	l.back(l.rows)
	return b
}

// open says from which offset on the writer's records stand.
func (r *relay) open(begin int64) {
	r.mu.Lock()
	r.begin = begin
	r.mu.Unlock()
	r.knock()
}

// pass lets an acknowledged batch through. Without a passage it has to be
// fetched.
func (r *relay) pass(m *passage, next int64) {
	r.mu.Lock()
	if m != nil && len(r.queue) >= maxQueued {
		m.drop()
		m = nil
	}
	if m == nil {
		r.gone = next
	} else {
		r.queue = append(r.queue, m)
	}
	r.mu.Unlock()
	r.knock()
}

func (r *relay) knock() {
	select {
	case r.ready <- struct{}{}:
	default: // it will look
	}
}

// next returns the batch that begins at the offset; nil where it has to be
// fetched. It waits where the writer has not come so far.
func (r *relay) next(ctx context.Context, offset int64) (*passage, error) {
	for {
		m, fetch := r.look(offset)
		if m != nil || fetch {
			return m, nil
		}
		select {
		case <-r.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (r *relay) look(offset int64) (m *passage, fetch bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) > 0 && r.queue[0].base < offset {
		r.queue[0].drop() // it was fetched together with what stands before it
		r.queue = r.queue[1:]
	}
	if len(r.queue) > 0 {
		if r.queue[0].base > offset {
			return nil, true // to what did not come through here, or is somebody else's
		}
		m, r.queue = r.queue[0], r.queue[1:]
		return m, false
	}
	if r.begin < 0 || offset < max(r.begin, r.gone) {
		return nil, true
	}
	r.behind.Store(false)
	return nil, false
}
