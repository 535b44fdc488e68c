package protocol_test

import (
	"maps"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
)

// Sources of the search load the tables, or go on with a load that an earlier one
// left. Table 0 has no key: its rows are read in one snapshot, and a transaction must
// not be applied twice. The rows of table 1 may be of several states.

// chunks is how many parts each table is read in.
const chunks = 3

// tableLoad is how far the load of a table has come.
type tableLoad struct {
	version int64        // that it began with
	at      map[int]bool // transactions that all its rows show
	rest    []int        // chunks
}

// loading is a source's load.
type loading struct {
	own   [tables]map[int]bool // transactions that a table's rows show already
	until map[int]bool         // no cut before these
	steps []func()             // still to be done
	told  map[int]tableLoad
}

func union(sets ...map[int]bool) map[int]bool {
	all := map[int]bool{}
	for _, s := range sets {
		maps.Copy(all, s)
	}
	return all
}

func contains(a, b map[int]bool) bool {
	for n := range b {
		if !a[n] {
			return false
		}
	}
	return true
}

// shape counts the versions of a table.
func (w *world) shape(table int, passed map[int]bool) (n int) {
	for i, t := range w.history {
		if passed[i] && t.version > 0 && t.table == table {
			n++
		}
	}
	return n
}

// openSnapshot returns what the source's server has committed, and a later state
// under the same shapes, which connections may see.
func (w *world) openSnapshot(s *source) (at, late map[int]bool) {
	at = map[int]bool{}
	n := w.r.IntN(len(s.order) + 1)
	for _, t := range s.order[:n] {
		at[t] = true
	}
	late = maps.Clone(at)
	for _, t := range s.order[n:min(n+w.r.IntN(3), len(s.order))] {
		if w.history[t].version > 0 {
			break
		}
		late[t] = true
	}
	return at, late
}

// load plans a load of all tables: what a known one left, or a new one.
func (w *world) load(s *source, c controlState) {
	at, late := w.openSnapshot(s)
	s.passed, s.loading = maps.Clone(at), loading{until: late, told: map[int]tableLoad{}}
	kept := map[int]tableLoad{}
	s.history = c.history
	for t, l := range c.loads {
		complete := len(l.rest) == 0
		if c.unfinished() && contains(at, l.at) && w.shape(t, at) == w.shape(t, l.at) && (complete || t == 1) && (w.m.void || s.stands(t, l.version)) {
			kept[t] = l
		}
	}
	if len(kept) == 0 {
		s.history = c.history + 1
		s.recovery.Abandon()
	} else {
		s.loading.until = union(late, c.seen)
	}
	w.control = append(w.control, control{epoch: s.epoch, begun: s.history, seen: s.loading.until})
	if w.m.unseen {
		w.control[len(w.control)-1].seen = nil
	}
	if !w.m.blind && w.claimed() != s.epoch {
		s.dead = true // another source does not know of this load, and may not have fenced yet
		return
	}
	for t := range tables {
		l, goesOn := kept[t]
		if !goesOn {
			l = tableLoad{at: at, rest: []int{0, 1, 2}}
			s.loading.steps = append(s.loading.steps, func() { w.reset(s, t) })
		} else {
			w.goOn(s, t, len(l.rest) > 0)
		}
		s.loading.own[t] = l.at
		if contains(s.passed, l.at) {
			s.passed = maps.Clone(l.at)
		}
		for len(l.rest) > 0 {
			chunk := l.rest[0]
			l.rest = l.rest[1:]
			told := l
			s.loading.steps = append(s.loading.steps, func() { w.readChunk(s, t, chunk, at, late) }, func() {
				told.version = s.began[t]
				s.loading.told[t] = told
			})
		}
	}
}

// claimed returns the epoch of the log's owner.
func (w *world) claimed() int64 {
	var c protocol.Claims
	for i, r := range w.control {
		if r.instance != "" {
			c.Claim(int64(i)+1, r.instance, "")
		}
	}
	return c.Owner()
}

// stands tells whether the partitions of a table hold that load.
func (s *source) stands(table int, version int64) bool {
	for p := range partitions {
		if tableOf(p) == table && s.scans[p].Load() != version {
			return false
		}
	}
	return true
}

func (w *world) reset(s *source, table int) { w.resetTable(s, table, false) }

func (w *world) resetTable(s *source, table int, lane bool) {
	s.versions[table]++
	for p := range partitions {
		if tableOf(p) == table {
			s.versions[table] = max(s.versions[table], s.scans[p].Version()+1)
			s.recovery.Reset(p)
		}
	}
	s.began[table] = s.versions[table]
	for p := range partitions {
		if tableOf(p) == table {
			w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.DDL, Version: s.versions[table], Reset: true, Lane: lane}})
		}
	}
}

// goOn takes up the load of a table, and marks that where rows will follow.
func (w *world) goOn(s *source, table int, mark bool) {
	for p := range partitions {
		if tableOf(p) == table {
			s.versions[table] = max(s.versions[table], s.scans[p].Version())
			s.began[table] = s.scans[p].Load()
		}
	}
	last := s.versions[table]
	for p := range partitions {
		if !mark || tableOf(p) != table || w.m.mark {
			continue
		}
		if s.scans[p].Version() < last { // the earlier source did not come to this one
			w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.DDL, Version: last, Continued: true}})
		}
		s.recovery.Again(p)
		w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.DDL, Version: last + 1, Continued: true}})
		s.versions[table] = last + 1
	}
}

func (w *world) readChunk(s *source, table, chunk int, at, late map[int]bool) {
	if table == 1 && w.r.IntN(2) == 0 {
		at = late
	}
	for key, val := range w.content(at) {
		if p := partitionOf(key); tableOf(p) == table && key/partitions%chunks == chunk {
			w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.Row, Version: s.versions[table]}, row: row{key, val, -1}})
		}
	}
}

// noteLoad writes what was told of a load, once all that was sent is acknowledged.
func (w *world) noteLoad(s *source) {
	if len(s.loading.told) == 0 || !s.acknowledged() && !w.m.early {
		return
	}
	w.network = append(w.network, request{control: &control{epoch: s.epoch, begun: s.history, loads: s.loading.told}, from: s})
	s.loading.told = map[int]tableLoad{}
}

// loaded tells whether no load goes on: all was read, and what it overlaps with
// applied.
func (s *source) loaded() bool {
	return len(s.loading.steps) == 0 && contains(s.passed, s.loading.until)
}
