package pipeline

import (
	"context"
	"io"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/beluga-cdc/beluga/schema"
)

// Direct is the transport without a broker: a queue in memory, bounded by
// bytes. Nothing in it is durable, and nothing has to be: the binlog is the log,
// and the lake says where to go on in it.
type Direct struct {
	limit int64
	room  *semaphore.Weighted
	queue chan queued
	once  sync.Once
	lake  Resume
}

type queued struct {
	event  schema.Event
	weight int64
}

// queueLen bounds the events that weigh nothing. It is larger than any number of
// commits that arrive while one batch is written.
const queueLen = 1024

// NewDirect returns a transport that holds at most limit bytes of blocks
// between source and sink.
func NewDirect(limit int) *Direct {
	l := max(int64(limit), 1)
	return &Direct{limit: l, room: semaphore.NewWeighted(l), queue: make(chan queued, queueLen)}
}

// Writer returns the source's end.
func (d *Direct) Writer(_ context.Context, lake Resume) (Writer, error) {
	d.lake = lake
	return directWriter{d}, nil
}

// Reader returns the sink's end.
func (d *Direct) Reader(context.Context, Resume) (Reader, error) { return directReader{d}, nil }

type directWriter struct{ d *Direct }

func (w directWriter) Resume() Resume { return w.d.lake }

func (w directWriter) Send(ctx context.Context, e schema.Event) error {
	q := queued{event: e}
	if b, ok := e.(*schema.Block); ok {
		// A block larger than the whole queue passes when the queue is empty.
		q.weight = min(int64(b.Size()), w.d.limit)
		if err := w.d.room.Acquire(ctx, q.weight); err != nil {
			return context.Cause(ctx)
		}
	}
	select {
	case w.d.queue <- q:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w directWriter) Close(context.Context) error {
	w.d.once.Do(func() { close(w.d.queue) })
	return nil
}

type directReader struct{ d *Direct }

func (r directReader) Next(ctx context.Context) (schema.Event, error) {
	select {
	case q, ok := <-r.d.queue:
		if !ok {
			return nil, io.EOF
		}
		if q.weight > 0 {
			r.d.room.Release(q.weight)
		}
		return q.event, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (directReader) Done(context.Context, schema.Position) error { return nil }
