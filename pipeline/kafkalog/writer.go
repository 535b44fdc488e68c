package kafkalog

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// Writer is the source's end of the log.
type Writer struct {
	cfg       Config
	transport *Transport
	client    *client
	log       *slog.Logger
	control   *controlLog
	controlMu sync.Mutex // for reading control

	epoch    int64
	instance string
	identity logIdentity
	resume   pipeline.Resume

	ctx     context.Context //nolint:containedctx // ends all goroutines and every wait of Send
	cancel  context.CancelCauseFunc
	senders errgroup.Group // of the partitions
	keeper  errgroup.Group
	once    sync.Once

	// mu orders everything that is broadcast. Blocks hold it only to be
	// announced; partitions have locks of their own.
	mu       sync.Mutex
	entries  []tableEntry
	tables   map[schema.TableID]*writerTable
	parts    []*partitionWriter
	recovery *protocol.Recovery
	scans    map[int]*protocol.Scan
	seen     []protocol.Txn // passed since the last Commit, while recovering
	cut      int64          // last number given
	last     schema.Commit  // the boundary where the source stands
	boundary bool           // nothing was sent since
	uncut    bool           // last is behind the last cut
	cutAt    time.Time

	loading   bool // rows of a load were sent since the last Commit
	reloading bool // of all tables

	progress map[schema.TableID]schema.Progress // of the load, told and not noted yet
	lanes    map[schema.TableID]bool            // tables that are in lanes where the source stands

	cuts    map[int64]*openCut // not acknowledged everywhere yet; under cutsMu
	cutsMu  sync.Mutex
	note    *loadNote     // of what is not acknowledged yet; under cutsMu
	noted   chan struct{} // all of it is
	ready   *checkpoint   // the last cut that is; under cutsMu
	written int64         // cut of the last checkpoint; under cutsMu
	settled chan struct{} // it has moved
	force   chan struct{}

	begun   int64           // history of the last load that was begun; under begunMu
	overlap schema.Position // up to where its rows may have been read; under begunMu
	begunMu sync.Mutex
}

// writerTable is a table as it is written now.
type writerTable struct {
	entry    tableEntry
	shape    *schema.Table
	key      []int // columns of its records' keys
	version  int64
	load     int64              // version that its load began with
	parts    []*partitionWriter // nil: not in the log yet
	encoders *sync.Pool
	gone     bool // the source has it no more: what the log holds of it stays
	reset    bool // by this source
}

// openCut is a cut under way to the partitions.
type openCut struct {
	checkpoint checkpoint
	missing    int
	force      bool
}

func newWriter(cfg Config, t *Transport) *Writer {
	return &Writer{cfg: cfg, transport: t, log: t.log, tables: map[schema.TableID]*writerTable{}, cuts: map[int64]*openCut{},
		progress: map[schema.TableID]schema.Progress{}, lanes: map[schema.TableID]bool{}, noted: make(chan struct{}, 1), settled: make(chan struct{}, 1), force: make(chan struct{}, 1), boundary: true}
}

// Resume returns the position of the last checkpoint that counts.
func (w *Writer) Resume() pipeline.Resume { return w.resume }

// Send appends an event to the log. Rows are encoded in the caller's goroutine,
// compressed and sent in the partitions'.
func (w *Writer) Send(ctx context.Context, e schema.Event) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch e := e.(type) {
	case *schema.Block:
		return w.sendBlock(e)
	case schema.SchemaChange:
		if e.Reset && e.Same && !e.Lane || e.Dropped { // a lane that began behind the checkpoint begins anew
			if err := w.settle(); err != nil {
				return err
			}
		}
		return w.sendChange(e)
	case schema.Commit:
		return w.sendCommit(e)
	case schema.Anew:
		return w.begin(e)
	case schema.Progress:
		w.tellProgress(e)
		return nil
	}
	return fmt.Errorf("event of unknown type %T", e)
}

func (w *Writer) sendBlock(b *schema.Block) error {
	if b.Rows() == 0 {
		b.Release()
		return nil
	}
	load := b.Ops[0] == schema.OpRead
	rows, err := w.announce(b.Table, load)
	if err != nil {
		b.Release()
		return err
	}
	return w.encode(rows, b, load)
}

// rowTarget is where rows of a table version go, and how they are encoded.
type rowTarget struct {
	parts    []*partitionWriter
	version  int64
	encoders *sync.Pool
	reset    bool // by this source: nothing of it was there before
}

// announce notes that rows of the table follow, and brings a table into the log
// that the lake had before it.
func (w *Writer) announce(table *schema.Table, load bool) (rowTarget, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !load || !w.lanes[table.ID] {
		// Rows of a lane belong to no transaction: they bear a cut before them, and
		// after them.
		w.boundary = false
		w.loading = w.loading || load
	}
	t := w.tables[table.ID]
	if t == nil || t.version == 0 {
		if err := w.change(schema.SchemaChange{Table: table}); err != nil {
			return rowTarget{}, err
		}
		t = w.tables[table.ID]
	}
	if t.shape != table {
		// Encoders go by position, so rows of a shape that nobody announced would
		// come out as something else.
		if !sameShape(t.shape, table) {
			return rowTarget{}, fmt.Errorf("rows of table %s have a shape that was not announced: %s", table.ID, schema.DiffTables(t.shape, table).Describe(t.shape, table))
		}
		t.shape = table
	}
	return rowTarget{t.parts, t.version, t.encoders, t.reset}, nil
}

func (w *Writer) sendChange(c schema.SchemaChange) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.boundary = false
	if c.Lane {
		w.lanes[c.Table.ID], w.loading = true, true
	}
	if c.Reset || c.Continued || c.Dropped {
		w.loading = true
		if err := w.noteOverlap(c.Overlap); err != nil {
			return fmt.Errorf("loading table %s: %w", c.Table.ID, err)
		}
	}
	return w.change(c)
}

// change gives a table its next version and broadcasts it. Versions are counted
// from the checkpoint's, so a source that passes the same change again gives it
// the same number, and partitions that have it are left out.
func (w *Writer) change(c schema.SchemaChange) error {
	t, err := w.table(c.Table)
	if err != nil {
		return err
	}
	if !c.Reset && !c.Continued && !c.Dropped && !c.Lane && t.version > 0 && sameShape(t.shape, c.Table) {
		return nil
	}
	t.gone = c.Dropped || t.gone && !c.Reset
	if err := w.encodeAs(t, c.Table); err != nil {
		return err
	}
	return w.broadcastVersion(t, c)
}

// broadcastVersion marks the table's next version in its partitions.
func (w *Writer) broadcastVersion(t *writerTable, c schema.SchemaChange) error {
	payload, err := encodeChange(c)
	if err != nil {
		return fmt.Errorf("encoding the shape of table %s: %w", t.entry.ID, err)
	}
	if c.Continued {
		return w.continueVersion(t, payload)
	}
	if !c.Reset && !c.Dropped && !c.Lane {
		if err := w.checkAgain(t, c.Table); err != nil {
			return err
		}
	}
	t.version++
	if c.Reset || c.Dropped {
		// A load is never the same as an earlier one, however far that had come.
		for _, p := range t.parts {
			if s, ok := w.scans[p.number]; ok {
				t.version = max(t.version, s.Version()+1)
			}
			w.recovery.Reset(p.number)
		}
		t.load, t.reset = t.version, true
		delete(w.progress, t.entry.ID)
	}
	for _, p := range t.parts {
		if s, ok := w.scans[p.number]; ok && s.Version() >= t.version {
			continue
		}
		if err := w.markVersion(p, t.version, c, payload); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) markVersion(p *partitionWriter, version int64, c schema.SchemaChange, payload []byte) error {
	r := protocol.Record{Kind: protocol.DDL, Version: version, Reset: c.Reset || c.Dropped, Continued: c.Continued, Lane: c.Lane, Payload: payload}
	return p.mark(w.ctx, &r, time.Now().UnixMilli())
}

func (w *Writer) sendCommit(c schema.Commit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reloading {
		if err := w.leaveTables(); err != nil {
			return err
		}
	}
	clear(w.progress) // a load that went on is complete
	w.recovery.Passed(w.seen, c.Position)
	w.seen = w.seen[:0]
	w.last, w.boundary, w.uncut = c, true, true
	// The end of a load is worth a cut and a checkpoint of its own: without them
	// the next start would load again. So are the begin and the end of a lane.
	force := w.endsLane(c) || w.loading
	w.loading, w.reloading = false, false
	if force || time.Since(w.cutAt) >= w.cfg.CutInterval {
		return w.broadcastCut(force)
	}
	return nil
}

// broadcastCut marks the boundary in all partitions. Nothing of later
// transactions may be in the log then, which is so once everything that was
// found there has been passed again.
func (w *Writer) broadcastCut(force bool) error {
	if !w.boundary || !w.uncut || !w.recovery.Drained() {
		return nil
	}
	payload, err := json.Marshal(cutPayload{Position: w.last.Position, Time: w.last.Time, Loading: w.laneEntries(w.last.Loading)})
	if err != nil {
		return fmt.Errorf("encoding a cut: %w", err)
	}
	w.cut++
	w.uncut, w.cutAt = false, time.Now()
	w.openCut(w.cut, force)
	for _, p := range w.parts {
		r := protocol.Record{Kind: protocol.Cut, Cut: w.cut, Tables: int64(len(w.entries)), Payload: payload}
		if err := p.mark(w.ctx, &r, w.last.Time.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the log with a last cut, if the source stands at a boundary, and
// returns when everything is acknowledged.
func (w *Writer) Close(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { w.cancel(context.Cause(ctx)) })()
	w.mu.Lock()
	w.recovery.Reached(w.last.Position)
	err := w.broadcastCut(true)
	w.boundary = false // no other cut
	parts := w.parts
	w.mu.Unlock()
	if err != nil {
		return w.stop(err)
	}
	for _, p := range parts {
		p.flush()
		close(p.full)
	}
	if err := w.senders.Wait(); err != nil {
		return w.stop(err)
	}
	close(w.force)
	if err := w.keeper.Wait(); err != nil {
		return w.stop(err)
	}
	ends := map[string]int64{}
	for _, p := range parts {
		ends[p.key()] = p.end
	}
	w.transport.finish(ends, w.lastCut())
	_ = w.stop(errClosed)
	return nil
}

// stop ends all goroutines, waits for them and returns the cause of the end.
func (w *Writer) stop(cause error) error {
	w.once.Do(func() {
		if w.cancel == nil {
			return // never opened
		}
		w.cancel(cause)
		_, _ = w.senders.Wait(), w.keeper.Wait() // their errors are the context's cause
		w.control.cursor.close()
		w.client.close()
	})
	if w.ctx == nil {
		return cause
	}
	return context.Cause(w.ctx)
}

// run starts a goroutine whose error ends the writer.
func (w *Writer) run(g *errgroup.Group, f func(context.Context) error) {
	g.Go(func() error {
		err := f(w.ctx)
		if err != nil {
			w.cancel(err)
		}
		return err
	})
}
