package kafkalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// describe makes a checkpoint of what the log knows now, without the states of
// the partitions.
func (w *Writer) describe(cut int64, at schema.Commit) checkpoint {
	p := at.Position
	p.Log, p.LogID = nil, ""
	c := checkpoint{Log: w.identity, Position: p, Cut: cut, Tables: slices.Clone(w.entries), Partition: map[string]schema.LogPosition{},
		Selection: w.cfg.Selection, Lanes: w.laneEntries(at.Loading)}
	for _, t := range w.tables {
		if t.shape != nil && !t.gone {
			c.Shapes = append(c.Shapes, tableShape{Version: t.version, Table: t.shape})
		}
	}
	slices.SortFunc(c.Shapes, func(a, b tableShape) int { return a.Table.ID.Compare(b.Table.ID) })
	return c
}

// openCut notes a cut before it is broadcast. Its checkpoint can be written once
// all partitions have acknowledged it: then everything before it is in the log,
// and everything behind it belongs to later transactions.
func (w *Writer) openCut(cut int64, force bool) {
	o := &openCut{checkpoint: w.describe(cut, w.last), missing: len(w.parts), force: force}
	w.cutsMu.Lock()
	defer w.cutsMu.Unlock()
	if o.missing == 0 {
		w.ready = &o.checkpoint
		return
	}
	w.cuts[cut] = o
}

// acked is called by a partition when the broker has a cut.
func (w *Writer) acked(p *partitionWriter, m cutMark, next int64) {
	w.cutsMu.Lock()
	defer w.cutsMu.Unlock()
	o := w.cuts[m.cut]
	o.checkpoint.Partition[p.key()] = m.state(p.epoch, next)
	if o.missing--; o.missing > 0 {
		return
	}
	delete(w.cuts, m.cut)
	w.ready = &o.checkpoint
	if o.force {
		select {
		case w.force <- struct{}{}:
		default: // one is asked for already
		}
	}
}

// keep marks cuts when the source pauses, and writes checkpoints. It ends when
// the writer is closed, after the last checkpoint.
func (w *Writer) keep(ctx context.Context) error {
	cuts := time.NewTicker(w.cfg.CutInterval)
	defer cuts.Stop()
	checkpoints := time.NewTicker(w.cfg.CheckpointInterval)
	defer checkpoints.Stop()
	loads := time.NewTicker(w.cfg.LoadInterval)
	defer loads.Stop()
	for {
		var err error
		select {
		case <-cuts.C:
			err = w.cutWhenDue()
		case <-checkpoints.C:
			err = w.checkpoint(ctx)
		case <-loads.C:
			w.noteLoad()
		case <-w.noted:
			err = w.writeNote(ctx)
		case _, open := <-w.force:
			if err = w.checkpoint(ctx); err == nil && !open {
				return w.endNotes(ctx)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (w *Writer) cutWhenDue() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.cutAt) < w.cfg.CutInterval {
		return nil
	}
	return w.broadcastCut(false)
}

// checkpoint writes the last cut that is acknowledged everywhere, and looks
// whether the log has another owner. What a source without the log still writes
// is dropped by all readers, so noticing late costs nothing but its work.
func (w *Writer) checkpoint(ctx context.Context) error {
	if err := w.checkOwner(ctx); err != nil {
		return err
	}
	w.cutsMu.Lock()
	c, written := w.ready, w.written
	w.cutsMu.Unlock()
	if c == nil || c.Cut == written {
		return nil
	}
	if err := w.writeCheckpoint(ctx, c); err != nil {
		return err
	}
	w.noteWritten(c.Cut)
	w.transport.noteCheckpoint(c.Partition)
	return nil
}

// checkOwner reads the control topic to its end, and tells by an error if another
// source has claimed the log.
func (w *Writer) checkOwner(ctx context.Context) error {
	w.controlMu.Lock()
	defer w.controlMu.Unlock()
	if err := w.control.readAll(ctx); err != nil {
		return err
	}
	if w.control.state.claims.Owner() != w.epoch {
		return ErrSuperseded
	}
	return nil
}

// writeCheckpoint writes a checkpoint, which may be one from before a load that
// has begun since, and says so.
func (w *Writer) writeCheckpoint(ctx context.Context, c *checkpoint) error {
	w.begunMu.Lock()
	defer w.begunMu.Unlock()
	c.Load = w.begun
	_, err := w.control.write(ctx, time.Now().UnixMilli(), controlRecord{Epoch: w.epoch, Checkpoint: c})
	return err
}

// begin makes durable that a load of all tables begins, before anything of it
// can be in the log: a source that goes on from the last checkpoint must know
// that behind it the tables are void.
func (w *Writer) begin(a schema.Anew) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The last of what was there, for tables that the load does not bring.
	if err := w.broadcastCut(false); err != nil {
		return err
	}
	w.boundary, w.loading, w.reloading = false, true, true
	if err := w.writeLoad(a.History); err != nil {
		return fmt.Errorf("beginning a load: %w", err)
	}
	w.recovery.Abandon()
	w.seen = w.seen[:0]
	clear(w.progress)
	for _, t := range w.tables {
		t.gone = true // until the load brings it
	}
	return nil
}

// leaveTables ends the versions of tables that a load did not bring. One of them
// may stand in a part of the partitions only, where a reader waits for the rest
// of the broadcast; and nobody is left to send it again.
func (w *Writer) leaveTables() error {
	for _, e := range w.entries {
		t := w.tables[e.ID]
		if !t.gone {
			continue
		}
		if err := w.broadcastVersion(t, schema.SchemaChange{Reset: true}); err != nil {
			return err
		}
	}
	return nil
}

// writeLoad says that a load begins, and finds out whether that counts. A source
// that has claimed the log before it knows nothing of the load, and if it has not
// come to fence all partitions yet, a reset in one of them would count.
func (w *Writer) writeLoad(history int64) error {
	w.begunMu.Lock()
	defer w.begunMu.Unlock()
	w.begun, w.overlap = history, schema.Position{}
	return w.writeLoadLocked()
}

// noteOverlap says up to where rows of the load may have been read, before any of
// them can be in the log. They count although their source may be killed before it
// tells of them, and the next one may read from a server that lags behind.
func (w *Writer) noteOverlap(p schema.Position) error {
	w.begunMu.Lock()
	defer w.begunMu.Unlock()
	if w.begun == 0 || w.overlap.Contains(p) {
		return nil
	}
	w.overlap = w.overlap.Later(p)
	return w.writeLoadLocked()
}

func (w *Writer) writeLoadLocked() error {
	if _, err := w.control.write(w.ctx, time.Now().UnixMilli(), controlRecord{Epoch: w.epoch, Load: w.begun, Overlap: w.overlap}); err != nil {
		return err
	}
	err := w.checkOwner(w.ctx)
	if err != nil {
		w.cancel(err) // nothing of the load may be sent
	}
	return err
}

// lastCut returns the last cut that all partitions are known to hold.
func (w *Writer) lastCut() (cut int64) {
	w.cutsMu.Lock()
	defer w.cutsMu.Unlock()
	if c := w.control.state.checkpoint; c != nil {
		cut = c.Cut
	}
	if w.ready != nil {
		cut = max(cut, w.ready.Cut)
	}
	return cut
}
