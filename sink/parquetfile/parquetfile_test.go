package parquetfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// allTypes has each layout once, required and optional.
func allTypes() (cols []Column) {
	types := []schema.LakeType{
		{Kind: schema.LakeBoolean}, {Kind: schema.LakeInt}, {Kind: schema.LakeLong}, {Kind: schema.LakeFloat}, {Kind: schema.LakeDouble},
		{Kind: schema.LakeDecimal, Precision: 1}, {Kind: schema.LakeDecimal, Precision: 9, Scale: 2}, {Kind: schema.LakeDecimal, Precision: 18, Scale: 18},
		{Kind: schema.LakeDecimal, Precision: 19, Scale: 3}, {Kind: schema.LakeDecimal, Precision: 20}, {Kind: schema.LakeDecimal, Precision: 38, Scale: 10},
		{Kind: schema.LakeDate}, {Kind: schema.LakeTime}, {Kind: schema.LakeTimestamp}, {Kind: schema.LakeTimestampTZ},
		{Kind: schema.LakeString}, {Kind: schema.LakeBinary}, {Kind: schema.LakeFloatList},
	}
	for i, t := range types {
		cols = append(cols,
			Column{ID: 2*i + 1, Name: fmt.Sprintf("r%d", i), Type: t, Required: true},
			Column{ID: 2*i + 2, Name: fmt.Sprintf("o%d", i), Type: t})
		if t.Kind == schema.LakeFloatList {
			cols[2*i].ElementID, cols[2*i+1].ElementID = 1001, 1002
		}
	}
	return cols
}

// appendRandom appends a value of the column's type, often an extreme one.
func appendRandom(rng *rand.Rand, c Column, v *schema.Vec) {
	if !c.Required && rng.IntN(4) == 0 {
		v.AppendNull()
		return
	}
	extreme := rng.IntN(4) == 0
	pick := func(lo, hi, random int64) int64 {
		if extreme {
			return []int64{lo, hi, 0, -1, 1}[rng.IntN(5)]
		}
		return random
	}
	switch c.Type.Kind {
	case schema.LakeBoolean:
		v.AppendBool(rng.IntN(2) == 0)
	case schema.LakeInt:
		v.AppendInt32(int32(pick(math.MinInt32, math.MaxInt32, int64(int32(rng.Uint32())))))
	case schema.LakeDate:
		v.AppendInt32(int32(pick(-719162, 2932896, rng.Int64N(40000)))) // years 1 to 9999
	case schema.LakeLong:
		v.AppendInt64(pick(math.MinInt64, math.MaxInt64, rng.Int64()))
	case schema.LakeTime:
		v.AppendInt64(max(0, pick(0, 86_399_999_999, rng.Int64N(86_400_000_000))))
	case schema.LakeTimestamp, schema.LakeTimestampTZ:
		v.AppendInt64(pick(-62135596800_000_000, 253402300799_999_999, rng.Int64N(4e15)))
	case schema.LakeFloat:
		v.AppendFloat32([]float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(1)), rng.Float32()}[rng.IntN(7)])
	case schema.LakeDouble:
		v.AppendFloat64([]float64{0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(-1), rng.NormFloat64()}[rng.IntN(7)])
	case schema.LakeDecimal:
		appendRandomDecimal(rng, c, v, extreme)
	case schema.LakeFloatList:
		appendRandomList(rng, v)
	default:
		v.AppendBytes(randomBytes(rng, c.Type.Kind == schema.LakeString))
	}
}

func appendRandomDecimal(rng *rand.Rand, c Column, v *schema.Vec, extreme bool) {
	limit := powerOfTen(c.Type.Precision)
	x := powerOfTen(c.Type.Precision)
	x.SetUint64(rng.Uint64()).Mul(x, x).Mod(x, limit)
	if extreme {
		x.Sub(limit, powerOfTen(0))
	}
	if rng.IntN(2) == 0 {
		x.Neg(x)
	}
	if v.Kind == schema.VecInt64 {
		v.AppendInt64(x.Int64())
		return
	}
	var lo, hi = powerOfTen(0), powerOfTen(0)
	lo.And(x, hi.SetUint64(math.MaxUint64))
	hi.Rsh(x, 64)
	v.AppendDec128(hi.Int64(), lo.Uint64())
}

func appendRandomList(rng *rand.Rand, v *schema.Vec) {
	n := rng.IntN(5)
	if rng.IntN(50) == 0 {
		n = rng.IntN(1000)
	}
	for range n {
		v.Data = binary.LittleEndian.AppendUint32(v.Data, math.Float32bits(rng.Float32()-0.5))
	}
	v.EndBytes()
}

func randomBytes(rng *rand.Rand, text bool) []byte {
	n := rng.IntN(40)
	if rng.IntN(50) == 0 {
		n = rng.IntN(5000)
	}
	var b []byte
	for range n {
		if text {
			b = append(b, string([]rune("abc0189-é€😀\u0000\U0010FFFF\uD7FF")[rng.IntN(14)])...)
		} else {
			b = append(b, byte(rng.IntN(256)))
		}
	}
	return b
}

func randomBlock(rng *rand.Rand, cols []Column, n int) []*schema.Vec {
	vecs := make([]*schema.Vec, len(cols))
	for i, c := range cols {
		vecs[i] = new(schema.Vec)
		vecs[i].Reset(c.Type.Vec())
		for range n {
			appendRandom(rng, c, vecs[i])
		}
	}
	return vecs
}

// appendAll appends all rows of vecs to model, which holds what the file must
// show.
func appendRow(model, vecs []*schema.Vec, row int) {
	for i := range model {
		if vecs[i] == nil {
			model[i].AppendNull()
		} else {
			model[i].AppendFrom(vecs[i], row)
		}
	}
}

func newModel(cols []Column) []*schema.Vec {
	m := make([]*schema.Vec, len(cols))
	for i, c := range cols {
		m[i] = new(schema.Vec)
		m[i].Reset(c.Type.Vec())
	}
	return m
}

// requireSame compares without the memory behind the vectors.
func requireSame(t require.TestingT, cols []Column, want []*schema.Vec, got []*schema.Vec) {
	for i, c := range cols {
		require.Equal(t, want[i].N, got[i].N, c.Name)
		for r := range want[i].N {
			if !equalValue(want[i], got[i], r) {
				require.Failf(t, "values differ", "column %s (%s) row %d: %s, want %s", c.Name, c.Type, r, show(got[i], r), show(want[i], r))
			}
		}
	}
}

func equalValue(a, b *schema.Vec, r int) bool {
	if a.IsNull(r) || b.IsNull(r) {
		return a.IsNull(r) == b.IsNull(r)
	}
	return show(a, r) == show(b, r)
}

func show(v *schema.Vec, r int) string {
	if v.IsNull(r) {
		return "NULL"
	}
	switch v.Kind {
	case schema.VecBool, schema.VecInt32, schema.VecFloat32:
		return fmt.Sprint(v.I32[r])
	case schema.VecInt64, schema.VecFloat64:
		return fmt.Sprint(v.I64[r])
	case schema.VecDec128:
		return fmt.Sprintf("%x", v.Dec128(r))
	}
	return string(v.Bytes(r))
}

func readAll(t require.TestingT, file []byte, cols []Column) []*schema.Vec {
	r, err := Open(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	got, next := newModel(cols), int64(0)
	err = r.Scan(context.Background(), cols, func(vecs []schema.Vec, first int64, n int) error {
		require.Equal(t, next, first)
		next += int64(n)
		for i := range vecs {
			require.Equal(t, n, vecs[i].N)
		}
		for row := range n {
			for i := range vecs {
				got[i].AppendFrom(&vecs[i], row)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, r.Rows(), next)
	return got
}

// TestRoundTrip writes all types in several row groups and pages, by both ways
// of appending and with each codec, and reads the same rows back.
func TestRoundTrip(t *testing.T) {
	cols := allTypes()
	for _, opts := range []Options{
		{}, {PageSize: 700}, {PageSize: 3000, RowGroupSize: 60_000, Workers: NewWorkers(3)},
		{Codec: Zstd, PageSize: 700, Workers: NewWorkers(1)}, {Codec: Uncompressed, RowGroupSize: 1},
	} {
		t.Run(fmt.Sprintf("codec%d_page%d_group%d", opts.Codec, opts.PageSize, opts.RowGroupSize), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			model := newModel(cols)
			var out bytes.Buffer
			w := NewWriter(&out, cols, opts)
			defer w.Abort()
			blocks := [][]*schema.Vec{randomBlock(rng, cols, 300), randomBlock(rng, cols, 500), randomBlock(rng, cols, 1)}
			blocks[1][3] = nil // o1: null throughout

			require.NoError(t, w.Append(blocks[0], nil, 300))
			for r := range 300 {
				appendRow(model, blocks[0], r)
			}
			require.NoError(t, w.Append(blocks[1], []uint32{499, 0, 7, 7}, 4))
			for _, r := range []int{499, 0, 7, 7} {
				appendRow(model, blocks[1], r)
			}
			var refs []pipeline.RowRef
			for range 1000 {
				b := rng.IntN(3)
				r := rng.IntN(blocks[b][0].N)
				refs = append(refs, pipeline.RowRef{Block: uint32(b), Row: uint32(r)})
				appendRow(model, blocks[b], r)
			}
			require.NoError(t, w.AppendRefs(blocks, refs))
			require.EqualValues(t, 1304, w.Rows())
			s, err := w.Close()
			require.NoError(t, err)
			require.EqualValues(t, out.Len(), s.Size)
			require.EqualValues(t, 1304, s.Rows)
			requireSame(t, cols, model, readAll(t, out.Bytes(), cols))
			requireStats(t, cols, model, s)
		})
	}
}

// requireStats compares counts with the rows; bounds have tests of their own.
func requireStats(t *testing.T, cols []Column, model []*schema.Vec, s Stats) {
	sum := int64(0)
	for i, c := range cols {
		id := requireCounts(t, c, model[i], s)
		sum += s.ColumnSizes[id]
	}
	require.Less(t, sum, s.Size)
	require.NotEmpty(t, s.SplitOffsets)
	require.EqualValues(t, 4, s.SplitOffsets[0])
	require.IsIncreasing(t, append([]int64{0}, s.SplitOffsets...))
}

// requireCounts compares the counts of a column, and returns the field id by which
// they go. Those of lists count elements, and count an empty list as a null.
func requireCounts(t require.TestingT, c Column, v *schema.Vec, s Stats) int {
	if c.Type.Kind != schema.LakeFloatList {
		require.EqualValues(t, v.N, s.ValueCounts[c.ID])
		require.EqualValues(t, v.NullN, s.NullCounts[c.ID])
		return c.ID
	}
	values, nulls := 0, 0
	for i := range v.N {
		n := len(v.Bytes(i)) / elementWidth
		values += max(n, 1)
		if n == 0 {
			nulls++
		}
	}
	require.EqualValues(t, values, s.ValueCounts[c.ElementID])
	require.EqualValues(t, nulls, s.NullCounts[c.ElementID])
	require.NotContains(t, s.ValueCounts, c.ID)
	return c.ElementID
}

// TestSize checks the estimate that files are closed by: at every moment near
// what closing the file gives.
func TestSize(t *testing.T) {
	cols, blocks := sysbench(10, 5000)
	for _, opts := range []Options{{}, {Codec: Uncompressed}, {RowGroupSize: 2 << 20, Workers: NewWorkers(2)}} {
		for n := 2; n <= len(blocks); n += 4 {
			var out bytes.Buffer
			w := NewWriter(&out, cols, opts)
			for _, b := range blocks[:n] {
				require.NoError(t, w.Append(b, nil, 5000))
			}
			estimate := w.Size()
			s, err := w.Close()
			require.NoError(t, err)
			require.InEpsilon(t, s.Size, estimate, 0.25, "%d blocks", n)
		}
	}
}
