package sink

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// sysbench is sysbench's table: two integers, and 179 characters of digits.
func sysbench(t testing.TB) *schema.Table {
	text := func(n int) schema.Type { return schema.Type{Kind: schema.Char, Length: n, Charset: "utf8mb4"} }
	s := &schema.Table{ID: schema.TableID{Database: "sbtest", Name: "sbtest1"}, Key: []int{0}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int}}, {Name: "k", Type: schema.Type{Kind: schema.Int}}, {Name: "c", Type: text(120)}, {Name: "pad", Type: text(60)},
	}}
	require.NoError(t, s.Prepare())
	return s
}

func sysbenchBlock(s *schema.Table, rnd *rand.Rand, n int, id func(i int) int32) *schema.Block {
	b := schema.NewBlock(s)
	digits := func(v *schema.Vec, n int) {
		for i := range n {
			c := byte('0' + rnd.IntN(10))
			if i%12 == 11 {
				c = '-'
			}
			v.Data = append(v.Data, c)
		}
		v.EndBytes()
	}
	for i := range n {
		b.Ops = append(b.Ops, schema.OpInsert)
		b.New[0].AppendInt32(id(i))
		b.New[1].AppendInt32(rnd.Int32N(1 << 20))
		digits(&b.New[2], 119)
		digits(&b.New[3], 59)
	}
	return b
}

type benchLake struct {
	testing.TB
	*Lake
	shape *schema.Table
	rnd   *rand.Rand
	n     int64
}

func newBenchLake(b *testing.B, readers []string) *benchLake {
	l, err := Open(context.Background(), Config{Dir: b.TempDir() + "/lake", Pipeline: "p", Readers: readers}, slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(func() { _ = l.Close() })
	w := &benchLake{TB: b, Lake: l, shape: sysbench(b), rnd: rand.New(rand.NewPCG(1, 1)), n: 1}
	require.NoError(b, l.Define(context.Background(), schema.SchemaChange{Table: w.shape, Reset: true}))
	return w
}

func (w *benchLake) commit() {
	w.n++
	require.NoError(w, w.Commit(context.Background(), schema.Commit{Position: position(w, w.n), Time: time.Now()}))
}

func (w *benchLake) load(n int) {
	for i := 0; i < n; i += 10_000 {
		b := sysbenchBlock(w.shape, w.rnd, 10_000, func(j int) int32 { return int32(i + j) })
		require.NoError(w, w.Write(context.Background(), pipeline.TableChanges{Table: w.shape, Blocks: []*schema.Block{b}, Load: true}))
	}
}

const benchRows = 200_000

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newBenchLake(b, nil)
		blocks := make([]*schema.Block, 0, benchRows/10_000)
		for i := 0; i < benchRows; i += 10_000 {
			blocks = append(blocks, sysbenchBlock(w.shape, w.rnd, 10_000, func(j int) int32 { return int32(i + j) }))
		}
		b.StartTimer()
		for _, blk := range blocks {
			require.NoError(b, w.Write(context.Background(), pipeline.TableChanges{Table: w.shape, Blocks: []*schema.Block{blk}, Load: true}))
		}
		w.commit()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// BenchmarkUpdates applies batches of updates of random rows, each with its commit.
func BenchmarkUpdates(b *testing.B) {
	for name, readers := range encodings {
		b.Run(name, func(b *testing.B) {
			w := newBenchLake(b, readers)
			w.load(benchRows)
			w.commit()
			const batch = 20_000
			keyer := schema.NewKeyer(w.shape)
			for b.Loop() {
				b.StopTimer()
				perm := w.rnd.Perm(benchRows)
				blk := sysbenchBlock(w.shape, w.rnd, batch, func(i int) int32 { return int32(perm[i]) })
				c := pipeline.TableChanges{Table: w.shape, Blocks: []*schema.Block{blk}}
				for i := range uint32(batch) {
					c.Rows = append(c.Rows, pipeline.RowRef{Row: i})
					c.Keys = append(c.Keys, keyer.Key(blk.New, int(i)))
				}
				b.StartTimer()
				require.NoError(b, w.Write(context.Background(), c))
				w.commit()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/row")
		})
	}
}

// BenchmarkCommit is a commit of one row with its cut: what a batch costs beside its rows.
func BenchmarkCommit(b *testing.B) {
	w := newBenchLake(b, nil)
	w.load(10_000)
	w.commit()
	keyer := schema.NewKeyer(w.shape)
	i := int32(0)
	for b.Loop() {
		i++
		blk := sysbenchBlock(w.shape, w.rnd, 1, func(int) int32 { return i % 10_000 })
		c := pipeline.TableChanges{Table: w.shape, Blocks: []*schema.Block{blk}, Rows: []pipeline.RowRef{{}}, Keys: []schema.Key{keyer.Key(blk.New, 0)}}
		require.NoError(b, w.Write(context.Background(), c))
		w.commit()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/commit")
}
