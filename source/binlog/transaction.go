package binlog

import (
	"context"
	"fmt"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
)

// transaction is the one that the stream is in.
type transaction struct {
	open     bool
	group    bool // BEGIN or XA START was seen: its end is said too
	gtid     schema.GTID
	file     string // where it starts
	start    uint64
	time     int64 // commit, µs
	serverID uint32
	thread   uint32
	rows     int    // of captured tables so far
	place    uint64 // of the last rows event
	placeRow int    // rows before that place
	skip     int    // of its rows were handed on before the connection was lost
	captured *table // the last captured table that it changed; nil: none
	xid      string // of an XA transaction
	held     *held  // that transaction's rows, which do not count yet
	passed   bool   // its rows are left out
	seen     bool   // and so is the rest of it, which was passed before
	// announced: its statement is one that only begins, or was given up.
	announced bool
}

// id names the transaction for people.
func (t *transaction) id() string {
	if !t.gtid.IsZero() {
		return t.gtid.String()
	}
	return fmt.Sprintf("%s:%d", t.file, t.start)
}

// half is a transaction that a lost connection cut in two: its first rows are
// in blocks, perhaps handed on, and will come again.
type half struct {
	gtid  schema.GTID
	file  string
	start uint64
	time  int64
	rows  int
}

// cutTransaction notes what of the open transaction was taken, when the
// connection is lost.
//
// The alternative, to throw its rows away, works only for rows that were not
// handed on, and those of a large transaction were.
func (r *run) cutTransaction() {
	t := &r.txn
	if t.open && t.rows > r.half.rows {
		r.half = half{t.gtid, t.file, t.start, t.time, t.rows}
	}
	r.txn = transaction{}
}

// resumeHalf lets a transaction that is read again skip the rows that were
// taken before. It must be the very next one: Commits before its end would
// publish half of it. Its commit time is compared too: a server that lost its
// last transactions in a crash gives their numbers to new ones.
func (r *run) resumeHalf() error {
	if r.half.rows == 0 {
		return nil
	}
	t := &r.txn
	same := t.gtid == r.half.gtid && t.time == r.half.time
	if t.gtid.IsZero() {
		same = same && t.file == r.half.file && t.start == r.half.start
	}
	if !same {
		was := transaction{gtid: r.half.gtid, file: r.half.file, start: r.half.start}
		return fmt.Errorf("the connection was lost within transaction %s, and the server now goes on with %s; remedy: start again, which begins at the last published cut", was.id(), t.id())
	}
	t.skip = r.half.rows
	return nil
}

// endTransaction is where positions come from.
func (r *run) endTransaction(ctx context.Context, h *header) error {
	t := &r.txn
	if t.rows < t.skip {
		return fmt.Errorf("transaction %s had %d rows before the connection was lost and has %d now; remedy: start again, which begins at the last published cut", t.id(), t.skip, t.rows)
	}
	if t.time == 0 {
		t.time = int64(h.time) * 1_000_000
	}
	if r.gtidMode {
		r.gtids.Add(t.gtid)
		switch {
		case r.until == nil:
		case r.cfg.MariaDB:
			r.ends = slices.DeleteFunc(r.ends, r.gtids.Contains)
			r.missing = int64(len(r.ends))
		case r.remaining.Contains(t.gtid):
			r.missing--
		}
	}
	r.half = half{}
	r.boundary, r.lastTime = r.offset, t.time
	t.open, t.group = false, false
	r.dirtyNow()
	if r.until != nil {
		if err := r.checkUntil(ctx); err != nil {
			return err
		}
	}
	if r.due || r.bytes >= commitBytes || r.rows >= commitRows {
		return r.commit(ctx)
	}
	return nil
}

// checkUntil ends the stream where it was asked to, or, where a lane is under way by
// then, with the Commit that completes it.
func (r *run) checkUntil(ctx context.Context) error {
	if r.reached || r.gtidMode && r.missing > 0 || !r.gtidMode && !r.position().Contains(*r.until) {
		return nil
	}
	r.reached = true
	return r.commit(ctx)
}
