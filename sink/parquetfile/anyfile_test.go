package parquetfile

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// TestAnyFile writes files of any columns, options and ways of appending, and
// checks rows, counts and bounds.
func TestAnyFile(t *testing.T) {
	all := allTypes()
	workers := NewWorkers(2)
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 6, func(c Column) int { return c.ID }).Draw(t, "columns")
		opts := Options{
			Codec:        rapid.SampledFrom([]Codec{Adaptive, Zstd, Uncompressed}).Draw(t, "codec"),
			PageSize:     rapid.SampledFrom([]int{0, 1, 50, 1000, 20_000}).Draw(t, "page"),
			RowGroupSize: rapid.SampledFrom([]int64{0, 1, 5000, 100_000}).Draw(t, "group"),
			Workers:      rapid.SampledFrom([]*Workers{nil, workers}).Draw(t, "workers"),
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var out bytes.Buffer
		w := NewWriter(&out, cols, opts)
		defer w.Abort()
		model := newModel(cols)
		for range rapid.IntRange(0, 4).Draw(t, "blocks") {
			n := rapid.IntRange(1, 600).Draw(t, "rows")
			blocks := [][]*schema.Vec{randomBlock(rng, cols, n), randomBlock(rng, cols, n)}
			if i := rng.IntN(len(cols)); !cols[i].Required {
				blocks[0][i] = nil
			}
			var refs []pipeline.RowRef
			for range n {
				refs = append(refs, pipeline.RowRef{Block: uint32(rng.IntN(30) / 29), Row: uint32(rng.IntN(n))})
			}
			if rapid.Bool().Draw(t, "refs") {
				require.NoError(t, w.AppendRefs(blocks, refs))
			} else {
				rows := make([]uint32, n)
				for i := range refs {
					refs[i].Block, rows[i] = 0, refs[i].Row
				}
				require.NoError(t, w.Append(blocks[0], rows, n))
			}
			for _, r := range refs {
				appendRow(model, blocks[r.Block], int(r.Row))
			}
			require.EqualValues(t, model[0].N, w.Rows())
		}
		s, err := w.Close()
		require.NoError(t, err)
		require.EqualValues(t, out.Len(), s.Size)
		requireSame(t, cols, model, readAll(t, out.Bytes(), cols))
		for i, c := range cols {
			requireCounts(t, c, model[i], s)
			requireBounds(t, c, model[i], s)
		}
	})
}

// requireBounds compares each value with the bounds, put back into a vector.
func requireBounds(t require.TestingT, c Column, v *schema.Vec, s Stats) {
	lower, upper := s.LowerBounds[c.ID], s.UpperBounds[c.ID]
	if v.N == v.NullN || c.Type.Kind == schema.LakeFloatList {
		require.Nil(t, lower)
		require.Nil(t, upper)
		return
	}
	l, _ := layoutOf(c.Type)
	for r := range v.N {
		if v.IsNull(r) {
			continue
		}
		var b bounds
		switch l {
		case layoutBytes:
			require.LessOrEqual(t, bytes.Compare(lower, v.Bytes(r)), 0)
			if upper != nil {
				require.GreaterOrEqual(t, bytes.Compare(upper, v.Bytes(r)), 0)
			}
			continue
		case layoutFixed:
			b = bounds{bmin: v.Dec128(r), bmax: v.Dec128(r)}
		case layoutInt64, layoutDec32:
			b = bounds{imin: v.I64[r], imax: v.I64[r]}
		case layoutFloat32:
			b = bounds{fmin: float64(v.Float32(r)), fmax: float64(v.Float32(r))}
		case layoutFloat64:
			b = bounds{fmin: v.Float64(r), fmax: v.Float64(r)}
		default:
			b = bounds{imin: int64(v.I32[r]), imax: int64(v.I32[r])}
		}
		// A value that widened the bounds would change them.
		b.some = true
		one := b
		one.merge(l, readBounds(c, l, lower, upper))
		lo, hi := one.iceberg(l, c.Type)
		require.Equal(t, lower, lo, c.Type)
		require.Equal(t, upper, hi, c.Type)
	}
}

func readBounds(c Column, l layout, lower, upper []byte) *bounds {
	b := &bounds{some: true}
	var v schema.Vec
	v.Reset(c.Type.Vec())
	for _, s := range [][]byte{lower, upper} {
		switch {
		case c.Type.Kind == schema.LakeDecimal:
			if err := appendDecimal(&v, s); err != nil {
				panic(err)
			}
		case l == layoutBool:
			v.AppendInt32(int32(s[0]))
		case len(s) == 4:
			v.AppendInt32(int32(le32At(s, 0)))
		default:
			v.AppendInt64(int64(uint64(le32At(s, 0)) | uint64(le32At(s, 1))<<32))
		}
	}
	switch l {
	case layoutFixed:
		b.bmin, b.bmax = v.Dec128(0), v.Dec128(1)
	case layoutFloat32:
		b.fmin, b.fmax = float64(v.Float32(0)), float64(v.Float32(1))
	case layoutFloat64:
		b.fmin, b.fmax = v.Float64(0), v.Float64(1)
	case layoutInt64, layoutDec32:
		b.imin, b.imax = v.I64[0], v.I64[1]
	default:
		b.imin, b.imax = int64(v.I32[0]), int64(v.I32[1])
	}
	return b
}
