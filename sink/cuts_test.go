package sink

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// Every published cut names snapshots at which all tables are what they were
// then, idle ones included; the newest file of cuts takes the next one up.
func TestCuts(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, Config{})
	for _, name := range []string{"customers", "orders"} {
		w.define(shapeOf(t, name, keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	}
	require.NoError(t, w.load("customers", 0, 100))
	require.NoError(t, w.commit())
	history := [][]string{append(w.want("customers"), w.want("orders")...)}
	for i := range 6 {
		if i == 3 {
			w.restart()
		}
		require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
		require.NoError(t, w.commit())
		history = append(history, append(w.want("customers"), w.want("orders")...))
	}
	require.NoError(t, w.commit(), "a cut of idle tables")
	history = append(history, history[len(history)-1])

	cuts, err := w.lake.Cuts(ctx, 100)
	require.NoError(t, err)
	require.Len(t, cuts, len(history))
	for i, c := range cuts {
		n := len(history) - 1 - i
		require.EqualValues(t, n+1, c.Number)
		require.Equal(t, position(t, int64(n)+2).String(), c.Position)
		require.Equal(t, history[n], append(w.read("customers", c.Snapshots["shop.customers"]), w.read("orders", c.Snapshots["shop.orders"])...))
	}
	require.Equal(t, cuts[0].Snapshots["shop.customers"], cuts[5].Snapshots["shop.customers"], "an idle table is not committed")
	two, err := w.lake.Cuts(ctx, 2)
	require.NoError(t, err)
	require.Equal(t, cuts[:2], two)

	// A second pipeline publishes in between.
	first := w.lake
	cfg := w.cfg
	cfg.Pipeline = "p2"
	other := newWorld(t, cfg)
	require.NoError(t, other.commit())
	w.lake = first
	require.NoError(t, w.commit())
	require.NoError(t, other.commit())
	mine, err := first.Cuts(ctx, 100)
	require.NoError(t, err)
	require.Len(t, mine, len(history)+1)
	theirs, err := other.lake.Cuts(ctx, 100)
	require.NoError(t, err)
	require.Len(t, theirs, 2)
}
