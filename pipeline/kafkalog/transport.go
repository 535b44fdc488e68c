package kafkalog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// Transport is a pipeline.Transport through a Kafka log. Each end may be opened
// once; a process may open one or both.
type Transport struct {
	cfg Config
	log *slog.Logger

	mu         sync.Mutex
	ends       map[string]int64              // once the writer was closed: where each partition ends
	lastCut    int64                         // and the last cut that all of them hold
	checkpoint map[string]schema.LogPosition // of the last checkpoint that the writer wrote or found; never changed, only replaced
	closed     chan struct{}                 // the writer was closed
	relays     map[string]*relay             // by partition
	room       *semaphore.Weighted           // for what is lent
	reading    atomic.Bool                   // a reader was opened
	writer     *Writer
	reader     *Reader
}

var _ pipeline.Transport = (*Transport)(nil)

// New returns a transport. It connects when an end is opened.
func New(cfg Config, log *slog.Logger) *Transport {
	return &Transport{cfg: cfg, log: log, closed: make(chan struct{}), relays: map[string]*relay{}}
}

// relay returns the way past the broker of one partition.
func (t *Transport) relay(partition string) *relay {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := int64(orDefault(t.cfg.Memory, defaultMemory) / lentPart)
	if t.room == nil {
		t.room = semaphore.NewWeighted(size)
	}
	r := t.relays[partition]
	if r == nil {
		r = newRelay(t.room, size)
		t.relays[partition] = r
	}
	return r
}

// Writer opens the source's end: it takes the log over from whoever wrote it
// before. What it starts ends with ctx, or by Close.
func (t *Transport) Writer(ctx context.Context, lake pipeline.Resume) (pipeline.Writer, error) {
	cfg, err := t.cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	w := newWriter(cfg, t)
	t.mu.Lock()
	second := t.writer != nil
	t.writer = w
	t.mu.Unlock()
	if second {
		return nil, errors.New("the log's writer is open already")
	}
	if err := w.open(ctx, lake); err != nil {
		return nil, w.stop(err)
	}
	return w, nil
}

// Reader opens the sink's end at the lake's position. What it starts ends with
// ctx, or by Close.
func (t *Transport) Reader(ctx context.Context, lake pipeline.Resume) (pipeline.Reader, error) {
	cfg, err := t.cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := newReader(cfg, t, lake)
	t.mu.Lock()
	second := t.reader != nil
	t.reader = r
	t.mu.Unlock()
	if second {
		return nil, errors.New("the log's reader is open already")
	}
	if err := r.open(ctx); err != nil {
		return nil, r.stop(err)
	}
	t.reading.Store(true)
	return r, nil
}

// Close ends what both ends started, and waits for it. A writer that has to be
// complete is closed itself before.
func (t *Transport) Close() error {
	t.mu.Lock()
	w, r := t.writer, t.reader
	t.mu.Unlock()
	if w != nil {
		_ = w.stop(errClosed)
	}
	if r != nil {
		_ = r.stop(errClosed)
	}
	return nil
}

var errClosed = errors.New("the transport was closed")

// finish tells the reader of the same process where the log ends.
func (t *Transport) finish(ends map[string]int64, lastCut int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ends, t.lastCut = ends, lastCut
	close(t.closed)
}

// finished returns where the log ends, if the writer was closed.
func (t *Transport) finished() (map[string]int64, bool) {
	select {
	case <-t.closed:
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.ends, true
	default:
		return nil, false
	}
}
