package schema

import "math"

// VecKind is how the values of a vector are represented.
type VecKind uint8

// The representations. All but VecBytes have a fixed width.
const (
	VecBool    VecKind = iota + 1 // I32: 0 or 1
	VecInt32                      // I32; a date is days since 1970-01-01
	VecInt64                      // I64; a time is µs since midnight, a timestamp µs since 1970-01-01, a decimal its unscaled value
	VecFloat32                    // I32: IEEE 754 bits
	VecFloat64                    // I64: IEEE 754 bits
	VecDec128                     // Data: 16 bytes each, the unscaled value as a big-endian two's complement
	VecBytes                      // Off, Data: text is UTF-8, a list of floats their bits, four bytes each, the lowest first
)

// Vec is the values of one column of a block. Its fields are public because
// decoders and encoders work on whole slices; everybody else uses the methods.
//
// A null takes a place in the value slices too (a zero, an empty string), so
// that row numbers index every slice.
type Vec struct {
	Kind  VecKind
	N     int      // number of values
	Nulls []uint64 // bit i set: value i is null; words that are missing at the end are zero
	NullN int      // number of nulls
	I32   []int32
	I64   []int64
	Off   []uint32 // VecBytes: N+1 offsets into Data, the first is 0
	Data  []byte
}

// Reset empties the vector and keeps its memory.
func (v *Vec) Reset(kind VecKind) {
	v.Kind, v.N, v.NullN = kind, 0, 0
	clear(v.Nulls)
	v.Nulls, v.I32, v.I64, v.Off, v.Data = v.Nulls[:0], v.I32[:0], v.I64[:0], v.Off[:0], v.Data[:0]
	if kind == VecBytes {
		v.Off = append(v.Off, 0)
	}
}

// IsNull tells whether value i is null.
func (v *Vec) IsNull(i int) bool {
	w := i >> 6
	return w < len(v.Nulls) && v.Nulls[w]&(1<<(i&63)) != 0
}

// AppendNull appends a null.
func (v *Vec) AppendNull() {
	for w := v.N >> 6; len(v.Nulls) <= w; {
		v.Nulls = append(v.Nulls, 0)
	}
	v.Nulls[v.N>>6] |= 1 << (v.N & 63)
	v.NullN++
	v.AppendZero()
}

// AppendZero appends the zero value of the kind: the filler where a row has no
// image.
func (v *Vec) AppendZero() {
	switch v.Kind {
	case VecBool, VecInt32, VecFloat32:
		v.I32 = append(v.I32, 0)
	case VecInt64, VecFloat64:
		v.I64 = append(v.I64, 0)
	case VecDec128:
		v.Data = append(v.Data, zero16[:]...)
	case VecBytes:
		v.Off = append(v.Off, uint32(len(v.Data)))
	}
	v.N++
}

var zero16 [16]byte

// AppendBool appends to a VecBool.
func (v *Vec) AppendBool(x bool) {
	if x {
		v.AppendInt32(1)
	} else {
		v.AppendInt32(0)
	}
}

// AppendInt32 appends to a VecInt32.
func (v *Vec) AppendInt32(x int32) { v.I32 = append(v.I32, x); v.N++ }

// AppendInt64 appends to a VecInt64.
func (v *Vec) AppendInt64(x int64) { v.I64 = append(v.I64, x); v.N++ }

// AppendFloat32 appends to a VecFloat32.
func (v *Vec) AppendFloat32(x float32) { v.AppendInt32(int32(math.Float32bits(x))) }

// AppendFloat64 appends to a VecFloat64.
func (v *Vec) AppendFloat64(x float64) { v.AppendInt64(int64(math.Float64bits(x))) }

// AppendDec128 appends the unscaled value hi·2^64+lo to a VecDec128.
func (v *Vec) AppendDec128(hi int64, lo uint64) {
	h := uint64(hi)
	v.Data = append(v.Data, byte(h>>56), byte(h>>48), byte(h>>40), byte(h>>32), byte(h>>24), byte(h>>16), byte(h>>8), byte(h),
		byte(lo>>56), byte(lo>>48), byte(lo>>40), byte(lo>>32), byte(lo>>24), byte(lo>>16), byte(lo>>8), byte(lo))
	v.N++
}

// AppendBytes appends a copy of b to a VecBytes.
func (v *Vec) AppendBytes(b []byte) {
	v.Data = append(v.Data, b...)
	v.EndBytes()
}

// EndBytes makes what was appended to Data since the last value the next value
// of a VecBytes: decoders write there without a copy of their own.
func (v *Vec) EndBytes() { v.Off = append(v.Off, uint32(len(v.Data))); v.N++ }

// Bytes returns value i of a VecBytes. It is valid as long as the vector is.
func (v *Vec) Bytes(i int) []byte { return v.Data[v.Off[i]:v.Off[i+1]:v.Off[i+1]] }

// Dec128 returns the 16 bytes of value i of a VecDec128.
func (v *Vec) Dec128(i int) []byte { return v.Data[i*16 : i*16+16 : i*16+16] }

// Float32 returns value i of a VecFloat32.
func (v *Vec) Float32(i int) float32 { return math.Float32frombits(uint32(v.I32[i])) }

// Float64 returns value i of a VecFloat64.
func (v *Vec) Float64(i int) float64 { return math.Float64frombits(uint64(v.I64[i])) }

// AppendFrom appends value i of src, which has the same kind.
func (v *Vec) AppendFrom(src *Vec, i int) {
	if src.IsNull(i) {
		v.AppendNull()
		return
	}
	switch v.Kind {
	case VecBool, VecInt32, VecFloat32:
		v.AppendInt32(src.I32[i])
	case VecInt64, VecFloat64:
		v.AppendInt64(src.I64[i])
	case VecDec128:
		v.Data = append(v.Data, src.Dec128(i)...)
		v.N++
	case VecBytes:
		v.AppendBytes(src.Bytes(i))
	}
}

// Truncate drops the values from n on: a row whose decoding failed half-way
// leaves no trace.
func (v *Vec) Truncate(n int) {
	for ; v.N > n; v.N-- {
		if i := v.N - 1; v.IsNull(i) {
			v.Nulls[i>>6] &^= 1 << (i & 63)
			v.NullN--
		}
	}
	switch v.Kind {
	case VecBool, VecInt32, VecFloat32:
		v.I32 = v.I32[:n]
	case VecInt64, VecFloat64:
		v.I64 = v.I64[:n]
	case VecDec128:
		v.Data = v.Data[:16*n]
	case VecBytes:
		v.Data, v.Off = v.Data[:v.Off[n]], v.Off[:n+1]
	}
}

// Size returns the bytes that the values take.
func (v *Vec) Size() int {
	return 8*len(v.Nulls) + 4*len(v.I32) + 8*len(v.I64) + 4*len(v.Off) + len(v.Data)
}
