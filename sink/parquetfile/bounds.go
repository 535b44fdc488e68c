package parquetfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"unicode/utf8"

	"github.com/beluga-cdc/beluga/schema"
)

// exactBound is how long a string may be to stand in the Parquet footer as
// the smallest or largest. Longer ones are left out there: a cut one cannot be
// marked as cut. Bounds keep one byte more, to know.
const exactBound = 128

// bounds are the smallest and the largest value of a page, a column chunk or
// a file: in ints, floats or bytes, as the layout has it. Bytes are those of
// the page; strings are cut after exactBound+1 bytes, which keeps their order.
type bounds struct {
	some bool // false: no value, only nulls
	nans int64
	imin int64
	imax int64
	fmin float64
	fmax float64
	bmin []byte
	bmax []byte
}

// find sets the bounds of a page, unless whoever made the page knew them. Those
// of a list's elements would say nothing of lists: Iceberg has none.
func (b *bounds) find(c *chunk, p *page) error {
	if p.values() == 0 || b.some || c.layout == layoutLists {
		return nil
	}
	raw := p.raw
	if !c.Required {
		raw = raw[levelsRoom:]
	}
	*b = bounds{some: true, fmin: math.Inf(1), fmax: math.Inf(-1)}
	switch c.layout {
	case layoutBool:
		t := trueBits(raw)
		b.imin, b.imax = btoi(t == p.values()), btoi(t > 0)
	case layoutInt32, layoutDec32:
		b.findInt32(raw)
	case layoutInt64:
		b.findInt64(raw)
	case layoutFloat32:
		for i := 0; i+4 <= len(raw); i += 4 {
			b.addFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))))
		}
	case layoutFloat64:
		for i := 0; i+8 <= len(raw); i += 8 {
			b.addFloat(math.Float64frombits(binary.LittleEndian.Uint64(raw[i:])))
		}
	case layoutFixed:
		b.findFixed(raw, c.width)
	case layoutBytes:
		b.findBytes(raw)
	}
	return b.checkDigits(c)
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (b *bounds) findInt32(raw []byte) {
	lo, hi := int32(math.MaxInt32), int32(math.MinInt32)
	for ; len(raw) >= 4; raw = raw[4:] {
		v := int32(binary.LittleEndian.Uint32(raw))
		lo, hi = min(lo, v), max(hi, v)
	}
	b.imin, b.imax = int64(lo), int64(hi)
}

func (b *bounds) findInt64(raw []byte) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for ; len(raw) >= 8; raw = raw[8:] {
		v := int64(binary.LittleEndian.Uint64(raw))
		lo, hi = min(lo, v), max(hi, v)
	}
	b.imin, b.imax = lo, hi
}

// addFloat counts NaNs and leaves them out: bounds are given only where there
// is none. Of two zeros min takes the negative and max the positive one, as
// both formats want it.
func (b *bounds) addFloat(v float64) {
	if v != v {
		b.nans++
		return
	}
	b.fmin, b.fmax = min(b.fmin, v), max(b.fmax, v)
}

func (b *bounds) findFixed(raw []byte, width int) {
	lo, hi := raw[:width], raw[:width]
	for ; len(raw) >= width; raw = raw[width:] {
		v := raw[:width]
		if compareFixed(v, lo) < 0 {
			lo = v
		} else if compareFixed(v, hi) > 0 {
			hi = v
		}
	}
	b.bmin, b.bmax = bytes.Clone(lo), bytes.Clone(hi)
}

// compareFixed orders big-endian two's complements of the same length.
func compareFixed(a, b []byte) int {
	if c := cmp.Compare(int8(a[0]), int8(b[0])); c != 0 {
		return c
	}
	return bytes.Compare(a, b)
}

func (b *bounds) findBytes(raw []byte) {
	n := binary.LittleEndian.Uint32(raw)
	lo, hi := raw[4:4+n], raw[4:4+n]
	loHead, hiHead := head8(lo), head8(hi)
	for raw = raw[4+n:]; len(raw) > 0; raw = raw[4+n:] {
		n = binary.LittleEndian.Uint32(raw)
		v := raw[4 : 4+n]
		// Almost every value is settled by its first eight bytes.
		h := head8(v)
		if h <= loHead && (h < loHead || bytes.Compare(v, lo) < 0) {
			lo, loHead = v, h
		}
		if h >= hiHead && (h > hiHead || bytes.Compare(v, hi) > 0) {
			hi, hiHead = v, h
		}
	}
	b.bmin, b.bmax = cutBound(lo), cutBound(hi)
}

// head8 returns the first eight bytes as a number that orders as they do; of
// shorter values, padded with zeros, equal numbers decide nothing.
func head8(v []byte) uint64 {
	if len(v) >= 8 {
		return binary.BigEndian.Uint64(v)
	}
	var b [8]byte
	copy(b[:], v)
	return binary.BigEndian.Uint64(b[:])
}

func cutBound(v []byte) []byte { return bytes.Clone(v[:min(len(v), exactBound+1)]) }

// checkDigits refuses decimals of more digits than the column has: the file
// would be readable, and every reader would show something else.
func (b *bounds) checkDigits(c *chunk) error {
	if c.Type.Kind != schema.LakeDecimal {
		return nil
	}
	for _, v := range [...]*big.Int{b.bigInt(c.layout, false), b.bigInt(c.layout, true)} {
		if v.CmpAbs(powerOfTen(c.Type.Precision)) >= 0 {
			return fmt.Errorf("unscaled value %s has more digits than %s", v, c.Type)
		}
	}
	return nil
}

// bigInt returns a bound of a decimal.
func (b *bounds) bigInt(l layout, upper bool) *big.Int {
	if l != layoutFixed {
		if upper {
			return big.NewInt(b.imax)
		}
		return big.NewInt(b.imin)
	}
	s := b.bmin
	if upper {
		s = b.bmax
	}
	v := new(big.Int).SetBytes(s)
	if s[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(s))))
	}
	return v
}

// merge widens b so that it covers o too.
func (b *bounds) merge(l layout, o *bounds) {
	if !o.some {
		return
	}
	if !b.some {
		*b = *o
		return
	}
	b.nans += o.nans
	switch l {
	case layoutFloat32, layoutFloat64:
		b.fmin, b.fmax = min(b.fmin, o.fmin), max(b.fmax, o.fmax)
	case layoutFixed, layoutBytes:
		compare := bytes.Compare
		if l == layoutFixed {
			compare = compareFixed
		}
		if compare(o.bmin, b.bmin) < 0 {
			b.bmin = o.bmin
		}
		if compare(o.bmax, b.bmax) > 0 {
			b.bmax = o.bmax
		}
	default:
		b.imin, b.imax = min(b.imin, o.imin), max(b.imax, o.imax)
	}
}

// parquet returns the bounds as the footer has them; nil where they cannot be
// given. A string longer than exact is left out.
func (b *bounds) parquet(l layout, exact int) (lower, upper []byte) {
	if !b.some || b.nans > 0 {
		return nil, nil
	}
	switch l {
	case layoutBool:
		return []byte{byte(b.imin)}, []byte{byte(b.imax)}
	case layoutInt32, layoutDec32:
		return le32(uint32(b.imin)), le32(uint32(b.imax))
	case layoutInt64:
		return le64(uint64(b.imin)), le64(uint64(b.imax))
	case layoutFloat32, layoutFloat64:
		lo, hi := zeroBounds(b.fmin, b.fmax)
		if l == layoutFloat32 {
			return le32(math.Float32bits(float32(lo))), le32(math.Float32bits(float32(hi)))
		}
		return le64(math.Float64bits(lo)), le64(math.Float64bits(hi))
	case layoutFixed:
		return b.bmin, b.bmax
	}
	if len(b.bmin) <= exact {
		lower = b.bmin
	}
	if len(b.bmax) <= exact {
		upper = b.bmax
	}
	return lower, upper
}

// zeroBounds makes zeros as bounds cover both zeros: readers may compare either
// way.
func zeroBounds(lo, hi float64) (float64, float64) {
	if lo == 0 {
		lo = math.Copysign(0, -1)
	}
	if hi == 0 {
		hi = 0
	}
	return lo, hi
}

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func le64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// boundLength is Iceberg's default, truncate(16): code points of a string,
// bytes of a binary value.
const boundLength = 16

// iceberg returns the bounds in Iceberg's single-value form (appendix D); nil
// where they cannot be given.
func (b *bounds) iceberg(l layout, t schema.LakeType) (lower, upper []byte) {
	switch {
	case !b.some || b.nans > 0:
		return nil, nil
	case t.Kind == schema.LakeDecimal:
		return minimalBytes(b.bigInt(l, false)), minimalBytes(b.bigInt(l, true))
	case t.Kind == schema.LakeString:
		return lowerString(b.bmin), upperString(b.bmax)
	case t.Kind == schema.LakeBinary:
		return b.bmin[:min(len(b.bmin), boundLength)], upperBinary(b.bmax)
	}
	return b.parquet(l, exactBound)
}

// minimalBytes returns the shortest big-endian two's complement.
func minimalBytes(v *big.Int) []byte {
	if v.Sign() >= 0 {
		return append(make([]byte, v.BitLen()/8+1-len(v.Bytes())), v.Bytes()...)
	}
	// -1 - v has the bits of v inverted.
	inv := new(big.Int).Not(v)
	b := append(make([]byte, inv.BitLen()/8+1-len(inv.Bytes())), inv.Bytes()...)
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

// cutString returns at most boundLength code points of s; ok is false where s
// is not UTF-8, which no reader could compare.
func cutString(s []byte) (cut []byte, ok bool) {
	n := 0
	for range boundLength {
		if n == len(s) {
			break
		}
		r, size := utf8.DecodeRune(s[n:])
		if r == utf8.RuneError && size <= 1 {
			return nil, false
		}
		n += size
	}
	return s[:n:n], true
}

func lowerString(s []byte) []byte {
	cut, _ := cutString(s)
	return cut
}

// upperString returns a string that is not less than any that begins with the
// first code points of s: the last code point that has a successor is raised.
func upperString(s []byte) []byte {
	cut, ok := cutString(s)
	if !ok || len(cut) == len(s) {
		return cut
	}
	for len(cut) > 0 {
		r, size := utf8.DecodeLastRune(cut)
		cut = cut[: len(cut)-size : len(cut)-size]
		if r == utf8.MaxRune {
			continue
		}
		if r++; r == 0xD800 { // surrogates are no code points of UTF-8
			r = 0xE000
		}
		return utf8.AppendRune(cut, r)
	}
	return nil
}

func upperBinary(s []byte) []byte {
	if len(s) <= boundLength {
		return s
	}
	cut := bytes.Clone(s[:boundLength])
	for len(cut) > 0 {
		if last := len(cut) - 1; cut[last] < 0xff {
			cut[last]++
			return cut
		} else {
			cut = cut[:last]
		}
	}
	return nil
}
