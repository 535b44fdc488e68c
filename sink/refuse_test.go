package sink

import (
	"context"
	"log/slog"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// somebody opens the lake's catalog as another program would.
func (w *world) somebody() catalog.Catalog { return w.lake.dir.Catalog }

func TestSecondInstanceIsRefused(t *testing.T) {
	w := newWorld(t, Config{})
	_, err := Open(context.Background(), w.cfg, slog.Default())
	require.ErrorIs(t, err, ErrAnotherInstance)
	cfg := w.cfg
	cfg.Pipeline = "p2"
	l, err := Open(context.Background(), cfg, slog.Default())
	require.NoError(t, err, "another pipeline may share the warehouse")
	require.NoError(t, l.Close())
}

// Where the lock does not reach, the compare-and-swap finds the second instance.
func TestAnotherInstanceByCommit(t *testing.T) {
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 100))
	require.NoError(t, w.commit())

	first := w.lake
	require.NoError(t, first.dir.Unlock())
	w.open()
	_, err := w.lake.Resume(context.Background())
	require.NoError(t, err)
	require.NoError(t, w.write("orders", w.randomChanges(100, 10)))
	require.NoError(t, w.commit())

	second, rows := w.lake, w.clone()
	w.lake = first
	require.NoError(t, w.write("orders", w.randomChanges(100, 10)))
	require.ErrorIs(t, w.commit(), ErrAnotherInstance)
	w.lake, w.rows = second, rows
	w.check("orders")
}

// A pipeline that stands still cannot be told from ours by its tables alone:
// the cut tells.
func TestAnotherInstanceByCut(t *testing.T) {
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.commit())
	first := w.lake
	require.NoError(t, first.dir.Unlock())
	w.open()
	require.NoError(t, w.commit())
	w.lake = first
	require.ErrorIs(t, w.commit(), ErrAnotherInstance)
}

func TestForeignTables(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, Config{})
	_, err := w.lake.Resume(ctx)
	require.NoError(t, err)
	require.NoError(t, w.somebody().CreateNamespace(ctx, table.Identifier{"shop"}, nil))
	_, err = w.somebody().CreateTable(ctx, table.Identifier{"shop", "theirs"}, iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "x", Type: iceberg.PrimitiveTypes.Int32}))
	require.NoError(t, err)
	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.commit())

	w.restart()
	err = w.lake.Define(ctx, schema.SchemaChange{Table: shapeOf(t, "theirs", keyInteger), Reset: true})
	require.ErrorContains(t, err, "was not made by Beluga")

	w.cfg.Pipeline = "p2"
	r := w.restart()
	require.Empty(t, r.Tables)
	require.True(t, r.Position.IsZero())
	err = w.lake.Define(ctx, schema.SchemaChange{Table: shapeOf(t, "orders", keyInteger), Reset: true})
	require.ErrorContains(t, err, `belongs to the pipeline "p1"`)
}

func TestRefusedTables(t *testing.T) {
	ctx := context.Background()
	outside := shapeOf(t, "../../etc/passwd", keyInteger)
	own := shapeOf(t, "cuts", keyInteger)
	own.ID.Database = "_beluga"
	for want, shape := range map[string]*schema.Table{"no Iceberg catalog takes": outside, "Beluga's own": own} {
		w := newWorld(t, Config{})
		require.ErrorContains(t, w.lake.Define(ctx, schema.SchemaChange{Table: shape, Reset: true}), want)
	}
	_, err := Open(ctx, Config{Dir: t.TempDir(), Pipeline: "p", Readers: []string{"excel"}}, slog.Default())
	require.ErrorContains(t, err, `reader "excel" is not known; known are athena`)
}

// Another engine compacts the table while we are at it: the commit says so, and
// a restart goes on from the compacted files.
func TestForeignCompaction(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 200))
	require.NoError(t, w.commit())
	require.NoError(t, w.write("orders", w.randomChanges(200, 20)))
	require.NoError(t, w.commit())
	good := w.clone()

	it, err := w.somebody().LoadTable(ctx, table.Identifier{"shop", "orders"})
	require.NoError(t, err)
	scan := it.Scan()
	rows, err := scan.ToArrowTable(ctx)
	require.NoError(t, err)
	tx := it.NewTransaction()
	require.NoError(t, tx.OverwriteTable(ctx, rows, 100, nil))
	_, err = tx.Commit(ctx)
	require.NoError(t, err)

	require.NoError(t, w.write("orders", w.randomChanges(200, 20)))
	require.ErrorIs(t, w.commit(), ErrForeignCommit)

	w.next, w.rows = 3, good
	r := w.restart()
	require.Equal(t, position(t, 3), r.Position)
	require.Equal(t, position(t, 3), r.Tables[w.shapes["orders"].ID].Position)
	w.check("orders")
	require.NoError(t, w.write("orders", w.randomChanges(200, 50)))
	require.NoError(t, w.commit())
	w.check("orders")
}

// Somebody rolls the table back: its rows are not those of its position.
func TestRollback(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.commit())
	require.NoError(t, w.write("orders", w.randomChanges(200, 20)))
	require.NoError(t, w.commit())
	it, err := w.somebody().LoadTable(ctx, table.Identifier{"shop", "orders"})
	require.NoError(t, err)
	tx := it.NewTransaction()
	require.NoError(t, tx.RollbackToSnapshot(*it.CurrentSnapshot().ParentSnapshotID))
	_, err = tx.Commit(ctx)
	require.NoError(t, err)
	_ = w.lake.Close()
	w.open()
	_, err = w.lake.Resume(ctx)
	require.ErrorContains(t, err, "rolled back")
}
