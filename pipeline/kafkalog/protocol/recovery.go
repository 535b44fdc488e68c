package protocol

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
)

// ErrSuperseded says that another source has claimed the log later.
var ErrSuperseded = errors.New("another source has taken over the log")

// Scan learns what one partition holds behind a checkpoint, up to the fence of
// the source that scans.
type Scan struct {
	State schema.LogPosition // where the scan stands

	found   map[Txn]found    // what was accepted of each transaction
	again   map[Txn]struct{} // accepted before the load went on: will be sent again
	version int64            // the last table version that was announced
	load    int64            // the version that a load of the table began with
	lane    *Record          // that began one behind the checkpoint
	altered bool             // another shape was announced behind the checkpoint
	cut     int64            // the last cut

	times map[Txn]int64 // when the source committed what was accepted
}

// found is the last row of a transaction, and the source that wrote it.
type found struct{ ordinal, epoch int64 }

// NewScan starts a scan at a checkpoint's state.
func NewScan(from schema.LogPosition) *Scan {
	return &Scan{State: from, found: map[Txn]found{}, again: map[Txn]struct{}{}, version: from.Schema, cut: from.Cut, times: map[Txn]int64{}}
}

// Record takes the next record of the partition. done says that it was the fence
// with the own epoch: whatever follows cannot be accepted under an older one.
func (s *Scan) Record(epoch, offset int64, r *Record) (done bool, err error) {
	v, err := Fold(&s.State, offset, r)
	if err != nil {
		return false, err
	}
	if s.State.Epoch > epoch {
		return false, ErrSuperseded
	}
	if v == Accepted {
		switch r.Kind {
		case Row:
			if !r.Txn.IsZero() {
				s.found[r.Txn] = found{max(s.found[r.Txn].ordinal, r.Ordinal), r.Epoch}
				s.times[r.Txn] = r.Time
			}
		case DDL:
			s.version = r.Version
			switch {
			case r.Reset:
				// What stands before a reset is void: its source will be read again
				// behind it, and must be sent then.
				s.void()
				s.load, s.lane = r.Version, nil
			case r.Continued:
				s.repeat()
			case !r.Lane:
				s.load, s.altered = 0, true
			}
			if r.Lane {
				s.beginLane(r)
			}
		case Cut:
			s.cut = r.Cut
		}
	}
	return v == Fenced && r.Epoch == epoch, nil
}

func (s *Scan) beginLane(r *Record) {
	begun := *r
	begun.Payload = bytes.Clone(r.Payload)
	s.load, s.lane = 0, &begun
}

func (s *Scan) void() {
	clear(s.found)
	clear(s.again)
}

// repeat forgets how far the transactions are there, and not that they are: rows of
// the load that follow may be of a state before them.
func (s *Scan) repeat() {
	for t := range s.found {
		s.again[t] = struct{}{}
	}
	clear(s.found)
}

// Load returns the table version that a load began with, if all that stands behind
// it is that load's; 0: there is no such load.
func (s *Scan) Load() int64 { return s.load }

// Cut returns the last cut that the partition holds, even if others lack it.
func (s *Scan) Cut() int64 { return s.cut }

// Version returns the last table version that the partition holds.
func (s *Scan) Version() int64 { return s.version }

// Recovery is what a source knows of the log that it took over: which rows are
// there already and must not be sent again, and whether it has passed all of
// them. Until then neither a checkpoint nor a cut may be written: both say "all
// up to this position, and nothing else", and rows of later transactions are in
// the log already.
type Recovery struct {
	parts   map[int]*Scan
	pending map[Txn]struct{}
	times   map[Txn]int64 // of the pending ones
	commits int           // since the pending transactions were last compared with a position
}

// NewRecovery puts the scans of all partitions together, by partition number.
func NewRecovery(parts map[int]*Scan) *Recovery {
	r := &Recovery{parts: parts, pending: map[Txn]struct{}{}, times: map[Txn]int64{}}
	for _, s := range parts {
		maps.Copy(r.times, s.times)
		for t := range s.found {
			r.pending[t] = struct{}{}
		}
		maps.Copy(r.pending, s.again)
	}
	r.settle()
	return r
}

// Has tells whether the partition holds that row already. Rows of a transaction
// are logged in order, so what is there of it is a beginning.
func (r *Recovery) Has(part int, t Txn, ordinal int64) bool {
	if r.parts == nil || t.IsZero() {
		return false
	}
	s, ok := r.parts[part]
	if !ok {
		return false
	}
	last, ok := s.found[t]
	return ok && ordinal <= last.ordinal
}

// Renamed tells whether the log holds another transaction under that name, which
// was committed at another time. A server that loses its last transactions in a
// crash gives their names to new ones, of which Has would hold back the beginnings.
func (r *Recovery) Renamed(t Txn, committed int64) bool {
	if _, pending := r.pending[t]; !pending {
		return false
	}
	at, known := r.times[t]
	return known && at != committed
}

// WrittenUnder returns a selection other than the given one under which some of
// the pending transactions were sent. Such a source must not go on: rows are
// numbered within their transaction over all captured tables, so under another
// selection the numbers that Has compares name other rows.
func (r *Recovery) WrittenUnder(c *Claims, selection string) (other string, ok bool) {
	epochs := map[int64]struct{}{}
	for _, s := range r.parts {
		for _, f := range s.found {
			epochs[f.epoch] = struct{}{}
		}
	}
	for _, e := range slices.Sorted(maps.Keys(epochs)) {
		if other := c.Selection(e); other != selection {
			return other, true
		}
	}
	return "", false
}

// Pending returns how many transactions have to be passed again.
func (r *Recovery) Pending() int { return len(r.pending) }

// Sent returns the position with what has to be passed again.
func (r *Recovery) Sent(p schema.Position) schema.Position {
	p.GTIDs = p.GTIDs.Clone()
	for t := range r.pending {
		place := schema.Position{Server: p.Server, File: t.File, Offset: t.Pos + 1} // something stands there
		switch {
		case !t.GTID.IsZero():
			p.GTIDs.Add(t.GTID)
		case !p.Contains(place):
			p.File, p.Offset = place.File, place.Offset
		}
	}
	return p
}

// Reset forgets what a partition holds, when a load is about to void it.
func (r *Recovery) Reset(part int) {
	s, ok := r.parts[part]
	if !ok {
		return
	}
	s.void()
	for t := range r.pending {
		if !r.anywhere(t) {
			delete(r.pending, t)
		}
	}
	r.settle()
}

// Again makes Has deny all of a partition, when a load of its table is about to go
// on. Its rows are of a state that may lie before a transaction which is there, and
// none of them may stand in a cut without that transaction: it stays pending.
func (r *Recovery) Again(part int) {
	if s, ok := r.parts[part]; ok {
		s.repeat()
	}
}

// Abandon forgets everything: a load of all tables is about to begin. Tables that
// it brings are void before it, and of the others no transaction will be passed
// again; waiting for one would be to wait for ever.
func (r *Recovery) Abandon() {
	clear(r.pending)
	r.settle()
}

func (r *Recovery) anywhere(t Txn) bool {
	for _, s := range r.parts {
		_, found := s.found[t]
		_, again := s.again[t]
		if found || again {
			return true
		}
	}
	return false
}

// Passed says that the source has sent all of the transactions in seen, and
// stands at p.
func (r *Recovery) Passed(seen []Txn, p schema.Position) {
	if r.Drained() {
		return
	}
	for _, t := range seen {
		delete(r.pending, t)
	}
	// Transactions pass without being seen when their tables are no longer read.
	// Comparing one by one is dear: not at each commit.
	if r.commits++; r.commits > len(r.pending)/8 {
		r.Reached(p)
	}
	r.settle()
}

// Reached says that the source stands at p, whatever it has sent.
func (r *Recovery) Reached(p schema.Position) {
	r.commits = 0
	for t := range r.pending {
		if t.Before(p) {
			delete(r.pending, t)
		}
	}
	r.settle()
}

func (r *Recovery) settle() {
	if len(r.pending) == 0 {
		r.parts, r.times = nil, nil
	}
}

// Drained tells whether everything that was found has been passed again.
func (r *Recovery) Drained() bool { return r.parts == nil }
