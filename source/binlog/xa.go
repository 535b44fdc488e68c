package binlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
)

// What prepared XA transactions may hold in memory while their outcome is
// open. One that is larger is read again from the binlog when it commits.
const (
	heldBytes    = 4 << 20  // by one
	heldAllBytes = 32 << 20 // by all together
)

// held is an XA transaction that is prepared, or on its way there: its rows
// stand in the log, and whether they count is said later, in another place of
// the log, or never.
//
// A spill file would bound the memory as well, but not help a run that starts
// between PREPARE and COMMIT, and the log has to be read again for that one
// anyway.
type held struct {
	place  place
	events []byte // table maps and rows events of captured tables, by appendEvent
	left   bool   // events were left out, for want of room
	table  *table // a captured one that it changes; nil: none
}

// place is where a transaction begins, on the server that is connected.
type place struct {
	file  string
	start uint64
}

// xid takes the identifier out of "XA START X'61',X”,1 …".
func xid(text []byte) string {
	f := strings.Fields(string(text))
	if len(f) < 3 {
		return ""
	}
	return f[2]
}

// onXA follows the statements of XA transactions.
func (r *run) onXA(ctx context.Context, h *header, ts []token, q *query) error {
	id := xid(q.text)
	switch {
	case ts[1].is("START"), ts[1].is("BEGIN"):
		r.txn.group, r.txn.xid = true, id
		r.txn.held = &held{place: place{r.txn.file, r.txn.start}}
		return nil
	case ts[1].is("COMMIT"):
		if r.txn.passed {
			r.forget(id)
			return r.endTransaction(ctx, h)
		}
		if err := r.commitXA(ctx, h, id); err != nil {
			return err
		}
		return r.endTransaction(ctx, h)
	case ts[1].is("ROLLBACK"):
		r.forget(id)
		return r.endTransaction(ctx, h)
	}
	return nil
}

// hold puts an event of the XA transaction aside, if it is about captured
// tables.
func (r *run) hold(ctx context.Context, h *header, body []byte) error {
	p := r.txn.held
	if h.typ == evTableMap {
		if err := r.onTableMap(ctx, body); err != nil {
			return err
		}
	}
	if len(body) < 6 {
		return errEvent
	}
	v := r.maps[tableNumber(body)]
	if v == nil || v.table == nil {
		return nil // an unknown number is one of another table, or ends a statement: both are found when it commits
	}
	p.table, r.txn.captured = v.table, v.table
	if p.left || len(p.events)+len(body) > heldBytes || r.heldSize+len(body) > heldAllBytes {
		r.heldSize -= len(p.events)
		p.left, p.events = true, nil
		return nil
	}
	before := len(p.events)
	p.events = appendEvent(p.events, h.typ, body)
	r.heldSize += len(p.events) - before
	return nil
}

func appendEvent(b []byte, typ byte, body []byte) []byte {
	b = append(b, typ)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}

// onXAPrepare ends the rows of an XA transaction, for good (one phase) or for
// now.
func (r *run) onXAPrepare(ctx context.Context, h *header, body []byte) error {
	c := cursor{b: body}
	onePhase := c.number(1) != 0
	p := r.txn.held
	if c.bad || p == nil {
		return errEvent
	}
	r.forget(r.txn.xid)
	r.prepared[r.txn.xid], r.txn.held = p, nil
	if onePhase {
		if err := r.commitXA(ctx, h, r.txn.xid); err != nil {
			return err
		}
	}
	return r.endTransaction(ctx, h)
}

// forget drops what is held of an XA transaction.
func (r *run) forget(id string) {
	if p := r.prepared[id]; p != nil {
		r.heldSize -= len(p.events)
		delete(r.prepared, id)
	}
}

// forgetPlaces is called when the connection is lost: the next one may lead to
// another server, whose files are others. An XA transaction that was not
// prepared yet comes again as a whole.
func (r *run) forgetPlaces() {
	if p := r.txn.held; p != nil {
		r.heldSize -= len(p.events)
	}
	for _, p := range r.prepared {
		p.place = place{}
	}
}

// commitXA makes the rows of a prepared transaction rows of the one that the
// stream is in, which commits it: it is the GTID of that one that says whether a
// reader has them. The position may therefore pass an open XA transaction, and
// nothing of it has to be durable anywhere.
//
// Its rows are locked from PREPARE on, and its tables too, so that no change
// between there and here is about them.
func (r *run) commitXA(ctx context.Context, h *header, id string) error {
	p := r.prepared[id]
	switch {
	case p == nil, p.left && p.place.file == "":
		at, err := r.findPrepared(ctx, id)
		if err != nil {
			return err
		}
		if err := r.readAgain(ctx, h, id, at); err != nil {
			return err
		}
	case p.left:
		if err := r.readAgain(ctx, h, id, p.place); err != nil {
			return err
		}
	default:
		c := cursor{b: p.events}
		for len(c.b) > 0 {
			typ, n := byte(c.number(1)), int(c.number(4))
			if err := r.replay(ctx, h, typ, c.take(n)); err != nil {
				return err
			}
		}
	}
	r.forget(id)
	return nil
}

// replay takes an event of the prepared transaction as if it stood at the
// commit.
func (r *run) replay(ctx context.Context, commit *header, typ byte, body []byte) error {
	h := *commit
	h.typ = typ
	if typ == evTableMap {
		return r.onTableMap(ctx, body)
	}
	return r.takeRows(ctx, &h, body)
}

// UnknownXAError says that an XA transaction was committed whose rows the
// server no longer has. It is an ErrPositionLost.
type UnknownXAError struct {
	XID       string // as in XA COMMIT
	Committed string // the place of that
	Oldest    string // the first file that the server has
}

func (e *UnknownXAError) Error() string {
	return fmt.Sprintf("the XA transaction %s, committed at %s, was prepared in a part of the binlog that the server has purged (it begins with %s), so that its rows are not known", e.XID, e.Committed, e.Oldest)
}

// Is makes it an ErrPositionLost.
func (e *UnknownXAError) Is(target error) bool { return target == ErrPositionLost }
