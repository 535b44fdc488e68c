package schema

import "slices"

// Extent remembers how large the blocks of a table have been, so that the next
// one gets its memory at once: vectors that double on the way copy everything
// once more, which was a sixth of the time of a catch-up.
type Extent struct {
	rows int
	data []int // bytes of each column's Data
}

// Note takes the size of a full block. Smaller ones than before count half, so
// that one large transaction does not make all later blocks large.
func (e *Extent) Note(b *Block) {
	e.rows = max(b.Rows(), e.rows/2)
	if len(e.data) != len(b.New) {
		e.data = make([]int, len(b.New))
	}
	for i := range b.New {
		e.data[i] = max(len(b.New[i].Data), e.data[i]/2)
	}
}

// Reserve gives an empty block room for as much as was noted.
func (e *Extent) Reserve(b *Block) {
	if len(e.data) != len(b.New) {
		return // nothing noted yet, or another version of the table
	}
	b.Ops = slices.Grow(b.Ops, e.rows)
	for i := range b.New {
		v := &b.New[i]
		switch v.Kind {
		case VecBool, VecInt32, VecFloat32:
			v.I32 = slices.Grow(v.I32, e.rows)
		case VecInt64, VecFloat64:
			v.I64 = slices.Grow(v.I64, e.rows)
		case VecDec128:
			v.Data = slices.Grow(v.Data, 16*e.rows)
		case VecBytes:
			v.Off = slices.Grow(v.Off, e.rows+1)
			v.Data = slices.Grow(v.Data, e.data[i])
		}
	}
}
