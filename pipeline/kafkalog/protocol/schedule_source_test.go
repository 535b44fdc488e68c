package protocol_test

import (
	"errors"
	"fmt"
	"maps"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

func (w *world) newSource() *source {
	if n := w.r.IntN(3); n >= len(w.servers) {
		w.servers = append(w.servers, &server{order: w.order()})
	}
	on := w.servers[w.r.IntN(len(w.servers))]
	s := &source{name: fmt.Sprint(len(w.sources)), server: on, order: on.order, lanes: map[int]*lane{}, found: map[int]bool{}, start: map[int]bool{}}
	if w.r.IntN(4) == 0 {
		s.selection = 1
	}
	w.sources = append(w.sources, s)
	return s
}

func (w *world) stepSource(s *source) {
	switch {
	case s.dead:
	case s.phase == 0:
		for range 1 + w.r.IntN(2) { // a claim may arrive twice
			w.control = append(w.control, control{instance: s.name, selection: s.selection})
		}
		s.phase = 1
	case s.fenced < partitions:
		for range 1 + w.r.IntN(2) {
			if s.epoch == 0 {
				s.epoch, _ = w.owner(s)
			}
			w.log[s.fenced] = append(w.log[s.fenced], entry{Record: protocol.Record{Kind: protocol.Fence, Epoch: s.epoch}})
		}
		s.fenced++
	case s.phase == 1:
		w.scan(s)
	case w.r.IntN(4) == 0:
		w.sendCut(s)
	case w.r.IntN(4) == 0:
		w.sendCheckpoint(s)
	case w.r.IntN(3) == 0:
		w.noteLoad(s)
	case len(s.loading.steps) > 0:
		step := s.loading.steps[0]
		s.loading.steps = s.loading.steps[1:]
		step()
	case w.beside && w.r.IntN(2) == 0:
		w.stepLane(s, w.r.IntN(tables))
	default:
		w.sendTxn(s)
	}
}

// controlState is the control log, folded.
type controlState struct {
	claims  protocol.Claims
	last    control // checkpoint
	history int     // of the last load that was begun
	loads   map[int]tableLoad
	seen    map[int]bool // by any of its rows
}

func (c *controlState) unfinished() bool { return c.history > c.last.history }

func (c *controlState) begin(history int) {
	if history > c.history {
		c.history, c.loads, c.seen = history, map[int]tableLoad{}, nil
	}
}

// owner folds the control log up to the source's claim: its epoch, which is the
// claim's offset counted from 1, and what counts by then.
func (w *world) owner(s *source) (epoch int64, c controlState) {
	for i, r := range w.control {
		switch {
		case r.instance != "":
			if e := c.claims.Claim(int64(i)+1, r.instance, fmt.Sprint(r.selection)); r.instance == s.name {
				return e, c
			}
		case !c.claims.Counts(r.epoch):
		case r.begun > 0:
			c.begin(r.begun)
			if r.begun == c.history {
				maps.Copy(c.loads, r.loads)
				c.seen = union(c.seen, r.seen)
			}
		default:
			c.begin(r.history)
			c.last = r
			c.claims.Checkpoint(r.epoch, fmt.Sprint(r.selection))
		}
	}
	return 0, c
}

func (w *world) scan(s *source) {
	_, state := w.owner(s)
	from := state.last
	s.history = max(state.history, from.history)
	s.passed, s.versions, s.cut = maps.Clone(from.passed), from.versions, from.cut
	if s.passed == nil {
		s.passed = map[int]bool{}
	}
	s.scans = map[int]*protocol.Scan{}
	for p := range partitions {
		sc := protocol.NewScan(from.partitions[p])
		for done := false; !done; {
			if sc.State.Offset >= int64(len(w.log[p])) {
				w.fail("the scan of partition %d did not meet its own fence", p)
				return
			}
			e := w.log[p][sc.State.Offset]
			var err error
			w.bend(&sc.State, &e.Record)
			done, err = sc.Record(s.epoch, sc.State.Offset, &e.Record)
			if errors.Is(err, protocol.ErrSuperseded) {
				s.dead = true
				return
			}
			if err != nil {
				w.fail("scan: %v", err)
				return
			}
		}
		s.scans[p], s.seq[p], s.cut = sc, sc.State.Seq, max(s.cut, sc.Cut())
	}
	s.recovery = protocol.NewRecovery(s.scans)
	sent := s.recovery.Sent(position(s.passed))
	for n, t := range w.history {
		if sent.GTIDs.Contains(gtid(n)) {
			s.found[n], s.start[n] = true, true
		}
		if t.version > 0 && w.altered[n] {
			s.start[n] = true // the server has what the log may hold
		}
	}
	if _, other := s.recovery.WrittenUnder(&state.claims, fmt.Sprint(s.selection)); other && !w.m.selection {
		s.dead = true // it is refused
	}
	s.phase = 2
	if state.unfinished() || w.loads && w.r.IntN(3) == 0 {
		w.load(s, state)
	} else {
		w.takeLanes(s, from)
	}
}

// bend makes the fold forget a rule.
func (w *world) bend(st *schema.LogPosition, r *protocol.Record) {
	if w.m.fence && r.Kind != protocol.Fence {
		r.Epoch = max(r.Epoch, st.Epoch)
	}
	if w.m.seq && r.Kind != protocol.Fence {
		st.Seq = r.Seq - 1
	}
}

func (w *world) enqueue(s *source, p int, e entry) {
	s.seq[p]++
	e.Epoch, e.Seq = s.epoch, s.seq[p]
	s.queue[p] = append(s.queue[p], e)
}

// drained tells whether what the log holds is all of the position and nothing else.
func (w *world) drained(s *source) bool { return s.loaded() && (w.m.drain || s.recovery.Drained()) }

// acknowledged tells whether the broker has all that was sent.
func (s *source) acknowledged() bool {
	for p := range partitions {
		if len(s.queue[p]) > 0 || len(s.sent[p]) > 0 {
			return false
		}
	}
	return true
}

func (w *world) sendCut(s *source) {
	s.endLanes()
	if !w.drained(s) {
		return
	}
	passed := maps.Clone(s.passed)
	if w.m.midCut && s.next < len(s.order) {
		passed[s.order[s.next]] = true
	}
	s.cut++
	for p := range partitions {
		w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.Cut, Cut: s.cut, Tables: tables}, passed: passed, lanes: s.inLanes()})
	}
}

// sendCheckpoint writes one when everything is acknowledged: the state of a
// reader that has folded up to there.
func (w *world) sendCheckpoint(s *source) {
	if !s.acknowledged() || !w.drained(s) {
		return
	}
	c := &control{epoch: s.epoch, selection: s.selection, history: s.history, passed: maps.Clone(s.passed), lanes: s.inLanes(), server: s.server, cut: s.cut, versions: s.versions}
	for p := range partitions {
		st := &c.partitions[p]
		for st.Offset < int64(len(w.log[p])) && (st.Seq < s.seq[p] || st.Epoch < s.epoch) {
			e := w.log[p][st.Offset]
			w.bend(st, &e.Record)
			v, err := protocol.Fold(st, st.Offset, &e.Record)
			if err != nil {
				w.fail("checkpoint: %v", err)
				return
			}
			if v == protocol.Accepted {
				switch e.Kind {
				case protocol.Cut:
					st.Cut = e.Cut
				case protocol.DDL:
					st.Schema = max(st.Schema, e.Version)
				}
			}
		}
	}
	w.network = append(w.network, request{control: c, from: s})
}

func (w *world) sendTxn(s *source) {
	for s.next < len(s.order) && s.passed[s.order[s.next]] {
		s.next++
	}
	if s.next >= len(s.order) {
		return
	}
	n := s.order[s.next]
	t := w.history[n]
	id := protocol.Txn{GTID: gtid(n)}
	if w.laneMeets(s, n) {
		return
	}
	if t.version > 0 && !s.loading.own[t.table][n] && !w.laneAltered(s, t.table) {
		s.versions[t.table]++
		w.altered[n] = true
		for p := range partitions {
			if tableOf(p) == t.table && s.scans[p].Version() < s.versions[t.table] {
				w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.DDL, Version: s.versions[t.table]}})
			}
		}
	}
	for i, r := range t.rows {
		p := partitionOf(r.key)
		if s.loading.own[tableOf(p)][n] || s.laneShows(tableOf(p), n) {
			continue
		}
		ordinal := int64(i + s.selection)
		if s.recovery.Has(p, id, ordinal) && !w.m.skip {
			continue
		}
		w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.Row, Version: s.versions[tableOf(p)], Txn: id, Ordinal: ordinal}, row: r})
	}
	s.passed[n] = true
	s.next++
	s.recovery.Passed([]protocol.Txn{id}, position(s.passed))
}

func (w *world) send(s *source, p int) {
	switch {
	case s.dead || s.phase < 2:
	case len(s.sent[p]) > 0 && s.acked[p]:
		s.sent[p], s.acked[p] = nil, false
	case len(s.sent[p]) > 0:
		if w.r.IntN(3) == 0 { // no answer yet: the same bytes again
			w.network = append(w.network, request{part: p, entries: s.sent[p], from: s})
		}
	case len(s.queue[p]) > 0:
		k := min(1+w.r.IntN(3), len(s.queue[p]))
		s.sent[p], s.queue[p] = s.queue[p][:k:k], s.queue[p][k:]
		w.network = append(w.network, request{part: p, entries: s.sent[p], from: s})
	}
}
