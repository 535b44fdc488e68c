package binlog

import (
	"context"
	"slices"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// When buffered rows are published. An OLTP transaction has a row or two in a
// table, and a block for each would cost more than its rows; so rows of many
// transactions share a block, until one of these is reached.
const (
	commitBytes = 2 << 20               // at the end of a transaction
	commitRows  = 16 << 10              // at the end of a transaction
	blockBytes  = 4 << 20               // within a transaction: blocks go on, without a Commit
	rowDelay    = 20 * time.Millisecond // rows wait at most this long, and what the transaction that they fall into takes
	idleDelay   = time.Second           // a position without rows waits this long
)

// blockOf returns the table's block that takes rows.
func (r *run) blockOf(t *table) *schema.Block {
	if t.block == nil {
		t.block = schema.NewBlock(t.shape)
		t.extent.Reserve(t.block)
		r.pending = append(r.pending, t)
		r.dirtyNow()
	}
	return t.block
}

// sendBlocks hands on all rows so far. The order between tables has no meaning
// before the next Commit.
func (r *run) sendBlocks(ctx context.Context) error {
	for i, t := range r.pending {
		b := t.block
		t.block = nil
		t.extent.Note(b)
		if err := r.out.Send(ctx, b); err != nil {
			r.pending = r.pending[i+1:]
			return err
		}
	}
	r.pending = r.pending[:0]
	r.rows, r.bytes = 0, 0
	return nil
}

// announce sends a table's new shape, behind the rows that stand under the old
// one.
func (r *run) announce(ctx context.Context, t *table, c schema.SchemaChange) error {
	if err := r.sendBlocks(ctx); err != nil {
		return err
	}
	if c.Cause == (schema.Cause{}) { // else it has one, from an earlier run
		c.Cause = r.causeOf(t, c.Table)
	}
	t.passed(c)
	t.recalled = t.recalled || c.Reset && !c.Lane // all that is said of it from here on is noted
	if r.cfg.Changed != nil {
		r.cfg.Changed(t.shape, c)
	}
	t.shape = c.Table
	r.announced = true
	r.dirtyNow()
	return r.out.Send(ctx, c)
}

// commit publishes everything up to the last transaction's end. It must not be
// called within a transaction.
func (r *run) commit(ctx context.Context) error {
	if err := r.sendBlocks(ctx); err != nil {
		return err
	}
	if err := r.beginLanes(ctx); err != nil {
		return err
	}
	r.dirty, r.due, r.announced = false, false, false
	at := r.position()
	r.ahead = slices.DeleteFunc(r.ahead, func(t *table) bool {
		if !at.Contains(t.covered) {
			return false
		}
		t.covered = schema.Position{} // all of it has passed: no more need to look each event up in it
		return true
	})
	if err := r.out.Send(ctx, schema.Commit{Position: at, Time: time.UnixMicro(r.lastTime)}); err != nil {
		return err
	}
	if r.reached && !r.lanesActive() {
		return errReached
	}
	return nil
}

// position makes the Position of the last transaction's end. The set is copied
// here and nowhere else: with dozens of servers in it, a copy for each
// transaction would cost more than the transaction.
func (r *run) position() schema.Position {
	p := schema.Position{Server: r.cfg.ServerUUID, File: r.file, Offset: r.boundary, History: r.history}
	if r.gtidMode {
		p.GTIDs = r.gtids.Clone()
	}
	return p
}

// dirtyNow notes that there is something to publish, and wakes the flusher.
func (r *run) dirtyNow() {
	if r.dirty {
		return
	}
	r.dirty, r.dirtySince = true, time.Now()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// flushLoop publishes what waits while the stream is silent. It shares the
// run's state with the event handler under r.mu, and sends under it too, so that
// events keep one order.
//
// A handler that looked at the clock after each transaction would leave the
// last rows before a pause unpublished for as long as the pause lasts.
func (r *run) flushLoop(ctx context.Context) error {
	ticker := time.NewTicker(rowDelay)
	defer ticker.Stop()
	var wanted <-chan struct{} // by lanes
	if r.cfg.Lanes != nil {
		wanted = r.cfg.Lanes.Wake()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-wanted:
			r.want()
		}
		ticker.Reset(rowDelay)
		for again := true; again; {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			case <-wanted:
				r.want()
				continue
			}
			var err error
			if again, err = r.tick(ctx); err != nil {
				return err
			}
		}
	}
}

// tick publishes what is due, unless a transaction is open: then its end does.
// It tells whether more ticks are needed. Behind a fault there are none: a row of
// the block may be there by half, and the rows before it belong to a transaction
// that has no end.
func (r *run) tick(ctx context.Context) (again bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.dirty || r.ended:
		return false, nil
	case len(r.pending) == 0 && !r.announced && time.Since(r.dirtySince) < idleDelay:
		return true, nil
	case r.txn.open || r.half.rows > 0:
		r.due = true
		return true, nil
	}
	return false, r.commit(ctx)
}
