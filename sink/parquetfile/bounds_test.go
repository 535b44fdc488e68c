package parquetfile

import (
	"bytes"
	"math"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beluga-cdc/beluga/schema"
)

func le(width int, v uint64) []byte {
	b := make([]byte, width)
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	return b
}

// TestBounds compares Iceberg's bounds with bytes worked out from the
// specification's appendix D.
func TestBounds(t *testing.T) {
	nan := math.NaN()
	negZero := math.Copysign(0, -1)
	f32 := func(f float32) []byte { return le(4, uint64(math.Float32bits(f))) }
	f64 := func(f float64) []byte { return le(8, math.Float64bits(f)) }
	i64s := func(vs ...int64) func(*schema.Vec) {
		return func(v *schema.Vec) {
			for _, x := range vs {
				v.AppendInt64(x)
			}
		}
	}
	i32s := func(vs ...int32) func(*schema.Vec) {
		return func(v *schema.Vec) {
			for _, x := range vs {
				v.AppendInt32(x)
			}
		}
	}
	doubles := func(vs ...float64) func(*schema.Vec) {
		return func(v *schema.Vec) {
			for _, x := range vs {
				v.AppendFloat64(x)
			}
		}
	}
	floats := func(vs ...float32) func(*schema.Vec) {
		return func(v *schema.Vec) {
			for _, x := range vs {
				v.AppendFloat32(x)
			}
		}
	}
	dec128 := func(vs ...int64) func(*schema.Vec) {
		return func(v *schema.Vec) {
			for _, x := range vs {
				v.AppendDec128(x>>63, uint64(x))
			}
		}
	}
	texts := func(vs ...string) func(*schema.Vec) {
		return func(v *schema.Vec) {
			for _, x := range vs {
				v.AppendBytes([]byte(x))
			}
		}
	}
	kind := func(k schema.LakeKind) schema.LakeType { return schema.LakeType{Kind: k} }
	dec := func(p, s int) schema.LakeType {
		return schema.LakeType{Kind: schema.LakeDecimal, Precision: p, Scale: s}
	}
	for name, c := range map[string]struct {
		t            schema.LakeType
		fill         func(*schema.Vec)
		lower, upper []byte
		nans         int64
	}{
		"false":               {t: kind(schema.LakeBoolean), fill: i32s(0, 0), lower: []byte{0}, upper: []byte{0}},
		"true":                {t: kind(schema.LakeBoolean), fill: i32s(1), lower: []byte{1}, upper: []byte{1}},
		"both":                {t: kind(schema.LakeBoolean), fill: i32s(1, 0), lower: []byte{0}, upper: []byte{1}},
		"int":                 {t: kind(schema.LakeInt), fill: i32s(5, -1, 258), lower: le(4, 0xffffffff), upper: le(4, 258)},
		"date":                {t: kind(schema.LakeDate), fill: i32s(-3, 17486), lower: le(4, 0xfffffffd), upper: le(4, 17486)},
		"long":                {t: kind(schema.LakeLong), fill: i64s(math.MaxInt64, math.MinInt64), lower: le(8, 1<<63), upper: le(8, 1<<63-1)},
		"time":                {t: kind(schema.LakeTime), fill: i64s(1, 86_399_999_999), lower: le(8, 1), upper: le(8, 86_399_999_999)},
		"float":               {t: kind(schema.LakeFloat), fill: floats(-4.5, 2), lower: f32(-4.5), upper: f32(2)},
		"float with NaN":      {t: kind(schema.LakeFloat), fill: floats(1, float32(nan)), nans: 1},
		"double":              {t: kind(schema.LakeDouble), fill: doubles(math.Inf(-1), 2), lower: f64(math.Inf(-1)), upper: f64(2)},
		"zeros":               {t: kind(schema.LakeDouble), fill: doubles(0), lower: f64(negZero), upper: f64(0)},
		"negative zeros":      {t: kind(schema.LakeDouble), fill: doubles(negZero, negZero), lower: f64(negZero), upper: f64(0)},
		"double with NaN":     {t: kind(schema.LakeDouble), fill: doubles(nan, 1, nan), nans: 2},
		"only NaN":            {t: kind(schema.LakeDouble), fill: doubles(nan), nans: 1},
		"decimal(9)":          {t: dec(9, 2), fill: i64s(-128, 128), lower: []byte{0x80}, upper: []byte{0, 0x80}},
		"decimal(9) -129":     {t: dec(9, 2), fill: i64s(-129, 0), lower: []byte{0xff, 0x7f}, upper: []byte{0}},
		"decimal(18)":         {t: dec(18, 0), fill: i64s(-1, 999999999999999999), lower: []byte{0xff}, upper: big.NewInt(999999999999999999).Bytes()},
		"decimal(38)":         {t: dec(38, 10), fill: dec128(-300, -2, 127), lower: []byte{0xfe, 0xd4}, upper: []byte{0x7f}},
		"decimal(38) < 0":     {t: dec(38, 10), fill: dec128(-300, -2), lower: []byte{0xfe, 0xd4}, upper: []byte{0xfe}},
		"decimal(20) extreme": {t: dec(20, 0), fill: dec128(math.MinInt64, math.MaxInt64), lower: []byte{0x80, 0, 0, 0, 0, 0, 0, 0}, upper: big.NewInt(math.MaxInt64).Bytes()},
		"string":              {t: kind(schema.LakeString), fill: texts("b", "", "a\u0000"), lower: []byte{}, upper: []byte("b")},
		"long string":         {t: kind(schema.LakeString), fill: texts("0123456789abcdef0", "0123456789abcdeg"), lower: []byte("0123456789abcdef"), upper: []byte("0123456789abcdeg")},
		"huge string":         {t: kind(schema.LakeString), fill: texts(strings.Repeat("é", 100_000)), lower: []byte(strings.Repeat("é", 16)), upper: []byte(strings.Repeat("é", 15) + "ê")},
		"no UTF-8":            {t: kind(schema.LakeString), fill: texts("\xff\xfe")},
		"binary":              {t: kind(schema.LakeBinary), fill: texts("\x01\x02", "\xff"), lower: []byte{1, 2}, upper: []byte{0xff}},
		"long binary":         {t: kind(schema.LakeBinary), fill: texts("\x01" + strings.Repeat("\xff", 20)), lower: []byte("\x01" + strings.Repeat("\xff", 15)), upper: []byte{2}},
		"highest binary":      {t: kind(schema.LakeBinary), fill: texts(strings.Repeat("\xff", 17)), lower: []byte(strings.Repeat("\xff", 16))},
		"only nulls":          {t: kind(schema.LakeLong), fill: func(v *schema.Vec) { v.AppendNull() }},
		"nulls besides":       {t: kind(schema.LakeLong), fill: func(v *schema.Vec) { v.AppendNull(); v.AppendInt64(5); v.AppendNull() }, lower: le(8, 5), upper: le(8, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, pageSize := range []int{0, 1} { // one page, and a page for each value
				col := Column{ID: 7, Name: "x", Type: c.t}
				v := newModel([]Column{col})
				c.fill(v[0])
				var out bytes.Buffer
				w := NewWriter(&out, []Column{col}, Options{PageSize: pageSize})
				require.NoError(t, w.Append(v, nil, v[0].N))
				s, err := w.Close()
				require.NoError(t, err)
				require.Equal(t, c.lower, s.LowerBounds[7], "lower")
				require.Equal(t, c.upper, s.UpperBounds[7], "upper")
				require.Equal(t, c.nans, s.NaNCounts[7])
				_, some := s.NaNCounts[7]
				require.Equal(t, c.t.Kind == schema.LakeFloat || c.t.Kind == schema.LakeDouble, some)
			}
		})
	}
}

// TestStringBounds checks the cut bounds of any string: at most 16 code points,
// UTF-8, and on the right side of the string.
func TestStringBounds(t *testing.T) {
	runes := rapid.SliceOfN(rapid.SampledFrom([]rune("aé\uD7FF\uE000\uFFFF\U0010FFFF😀\u007F")), 0, 20)
	rapid.Check(t, func(t *rapid.T) {
		s := []byte(string(runes.Draw(t, "s")))
		lower, upper := lowerString(s), upperString(s)
		require.LessOrEqual(t, bytes.Compare(lower, s), 0)
		require.LessOrEqual(t, utf8.RuneCount(lower), 16)
		require.True(t, utf8.Valid(lower))
		if upper == nil {
			require.Equal(t, strings.Repeat("\U0010FFFF", 16), string(s[:64]))
			return
		}
		require.GreaterOrEqual(t, bytes.Compare(upper, s), 0)
		require.LessOrEqual(t, utf8.RuneCount(upper), 16)
		require.True(t, utf8.Valid(upper))
	})
}

func TestMinimalBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := new(big.Int).Mul(big.NewInt(rapid.Int64().Draw(t, "a")), big.NewInt(rapid.Int64().Draw(t, "b")))
		b := minimalBytes(v)
		require.Equal(t, v.String(), (&bounds{bmin: b}).bigInt(layoutFixed, false).String())
		if len(b) > 1 { // the first byte is needed
			require.False(t, shortens(b, len(b)-1))
		}
	})
}
