package kafkalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// loadsPerRecord bounds a control record: each holds the shape of its table.
const loadsPerRecord = 50

// loadProgress is the control record of what has come of a load. The newest counts,
// table by table.
type loadProgress struct {
	History int64       `json:"history"`
	Tables  []tableLoad `json:"tables"`
}

// tableLoad is how far the load of one table has come, and the version that it
// began with: under another one the rows of which it speaks are void.
type tableLoad struct {
	Version int64         `json:"version"`
	Key     []int         `json:"key,omitempty"`  // columns of the records' keys; none: those of the table's
	Form    int64         `json:"form,omitempty"` // of the records
	Table   *schema.Table `json:"table"`
	Load    schema.Load   `json:"load"`
}

// loadNote is progress that waits until the broker has the rows of which it speaks.
type loadNote struct {
	progress loadProgress
	missing  map[*partitionWriter]int64 // number of the last record to be acknowledged
}

// tellProgress takes how far the load of a table has come. Its rows were sent before.
func (w *Writer) tellProgress(p schema.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress[p.Table.ID] = p
}

// noteLoad begins to make durable what was told of the load since the last time.
// What is being sent meanwhile is not waited for.
func (w *Writer) noteLoad() {
	w.cutsMu.Lock()
	waits := w.note != nil
	w.cutsMu.Unlock()
	if waits {
		return
	}
	n, parts := w.collectProgress()
	if len(n.progress.Tables) == 0 {
		return
	}
	for _, p := range parts {
		n.missing[p] = p.last()
	}
	w.cutsMu.Lock()
	defer w.cutsMu.Unlock()
	w.note = n
	for p, seq := range n.missing {
		w.settleNote(p, seq)
	}
}

// collectProgress takes what was told. The numbers that have to be acknowledged must
// be looked up later: all rows that it speaks of have one by then.
func (w *Writer) collectProgress() (*loadNote, []*partitionWriter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := &loadNote{progress: loadProgress{History: w.history()}, missing: map[*partitionWriter]int64{}}
	var parts []*partitionWriter
	for id, p := range w.progress {
		t := w.tables[id]
		n.progress.Tables = append(n.progress.Tables, tableLoad{Version: t.load, Key: t.key, Form: w.cfg.Modes.Code(), Table: p.Table, Load: p.Load})
		parts = append(parts, t.parts...)
	}
	clear(w.progress)
	return n, parts
}

// reached is called by a partition when the broker has everything up to that number.
func (w *Writer) reached(p *partitionWriter, seq int64) {
	w.cutsMu.Lock()
	defer w.cutsMu.Unlock()
	p.reachedSeq = seq
	if w.note != nil {
		if seq, waits := w.note.missing[p]; waits {
			w.settleNote(p, seq)
		}
	}
}

// settleNote strikes a partition off the note if it has come to that number. The
// caller holds cutsMu.
func (w *Writer) settleNote(p *partitionWriter, seq int64) {
	if p.reachedSeq < seq {
		return
	}
	delete(w.note.missing, p)
	if len(w.note.missing) == 0 {
		select {
		case w.noted <- struct{}{}:
		default: // it will look
		}
	}
}

// writeNote writes the progress that the broker has the rows of.
func (w *Writer) writeNote(ctx context.Context) error {
	w.cutsMu.Lock()
	n := w.note
	if n == nil || len(n.missing) > 0 {
		w.cutsMu.Unlock()
		return nil
	}
	w.note = nil
	w.cutsMu.Unlock()
	w.begunMu.Lock()
	defer w.begunMu.Unlock()
	if n.progress.History != w.begun {
		return nil // another load has begun since
	}
	for tables := range slices.Chunk(n.progress.Tables, loadsPerRecord) {
		record := controlRecord{Epoch: w.epoch, Progress: &loadProgress{History: n.progress.History, Tables: tables}, Overlap: w.overlap}
		if _, err := w.control.write(ctx, time.Now().UnixMilli(), record); err != nil {
			return fmt.Errorf("noting the progress of a load: %w", err)
		}
	}
	w.log.Info("what has come of the load is durable", "tables", len(n.progress.Tables))
	return nil
}

// endNotes writes what was told last. Everything that was sent is acknowledged.
func (w *Writer) endNotes(ctx context.Context) error {
	if err := w.writeNote(ctx); err != nil {
		return err
	}
	w.noteLoad()
	return w.writeNote(ctx)
}

func (w *Writer) history() int64 {
	w.begunMu.Lock()
	defer w.begunMu.Unlock()
	return w.begun
}

// takeUpLoad offers the source to go on with a load that an earlier one began. What
// the log holds of its tables counts then: rows that were sent before, and
// transactions that an earlier source came to in the replay. All else behind the
// checkpoint is void. A source that begins anew says so.
func (w *Writer) takeUpLoad() error {
	state := &w.control.state
	if !w.resume.Unfinished() || state.history != w.begun {
		return nil
	}
	loads := map[schema.TableID]schema.Progress{}
	for id, l := range state.loads {
		t := w.tables[id]
		if t == nil || len(t.parts) == 0 || !w.stands(t, l.Version) {
			continue
		}
		if err := l.Table.Prepare(); err != nil {
			return fmt.Errorf("taking over the progress of a load: %w", err)
		}
		if err := w.encodeAs(t, l.Table); err != nil {
			return err
		}
		if l.Key == nil {
			l.Key = l.Table.Key
		}
		if len(t.parts) > 1 && !w.sameKeys(t, l.Key, l.Form) {
			continue // a row that comes again, or changed, would stand in another partition, in no order
		}
		t.load = l.Version
		for _, p := range t.parts {
			t.version = max(t.version, p.version)
		}
		// Rows of which nothing was told count too.
		l.Load.Overlap = state.overlap.Later(l.Load.Overlap)
		loads[id] = schema.Progress{Table: l.Table, Load: l.Load}
	}
	if len(loads) == 0 {
		return nil
	}
	for id, t := range w.tables {
		if _, ok := loads[id]; ok {
			continue
		}
		t.gone = true // until the load brings it
		for _, p := range t.parts {
			w.recovery.Reset(p.number)
		}
	}
	w.resume.Loads, w.overlap = loads, state.overlap
	w.boundary, w.loading, w.reloading = false, true, true
	return nil
}

// stands tells whether all partitions hold that load of the table, and nothing of
// another shape or another load behind it.
func (w *Writer) stands(t *writerTable, version int64) bool {
	return !slices.ContainsFunc(t.parts, func(p *partitionWriter) bool { return w.scans[p.number].Load() != version })
}

// continueVersion marks in all partitions of a table that its load goes on. A source
// that was killed may have told a part of them only; they have to agree before the
// next version, as readers wait for each in all of them.
func (w *Writer) continueVersion(t *writerTable, payload []byte) error {
	mark := schema.SchemaChange{Continued: true}
	for _, p := range t.parts {
		if p.version < t.version {
			if err := w.markVersion(p, t.version, mark, payload); err != nil {
				return err
			}
		}
	}
	t.version++
	for _, p := range t.parts {
		w.recovery.Again(p.number)
		if err := w.markVersion(p, t.version, mark, payload); err != nil {
			return err
		}
	}
	return nil
}
