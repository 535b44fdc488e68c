package kafkalog_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// TestAlterPassedAgain: a source is told of the changes of a table that the one before
// it has sent, which was killed, and passes them again in the same steps. Others are
// refused: a change is never taken for another one of its number.
func TestAlterPassedAgain(t *testing.T) {
	for name, again := range map[string]struct {
		changes []schema.SchemaChange
		want    string // of an error
	}{
		"in the same steps": {changes: []schema.SchemaChange{{Table: table(t, "a", "x")}, {Table: table(t, "a", "x", "y")}, {Table: table(t, "a", "x", "y", "z")}}},
		"in one step": {changes: []schema.SchemaChange{{Table: table(t, "a", "x", "y")}},
			want: "has sent another change of it than the one that comes now (from that one: column y added)"},
		"otherwise": {changes: []schema.SchemaChange{{Table: renamedTable(t), Renamed: []schema.Rename{{From: "v", To: "w"}}}},
			want: "table shop.a: a source that was killed has sent another change of it than the one that comes now"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := tornConfig(broker(t))
			l, _ := loaded(t, cfg)
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			before := [3]int64{}
			for p := range before {
				before[p] = endOf(t, cfg.Brokers[0], "p.shop.a", p)
			}
			tr := kafkalog.New(cfg, quiet())
			w, err := tr.Writer(ctx, l.resume)
			require.NoError(t, err)
			send(t, w, schema.SchemaChange{Table: table(t, "a", "x"), Cause: schema.Cause{At: "added x"}}, schema.SchemaChange{Table: table(t, "a", "x", "y")})
			for p := range before {
				for endOf(t, cfg.Brokers[0], "p.shop.a", p) < before[p]+3 { // a fence, two shapes
					time.Sleep(time.Millisecond)
				}
			}
			kill()
			require.NoError(t, tr.Close())

			tr, w, r := open(t, cfg, l)
			told := w.Resume().Changes[table(t, "a").ID]
			require.Len(t, told, 2)
			require.Equal(t, "added x", told[0].Cause.At)
			require.True(t, schema.DiffTables(told[1].Table, table(t, "a", "x", "y")).IsEmpty())
			for i, c := range again.changes {
				err := w.Send(t.Context(), c)
				if again.want != "" {
					require.ErrorContains(t, err, again.want)
					require.NoError(t, tr.Close())
					return
				}
				require.NoError(t, err, i)
			}
			last := again.changes[len(again.changes)-1].Table
			send(t, w, block(last, 2, 0, change{op: schema.OpInsert, id: 7, v: "seven"}), commit(2))
			require.NoError(t, w.Close(t.Context()))
			drain(t, r, l)
			require.NoError(t, tr.Close())
			require.Equal(t, map[int64]string{1: "one", 7: "seven"}, l.rows[last.ID])
			require.True(t, schema.DiffTables(l.shapes[last.ID], last).IsEmpty())
		})
	}
}

func renamedTable(t *testing.T) *schema.Table {
	a := table(t, "a")
	a.Columns[1].Name = "w"
	require.NoError(t, a.Prepare())
	return a
}
