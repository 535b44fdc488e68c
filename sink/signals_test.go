package sink

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// TestSignals posts to a lake that is being written, from outside and from two
// sides at once, while cuts are published to the same table.
func TestSignals(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, Config{})
	err := PostSignal(ctx, w.cfg, pipeline.Signal{ID: "0", Type: "log"})
	require.ErrorContains(t, err, "no published cut of pipeline")
	require.ErrorContains(t, err, "remedy: start beluga run first")

	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.commit())
	none, err := w.lake.Signals(ctx)
	require.NoError(t, err)
	assert.Empty(t, none)

	other := w.cfg
	other.Pipeline = "p2"
	require.ErrorContains(t, PostSignal(ctx, other, pipeline.Signal{ID: "0"}), "pipeline p2")

	const each = 5
	var g errgroup.Group
	for side := range 2 {
		g.Go(func() error {
			for i := range each {
				s := pipeline.Signal{ID: fmt.Sprintf("%d.%d", side, i), Type: "execute-snapshot", Data: `{"data-collections": ["shop.orders"]}`}
				if err := PostSignal(ctx, w.cfg, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 2 * each {
		require.NoError(t, w.write("orders", w.randomChanges(50, 10)))
		require.NoError(t, w.commit())
	}
	require.NoError(t, g.Wait())
	list, err := w.lake.Signals(ctx)
	require.NoError(t, err)
	require.Len(t, list, 2*each)
	last := map[byte]byte{}
	for _, s := range list {
		assert.Equal(t, `{"data-collections": ["shop.orders"]}`, s.Data)
		assert.Greater(t, s.ID[2], last[s.ID[0]], "oldest first")
		last[s.ID[0]] = s.ID[2]
	}

	w.restart()
	for _, s := range list[1:] {
		require.NoError(t, w.lake.RemoveSignal(ctx, s.ID))
	}
	require.NoError(t, w.lake.RemoveSignal(ctx, "never there"))
	require.NoError(t, w.write("orders", w.randomChanges(50, 10)))
	require.NoError(t, w.commit())
	left, err := w.lake.Signals(ctx)
	require.NoError(t, err)
	assert.Equal(t, list[:1], left)
	assert.Equal(t, w.want("orders"), w.read("orders", 0))
}
