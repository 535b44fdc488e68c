package kafkalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

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
