package protocol_test

import (
	"errors"
	"fmt"
	"maps"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

func (w *world) newSource() *source {
	s := &source{name: fmt.Sprint(len(w.sources)), order: w.order()}
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
				s.epoch, _, _ = w.owner(s)
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
	default:
		w.sendTxn(s)
	}
}

// owner folds the control log up to the source's claim: its epoch, which is the
// claim's offset counted from 1, and the last checkpoint that counts.
func (w *world) owner(s *source) (epoch int64, last control, c protocol.Claims) {
	for i, r := range w.control {
		switch {
		case r.instance != "":
			if e := c.Claim(int64(i)+1, r.instance, fmt.Sprint(r.selection)); r.instance == s.name {
				return e, last, c
			}
		case c.Counts(r.epoch):
			last = r
			c.Checkpoint(r.epoch, fmt.Sprint(r.selection))
		}
	}
	return 0, last, c
}

func (w *world) scan(s *source) {
	_, from, claims := w.owner(s)
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
	if _, other := s.recovery.WrittenUnder(&claims, fmt.Sprint(s.selection)); other && !w.m.selection {
		s.dead = true // it is refused
	}
	s.phase = 2
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

func (w *world) drained(s *source) bool { return w.m.drain || s.recovery.Drained() }

func (w *world) sendCut(s *source) {
	if !w.drained(s) {
		return
	}
	passed := maps.Clone(s.passed)
	if w.m.midCut && s.next < len(s.order) {
		passed[s.order[s.next]] = true
	}
	s.cut++
	for p := range partitions {
		w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.Cut, Cut: s.cut, Tables: tables}, passed: passed})
	}
}

// sendCheckpoint writes one when everything is acknowledged: the state of a
// reader that has folded up to there.
func (w *world) sendCheckpoint(s *source) {
	for p := range partitions {
		if len(s.queue[p]) > 0 || len(s.sent[p]) > 0 {
			return
		}
	}
	if !w.drained(s) {
		return
	}
	c := &control{epoch: s.epoch, selection: s.selection, passed: maps.Clone(s.passed), cut: s.cut, versions: s.versions}
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
	if t.version > 0 {
		s.versions[t.table]++
		for p := range partitions {
			if tableOf(p) == t.table && s.scans[p].Version() < s.versions[t.table] {
				w.enqueue(s, p, entry{Record: protocol.Record{Kind: protocol.DDL, Version: s.versions[t.table]}})
			}
		}
	}
	for i, r := range t.rows {
		p := partitionOf(r.key)
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
