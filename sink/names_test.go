package sink

import (
	"context"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/naming"
)

func namesOf(t *testing.T, r naming.Rules) *naming.Mapping {
	t.Helper()
	m, err := naming.New(r)
	require.NoError(t, err)
	return m
}

// TestNames: a table under names of its own keeps its field ids through renames, also
// on the branch of its load, and is read by them without the rules.
func TestNames(t *testing.T) {
	rules := naming.Rules{Case: naming.Upper, NamespacePrefix: "raw_", ColumnPrefix: "c_", Rename: []string{"shop.orders.x=Note"}}
	w := newWorld(t, Config{Names: namesOf(t, rules)})
	w.shapes["orders"], w.kinds["orders"] = shapeOf(t, "orders", keyComposite, "x", "y"), keyComposite
	require.NoError(t, w.loadTables(pipeline.Resume{}, 1, "orders"))
	id := w.shapes["orders"].ID
	require.Contains(t, w.restart().Loads, id)
	require.NoError(t, w.commitIn(1))
	w.check("orders")
	require.Equal(t, naming.Identifier{Namespace: "raw_SHOP", Name: "ORDERS"}, w.info("orders").Lake)
	require.Equal(t, []string{"c_A=1 true", "c_V=2 false", "c_B=3 true", "c_S=4 false", "c_AMT=5 false", "c_AT=6 false", "Note=7 false", "c_Y=8 false"}, w.fieldIDs("orders"))

	c := reshaped(t, w.shapes["orders"], "a", "v", "b", "s", "y=x", "amt", "at", "x=y")
	w.rename("orders", map[string]string{"x": "y", "y": "x"})
	w.define(c.Table, keyComposite, c)
	require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
	require.NoError(t, w.commitIn(1))
	w.restart()
	require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
	require.NoError(t, w.commitIn(1))
	w.check("orders")
	require.Equal(t, []string{"c_A=1 true", "c_V=2 false", "c_B=3 true", "c_S=4 false", "c_Y=7 false", "c_AMT=5 false", "c_AT=6 false", "Note=8 false"}, w.fieldIDs("orders"))
	cuts, err := w.lake.Cuts(context.Background(), 1)
	require.NoError(t, err)
	require.Contains(t, cuts[0].Snapshots, "raw_SHOP.ORDERS")

	// Who reads needs none of the rules; who writes needs those that make these names.
	cfg := w.cfg
	w.cfg.Names, w.cfg.ReadOnly = nil, true
	require.Contains(t, w.restart().Tables, id)
	w.check("orders")
	w.cfg = cfg
	rules.Rename = append(rules.Rename, "shop.other=a.b", "shop.orders.z=Z2")
	w.cfg.Names = namesOf(t, rules)
	w.restart()
	w.cfg.Names = nil
	require.NoError(t, w.lake.Close())
	w.open()
	_, err = w.lake.Resume(context.Background())
	require.ErrorContains(t, err, "table shop.orders: it stands there as raw_SHOP.ORDERS, and would now be called shop.orders; remedy: set them as they were")
}

// TestNamesTaken: no table is made under a name that another has, and no column.
func TestNamesTaken(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, Config{Names: namesOf(t, naming.Rules{Tables: []string{`shop\.(or|of).*=lake.all`}, Sanitize: true})})
	_, err := w.lake.Resume(ctx)
	require.NoError(t, err)
	require.NoError(t, w.somebody().CreateNamespace(ctx, table.Identifier{"shop"}, nil))
	_, err = w.somebody().CreateTable(ctx, table.Identifier{"shop", "orders"}, iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "x", Type: iceberg.PrimitiveTypes.Int32}))
	require.NoError(t, err)
	w.define(shapeOf(t, "orders", keyInteger, "a!"), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.commit())
	r := w.restart()
	require.NoError(t, w.lake.CheckOwner(w.shapes["orders"].ID), "somebody else's shop.orders is not in its way")
	require.Len(t, r.Tables, 1)
	require.NoError(t, w.lake.Define(ctx, schema.SchemaChange{Table: shapeOf(t, "orders", keyInteger, "a!", "A?")}))
	require.ErrorContains(t, w.commit(), "table shop.orders: column A? and column a! would all be called a_ in the lake; give one of them another name with --names-rename")
	w.restart()
	err = w.lake.Define(ctx, schema.SchemaChange{Table: shapeOf(t, "offers", keyInteger), Reset: true})
	require.ErrorContains(t, err, "creating table shop.offers in the lake: shop.offers and shop.orders would all be called lake.all in the lake; give one of them another name")
}
