package protocol_test

import (
	"maps"
	"slices"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
)

// Sources of the search load single tables beside the stream. Table 0, which has no key,
// is read in one snapshot, and the stream waits for it where it comes to a change that
// the snapshot does not show. Table 1 is read in chunks, each of a state of its own.

// server is where sources read. Several may read the same one.
type server struct {
	order     []int
	committed int // transactions of order
}

// lane is the load of one table beside the stream.
type lane struct {
	rest  []int        // chunks
	until map[int]bool // transactions that its rows may show
	void  bool         // changes are passed over until it begins anew

	// What follows dies with the source.
	reading bool
	at      map[int]bool // what is read shows these transactions
	keys    []int        // still to be sent
	noted   map[int]bool // keys that the stream has changed since
}

func (l *lane) clone() lane {
	return lane{rest: slices.Clone(l.rest), until: maps.Clone(l.until), void: l.void}
}

// holding tells whether the lane holds the stream's changes of its table back: all its
// rows must come at once, and of one state.
func (s *source) holding(table int) bool {
	l := s.lanes[table]
	return table == 0 && l != nil && !l.void && len(l.rest) > 0
}

// inLanes returns the tables in lanes, with how far they have come.
func (s *source) inLanes() map[int]lane {
	all := map[int]lane{}
	for t, l := range s.lanes {
		all[t] = l.clone()
	}
	return all
}

// takeLanes takes up what an earlier source left.
func (w *world) takeLanes(s *source, from control) {
	for t := range tables {
		known, inLane := from.lanes[t]
		var scans []*protocol.Scan
		for p := range partitions {
			if tableOf(p) == t {
				scans = append(scans, s.scans[p])
			}
		}
		start, _ := protocol.TakeLane(inLane, len(known.rest) > 0, scans)
		if w.m.begun && start == protocol.LaneVoid && !inLane {
			continue
		}
		switch start {
		case protocol.LaneGoesOn:
			l := known.clone()
			elsewhere := from.server != s.server && !w.m.elsewhere
			l.void = l.void || (t == 0 || elsewhere) && len(l.rest) > 0
			s.lanes[t] = &l
		case protocol.LaneVoid:
			s.lanes[t] = &lane{void: true, rest: []int{0}}
		}
	}
}

// stepLane does something for a lane, or begins one.
func (w *world) stepLane(s *source, t int) {
	l := s.lanes[t]
	switch {
	case l == nil && (w.settling || w.r.IntN(4) > 0):
	case l == nil || l.void:
		w.beginLane(s, t)
	case len(l.keys) > 0:
		w.putLaneRow(s, t, l)
	case l.reading:
		l.until, l.rest, l.reading = union(l.until, l.at), l.rest[1:], false
		if t == 0 {
			l.rest = nil
		}
	case len(l.rest) > 0:
		w.openChunk(s, t, l)
	}
}

// beginLane announces a lane: its table is void, or the rows stay in whose place none
// comes, if there is nothing in the log of a later shape.
func (w *world) beginLane(s *source, t int) {
	keep := t == 1 && s.lanes[t] == nil && w.r.IntN(2) == 0
	if keep && !contains(s.passed, s.start) && !w.m.kept {
		return
	}
	s.lanes[t] = &lane{rest: []int{0, 1, 2}}
	if keep {
		s.lanes[t].rest = []int{w.r.IntN(chunks)}
		s.versions[t]++
		for p := range partitions {
			if tableOf(p) == t && s.scans[p].Version() < s.versions[t] {
				w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.DDL, Version: s.versions[t], Lane: true}})
			}
		}
		return
	}
	w.resetTable(s, t, true)
}

// openChunk reads a chunk of the table as the server shows it at some moment, at which
// it has all that the log holds. Keys that the stream changes from now on are noted.
func (w *world) openChunk(s *source, t int, l *lane) {
	on := s.server
	for n, txn := range on.order {
		if s.passed[txn] || s.loading.own[t][txn] || s.found[txn] && !w.m.behind {
			on.committed = max(on.committed, n+1)
		}
	}
	if w.r.IntN(3) == 0 {
		on.committed += w.r.IntN(min(3, len(on.order)-on.committed+1))
	}
	at := map[int]bool{}
	for _, txn := range on.order[:on.committed] {
		at[txn] = true
	}
	if w.shape(t, at) != w.shape(t, s.passed) {
		l.void = t == 0 // or the stream would never come to the change
		return
	}
	l.reading, l.at, l.noted, l.keys = true, at, map[int]bool{}, nil
	for key := range w.content(at) {
		if tableOf(partitionOf(key)) == t && (t == 0 || key/partitions%chunks == l.rest[0]) {
			l.keys = append(l.keys, key)
		}
	}
	slices.Sort(l.keys)
}

func (w *world) putLaneRow(s *source, t int, l *lane) {
	key := l.keys[0]
	l.keys = l.keys[1:]
	if l.noted[key] && t == 1 && !w.m.window {
		return
	}
	w.enqueue(s, partitionOf(key), entry{Record: protocol.Record{Kind: protocol.Row, Version: s.versions[t]}, row: row{key, w.content(l.at)[key], -2}})
}

// laneMeets tells the lanes of a transaction that the stream comes to. wait: it has
// to wait for one.
func (w *world) laneMeets(s *source, n int) (wait bool) {
	var notes []*lane
	rows := w.history[n].rows
	for _, r := range rows {
		table := tableOf(partitionOf(r.key))
		l := s.lanes[table]
		if l == nil || s.loading.own[table][n] {
			l = nil // or the load has brought it
		} else if s.holding(table) && !(l.reading && l.at[n]) {
			return true
		}
		notes = append(notes, l)
	}
	for i, l := range notes {
		if l != nil && l.reading {
			l.noted[rows[i].key] = true
		}
	}
	return false
}

// laneShows tells whether a change of the table must not be sent because of its lane.
func (s *source) laneShows(table, n int) bool {
	l := s.lanes[table]
	return l != nil && (l.void || table == 0 && (l.until[n] || l.reading && l.at[n]))
}

// laneAltered takes that the stream comes to another shape of a table. Rows that were
// read under the one before are void. It tells whether a lane has announced the shape.
func (w *world) laneAltered(s *source, t int) bool {
	l := s.lanes[t]
	if l == nil {
		return false
	}
	holding := s.holding(t)
	l.reading, l.keys = false, nil
	if holding {
		s.lanes[t] = &lane{rest: []int{0, 1, 2}}
		w.resetTable(s, t, true)
	}
	return holding || l.void
}

// endLanes ends lanes all rows of which are sent, and whose changes have come so far.
func (s *source) endLanes() {
	for t, l := range s.lanes {
		if len(l.rest) == 0 && !l.void && contains(s.passed, l.until) {
			delete(s.lanes, t)
		}
	}
}
