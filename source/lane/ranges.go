package lane

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// readRanges reads what is left of a table with a key, range by range, each as it is
// at that moment.
func (l *Lanes) readRanges(ctx context.Context, out pipeline.Writer, t *table, generation int, rest []schema.Range) error {
	scan, err := snapshot.OpenScan(ctx, l.snapshotConfig(t), t.id, rest)
	if err != nil {
		return err
	}
	if scan == nil { // the stream will meet the statement that has done it
		return l.awaitShape(ctx, t, generation)
	}
	defer scan.Close()
	if !l.fits(t, scan.Described.Table, generation) {
		return l.awaitShape(ctx, t, generation)
	}
	g, gctx := errgroup.WithContext(ctx)
	chunks := make(chan *snapshot.Chunk)
	g.Go(func() error {
		defer close(chunks)
		for c, err := range scan.Rest(gctx) {
			if err != nil {
				return err
			}
			select {
			case chunks <- c:
			case <-gctx.Done():
				return context.Cause(gctx)
			}
		}
		return nil
	})
	for i := range scan.Connections() {
		g.Go(func() error {
			for c := range chunks {
				if err := l.awaitTurn(gctx, scan.Snapshot); err != nil {
					return err
				}
				r := rangeReader{lanes: l, out: out, table: t, generation: generation, scan: scan, reader: i}
				if err := r.read(gctx, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// fits tells whether rows of the shape can be sent among those of the stream.
func (l *Lanes) fits(t *table, shape *schema.Table, generation int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.void(generation) && l.cfg.Same(t.shape, shape)
}

// awaitTurn waits while the lanes are paused, and while the server is too busy.
func (l *Lanes) awaitTurn(ctx context.Context, s *snapshot.Snapshot) error {
	for {
		if !l.isPaused() {
			return s.AwaitQuiet(ctx)
		}
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
}

// rangeReader reads ranges over one connection.
type rangeReader struct {
	lanes      *Lanes
	out        pipeline.Writer
	table      *table
	generation int
	scan       *snapshot.Scan
	reader     int
}

// read sends the rows of a range. The window is opened before the server is asked for
// anything: see the rule in the package's comment.
func (r *rangeReader) read(ctx context.Context, c *snapshot.Chunk) error {
	w, err := r.table.openWindow(r.generation)
	if err != nil {
		return err
	}
	defer r.table.closeWindow(w)
	seen, err := r.scan.Read(ctx, r.reader, c, func(b *schema.Block) error {
		return r.lanes.send(ctx, r.out, r.table, r.generation, w, b)
	})
	if err != nil {
		return err
	}
	rest, err := r.scan.Done(c)
	if err != nil {
		return fmt.Errorf("noting the progress of table %s: %w", r.table.id, err)
	}
	return r.lanes.done(r.table, r.generation, rest, seen)
}

// send sends rows of a lane once there is room for them. The bound is what keeps the
// others going: whatever a lane has under way stands before them in the queue.
func (l *Lanes) send(ctx context.Context, out pipeline.Writer, t *table, generation int, w *window, b *schema.Block) error {
	weight := min(int64(b.Size()), int64(max(l.cfg.Window, 1)))
	if err := l.room.Acquire(ctx, weight); err != nil {
		b.Release()
		return context.Cause(ctx)
	}
	return t.put(ctx, out, generation, w, b, func() { l.room.Release(weight) })
}

// done notes what is left of the table, and what the rows so far may show.
func (l *Lanes) done(t *table, generation int, rest []schema.Range, seen schema.Position) error {
	t.mu.Lock()
	if t.void(generation) {
		t.mu.Unlock()
		return errVoid
	}
	seen.File, seen.Offset = fileOf(seen)
	t.rest, t.until = rest, seen.Later(t.until)
	t.mu.Unlock()
	if len(rest) == 0 {
		l.tell(t, ScanEnded, nil)
	} else {
		l.observe(Event{Kind: InProgress, Request: t.wish.request, Table: t.id, Rows: t.rows.Load()})
	}
	l.Poke()
	return nil
}

// fileOf returns the place in a file that counts: none where GTIDs do.
func fileOf(p schema.Position) (string, uint64) {
	if p.UsesGTIDs() {
		return "", 0
	}
	return p.File, p.Offset
}
