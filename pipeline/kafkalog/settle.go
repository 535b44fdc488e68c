package kafkalog

import "context"

// settle makes a checkpoint of the place where the source stands, and waits for it,
// before a table is voided in the middle of the stream.
//
// A source that takes the log over from a checkpoint further back would meet the mark
// in the partitions, which voids rows that nobody sends again, while it comes to
// statements from before it: any cut until it has come to the same statement would show
// the table without them. As it is, the statement is the first thing that it comes to.
//
// The stream commits before such a change. Where no Commit came, all is part of a load,
// which is not complete either and voids the table when it goes on.
func (w *Writer) settle() error {
	w.mu.Lock()
	if err := w.broadcastCut(true); err != nil {
		w.mu.Unlock()
		return err
	}
	cut, waits := w.cut, w.boundary && !w.uncut
	w.mu.Unlock()
	for waits && w.isOpen(cut) {
		select {
		case <-w.settled:
		case <-w.ctx.Done():
			return context.Cause(w.ctx)
		}
	}
	return nil
}

// isOpen tells whether a cut was made of which there is no checkpoint, and sees to it
// that there will be one.
func (w *Writer) isOpen(cut int64) bool {
	w.cutsMu.Lock()
	defer w.cutsMu.Unlock()
	if o := w.cuts[cut]; o != nil {
		o.force = true
		return true
	}
	if w.ready == nil || w.ready.Cut < cut || w.written >= cut {
		return false
	}
	select {
	case w.force <- struct{}{}:
	default: // one is asked for already
	}
	return true
}

func (w *Writer) noteWritten(cut int64) {
	w.cutsMu.Lock()
	defer w.cutsMu.Unlock()
	w.written = cut
	select {
	case w.settled <- struct{}{}:
	default:
	}
}
