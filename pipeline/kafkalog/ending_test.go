package kafkalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// TestReaderOfSomeTables: a reader that takes one of two tables, in a process without
// the writer, comes to every cut of it, and to the end; so does one that goes on behind
// a source that died within a transaction.
func TestReaderOfSomeTables(t *testing.T) {
	cfg := config(broker(t))
	some := cfg
	some.Tables = func(id schema.TableID) bool { return id.Name == "a" }
	read := func(l *lake) {
		t.Helper()
		tr := kafkalog.New(some, quiet())
		defer tr.Close()
		require.NoError(t, tr.EndHere(t.Context()))
		r, err := tr.Reader(t.Context(), l.resume)
		require.NoError(t, err)
		drain(t, r, l)
		l.restart()
	}
	reader := newLake(t)
	require.ErrorIs(t, kafkalog.New(some, quiet()).EndHere(t.Context()), kafkalog.ErrNoLog)

	whole, a, b := newLake(t), table(t, "a"), table(t, "b")
	tr, w, r := open(t, cfg, whole)
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, schema.SchemaChange{Table: b, Reset: true},
		block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "one"}), block(b, 0, 0, change{op: schema.OpRead, id: 1, v: "one"}), commit(1))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, whole)
	require.NoError(t, tr.Close())
	whole.restart()
	read(reader)
	require.Equal(t, map[schema.TableID]map[int64]string{a.ID: {1: "one"}}, reader.rows)
	require.Equal(t, whole.resume.Position.GTIDs, reader.resume.Position.GTIDs)

	tr, w, r = open(t, cfg, whole)
	send(t, w, block(a, 2, 0, change{op: schema.OpInsert, id: 2, v: "two"}), block(b, 2, 1, change{op: schema.OpInsert, id: 2, v: "two"}), commit(2))
	until := func(last func(schema.Event) bool) {
		t.Helper()
		for {
			e, err := r.Next(t.Context())
			require.NoError(t, err)
			done := last(e)
			whole.apply(e)
			if done {
				return
			}
		}
	}
	until(func(e schema.Event) bool {
		c, ok := e.(schema.Commit)
		return ok && c.Position.Contains(commit(2).Position)
	})
	send(t, w, block(a, 3, 0, change{op: schema.OpInsert, id: 3, v: "three"}))
	require.NoError(t, tr.Close())
	read(reader)
	require.Equal(t, map[int64]string{1: "one", 2: "two"}, reader.rows[a.ID])
	require.Equal(t, commit(2).Position.GTIDs, reader.resume.Position.GTIDs)
}
