package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

func TestMessageKeys(t *testing.T) {
	orders := &schema.Table{ID: schema.TableID{Database: "shop", Name: "orders"}, Key: []int{2, 0}, Columns: []schema.Column{{Name: "id"}, {Name: "note"}, {Name: "Customer"}}}
	keyless := &schema.Table{ID: schema.TableID{Database: "shop", Name: "log"}, Columns: orders.Columns}
	k, err := pipeline.ParseMessageKeys([]string{`shop\.(orders|log): customer`, `.*\.log:note,id`, "shop.other:x"})
	require.NoError(t, err)
	columns := func(t *testing.T, table *schema.Table, partitions int) []int {
		c, err := k.Columns(table, partitions)
		require.NoError(t, err)
		return c
	}
	require.Equal(t, []int{2}, columns(t, orders, 3))
	require.Equal(t, []int{0, 1, 2}, columns(t, keyless, 3), "all columns of a table without a key identify its rows")
	require.Equal(t, []string{"shop.other:x"}, k.Unused([]schema.TableID{orders.ID, keyless.ID}))
	none := pipeline.MessageKeys{}
	own, err := none.Columns(orders, 3)
	require.NoError(t, err)
	require.Equal(t, orders.Key, own)

	k, err = pipeline.ParseMessageKeys([]string{"shop.orders:id,note"})
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, columns(t, orders, 1))
	_, err = k.Columns(orders, 2)
	require.ErrorContains(t, err, "table shop.orders: message.key.columns \"shop.orders:id,note\" names its column note, which is not of its primary key, and its topic has 2 partitions")
	k, err = pipeline.ParseMessageKeys([]string{"shop.orders:nothing"})
	require.NoError(t, err)
	_, err = k.Columns(orders, 1)
	require.ErrorContains(t, err, "names its column nothing, which it does not have")
	for _, text := range []string{"shop.orders", ":id", "shop.orders:", "shop.orders:id,,x", "(:id"} {
		_, err := pipeline.ParseMessageKeys([]string{text})
		require.Error(t, err, text)
	}
}
