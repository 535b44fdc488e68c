package protocol_test

import (
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
	mutated    = 20 * schedules // the first that shows a fault ends it
)

// mutation leaves one rule out.
type mutation struct {
	fence, seq, skip, drain, midCut, selection, void, mark, early, blind, unseen bool
	begun, elsewhere, behind, window, kept                                       bool // of lanes
}

func (m mutation) ofLanes() bool { return m.begun || m.elsewhere || m.behind || m.window || m.kept }

// txn is a transaction of the history: rows, or a new version of a table.
type txn struct {
	rows    []row
	version int // of table; 0: rows
	table   int
}

type row struct{ key, val, at int } // val < 0 deletes; at: its place in the transaction; −1: of a load; −2: of a lane

func partitionOf(key int) int { return key % partitions }
func tableOf(part int) int    { return part / (partitions / tables) }

// entry is a record as it stands in a partition.
type entry struct {
	protocol.Record
	row
	passed map[int]bool // CUT: transactions
	lanes  map[int]lane // CUT: tables
}

// control is a record of the control log.
type control struct {
	instance   string // of a claim
	selection  int
	epoch      int64
	begun      int          // history of a load that begins or goes on, or of the progress of one
	seen       map[int]bool // transactions that its rows may show
	loads      map[int]tableLoad
	history    int // of a checkpoint
	passed     map[int]bool
	lanes      map[int]lane
	server     *server
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
	server    *server
	lanes     map[int]*lane
	found     map[int]bool // transactions that the log holds rows of
	start     map[int]bool // that the server had when the source started
	order     []int
	next      int
	passed    map[int]bool
	versions  [tables]int64
	history   int
	began     [tables]int64 // the version that the table's load began with
	loading   loading
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
	forms   map[[2]int64]protocol.Record // by table and version
	void    [tables]bool                 // what the lake has
	again   [tables]bool                 // a load went on: changes come twice
	version [tables]int64
	cuts    map[int64]entry
}

type lake struct {
	commits int
	state   [partitions]schema.LogPosition
	version [tables]int64
	rows    map[int]int
	applied [tables]map[string]int
	again   [tables]bool
}

type world struct {
	r       *rand.Rand
	m       mutation
	loads   bool // sources may load the tables
	beside  bool // and single ones beside the stream
	servers []*server
	altered map[int]bool // versions that were sent
	history []txn
	log     [partitions][]entry
	control []control
	network []request
	sources []*source
	sinks   []*sink
	lake    lake
	fault   error

	settling bool
}

func (w *world) fail(format string, a ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf(format, a...)
	}
}

func newWorld(seed uint64, m mutation) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 7)), m: m, loads: seed%2 == 0, beside: seed%3 == 0, altered: map[int]bool{}, lake: lake{rows: map[int]int{}}}
	for t := range tables {
		w.lake.applied[t] = map[string]int{}
	}
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
		if (w.loads || w.beside) && w.r.IntN(4) == 0 {
			s = w.sources[len(w.sources)-1]
			w.hurry(s)
		}
		switch w.r.IntN(16) {
		case 0:
			if len(w.sources) < w.most() && w.r.IntN(4) == 0 {
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

// most is how many sources there are before the last. Loads and lanes need some to come far.
func (w *world) most() int {
	if w.loads || w.beside {
		return 8
	}
	return 5
}

// hurry lets a source and the network do more than one thing.
func (w *world) hurry(s *source) {
	for range w.r.IntN(4) {
		w.stepSource(s)
	}
	for range 2 {
		for p := range partitions {
			w.send(s, p)
		}
		for n := w.r.IntN(8); n > 0 && len(w.network) > 0; n-- {
			w.deliver(w.r.IntN(len(w.network)))
		}
	}
}

// settle lets one more source finish and one more sink read: then the lake must
// hold everything.
func (w *world) settle() {
	w.settling = true
	s := w.newSource()
	finished := func() bool {
		return s.phase == 2 && len(s.passed) == len(w.history) && s.loaded() && len(s.lanes) == 0 && len(w.network) == 0 && s.recovery.Drained() && s.acknowledged()
	}
	cut := false
	for i := 0; w.fault == nil && !(finished() && cut); i++ {
		if i > 20000 || len(w.sources) > 100 {
			w.fail("the last source does not come to an end")
		}
		if s.dead {
			s = w.newSource()
		}
		if s.phase == 2 && len(s.passed) == len(w.history) && s.loaded() && len(s.lanes) == 0 && s.recovery.Drained() && !cut {
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
		"progress of void rows": {void: true}, "no mark where a load goes on": {mark: true}, "progress before its rows": {early: true},
		"load without a look at the owner":     {blind: true},
		"load that does not tell what it sees": {unseen: true},
		"lane that is forgotten":               {begun: true},
		"lane that goes on elsewhere":          {elsewhere: true},
		"lane behind the log":                  {behind: true},
		"lane without a window":                {window: true},
		"lane that keeps rows of later shapes": {kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(mutated) {
				if m.ofLanes() {
					seed = 6*seed + 3 // without loads, but with lanes
				}
				if err := newWorld(seed, m).play(); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Fatalf("no schedule of %d shows that the rule is needed", mutated)
		})
	}
}
