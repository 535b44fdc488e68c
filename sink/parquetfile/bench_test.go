package parquetfile

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// sysbench returns the columns of sysbench's tables, and blocks of rows as it
// fills them.
func sysbench(blocks, rows int) ([]Column, [][]*schema.Vec) {
	cols := []Column{
		{ID: 1, Name: "id", Type: schema.LakeType{Kind: schema.LakeInt}, Required: true},
		{ID: 2, Name: "k", Type: schema.LakeType{Kind: schema.LakeInt}},
		{ID: 3, Name: "c", Type: schema.LakeType{Kind: schema.LakeString}},
		{ID: 4, Name: "pad", Type: schema.LakeType{Kind: schema.LakeString}},
	}
	rng := rand.New(rand.NewPCG(1, 1))
	groups := func(n int) []byte {
		b := digits(rng, 12*n-1)
		for i := 11; i < len(b); i += 12 {
			b[i] = '-'
		}
		return b
	}
	out := make([][]*schema.Vec, blocks)
	for i := range out {
		v := newModel(cols)
		for r := range rows {
			v[0].AppendInt32(int32(i*rows + r + 1))
			v[1].AppendInt32(int32(rng.IntN(500_000)))
			v[2].AppendBytes(groups(10))
			v[3].AppendBytes(groups(5))
		}
		out[i] = v
	}
	return cols, out
}

func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

// report gives CPU time beside wall time: the budget of a row is CPU.
func report(b *testing.B, rows int, run func()) {
	b.ReportAllocs()
	start := cpuTime(b)
	for b.Loop() {
		run()
	}
	n := float64(b.N) * float64(rows)
	b.ReportMetric(float64(cpuTime(b)-start)/n, "cpu-ns/row")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/row")
}

func BenchmarkWrite(b *testing.B) {
	const blocks, rows = 20, 10_000
	cols, vecs := sysbench(blocks, rows)
	var refs []pipeline.RowRef
	rng := rand.New(rand.NewPCG(2, 2))
	for range blocks * rows {
		refs = append(refs, pipeline.RowRef{Block: uint32(rng.IntN(blocks)), Row: uint32(rng.IntN(rows))})
	}
	run := func(opts Options, add func(*Writer) error) func(*testing.B) {
		return func(b *testing.B) {
			report(b, blocks*rows, func() {
				w := NewWriter(io.Discard, cols, opts)
				require.NoError(b, add(w))
				s, err := w.Close()
				require.NoError(b, err)
				b.ReportMetric(float64(s.Size)/(blocks*rows), "B/row")
			})
		}
	}
	whole := func(w *Writer) error {
		for _, v := range vecs {
			if err := w.Append(v, nil, rows); err != nil {
				return err
			}
		}
		return nil
	}
	b.Run("none", run(Options{Codec: Uncompressed}, whole))
	b.Run("zstd", run(Options{Codec: Zstd}, whole))
	b.Run("adaptive", run(Options{}, whole))
	b.Run("adaptive/workers", run(Options{Workers: NewWorkers(2)}, whole))
	b.Run("adaptive/scattered", run(Options{}, func(w *Writer) error { return w.AppendRefs(vecs, refs) }))
	b.Run("none/scattered", run(Options{Codec: Uncompressed}, func(w *Writer) error { return w.AppendRefs(vecs, refs) }))
}

func BenchmarkReadKeys(b *testing.B) {
	const blocks, rows = 20, 10_000
	cols, vecs := sysbench(blocks, rows)
	var out bytes.Buffer
	w := NewWriter(&out, cols, Options{})
	for _, v := range vecs {
		require.NoError(b, w.Append(v, nil, rows))
	}
	_, err := w.Close()
	require.NoError(b, err)
	for name, want := range map[string][]Column{"id": cols[:1], "id,pad": {cols[0], cols[3]}, "all": cols} {
		b.Run(name, func(b *testing.B) {
			report(b, blocks*rows, func() {
				r, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()))
				require.NoError(b, err)
				n := int64(0)
				err = r.Scan(context.Background(), want, func(_ []schema.Vec, _ int64, rows int) error { n += int64(rows); return nil })
				require.NoError(b, err)
				require.EqualValues(b, blocks*rows, n)
			})
		})
	}
}
