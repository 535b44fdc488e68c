package kafkalog_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// told is the progress of a load that began at the first transaction.
func told(t *schema.Table, rest ...schema.Range) schema.Progress {
	return schema.Progress{Table: t, Load: schema.Load{Position: commitIn(1, 1).Position, Overlap: commitIn(1, 2).Position, Version: "v", Rest: rest}}
}

// partly sends a load of two tables that has come to the replay, but for a part of a.
func partly(t *testing.T, cfg kafkalog.Config, l *lake, a, b *schema.Table) {
	t.Helper()
	tr, w, _ := open(t, cfg, l)
	send(t, w, schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true, History: 1}, schema.SchemaChange{Table: b, Reset: true, History: 1},
		block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "a1"}, change{op: schema.OpRead, id: 2, v: "a2"}), told(a, schema.Range{Lower: "2"}),
		block(b, 0, 0, change{op: schema.OpRead, id: 1, v: "b1"}), told(b),
		block(a, 2, 0, change{op: schema.OpUpdate, id: 1, old: 1, v: "A1"}, change{op: schema.OpDelete, old: 2}),
		block(b, 2, 2, change{op: schema.OpInsert, id: 2, v: "b2"}))
	require.NoError(t, w.Close(t.Context()))
	require.NoError(t, tr.Close())
	l.restart()
}

// TestLoadGoesOn: the next source is told what the log holds of a load. Rows that it
// sends again come behind a mark, with all that has to be applied over them; what a
// complete table has is not sent again.
func TestLoadGoesOn(t *testing.T) {
	for _, partitions := range []int{1, 3} { // with one, blocks pass by the broker
		cfg := config(broker(t))
		cfg.LoadInterval, cfg.Partitions = time.Hour, partitions // and at the end
		l, a, b := newLake(t), table(t, "a"), table(t, "b")
		partly(t, cfg, l, a, b)

		tr, w, r := open(t, cfg, l)
		require.True(t, w.Resume().Unfinished())
		loads := w.Resume().Loads
		require.Len(t, loads, 2)
		require.Equal(t, told(a, schema.Range{Lower: "2"}).Load, loads[a.ID].Load)
		require.Equal(t, told(b).Load, loads[b.ID].Load)
		require.Equal(t, a, loads[a.ID].Table)
		send(t, w, schema.SchemaChange{Table: a, Continued: true, History: 1}, schema.SchemaChange{Table: b, History: 1},
			block(a, 0, 0, change{op: schema.OpRead, id: 2, v: "a2"}, change{op: schema.OpRead, id: 3, v: "a3"}), told(a),
			block(a, 2, 0, change{op: schema.OpUpdate, id: 1, old: 1, v: "A1"}, change{op: schema.OpDelete, old: 2}),
			block(b, 2, 2, change{op: schema.OpInsert, id: 2, v: "b2"}), commitIn(1, 2))
		require.NoError(t, w.Close(t.Context()))
		drain(t, r, l)
		require.NoError(t, tr.Close())
		require.Equal(t, map[int64]string{1: "A1", 3: "a3"}, l.rows[a.ID])
		require.Equal(t, map[int64]string{1: "b1", 2: "b2"}, l.rows[b.ID])
		require.Equal(t, 2, l.applied["shop.a 2 A1"], "behind the mark too")
		require.Equal(t, 1, l.applied["shop.b 2 b2"], "once")
		require.Len(t, l.commits, 1)

		l.restart()
		_, w, _ = open(t, cfg, l)
		require.False(t, w.Resume().Unfinished())
		require.Empty(t, w.Resume().Loads)
	}
}

// TestLoadTellsWhatItSees: rows of which nothing was told may be newer than those of
// which something was, and the next source has to know.
func TestLoadTellsWhatItSees(t *testing.T) {
	cfg := config(broker(t))
	a := table(t, "a")
	rest := schema.Range{Lower: "2"}
	var events []schema.Event
	events = append(events, schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true, History: 1, Overlap: commitIn(1, 3).Position},
		block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "a1"}), told(a, rest))
	for seen := int64(3); seen < 7; seen++ {
		require.NoError(t, writerUnder(t, cfg, "", events...))
		tr, w, _ := open(t, cfg, newLake(t))
		require.Equal(t, commitIn(1, seen).Position, w.Resume().Loads[a.ID].Overlap)
		require.NoError(t, tr.Close())
		events = []schema.Event{schema.SchemaChange{Table: a, Continued: true, History: 1, Overlap: commitIn(1, seen+1).Position},
			block(a, 0, 0, change{op: schema.OpRead, id: 2, v: "a2"})}
	}
}

// TestReplacedSourceBeginsNoLoad: a source that was replaced, and does not know it
// yet, resets no table: the one that replaced it may not have fenced all partitions.
func TestReplacedSourceBeginsNoLoad(t *testing.T) {
	cfg := config(broker(t))
	cfg.CheckpointInterval = time.Hour
	l, a := loaded(t, cfg)
	_, w, _ := open(t, cfg, l)
	require.NoError(t, writerUnder(t, cfg, ""))
	before := endOf(t, cfg.Brokers[0], "p.shop.a", 0)
	require.ErrorIs(t, w.Send(t.Context(), schema.Anew{History: 1}), kafkalog.ErrSuperseded)
	require.Error(t, w.Send(t.Context(), schema.SchemaChange{Table: a, Reset: true, History: 1}))
	require.Equal(t, before, endOf(t, cfg.Brokers[0], "p.shop.a", 0))
}

// TestVoidProgress: progress speaks of rows that have become void since, or comes
// from a source that was replaced.
func TestVoidProgress(t *testing.T) {
	for name, c := range map[string]struct {
		events []schema.Event
		left   []string
	}{
		"nothing":        {nil, []string{"a", "b"}},
		"table reset":    {[]schema.Event{schema.SchemaChange{Table: table(t, "a"), Reset: true, History: 1}}, []string{"b"}},
		"table altered":  {[]schema.Event{schema.SchemaChange{Table: table(t, "b", "c")}}, []string{"a"}},
		"load goes on":   {[]schema.Event{schema.SchemaChange{Table: table(t, "a"), Continued: true, History: 1}}, []string{"a", "b"}},
		"another load":   {[]schema.Event{schema.Anew{History: 2}}, nil},
		"load completed": {[]schema.Event{schema.SchemaChange{Table: table(t, "a"), Continued: true, History: 1}, commitIn(1, 3)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(broker(t))
			l, a, b := newLake(t), table(t, "a"), table(t, "b")
			partly(t, cfg, l, a, b)
			require.NoError(t, writerUnder(t, cfg, "", c.events...))
			_, w, _ := open(t, cfg, l)
			var left []string
			for _, id := range []schema.TableID{a.ID, b.ID} {
				if _, ok := w.Resume().Loads[id]; ok {
					left = append(left, id.Name)
				}
			}
			require.Equal(t, c.left, left)
		})
	}
	t.Run("replaced", func(t *testing.T) {
		cfg := config(broker(t))
		cfg.LoadInterval, cfg.CheckpointInterval = time.Millisecond, time.Hour // it does not find out
		l, a := newLake(t), table(t, "a")
		tr, w, _ := open(t, cfg, l)
		send(t, w, schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true, History: 1})
		require.NoError(t, writerUnder(t, cfg, ""))
		before := endOf(t, cfg.Brokers[0], "beluga-control.test", 0)
		send(t, w, block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "a1"}), told(a))
		for endOf(t, cfg.Brokers[0], "beluga-control.test", 0) == before {
			time.Sleep(time.Millisecond)
		}
		require.NoError(t, tr.Close())
		_, w, _ = open(t, cfg, l)
		require.True(t, w.Resume().Unfinished())
		require.Empty(t, w.Resume().Loads)
	})
}

// TestLoadUnderOtherKeys: with another choice of keys, rows would come again into
// other partitions, where nothing orders them behind those that are there.
func TestLoadUnderOtherKeys(t *testing.T) {
	hex, err := debezium.ParseModes("", "", "hex", "")
	require.NoError(t, err)
	keys, err := pipeline.ParseMessageKeys([]string{`shop\.a:id`})
	require.NoError(t, err)
	for _, other := range []func(*kafkalog.Config){
		func(c *kafkalog.Config) { c.MessageKeys = keys },
		func(c *kafkalog.Config) { c.Modes = hex },
	} {
		for partitions, goesOn := range map[int]bool{1: true, 3: false} {
			loadUnderOtherKeys(t, partitions, goesOn, other)
		}
	}
}

func loadUnderOtherKeys(t *testing.T, partitions int, goesOn bool, other func(*kafkalog.Config)) {
	cfg := config(broker(t))
	cfg.LoadInterval, cfg.Partitions = time.Hour, partitions
	l, a := newLake(t), table(t, "a", "c")
	a.Key = []int{0, 2}
	require.NoError(t, a.Prepare())
	tr, w, _ := open(t, cfg, l)
	send(t, w, schema.Anew{History: 1}, schema.SchemaChange{Table: a, Reset: true, History: 1},
		block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "a1"}), told(a, schema.Range{Lower: "2"}))
	require.NoError(t, w.Close(t.Context()))
	require.NoError(t, tr.Close())
	l.restart()

	tr, w, _ = open(t, cfg, l)
	require.Len(t, w.Resume().Loads, 1, "under the same")
	require.NoError(t, w.Close(t.Context()))
	require.NoError(t, tr.Close())
	l.restart()

	other(&cfg)
	_, w, _ = open(t, cfg, l)
	require.True(t, w.Resume().Unfinished())
	require.Equal(t, goesOn, len(w.Resume().Loads) == 1, "%d partitions", partitions)
}
