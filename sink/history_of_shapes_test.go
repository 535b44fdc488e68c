package sink

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// TestHistoryOfShapes: every shape that a table had is remembered, also through a load
// that is not complete, a restart and a statement in two steps; no more than the newest
// fifty, with their numbers.
func TestHistoryOfShapes(t *testing.T) {
	w := newWorld(t, Config{})
	w.shapes["orders"], w.kinds["orders"] = shapeOf(t, "orders", keyInteger, "x"), keyInteger
	require.NoError(t, w.loadTables(pipeline.Resume{}, 1, "orders"))
	alter := func(cause schema.Cause, columns ...string) {
		t.Helper()
		c := reshaped(t, w.shapes["orders"], columns...)
		c.Cause = cause
		w.define(c.Table, keyInteger, c)
		w.rename("orders", map[string]string{"x": "y", "y": "x"})
		require.NoError(t, w.write("orders", w.randomChanges(loadRows, 20)))
	}
	during := schema.Cause{Statement: "ALTER during the load", At: "a:1"}
	alter(during, "id", "v", "s", "amt", "at", "y=x")
	require.NoError(t, w.lake.Checkpoint(t.Context(), []schema.Progress{w.progress("orders", 1, loadRows)}))
	require.Empty(t, w.info("orders").Versions, "nothing is shown yet")
	w.restart()
	require.NoError(t, w.commitIn(1))
	versions := w.info("orders").Versions
	require.Len(t, versions, 2)
	require.Equal(t, position(t, w.next).String(), versions[0].Position, "the load has no transaction")
	require.Equal(t, []any{2, "a:1", during.Statement}, []any{versions[1].Number, versions[1].Position, versions[1].Statement})

	twice := schema.Cause{Statement: "ALTER in two steps", At: "a:2"}
	alter(twice, "id", "v", "s", "amt", "at", "x=y")
	alter(twice, "id", "v", "s", "amt", "x", "at")
	require.NoError(t, w.commitIn(1))
	w.restart()
	require.NoError(t, w.write("orders", w.randomChanges(loadRows, 20)))
	require.NoError(t, w.commitIn(1))
	versions = w.info("orders").Versions
	require.Len(t, versions, 3, "rows make no version")
	require.Equal(t, VersionColumn{Name: "x", Type: "varchar(200)", Nullable: true, FieldID: 6, Field: "x", LakeType: "string"}, versions[2].Columns[4])

	for i := range mostVersions {
		from, to := "x", "y"
		if i%2 == 1 {
			from, to = to, from
		}
		alter(schema.Cause{Statement: fmt.Sprint("ALTER number ", i), At: "b:1"}, "id", "v", "s", "amt", to+"="+from, "at")
	}
	require.NoError(t, w.commitIn(1))
	w.check("orders")
	versions = w.info("orders").Versions
	require.Len(t, versions, mostVersions)
	require.Equal(t, 3+mostVersions, versions[mostVersions-1].Number)
	require.Equal(t, "ALTER number 0", versions[0].Statement)
	for i, v := range versions { // schemas that no reader ever saw, too
		require.Equal(t, []string{"y", "x"}[i%2], v.Columns[4].Field)
	}
}
