package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// commitIn is commit in a history.
func commitIn(history, txn int64) schema.Commit {
	c := commit(txn)
	c.Position.History = history
	return c
}

// TestUnfinishedLoad: behind the last checkpoint a load voids the tables. The
// next source is told, and transactions that have the names of others are not
// taken for those.
func TestUnfinishedLoad(t *testing.T) {
	b := stallingBroker(t)
	cfg := tornConfig(b.addr)
	l, a := loaded(t, cfg)
	torn(t, b, cfg, l, a)
	tr, w, _ := open(t, cfg, l)
	require.False(t, w.Resume().Unfinished())
	send(t, w, schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true}, block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "part"}))
	require.NoError(t, tr.Close())

	l.restart()
	tr, w, r := open(t, cfg, l)
	require.True(t, w.Resume().Unfinished())
	require.Equal(t, int64(1), w.Resume().History)
	send(t, w, schema.Anew{History: 2}, schema.SchemaChange{Table: a, Reset: true}, block(a, 0, 0, change{op: schema.OpRead, id: 3, v: "loaded"}), commitIn(2, 1),
		block(a, 2, 0, change{op: schema.OpInsert, id: 4, v: "another"}), commitIn(2, 2))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Equal(t, map[int64]string{3: "loaded", 4: "another"}, l.rows[a.ID])

	l.restart()
	_, w, _ = open(t, cfg, l)
	require.False(t, w.Resume().Unfinished())
	require.Equal(t, int64(2), w.Resume().Position.History)
}

// TestLoadWithoutATable: the log holds half-sent transactions of a table that the
// load does not bring. Nobody waits for the rest of them, and the source is not
// told of the table again.
func TestLoadWithoutATable(t *testing.T) {
	b := stallingBroker(t)
	cfg := tornConfig(b.addr)
	l, a := loaded(t, cfg)
	torn(t, b, cfg, l, a)
	tr, w, r := open(t, cfg, l)
	other := table(t, "other")
	send(t, w, schema.Anew{History: 1}, schema.SchemaChange{Table: other, Reset: true}, block(other, 0, 0, change{op: schema.OpRead, id: 1, v: "one"}), commitIn(1, 1))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Equal(t, map[int64]string{1: "one"}, l.rows[other.ID])
	require.Equal(t, int64(1), l.resume.Position.History)

	l.restart()
	_, w, _ = open(t, cfg, l)
	require.Contains(t, w.Resume().Tables, other.ID)
	require.NotContains(t, w.Resume().Tables, a.ID)
}

// TestLoadOutlivesItsRecord: the record that a load began is no longer kept, and
// a checkpoint from before the load was written behind it.
func TestLoadOutlivesItsRecord(t *testing.T) {
	b := stallingBroker(t)
	cfg := tornConfig(b.addr)
	l, a := loaded(t, cfg)
	tr, w, r := open(t, cfg, l)
	send(t, w, block(a, 2, 0, change{op: schema.OpInsert, id: 2, v: "two"}), commit(2),
		schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true, History: 1}, block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "part"}))
	require.NoError(t, w.Close(t.Context()))
	var anew []int64
	l.check = func(c schema.Commit) {
		require.Equal(t, map[int64]string{1: "one", 2: "two"}, l.rows[a.ID], "what is complete ends the history before")
		require.Empty(t, anew)
	}
	l.anew = func(e schema.Anew) { anew = append(anew, e.History) }
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Equal(t, []int64{1}, anew)
	require.Equal(t, commit(2).Position.GTIDs, l.resume.Position.GTIDs)

	deleteRecords(t, b.addr, "beluga-control.test", endOf(t, b.addr, "beluga-control.test", 0)-1)
	l.restart()
	_, w, _ = open(t, cfg, l)
	require.Equal(t, commit(2).Position.GTIDs, w.Resume().Position.GTIDs)
	require.True(t, w.Resume().Unfinished())
}

// TestKilledReloads: sources are killed at random moments, and many begin with a
// load of all tables, from a server that gives the names of its transactions to
// others each time and has not always the same tables, or go on with such a load.
// Every cut is compared with the history that it belongs to.
func TestKilledReloads(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { killedReloads(t, rand.New(rand.NewPCG(seed, 2))) })
	}
}

func killedReloads(t *testing.T, r *rand.Rand) {
	const last = 29
	c := cluster(t)
	cfg := config(c.ListenAddrs()[0])
	cfg.BatchBytes = 1 << (8 + r.IntN(6))
	cfg.CheckpointInterval *= []time.Duration{1, 1000}[r.IntN(2)]
	if r.IntN(2) == 0 {
		cfg.Trim = func(topic string, partition int, before int64) error {
			return c.DeleteRecords(topic, int32(partition), before)
		}
	}
	cfg.CutInterval *= []time.Duration{0, 1, 1000}[r.IntN(3)]
	cfg.LoadInterval = []time.Duration{time.Millisecond, time.Hour}[r.IntN(2)]
	histories := []*script{{}}
	l := newLake(t)
	l.check = func(c schema.Commit) {
		histories[c.Position.History].checkCut(l)(c)
		for k, n := range l.applied {
			if strings.HasPrefix(k, "shop.b ") {
				require.Equal(t, 1, n, "change %s of a table without a key", k)
			}
		}
	}
	continued := 0
	// source returns the follower that goes on, or loads, or goes on with a load.
	source := func(w pipeline.Writer, again bool) *follower {
		from := w.Resume()
		if !again && !from.Position.IsZero() && !from.Unfinished() {
			return follow(histories[from.Position.History], w)
		}
		if from.Loads != nil && r.IntN(5) > 0 {
			continued++
			return &follower{s: histories[from.History], w: w, at: -1, r: r}
		}
		s := newScript(t, r, last+1)
		s.history, s.alone = max(from.History, from.Position.History)+1, r.IntN(3) == 0
		require.LessOrEqual(t, s.history, int64(len(histories)), "a load that nobody began was heard of")
		histories = append(histories[:s.history], s)
		return &follower{s: s, w: w, at: -1, r: r}
	}
	for range 12 {
		ctx, kill := context.WithCancel(t.Context())
		tr := kafkalog.New(cfg, quiet())
		t.Cleanup(func() { kill(); tr.Close() })
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
		f := source(w, r.IntN(3) == 0)
		f.left = r.IntN(90)
		require.NoError(t, f.run(ctx, r.IntN(5), f.at+r.IntN(min(20, last-max(f.at, 5)))))
		switch r.IntN(2) {
		case 0:
			time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
			kill()
		default:
			require.NoError(t, w.Close(t.Context()))
		}
		stopReading()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			require.NoError(t, err)
		}
		l.restart()
	}
	t.Logf("%d loads went on", continued)
	tr, w, rd := open(t, cfg, l)
	f := source(w, true)
	require.NoError(t, f.run(t.Context(), 3, last))
	require.NoError(t, w.Close(t.Context()))
	drain(t, rd, l)
	require.NoError(t, tr.Close())
	f.s.checkCut(l)(commitIn(f.s.history, last+1))
}

// TestLoadRowsStandAlone: transactions follow the rows of a load without a Commit
// between, as they do where the load overlaps with them. No block holds both.
func TestLoadRowsStandAlone(t *testing.T) {
	cfg := config(broker(t))
	l, a := newLake(t), table(t, "a")
	tr, w, r := open(t, cfg, l)
	send(t, w, schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true, History: 1})
	want := map[int64]string{}
	for id := range int64(20) {
		send(t, w, block(a, 0, 0, change{op: schema.OpRead, id: id, v: "loaded"}))
		want[id] = "loaded"
	}
	for id := range int64(10) {
		send(t, w, block(a, id+1, 0, change{op: schema.OpUpdate, id: id, old: id, v: "again"}))
		want[id] = "again"
	}
	send(t, w, commitIn(1, 10))
	require.NoError(t, w.Close(t.Context()))
	blocks := 0
	for e, err := r.Next(t.Context()); !errors.Is(err, io.EOF); e, err = r.Next(t.Context()) {
		require.NoError(t, err)
		if b, ok := e.(*schema.Block); ok {
			blocks++
			for _, op := range b.Ops {
				require.Equal(t, b.Ops[0] == schema.OpRead, op == schema.OpRead)
			}
		}
		l.apply(e)
	}
	require.Positive(t, blocks)
	require.NoError(t, tr.Close())
	require.Equal(t, want, l.rows[a.ID])
}
