package schema

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Key identifies a row of one table. The key of a single integer column is that
// integer, exactly; any other is the 128-bit hash of the key's values, compared
// byte by byte: the row images of MySQL hold the old key as it was stored, so
// that 'a' and 'A' are two keys here even where MySQL's collation says equal. In
// a table without a key it is the hash of all values, and several rows may share
// it: nothing, MySQL included, can tell them apart.
type Key struct{ Hi, Lo uint64 }

// Keyer computes the keys of one table version. It is not safe for concurrent
// use.
type Keyer struct {
	cols  []int
	exact VecKind // not 0: a single column of this integer kind
	buf   []byte
}

// NewKeyer returns the keyer of what identifies a row of the table.
func NewKeyer(t *Table) *Keyer {
	if t.Keyless() {
		return NewRowKeyer(t)
	}
	k := &Keyer{cols: t.Key}
	if len(t.Key) == 1 {
		switch v := t.Lake(t.Key[0]).Vec(); v {
		case VecBool, VecInt32, VecInt64:
			k.exact = v
		}
	}
	return k
}

// NewRowKeyer returns a keyer over all columns: the identity of a whole row.
func NewRowKeyer(t *Table) *Keyer {
	k := &Keyer{}
	for i := range t.Columns {
		k.cols = append(k.cols, i)
	}
	return k
}

// Exact tells whether keys are single integers (in Lo, sign-extended).
func (k *Keyer) Exact() bool { return k.exact != 0 }

// Key returns the key of a row of the given images (Block.New or Block.Old).
func (k *Keyer) Key(image []Vec, row int) Key {
	switch k.exact {
	case VecInt64:
		return Key{Lo: uint64(image[k.cols[0]].I64[row])}
	case VecInt32, VecBool:
		return Key{Lo: uint64(int64(image[k.cols[0]].I32[row]))}
	}
	b := k.buf[:0]
	for _, c := range k.cols {
		b = appendKeyValue(b, &image[c], row)
	}
	k.buf = b
	h := xxh3.Hash128(b)
	return Key{Hi: h.Hi, Lo: h.Lo}
}

// appendKeyValue writes a value so that no two lists of values of the same
// kinds give the same bytes: fixed widths, lengths before bytes, a mark for
// null.
func appendKeyValue(b []byte, v *Vec, row int) []byte {
	if v.IsNull(row) {
		return append(b, 0)
	}
	b = append(b, 1)
	switch v.Kind {
	case VecBool, VecInt32, VecFloat32:
		return binary.LittleEndian.AppendUint32(b, uint32(v.I32[row]))
	case VecInt64, VecFloat64:
		return binary.LittleEndian.AppendUint64(b, uint64(v.I64[row]))
	case VecDec128:
		return append(b, v.Dec128(row)...)
	default:
		s := v.Bytes(row)
		b = binary.AppendUvarint(b, uint64(len(s)))
		return append(b, s...)
	}
}
