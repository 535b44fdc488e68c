package sink

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// Files go when no kept snapshot needs them, and only then: at all kept
// snapshots the table is read as it was.
func TestSweep(t *testing.T) {
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Readers: readers, TargetFileBytes: 60_000, KeepSnapshots: 3, KeepFor: time.Nanosecond})
			w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 2000))
			require.NoError(t, w.commit())
			h := w.lake.tables[w.shapes["orders"].ID].head
			dir := filepath.Join(w.cfg.Dir, "shop", "orders")
			history := map[int64][]string{}
			deleted := 0
			for i := range 15 {
				if i == 7 {
					w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
					require.NoError(t, w.load("orders", 0, 1000))
				}
				require.NoError(t, w.write("orders", w.randomChanges(2000, 100)))
				require.NoError(t, w.commit())
				history[snapshotID(h.t)] = w.want("orders")
				before := countFiles(t, dir)
				require.NoError(t, h.sweep(time.Now()), "no reader that is at it loses its files")
				require.Equal(t, before, countFiles(t, dir))
				require.NoError(t, h.sweep(time.Now().Add(2*graceOfFiles)))
				deleted += before - countFiles(t, dir)
				require.LessOrEqual(t, len(h.t.Metadata().Snapshots()), 4)
				for _, s := range h.t.Metadata().Snapshots() {
					if want, ok := history[s.SnapshotID]; ok {
						require.Equal(t, want, w.read("orders", s.SnapshotID))
					}
				}
			}
			require.Greater(t, deleted, 30)
			w.restart()
			w.check("orders")
		})
	}
}

// A table is read as it was told of, also when its snapshot has been expired
// since: a comparison of many tables takes its time.
func TestReadOutlivesTheSnapshot(t *testing.T) {
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Readers: readers, KeepSnapshots: 1, KeepFor: time.Nanosecond})
			w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 2000))
			require.NoError(t, w.commit())
			change := func() {
				require.NoError(t, w.write("orders", w.randomChanges(2000, 100)))
				require.NoError(t, w.commit())
			}
			change()
			info, want := w.info("orders"), w.want("orders")
			for range 8 {
				change()
			}
			require.Nil(t, w.info("orders").head.SnapshotByID(info.SnapshotID))
			got, err := w.readAs(info, info.SnapshotID)
			require.NoError(t, err)
			require.Equal(t, want, got)

			require.NoError(t, w.lake.tables[w.shapes["orders"].ID].head.sweep(time.Now().Add(2*graceOfFiles)))
			_, err = w.readAs(info, info.SnapshotID)
			require.ErrorContains(t, err, "a file is kept for 1h0m0s after it was replaced; remedy: read fewer tables at a time")
			_, err = w.readAs(w.info("orders"), info.SnapshotID)
			require.ErrorContains(t, err, "is not there any more")
		})
	}
}

func countFiles(t *testing.T, dir string) int {
	n := 0
	require.NoError(t, filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

// Databases and tables may be named anything; their folders stay in the warehouse.
func TestHostileNames(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, Config{})
	names := []schema.TableID{
		{Database: "..\\up", Name: "~root"},
		{Database: "a.b", Name: "c"},
		{Database: "a", Name: "b.c"},
		{Database: "log", Name: "catalog.db"},
		{Database: "é 50%", Name: "x?y#z"},
		{Database: strings.Repeat("ü", 64), Name: strings.Repeat("%", 64)},
	}
	for _, id := range names {
		shape := shapeOf(t, "x", keyInteger)
		shape.ID = id
		require.NoError(t, w.lake.Define(ctx, schema.SchemaChange{Table: shape, Reset: true}))
		b := schema.NewBlock(shape)
		appendRow(b, 1, record{})
		require.NoError(t, w.lake.Write(ctx, pipeline.TableChanges{Table: shape, Blocks: []*schema.Block{b}, Load: true}))
	}
	require.NoError(t, w.commit())
	r := w.restart()
	for _, id := range names {
		require.Contains(t, r.Tables, id)
		rows := 0
		require.NoError(t, w.lake.Read(ctx, w.info(id.Name), 0, func(b *schema.Block) error {
			rows += b.Rows()
			return nil
		}))
		require.Equal(t, 1, rows)
	}
	siblings, err := os.ReadDir(filepath.Dir(w.cfg.Dir))
	require.NoError(t, err)
	require.Len(t, siblings, 1)
}

// Every type of the lake has its Iceberg type, and comments become docs.
func TestEveryType(t *testing.T) {
	ctx := context.Background()
	shape := &schema.Table{ID: schema.TableID{Database: "shop", Name: "types"}, Key: []int{0}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int}, Comment: "the key"}}}
	want := []string{"int"}
	for _, c := range []struct {
		typ  schema.Type
		lake string
	}{
		{schema.Type{Kind: schema.Int, Unsigned: true}, "long"},
		{schema.Type{Kind: schema.BigInt, Unsigned: true}, "decimal(20, 0)"},
		{schema.Type{Kind: schema.Decimal, Precision: 9, Scale: 3}, "decimal(9, 3)"},
		{schema.Type{Kind: schema.Decimal, Precision: 65, Scale: 30}, "string"},
		{schema.Type{Kind: schema.Float}, "float"},
		{schema.Type{Kind: schema.Double}, "double"},
		{schema.Type{Kind: schema.Bit, Length: 1}, "boolean"},
		{schema.Type{Kind: schema.Bit, Length: 9}, "binary"},
		{schema.Type{Kind: schema.Year}, "int"},
		{schema.Type{Kind: schema.Date}, "date"},
		{schema.Type{Kind: schema.Time, Scale: 6}, "time"},
		{schema.Type{Kind: schema.DateTime, Scale: 6}, "timestamp"},
		{schema.Type{Kind: schema.Timestamp}, "timestamptz"},
		{schema.Type{Kind: schema.JSON}, "string"},
		{schema.Type{Kind: schema.Blob}, "binary"},
	} {
		shape.Columns = append(shape.Columns, schema.Column{Name: "c" + string(rune('a'+len(want))), Type: c.typ, Nullable: true})
		want = append(want, c.lake)
	}
	require.NoError(t, shape.Prepare())
	w := newWorld(t, Config{})
	require.NoError(t, w.lake.Define(ctx, schema.SchemaChange{Table: shape, Reset: true}))
	it, err := w.somebody().LoadTable(ctx, table.Identifier{"shop", "types"})
	require.NoError(t, err)
	for i, f := range it.Schema().Fields() {
		require.Equal(t, want[i], f.Type.String(), shape.Columns[i].Type.Kind)
	}
	require.Equal(t, "the key", it.Schema().Fields()[0].Doc)
	b := schema.NewBlock(shape)
	for row := range 2 {
		b.Ops = append(b.Ops, schema.OpInsert)
		b.New[0].AppendInt32(int32(row))
		for i := range b.New[1:] {
			if v := &b.New[i+1]; row == 0 {
				v.AppendNull()
			} else {
				v.AppendZero()
			}
		}
	}
	require.NoError(t, w.lake.Write(ctx, pipeline.TableChanges{Table: shape, Blocks: []*schema.Block{b}, Load: true}))
	require.NoError(t, w.commit())
	w.restart()
	require.NoError(t, w.lake.Read(ctx, w.info(shape.ID.Name), 0, func(b *schema.Block) error {
		require.Equal(t, 2, b.Rows())
		for i := range b.New[1:] {
			require.True(t, b.New[i+1].IsNull(0))
			require.False(t, b.New[i+1].IsNull(1))
		}
		return nil
	}))
}

// A cut that a table is already beyond would be none.
func TestCutBehindATable(t *testing.T) {
	w := newWorld(t, Config{})
	for _, name := range []string{"customers", "orders"} {
		w.define(shapeOf(t, name, keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	}
	require.NoError(t, w.commit())
	require.NoError(t, w.write("orders", w.randomChanges(100, 10)))
	failAt(t, stepBeforeCut, 1)
	w.next += 5
	require.Error(t, w.commit())
	w.restart()
	w.next -= 4
	require.NoError(t, w.write("customers", w.randomChanges(100, 10)))
	require.ErrorContains(t, w.commit(), "table shop.orders stands beyond it")
}

// A run goes on for months: what a commit leaves behind is let go. Each version of a
// table holds the metadata of all snapshots.
func TestOldVersionsAreLetGo(t *testing.T) {
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 10))
	require.NoError(t, w.commit())
	h := w.lake.tables[w.shapes["orders"].ID].head
	const versions = 4
	var gone atomic.Int64
	for range versions {
		require.NoError(t, w.write("orders", w.randomChanges(10, 3)))
		require.NoError(t, w.commit())
		runtime.SetFinalizer(h.t.Metadata(), func(table.Metadata) { gone.Add(1) })
	}
	require.Eventually(t, func() bool {
		runtime.GC()
		return gone.Load() == versions-1
	}, time.Minute, time.Millisecond)
	require.NotNil(t, h.t)
}
