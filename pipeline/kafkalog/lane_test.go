package kafkalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

func begins(t *schema.Table) schema.SchemaChange {
	return schema.SchemaChange{Table: t, Reset: true, Lane: true, Request: "again"}
}

// at is a Commit at which a table is in its lane.
func at(txn int64, t *schema.Table, rest ...schema.Range) schema.Commit {
	c := commit(txn)
	c.Loading = []schema.Progress{{Table: t, Load: schema.Load{Overlap: commit(9).Position, Rest: rest, Request: "r", Condition: "c"}}}
	return c
}

// TestLanesThroughTheLog: a lane goes on with what was left at the checkpoint, or begins
// anew where what the log holds behind that does not go with it.
func TestLanesThroughTheLog(t *testing.T) {
	left := schema.Range{Lower: "2"}
	a, wider, n := table(t, "a"), table(t, "a", "c"), table(t, "n")
	row := func(t *schema.Table, id int64, v string) *schema.Block {
		return block(t, 0, 0, change{op: schema.OpRead, id: id, v: v})
	}
	goesOn := at(2, a, left).Loading[0].Load
	complete := at(2, a).Loading[0].Load
	whole := []schema.Range{{}}
	begun := []schema.Event{begins(a), at(2, a, left)}
	for name, c := range map[string]struct {
		events, lost []schema.Event
		want         map[schema.TableID]schema.Load
	}{
		"goes on":       {begun, []schema.Event{row(a, 3, "3"), block(a, 3, 0, change{op: schema.OpInsert, id: 4, v: "4"})}, map[schema.TableID]schema.Load{a.ID: goesOn}},
		"altered":       {begun, []schema.Event{schema.SchemaChange{Table: wider}, row(wider, 3, "3")}, map[schema.TableID]schema.Load{a.ID: {Request: "r", Rest: whole, Void: true}}},
		"began again":   {begun, []schema.Event{begins(a), row(a, 3, "3")}, map[schema.TableID]schema.Load{a.ID: {Request: "again", Rest: whole, Void: true}}},
		"read, altered": {[]schema.Event{begins(a), at(2, a)}, []schema.Event{schema.SchemaChange{Table: wider}}, map[schema.TableID]schema.Load{a.ID: complete}},
		"ended":         {append(begun, commit(3)), []schema.Event{block(a, 4, 0, change{op: schema.OpInsert, id: 4, v: "4"})}, nil},
		"just begun":    {[]schema.Event{commit(2)}, []schema.Event{begins(a), row(a, 3, "3")}, map[schema.TableID]schema.Load{a.ID: {Request: "again", Rest: whole, Void: true}}},
		"keeps rows": {[]schema.Event{commit(2)}, []schema.Event{schema.SchemaChange{Table: a, Lane: true, Request: "some", Condition: "c"}},
			map[schema.TableID]schema.Load{a.ID: {Request: "some", Rest: whole, Void: true}}},
		"of a new table": {[]schema.Event{commit(2)}, []schema.Event{begins(n), row(n, 3, "3")}, map[schema.TableID]schema.Load{n.ID: {Request: "again", Rest: whole, Void: true}}},
		"not in a load":  {begun, []schema.Event{schema.Anew{History: 1}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(broker(t))
			cfg.Partitions = 3
			l, _ := loaded(t, cfg)
			require.NoError(t, writerUnder(t, cfg, "", c.events...))
			for range 2 { // a source that does nothing changes nothing
				require.NoError(t, writerUnder(t, cfg, "", c.lost...))
				c.lost = nil
				tr, w, _ := open(t, cfg, l)
				lanes := w.Resume().Lanes
				require.NotNil(t, lanes)
				require.Len(t, lanes, len(c.want))
				for id, want := range c.want {
					require.Equal(t, want, lanes[id].Load)
					require.Equal(t, w.Resume().Tables[id].Table, lanes[id].Table)
				}
				require.NoError(t, tr.Close())
			}
		})
	}
}

// TestLaneReachesTheSink: the sink hears of the lane's begin, and at each Commit of how
// far it is. Its begin and its end are worth a cut at once.
func TestLaneReachesTheSink(t *testing.T) {
	for _, partitions := range []int{1, 3} { // with one, blocks pass by the broker
		cfg := config(broker(t))
		cfg.Partitions = partitions
		l, a := loaded(t, cfg)
		var seen [][]schema.Progress
		l.check = func(c schema.Commit) { seen = append(seen, c.Loading) }
		tr, w, r := open(t, cfg, l)
		send(t, w, begins(a), at(2, a, schema.Range{}),
			block(a, 0, 0, change{op: schema.OpRead, id: 7, v: "seven"}),
			block(a, 3, 0, change{op: schema.OpUpdate, id: 7, old: 7, v: "7"}), commit(3))
		require.NoError(t, w.Close(t.Context()))
		drain(t, r, l)
		require.NoError(t, tr.Close())
		require.Equal(t, [][]schema.Progress{at(2, a, schema.Range{}).Loading, nil}, seen)
		require.Equal(t, map[int64]string{7: "7"}, l.rows[a.ID], "what was there before is void")
	}
}
