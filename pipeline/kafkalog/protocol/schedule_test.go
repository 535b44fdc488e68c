package protocol_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// The search plays random schedules of sources that claim, fence, scan, send,
// cut, checkpoint and die, of a network that delivers twice and late, and of
// sinks that read, commit and die. All decisions are the package's; what is left
// out in a mutation is left out here.

const (
	partitions = 4 // two of each table
	tables     = 2
	schedules  = 2000
)

// mutation leaves one rule out.
type mutation struct{ fence, seq, skip, drain, midCut, selection bool }

// txn is a transaction of the history: rows, or a new version of a table.
type txn struct {
	rows    []row
	version int // of table; 0: rows
	table   int
}

type row struct{ key, val, at int } // val < 0 deletes; at: its place in the transaction

func partitionOf(key int) int { return key % partitions }
func tableOf(part int) int    { return part / (partitions / tables) }

// entry is a record as it stands in a partition.
type entry struct {
	protocol.Record
	row
	passed map[int]bool // CUT: transactions
}

// control is a record of the control log.
type control struct {
	instance   string // of a claim
	selection  int
	epoch      int64
	passed     map[int]bool
	cut        int64
	versions   [tables]int64
	partitions [partitions]schema.LogPosition
}

// source is one incarnation.
type source struct {
	name string
	// selection is how many rows of tables that are not ours each transaction
	// begins with, by the source's count.
	selection int
	epoch     int64
	phase     int
	fenced    int
	order     []int
	next      int
	passed    map[int]bool
	versions  [tables]int64
	recovery  *protocol.Recovery
	scans     map[int]*protocol.Scan
	seq       [partitions]int64
	cut       int64
	queue     [partitions][]entry
	sent      [partitions][]entry // under way
	acked     [partitions]bool
	dead      bool
}

// request is something on the network.
type request struct {
	part    int
	entries []entry
	control *control
	from    *source
}

// sink reads the log on top of a lake's state.
type sink struct {
	base    int // the lake's commit that it builds on
	state   [partitions]schema.LogPosition
	aligner *protocol.Aligner
	ops     map[int]int
	rows    []entry
	version [tables]int64
	cuts    map[int64]map[int]bool
}

type lake struct {
	commits int
	state   [partitions]schema.LogPosition
	version [tables]int64
	rows    map[int]int
	applied map[string]int
}

type world struct {
	r       *rand.Rand
	m       mutation
	history []txn
	log     [partitions][]entry
	control []control
	network []request
	sources []*source
	sinks   []*sink
	lake    lake
	fault   error
}

func (w *world) fail(format string, a ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf(format, a...)
	}
}

func newWorld(seed uint64, m mutation) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 7)), m: m, lake: lake{rows: map[int]int{}, applied: map[string]int{}}}
	val := 0
	versions := [tables]int{}
	for range 4 + w.r.IntN(8) {
		if w.r.IntN(6) == 0 {
			t := w.r.IntN(tables)
			versions[t]++
			w.history = append(w.history, txn{table: t, version: versions[t]})
			continue
		}
		var t txn
		for range 1 + w.r.IntN(4) {
			val++
			r := row{w.r.IntN(10), val, len(t.rows)}
			if w.r.IntN(4) == 0 {
				r.val = -1
			}
			t.rows = append(t.rows, r)
		}
		w.history = append(w.history, t)
	}
	return w
}

// conflict tells whether two transactions have the same order on every server.
func conflict(a, b txn) bool {
	if a.version > 0 && b.version > 0 {
		return a.table == b.table
	}
	if b.version > 0 {
		a, b = b, a
	}
	for _, x := range b.rows {
		if a.version > 0 && tableOf(partitionOf(x.key)) == a.table {
			return true
		}
		for _, y := range a.rows {
			if x.key == y.key {
				return true
			}
		}
	}
	return false
}

// order is one in which another server could have committed the history.
func (w *world) order() []int {
	o := make([]int, len(w.history))
	for i := range o {
		o[i] = i
	}
	for range 2 * len(o) {
		i := w.r.IntN(len(o) - 1)
		if w.r.IntN(3) == 0 && !conflict(w.history[o[i]], w.history[o[i+1]]) {
			o[i], o[i+1] = o[i+1], o[i]
		}
	}
	return o
}

// gtid names a transaction. Versions have none: no row carries them.
func gtid(n int) schema.GTID { return schema.GTID{UUID: [16]byte{1}, N: int64(n) + 1} }

func position(passed map[int]bool) schema.Position {
	var p schema.Position
	for n := range passed {
		p.GTIDs.Add(gtid(n))
	}
	return p
}

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

func (w *world) deliver(i int) {
	q := w.network[i]
	if q.control != nil {
		w.control = append(w.control, *q.control)
	} else {
		w.log[q.part] = append(w.log[q.part], q.entries...)
		if s := q.from; len(s.sent[q.part]) > 0 && s.sent[q.part][0].Seq == q.entries[0].Seq && w.r.IntN(5) > 0 {
			s.acked[q.part] = true
		}
	}
	if w.r.IntN(6) == 0 {
		return // the network keeps a copy for later
	}
	w.network[i] = w.network[len(w.network)-1]
	w.network = w.network[:len(w.network)-1]
}

func (w *world) newSink() *sink {
	k := &sink{base: w.lake.commits, state: w.lake.state, version: w.lake.version, aligner: protocol.NewAligner(), ops: map[int]int{}, cuts: map[int64]map[int]bool{}}
	for t := range tables {
		passed := map[int]int64{}
		for p := range partitions {
			if tableOf(p) == t {
				passed[p] = k.state[p].Cut
			}
		}
		k.aligner.AddTable(t, passed)
	}
	return k
}

// stepSink takes one record; false when the sink has to start again.
func (w *world) stepSink(k *sink) bool {
	for {
		step, ok, err := k.aligner.Next()
		switch {
		case err != nil:
			w.fail("alignment: %v", err)
			return false
		case !ok:
			w.readOne(k, w.r.IntN(partitions))
			return true
		case step.Version != 0:
			k.version[step.Table] = step.Version
		case !w.commit(k, step.Cut):
			return false
		}
	}
}

func (w *world) readOne(k *sink, p int) {
	st := &k.state[p]
	if !k.aligner.Running(p) || st.Offset >= int64(len(w.log[p])) {
		return
	}
	e := w.log[p][st.Offset]
	w.bend(st, &e.Record)
	v, err := protocol.Fold(st, st.Offset, &e.Record)
	if err != nil {
		w.fail("partition %d: %v", p, err)
	}
	if v != protocol.Accepted {
		return
	}
	switch e.Kind {
	case protocol.Row:
		if e.Version != k.version[tableOf(p)] {
			w.fail("a row of version %d is delivered under version %d", e.Version, k.version[tableOf(p)])
		}
		k.ops[e.key] = e.val
		k.rows = append(k.rows, e)
	case protocol.Cut:
		st.Cut = e.Cut
		k.cuts[e.Cut] = e.passed
		k.aligner.AtCut(p, e.Cut, e.Tables)
	case protocol.DDL:
		if e.Version > st.Schema {
			st.Schema = e.Version
			k.aligner.AtVersion(p, e.Version, e.Reset)
		}
	}
}

// commit compares and swaps. A sink that loses starts again from the lake.
func (w *world) commit(k *sink, cut int64) bool {
	if k.base != w.lake.commits {
		return false
	}
	w.lake.commits++
	k.base = w.lake.commits
	w.lake.state, w.lake.version = k.state, k.version
	for key, val := range k.ops {
		if val < 0 {
			delete(w.lake.rows, key)
		} else {
			w.lake.rows[key] = val
		}
	}
	for _, e := range k.rows {
		id := fmt.Sprint(e.Txn.GTID.N, e.at)
		if w.lake.applied[id]++; w.lake.applied[id] > 1 {
			w.fail("row %s was applied twice", id)
		}
	}
	k.ops, k.rows = map[int]int{}, nil
	if want := w.content(k.cuts[cut]); !maps.Equal(want, w.lake.rows) {
		w.fail("cut %d holds %v and not %v", cut, w.lake.rows, want)
	}
	return true
}

func (w *world) content(passed map[int]bool) map[int]int {
	rows := map[int]int{}
	for n, t := range w.history {
		if !passed[n] {
			continue
		}
		for _, r := range t.rows {
			if r.val < 0 {
				delete(rows, r.key)
			} else {
				rows[r.key] = r.val
			}
		}
	}
	return rows
}

func (w *world) play() error {
	w.newSource()
	w.sinks = append(w.sinks, w.newSink(), w.newSink())
	for range 200 + w.r.IntN(600) {
		if w.fault != nil {
			return w.fault
		}
		s := w.sources[w.r.IntN(len(w.sources))]
		switch w.r.IntN(16) {
		case 0:
			if len(w.sources) < 5 && w.r.IntN(4) == 0 {
				w.newSource() // the ones before may live on
			}
		case 1:
			s.dead = s.dead || w.r.IntN(5) == 0
		case 2:
			if w.r.IntN(4) == 0 {
				w.sinks[w.r.IntN(len(w.sinks))] = w.newSink()
			}
		case 3, 4, 5:
			if len(w.network) > 0 {
				w.deliver(w.r.IntN(len(w.network)))
			}
		case 6, 7, 8:
			w.stepSource(s)
		case 9, 10, 11:
			w.send(s, w.r.IntN(partitions))
		default:
			if i := w.r.IntN(len(w.sinks)); !w.stepSink(w.sinks[i]) {
				w.sinks[i] = w.newSink()
			}
		}
	}
	w.settle()
	return w.fault
}

// settle lets one more source finish and one more sink read: then the lake must
// hold everything.
func (w *world) settle() {
	s := w.newSource()
	finished := func() bool {
		idle := s.phase == 2 && len(s.passed) == len(w.history) && len(w.network) == 0 && s.recovery.Drained()
		for p := range partitions {
			idle = idle && len(s.queue[p]) == 0 && len(s.sent[p]) == 0
		}
		return idle
	}
	cut := false
	for i := 0; w.fault == nil && !(finished() && cut); i++ {
		if i > 20000 {
			w.fail("the last source does not come to an end")
		}
		if s.dead {
			s = w.newSource()
		}
		if s.phase == 2 && len(s.passed) == len(w.history) && s.recovery.Drained() && !cut {
			w.sendCut(s)
			cut = true
		}
		if !cut {
			w.stepSource(s)
		}
		for p := range partitions {
			w.send(s, p)
		}
		for len(w.network) > 0 && w.r.IntN(3) > 0 {
			w.deliver(w.r.IntN(len(w.network)))
		}
	}
	k := w.newSink()
	for i := 0; i < 40*(1000+len(w.log[0])) && w.fault == nil; i++ {
		w.stepSink(k)
		if w.lake.state[0].Cut == s.cut {
			break
		}
	}
	all := map[int]bool{}
	for n := range w.history {
		all[n] = true
	}
	if want := w.content(all); !maps.Equal(want, w.lake.rows) {
		w.fail("at the end the lake holds %v and not %v", w.lake.rows, want)
	}
}

func TestSchedules(t *testing.T) {
	base := rand.Uint64()
	for i := range uint64(schedules) {
		require.NoError(t, newWorld(base+i, mutation{}).play(), "seed %d", base+i)
	}
}

func TestSchedulesFindMutations(t *testing.T) {
	for name, m := range map[string]mutation{
		"no fence": {fence: true}, "no sequence": {seq: true}, "no skip": {skip: true}, "no drain": {drain: true}, "cut within a transaction": {midCut: true}, "other selection": {selection: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4 * schedules) {
				if err := newWorld(seed, m).play(); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Fatalf("no schedule of %d shows that the rule is needed", 4*schedules)
		})
	}
}
