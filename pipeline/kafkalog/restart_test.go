package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// script is a database's history: what each transaction did, and what the tables
// held after it.
type script struct {
	shapes [][2]*schema.Table // by transaction: tables a and b
	txns   [][2][]change
	states [][2]map[int64]string

	history int64 // of the load that it begins with
	alone   bool  // the server has only table a
}

// chunks is how many parts each table is read in.
const chunks = 3

func newScript(t testing.TB, r *rand.Rand, n int) *script {
	s := &script{}
	shapes := [2]*schema.Table{table(t, "a"), table(t, "b")}
	state := [2]map[int64]string{{}, {}}
	var columns []string
	for txn := range n {
		if txn > 0 && r.IntN(12) == 0 {
			columns = append(columns, fmt.Sprintf("c%d", txn))
			i := r.IntN(2)
			shapes[i] = table(t, shapes[i].ID.Name, columns...)
		}
		var txnChanges [2][]change
		for i := range state {
			state[i] = maps.Clone(state[i])
			for k := range r.IntN(5) {
				txnChanges[i] = append(txnChanges[i], randomChange(r, state[i], fmt.Sprintf("%d.%d", txn, k)))
			}
		}
		s.shapes, s.txns, s.states = append(s.shapes, shapes), append(s.txns, txnChanges), append(s.states, state)
	}
	return s
}

func randomChange(r *rand.Rand, rows map[int64]string, v string) change {
	id := r.Int64N(12)
	if _, ok := rows[id]; !ok {
		rows[id] = v
		return change{op: schema.OpInsert, id: id, v: v}
	}
	switch to := r.Int64N(12); {
	case r.IntN(3) == 0:
		delete(rows, id)
		return change{op: schema.OpDelete, old: id}
	case rows[to] == "" && r.IntN(2) == 0:
		delete(rows, id)
		rows[to] = v
		return change{op: schema.OpUpdate, id: to, old: id, v: v}
	}
	rows[id] = v
	return change{op: schema.OpUpdate, id: id, old: id, v: v}
}

// follower is a source that plays a script: a load first where the log has
// nothing, and a table's shape where it differs from the one that it sent last.
type follower struct {
	s      *script
	w      pipeline.Writer
	at     int // the last transaction sent; −1: none
	left   int // events until it is killed; 0: it is not
	shapes [2]*schema.Table
	own    [2]int // the transactions up to this one are in the rows of a load
	until  int    // no Commit before this transaction: rows may be of a state up to there
	r      *rand.Rand
}

func follow(s *script, w pipeline.Writer) *follower {
	f := &follower{s: s, w: w, at: -1, own: [2]int{-1, -1}}
	resume := w.Resume()
	for i := range f.shapes {
		if st, ok := resume.Tables[s.shapes[0][i].ID]; ok {
			f.shapes[i] = st.Table
		}
	}
	if !resume.Position.IsZero() {
		f.at = txnAt(resume.Position)
	}
	return f
}

// txnAt returns the transaction that ends at a position that commit made.
func txnAt(p schema.Position) int { return int(p.Offset/1000) - 1 }

// run sends the history up to a transaction. It ends early when sending fails.
func (f *follower) run(ctx context.Context, loadAt, to int) error {
	var events []schema.Event
	if f.at < 0 {
		events = f.load(loadAt)
	}
	for f.at < to {
		f.at++
		first := 0
		for i, c := range f.s.txns[f.at] {
			if len(c) == 0 || f.s.alone && i > 0 {
				continue
			}
			if f.at <= f.own[i] {
				first += len(c)
				continue
			}
			if now := f.s.shapes[f.at][i]; len(now.Columns) != len(f.shapes[i].Columns) {
				events, f.shapes[i] = append(events, schema.SchemaChange{Table: now}), now
			}
			events = append(events, block(f.shapes[i], int64(f.at)+1, first, c...))
			first += len(c)
		}
		if f.at >= f.until {
			events = append(events, commitIn(f.s.history, int64(f.at)+1))
		}
	}
	for i, e := range events {
		if f.left > 0 && i == f.left {
			return nil
		}
		if err := f.w.Send(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// load begins a load, or goes on with one that the log has a part of, in a
// snapshot of that moment. Rows of table a are of the state then or of a later one,
// as they are without a lock; table b stands for one without a key, which is read in
// one snapshot.
func (f *follower) load(at int) (events []schema.Event) {
	s, begun := f.s, f.w.Resume().Loads
	if s.history > f.w.Resume().History {
		events, begun = append(events, schema.Anew{History: s.history}), nil
	}
	if begun != nil { // the server may be another one, which lags behind
		at = len(s.shapes)
		for _, p := range begun {
			at = min(at, txnAt(p.Position))
		}
		at = min(at+f.intN(10), len(s.shapes)-1)
	}
	late := at
	for n := f.intN(4); n > 0 && late+1 < len(s.shapes) && s.shapes[late+1] == s.shapes[at]; n-- {
		late++
	}
	f.at, f.until, f.shapes = at, late, s.shapes[at]
	var loads [2]schema.Progress
	for i, t := range s.shapes[at] {
		if s.alone && i > 0 {
			continue
		}
		p, on := begun[t.ID]
		if on && len(p.Table.Columns) == len(t.Columns) && (i == 0 || len(p.Rest) == 0) {
			f.until = max(f.until, txnAt(p.Overlap))
			events = append(events, schema.SchemaChange{Table: t, Continued: len(p.Rest) > 0, History: s.history, Overlap: commitIn(s.history, int64(late)+1).Position})
		} else {
			p = schema.Progress{Load: schema.Load{Position: commitIn(s.history, int64(at)+1).Position}}
			for n := range chunks {
				p.Rest = append(p.Rest, schema.Range{Lower: fmt.Sprint(n)})
			}
			events = append(events, schema.SchemaChange{Table: t, Reset: true, History: s.history, Overlap: commitIn(s.history, int64(late)+1).Position})
		}
		f.own[i] = txnAt(p.Position)
		f.at = min(f.at, f.own[i])
		if p.Table = t; len(p.Rest) > 0 {
			p.Overlap = p.Overlap.Later(commitIn(s.history, int64(late)+1).Position)
		}
		loads[i] = p
	}
	for i, p := range loads {
		events = append(events, f.read(i, at, late, p)...)
	}
	if f.until <= f.at {
		events = append(events, commitIn(s.history, int64(f.at)+1))
	}
	return events
}

// read sends what is missing of a table, chunk by chunk.
func (f *follower) read(i, at, late int, p schema.Progress) (events []schema.Event) {
	for len(p.Rest) > 0 {
		state := at
		if i == 0 {
			state += f.intN(late - at + 1)
		}
		for id, v := range f.s.states[state][i] {
			if fmt.Sprint(id%chunks) == p.Rest[0].Lower {
				events = append(events, block(p.Table, 0, 0, change{op: schema.OpRead, id: id, v: v}))
			}
		}
		p.Rest = p.Rest[1:]
		events = append(events, p)
	}
	return events
}

func (f *follower) intN(n int) int {
	if f.r == nil {
		return 0
	}
	return f.r.IntN(n)
}

// checkCut compares what a lake published with the history at that place.
func (s *script) checkCut(l *lake) func(schema.Commit) {
	return func(c schema.Commit) {
		txn := txnAt(c.Position)
		for i, t := range s.shapes[0] {
			if s.alone && i > 0 {
				continue
			}
			got := l.rows[t.ID]
			if got == nil {
				got = map[int64]string{}
			}
			require.Equal(l.t, s.states[txn][i], got, "table %s after transaction %d", t.ID, txn)
		}
	}
}

// once is checked on a lake that read the log from its begin.
func (s *script) once(t *testing.T, l *lake) {
	for k, n := range l.applied {
		require.Equal(t, 1, n, "change %s", k)
	}
}

// TestRestarts kills sources and sinks at random moments, lets killed sources
// write on, and then compares every cut, and the end, with the history.
func TestRestarts(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { restarts(t, rand.New(rand.NewPCG(seed, 1)), seed%3 == 2) })
	}
}

func restarts(t *testing.T, r *rand.Rand, trim bool) {
	const last = 79
	c := cluster(t)
	cfg := config(c.ListenAddrs()[0])
	cfg.BatchBytes = 1 << (8 + r.IntN(6))
	if r.IntN(2) == 0 {
		// Blocks pass by the broker, all of them or those that there is room for.
		cfg.Partitions, cfg.Memory = 1, []int{4 << 10, 1 << 20}[r.IntN(2)]
	}
	cfg.CheckpointInterval *= []time.Duration{1, 1000}[r.IntN(2)]
	trimmed := 0
	if trim {
		cfg.CheckpointInterval = 10 * time.Millisecond // only what a checkpoint covers goes
		cfg.Trim = func(topic string, partition int, before int64) error {
			if c.PartitionInfo(topic, int32(partition)).LogStartOffset < before {
				trimmed++
			}
			return c.DeleteRecords(topic, int32(partition), before)
		}
	}
	s := newScript(t, r, last+1)
	l := newLake(t)
	l.check = s.checkCut(l)
	var zombies []*follower
	for round := range 8 {
		ctx, kill := context.WithCancel(t.Context())
		tr := kafkalog.New(cfg, quiet())
		t.Cleanup(func() { tr.Close() })
		w, err := tr.Writer(ctx, l.resume)
		require.NoError(t, err)
		rd, err := tr.Reader(ctx, l.resume)
		require.NoError(t, err)
		done := make(chan error, 1)
		reading, stopReading := context.WithCancel(ctx)
		go func() {
			defer close(done) // what does not match ends this goroutine only
			done <- read(reading, rd, l)
		}()
		to := min(last, 10*round+r.IntN(20))
		f := follow(s, w)
		require.NoError(t, f.run(ctx, r.IntN(5), to))
		for _, z := range zombies {
			// They do not know yet that they were replaced, and send what comes next.
			if err := z.run(t.Context(), r.IntN(5), last); err != nil {
				require.ErrorIs(t, err, kafkalog.ErrSuperseded)
			}
		}
		zombies = nil
		switch r.IntN(3) {
		case 0:
			kill()
		case 1:
			zombies = append(zombies, f)
			t.Cleanup(kill)
		default:
			require.NoError(t, w.Close(t.Context()))
			t.Cleanup(kill)
		}
		stopReading()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			require.NoError(t, err)
		}
		l.restart()
	}
	finish(t, cfg, s, l, last)
	if trim {
		require.Positive(t, trimmed)
		return // nobody can read it from its begin
	}
	whole := newLake(t)
	whole.check = s.checkCut(whole)
	finish(t, cfg, s, whole, last)
	s.once(t, whole)
	require.Equal(t, l.rows, whole.rows)
}

// finish runs everything to its end.
func finish(t *testing.T, cfg kafkalog.Config, s *script, l *lake, last int) {
	tr, w, rd := open(t, cfg, l)
	require.NoError(t, follow(s, w).run(t.Context(), 3, last))
	require.NoError(t, w.Close(t.Context()))
	drain(t, rd, l)
	require.NoError(t, tr.Close())
	for i, shape := range s.shapes[last] {
		require.Equal(t, s.states[last][i], l.rows[shape.ID])
	}
}

func read(ctx context.Context, r pipeline.Reader, l *lake) error {
	for {
		e, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		l.apply(e)
		if c, ok := e.(schema.Commit); ok {
			if err := r.Done(ctx, c.Position); err != nil {
				return err
			}
		}
	}
}
