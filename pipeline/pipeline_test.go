package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func table(t testing.TB, name string) *schema.Table {
	tbl := &schema.Table{ID: schema.TableID{Database: "shop", Name: name}, Key: []int{0}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.BigInt}}, {Name: "v", Type: schema.Type{Kind: schema.Int}, Nullable: true}}}
	require.NoError(t, tbl.Prepare())
	return tbl
}

var server = [16]byte{1}

func gtid(n int64) schema.GTID { return schema.GTID{UUID: server, N: n} }

func position(n int64) (p schema.Position) {
	for i := int64(1); i <= n; i++ {
		p.GTIDs.Add(gtid(i))
	}
	return p
}

type change struct {
	op       schema.Op
	old, new int64
	v        int32
}

// transaction makes a block of one transaction's changes.
func transaction(tbl *schema.Table, n int64, changes ...change) *schema.Block {
	b := schema.NewBlock(tbl)
	appendTransaction(b, n, changes...)
	return b
}

func appendTransaction(b *schema.Block, n int64, changes ...change) {
	b.Origins = append(b.Origins, schema.Origin{Row: b.Rows(), GTID: gtid(n)})
	b.NeedOld(true)
	for _, c := range changes {
		b.Ops = append(b.Ops, c.op)
		b.Old[0].AppendInt64(c.old)
		b.New[0].AppendInt64(c.new)
		b.New[1].AppendInt32(c.v)
	}
}

// memory is a sink whose tables are maps. Changes become visible at Commit.
type memory struct {
	tables  map[schema.TableID]map[schema.Key]int32
	pending map[schema.TableID]map[schema.Key]int32
	cuts    []schema.Commit
	atCut   []map[schema.TableID]map[schema.Key]int32
	writes  int
	loads   [][]schema.Progress
	fail    error
}

func newMemory() *memory {
	return &memory{tables: map[schema.TableID]map[schema.Key]int32{}, pending: map[schema.TableID]map[schema.Key]int32{}}
}

func (m *memory) table(id schema.TableID) map[schema.Key]int32 {
	if m.pending[id] == nil {
		m.pending[id] = map[schema.Key]int32{}
		maps.Copy(m.pending[id], m.tables[id])
	}
	return m.pending[id]
}

func (m *memory) Define(_ context.Context, c schema.SchemaChange) error {
	if c.Reset {
		clear(m.table(c.Table.ID))
	}
	return nil
}

func (m *memory) Write(_ context.Context, c TableChanges) error {
	m.writes++
	t := m.table(c.Table.ID)
	seen := map[schema.Key]bool{}
	once := func(k schema.Key) {
		if seen[k] {
			panic(fmt.Sprintf("key %d twice in one batch", k.Lo))
		}
		seen[k] = true
	}
	if c.Load {
		keyer := schema.NewKeyer(c.Table)
		for _, b := range c.Blocks {
			for r := range b.Rows() {
				t[keyer.Key(b.New, r)] = b.New[1].I32[r]
			}
		}
	}
	for _, k := range c.Deletes {
		once(k)
		delete(t, k)
	}
	for i, ref := range c.Rows {
		once(c.Keys[i])
		t[c.Keys[i]] = c.Blocks[ref.Block].New[1].I32[ref.Row]
	}
	for _, b := range c.Blocks {
		b.Release()
	}
	return nil
}

func (m *memory) Checkpoint(_ context.Context, loads []schema.Progress) error {
	m.loads = append(m.loads, loads)
	return m.fail
}

func (m *memory) Commit(_ context.Context, c schema.Commit) error {
	maps.Copy(m.tables, m.pending)
	clear(m.pending)
	m.cuts = append(m.cuts, c)
	state := map[schema.TableID]map[schema.Key]int32{}
	for id, t := range m.tables {
		state[id] = maps.Clone(t)
	}
	m.atCut = append(m.atCut, state)
	return m.fail
}

// script is a source that sends given events.
type script func(ctx context.Context, from Resume, send func(schema.Event) error) error

func (s script) Run(ctx context.Context, from Resume, out Writer) error {
	return s(ctx, from, func(e schema.Event) error { return out.Send(ctx, e) })
}

func run(t testing.TB, sink Sink, lake Resume, limits Limits, s script) error {
	p := Pipeline{Source: s, Transport: NewDirect(1 << 20), Sink: sink, Lake: lake, Limits: limits}
	return p.Run(t.Context(), t.Context())
}

var always = Limits{Interval: 0, Rows: 1, Bytes: 1 << 30}
var never = Limits{Interval: time.Hour, Rows: 1 << 30, Bytes: 1 << 30}

// TestFoldAgainstModel applies random changes, as MySQL could make them, both
// to a map and through folds of random length.
func TestFoldAgainstModel(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tbl, model, sink := table(t, "t"), map[schema.Key]int32{}, newMemory()
		err := run(t, sink, Resume{}, Limits{Interval: time.Hour, Rows: 1 + rng.IntN(40), Bytes: 1 << 30}, func(_ context.Context, _ Resume, send func(schema.Event) error) error {
			for n := int64(1); n <= 60; n++ {
				if err := send(transaction(tbl, n, randomChanges(rng, model)...)); err != nil {
					return err
				}
				if err := send(schema.Commit{Position: position(n)}); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, model, sink.tables[tbl.ID], "seed %d", seed)
	}
}

func randomChanges(rng *rand.Rand, model map[schema.Key]int32) []change {
	var out []change
	for range 1 + rng.IntN(8) {
		k, v := rng.Int64N(12)-6, rng.Int32N(1000)
		key := schema.Key{Lo: uint64(k)}
		_, there := model[key]
		to := rng.Int64N(12) - 6
		_, taken := model[schema.Key{Lo: uint64(to)}]
		switch {
		case !there:
			out = append(out, change{op: schema.OpInsert, new: k, v: v})
			model[key] = v
		case rng.IntN(3) == 0:
			out = append(out, change{op: schema.OpDelete, old: k})
			delete(model, key)
		case rng.IntN(2) == 0 && !taken:
			out = append(out, change{op: schema.OpUpdate, old: k, new: to, v: v})
			delete(model, key)
			model[schema.Key{Lo: uint64(to)}] = v
		default:
			out = append(out, change{op: schema.OpUpdate, old: k, new: k, v: v})
			model[key] = v
		}
	}
	return out
}

// TestBatchesEndAtCommits sends each transaction in two blocks and checks that
// no cut ever shows the first without the second.
func TestBatchesEndAtCommits(t *testing.T) {
	a, b, sink := table(t, "a"), table(t, "b"), newMemory()
	err := run(t, sink, Resume{}, always, func(_ context.Context, _ Resume, send func(schema.Event) error) error {
		for n := int64(1); n <= 100; n++ {
			for _, e := range []schema.Event{
				transaction(a, n, change{op: schema.OpInsert, new: n, v: 1}),
				transaction(b, n, change{op: schema.OpInsert, new: n, v: 1}),
				schema.Commit{Position: position(n)},
			} {
				if err := send(e); err != nil {
					return err
				}
			}
		}
		return send(transaction(a, 101, change{op: schema.OpInsert, new: 101, v: 1})) // its end never comes
	})
	require.NoError(t, err)
	require.NotEmpty(t, sink.cuts)
	for i, s := range sink.atCut {
		require.Len(t, s[a.ID], int(sink.cuts[i].Position.GTIDs.Count()))
		require.Equal(t, s[a.ID], s[b.ID])
	}
}

// TestTablesAhead resumes after a crash between the commits of one cut: table a
// had been committed up to transaction 7, the cut stands at 5.
func TestTablesAhead(t *testing.T) {
	a, b, sink := table(t, "a"), table(t, "b"), newMemory()
	lake := Resume{Position: position(5), Tables: map[schema.TableID]TableState{
		a.ID: {Table: a, Position: position(7)}, b.ID: {Table: b, Position: position(5)}}}
	sink.tables[a.ID] = map[schema.Key]int32{{Lo: 1}: 70}
	sink.tables[b.ID] = map[schema.Key]int32{{Lo: 1}: 50}
	err := run(t, sink, lake, always, func(_ context.Context, _ Resume, send func(schema.Event) error) error {
		blockA, blockB := schema.NewBlock(a), schema.NewBlock(b)
		for n := int64(6); n <= 8; n++ { // both blocks span the boundary
			appendTransaction(blockA, n, change{op: schema.OpUpdate, old: 1, new: 1, v: int32(10 * n)})
			appendTransaction(blockB, n, change{op: schema.OpUpdate, old: 1, new: 1, v: int32(10 * n)})
			if n == 6 {
				for _, e := range []schema.Event{blockA, blockB, schema.Commit{Position: position(6)}} {
					if err := send(e); err != nil {
						return err
					}
				}
				blockA, blockB = schema.NewBlock(a), schema.NewBlock(b)
			}
		}
		for _, e := range []schema.Event{blockA, blockB, schema.Commit{Position: position(8)}} {
			if err := send(e); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Len(t, sink.cuts, 1, "no cut while a is ahead")
	require.True(t, sink.cuts[0].Position.GTIDs.Equal(position(8).GTIDs))
	require.Equal(t, map[schema.Key]int32{{Lo: 1}: 80}, sink.tables[a.ID])
	require.Equal(t, map[schema.Key]int32{{Lo: 1}: 80}, sink.tables[b.ID])
}

// TestAheadRowsAreNotApplied checks the filter itself: the table's own rows of
// transactions that it has must not come back when nothing later overwrites
// them.
func TestAheadRowsAreNotApplied(t *testing.T) {
	a, sink := table(t, "a"), newMemory()
	lake := Resume{Position: position(5), Tables: map[schema.TableID]TableState{a.ID: {Table: a, Position: position(7)}}}
	sink.tables[a.ID] = map[schema.Key]int32{{Lo: 1}: 70}
	err := run(t, sink, lake, always, func(_ context.Context, _ Resume, send func(schema.Event) error) error {
		for _, e := range []schema.Event{
			transaction(a, 6, change{op: schema.OpUpdate, old: 1, new: 1, v: 60}), schema.Commit{Position: position(6)},
			transaction(a, 8, change{op: schema.OpInsert, new: 2, v: 80}), schema.Commit{Position: position(8)}} {
			if err := send(e); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, map[schema.Key]int32{{Lo: 1}: 70, {Lo: 2}: 80}, sink.tables[a.ID])
}

func TestHugeTransactionSpills(t *testing.T) {
	a, sink := table(t, "a"), newMemory()
	limits := Limits{Interval: time.Hour, Rows: 1 << 30, Bytes: 64 << 10}
	const blocks, rows = 100, 1000
	err := run(t, sink, Resume{}, limits, func(_ context.Context, _ Resume, send func(schema.Event) error) error {
		for i := range int64(blocks) {
			var c []change
			for r := range int64(rows) {
				c = append(c, change{op: schema.OpInsert, new: i*rows + r, v: 1})
			}
			if err := send(transaction(a, 1, c...)); err != nil {
				return err
			}
		}
		return send(schema.Commit{Position: position(1)})
	})
	require.NoError(t, err)
	require.Greater(t, sink.writes, 5, "the transaction was held in memory as a whole")
	require.Len(t, sink.cuts, 1)
	require.Len(t, sink.tables[a.ID], blocks*rows)
}

func TestDirectIsBounded(t *testing.T) {
	a := table(t, "a")
	d := NewDirect(1000)
	w, err := d.Writer(t.Context(), Resume{})
	require.NoError(t, err)
	r, err := d.Reader(t.Context(), Resume{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	full := errors.New("full")
	sent, stopped := 0, make(chan error)
	go func() {
		for {
			b := transaction(a, 1, change{op: schema.OpInsert, new: 1, v: 1})
			if err := w.Send(ctx, b); err != nil {
				stopped <- err
				return
			}
			sent++
			if sent == 3 { // 3 · ≈300 bytes fit, the next does not
				time.AfterFunc(20*time.Millisecond, func() { cancel(full) })
			}
		}
	}()
	require.ErrorIs(t, <-stopped, full)
	require.LessOrEqual(t, sent, 7)
	_, err = r.Next(t.Context())
	require.NoError(t, err)
}

// TestStopCommits stops an endless source and expects everything up to its last
// Commit in the lake.
func TestStopCommits(t *testing.T) {
	a, sink := table(t, "a"), newMemory()
	stop, cancel := context.WithCancel(t.Context())
	var last int64
	p := Pipeline{Transport: NewDirect(1 << 20), Sink: sink, Limits: never,
		Source: script(func(ctx context.Context, _ Resume, send func(schema.Event) error) error {
			for ; ctx.Err() == nil; last++ {
				if last == 50 {
					cancel()
				}
				if err := send(transaction(a, last+1, change{op: schema.OpInsert, new: last, v: 1})); err != nil {
					return err
				}
				if err := send(schema.Commit{Position: position(last + 1)}); err != nil {
					return err
				}
			}
			return nil
		})}
	require.NoError(t, p.Run(t.Context(), stop))
	require.Len(t, sink.tables[a.ID], int(last))
	require.Len(t, sink.cuts, 1)
}

// TestSinkErrorEndsRun makes the first commit fail while the source would go on
// for ever.
func TestSinkErrorEndsRun(t *testing.T) {
	a, sink := table(t, "a"), newMemory()
	sink.fail = errors.New("no room")
	err := run(t, sink, Resume{}, always, func(ctx context.Context, _ Resume, send func(schema.Event) error) error {
		for n := int64(1); ; n++ {
			if err := send(transaction(a, n, change{op: schema.OpInsert, new: n, v: 1})); err != nil {
				return err
			}
			if err := send(schema.Commit{Position: position(1)}); err != nil {
				return err
			}
		}
	})
	require.ErrorIs(t, err, sink.fail)
}

// TestLoadIsRestarted checks that a second Reset voids what an unfinished load
// had written.
func TestLoadIsRestarted(t *testing.T) {
	a, sink := table(t, "a"), newMemory()
	read := func(n int64) *schema.Block { return transaction(a, 0, change{op: schema.OpRead, new: n, v: 1}) }
	err := run(t, sink, Resume{}, never, func(_ context.Context, _ Resume, send func(schema.Event) error) error {
		for _, e := range []schema.Event{schema.SchemaChange{Table: a, Reset: true}, read(1), read(2),
			schema.SchemaChange{Table: a, Reset: true}, read(2), read(3), schema.Commit{Position: position(1)}} {
			if err := send(e); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, map[schema.Key]int32{{Lo: 2}: 1, {Lo: 3}: 1}, sink.tables[a.ID])
}

func TestLag(t *testing.T) {
	var s Stats
	at := func(sec int64) schema.Commit { return schema.Commit{Time: time.Unix(sec, 0)} }
	now := time.Unix(100, 0)
	require.Zero(t, s.Lag(now))
	s.read(at(90))
	s.read(at(95))
	require.Equal(t, 10*time.Second, s.Lag(now), "since the oldest")
	s.committed(at(95))
	require.Zero(t, s.Lag(now))
	s.read(at(97))
	s.read(at(98))
	s.committed(at(97))
	require.Equal(t, 3*time.Second, s.Lag(now), "98 waits, and is not older than 97")
	s.committed(at(98))
	require.Zero(t, s.Lag(now))
}

func BenchmarkFold(b *testing.B) {
	tbl := table(b, "t")
	const rows = 1 << 14
	blk := schema.NewBlock(tbl)
	rng := rand.New(rand.NewPCG(1, 1))
	var c []change
	for range rows {
		k := rng.Int64N(1 << 20)
		c = append(c, change{op: schema.OpUpdate, old: k, new: k, v: 1})
	}
	appendTransaction(blk, 1, c...)
	all := []span{{0, rows}}
	b.ResetTimer()
	for i := 0; i < b.N; i += 16 * rows {
		f := newFold(tbl)
		for range 16 {
			f.add(blk, all)
		}
	}
}

// TestLoadAfterReset: a load after the server was reset ends at a position that
// does not contain the one before, nor that of a table which was ahead and is
// not on the server any more. It is published all the same.
func TestLoadAfterReset(t *testing.T) {
	a, gone := table(t, "a"), table(t, "gone")
	old, ahead, anew := position(5), position(7), position(2)
	old.History, ahead.History, anew.History = 1, 1, 2
	lake := Resume{Position: old, History: 1, Tables: map[schema.TableID]TableState{a.ID: {Table: a, Position: old}, gone.ID: {Table: gone, Position: ahead}}}
	jobs := manyJobs()
	b := newBatcher(Limits{Interval: time.Hour, Rows: 1, Bytes: 1 << 20}, lake, jobs, new(Stats))
	for _, e := range []schema.Event{schema.Anew{History: 2}, schema.SchemaChange{Table: a, Reset: true}, schema.Commit{Position: anew}} {
		require.NoError(t, b.event(t.Context(), e))
	}
	require.NoError(t, b.finish(t.Context()))
	close(jobs.queue)
	var cuts []schema.Commit
	for j := range jobs.queue {
		if j.commit != nil {
			cuts = append(cuts, *j.commit)
		}
	}
	require.Len(t, cuts, 1)
	require.Equal(t, int64(2), cuts[0].Position.History)
}

// TestLoadEndsHistory: what is complete when a load of all tables begins is cut
// before it; what is not is in no cut of the old history.
func TestLoadEndsHistory(t *testing.T) {
	for _, complete := range []bool{true, false} {
		a := table(t, "a")
		old, anew := position(5), position(2)
		old.History, anew.History = 1, 2
		jobs := manyJobs()
		b := newBatcher(Limits{Interval: time.Hour, Rows: 100, Bytes: 1 << 20}, Resume{Position: position(4), Tables: map[schema.TableID]TableState{a.ID: {Table: a, Position: position(4)}}}, jobs, new(Stats))
		events := []schema.Event{transaction(a, 5, change{op: schema.OpInsert, new: 1}), schema.Commit{Position: old}}
		if !complete {
			events = append(events, transaction(a, 6, change{op: schema.OpInsert, new: 2}))
		}
		events = append(events, schema.Anew{History: 2}, schema.Commit{Position: anew})
		for _, e := range events {
			require.NoError(t, b.event(t.Context(), e))
		}
		require.NoError(t, b.finish(t.Context()))
		close(jobs.queue)
		var cuts []int64
		for j := range jobs.queue {
			if j.commit != nil {
				cuts = append(cuts, j.commit.Position.History)
			}
		}
		if complete {
			require.Equal(t, []int64{1, 2}, cuts)
		} else {
			require.Equal(t, []int64{2}, cuts)
		}
	}
}
