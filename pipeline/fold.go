package pipeline

import (
	"math/bits"

	"github.com/beluga-cdc/beluga/schema"
)

// fold collects the changes of one table version within one batch and keeps,
// for each key, only the last state: a row, or its absence. What a key went
// through on the way does not matter to a table that shows the present, and
// every state that is not written is a Parquet row and a position delete saved.
type fold struct {
	table   *schema.Table
	keyer   *schema.Keyer
	blocks  []*schema.Block
	bytes   int
	changes int  // rows added
	stream  bool // some of them come from the stream, and not from a lane
	entries []entry
	slots   []uint32 // open addressing; number of an entry + 1, 0: free
	shift   uint
	alike   *alike // not nil: the table has no key
}

type entry struct {
	key schema.Key
	ref RowRef
}

// gone is the ref of a key whose last change was a deletion.
var gone = RowRef{Block: ^uint32(0)}

const foldSlots = 1 << 10

func newFold(t *schema.Table) *fold {
	f := &fold{table: t, keyer: schema.NewKeyer(t)}
	f.resize(foldSlots)
	if t.Keyless() {
		f.alike = new(alike)
	}
	return f
}

// add takes the rows from first to end of the block, which the fold then owns.
func (f *fold) add(b *schema.Block, ranges []span) {
	n := uint32(len(f.blocks))
	f.blocks = append(f.blocks, b)
	f.bytes += b.Size()
	f.stream = f.stream || b.Ops[0] != schema.OpRead
	for _, s := range ranges {
		for r := s.first; r < s.end; r++ {
			f.row(b, RowRef{n, uint32(r)}, r)
		}
	}
}

func (f *fold) row(b *schema.Block, ref RowRef, r int) {
	if f.alike != nil {
		f.alikeRow(b, ref, r)
		return
	}
	switch b.Ops[r] {
	case schema.OpDelete:
		f.put(f.keyer.Key(b.Old, r), gone)
	case schema.OpUpdate:
		key := f.keyer.Key(b.New, r)
		if old := f.keyer.Key(b.Old, r); old != key {
			// The old key first: in a chain of updates 1→2, 2→3 the second finds
			// what the first put.
			f.put(old, gone)
		}
		f.put(key, ref)
	default:
		f.put(f.keyer.Key(b.New, r), ref)
	}
}

func (f *fold) put(k schema.Key, ref RowRef) { f.entries[f.entry(k)].ref = ref }

// entry returns the number of the key's entry, a new one where there is none.
func (f *fold) entry(k schema.Key) int {
	mask := uint32(len(f.slots) - 1)
	for i := f.slot(k); ; i = (i + 1) & mask {
		s := f.slots[i]
		if s == 0 {
			f.entries = append(f.entries, entry{key: k})
			f.slots[i] = uint32(len(f.entries))
			if len(f.entries)*2 > len(f.slots) {
				f.resize(2 * len(f.slots))
			}
			return len(f.entries) - 1
		}
		if f.entries[s-1].key == k {
			return int(s - 1)
		}
	}
}

// slot spreads keys by the high bits of a product, since the low bits of
// integer keys are often all the same.
func (f *fold) slot(k schema.Key) uint32 {
	return uint32(((k.Lo ^ k.Hi) * 0x9E3779B97F4A7C15) >> f.shift)
}

func (f *fold) resize(n int) {
	f.slots = make([]uint32, n)
	f.shift = uint(64 - bits.TrailingZeros(uint(n)))
	mask := uint32(n - 1)
	for e := range f.entries {
		i := f.slot(f.entries[e].key)
		for f.slots[i] != 0 {
			i = (i + 1) & mask
		}
		f.slots[i] = uint32(e + 1)
	}
}

// empty tells whether nothing changed.
func (f *fold) empty() bool { return len(f.entries) == 0 }

// take returns the folded changes and leaves the fold empty.
func (f *fold) take() TableChanges {
	c := TableChanges{Table: f.table, Blocks: f.blocks, Lane: !f.stream}
	if f.alike != nil {
		f.alike.take(f.entries, &c)
	} else {
		f.takeLast(&c)
	}
	f.blocks, f.bytes, f.changes, f.stream, f.entries = nil, 0, 0, false, f.entries[:0]
	clear(f.slots)
	return c
}

// takeLast fills in the last state of each key.
func (f *fold) takeLast(c *TableChanges) {
	rows := 0
	for i := range f.entries {
		if f.entries[i].ref != gone {
			rows++
		}
	}
	c.Rows, c.Keys = make([]RowRef, 0, rows), make([]schema.Key, 0, rows)
	c.Deletes = make([]schema.Key, 0, len(f.entries)-rows)
	for i := range f.entries {
		if e := &f.entries[i]; e.ref == gone {
			c.Deletes = append(c.Deletes, e.key)
		} else {
			c.Rows, c.Keys = append(c.Rows, e.ref), append(c.Keys, e.key)
		}
	}
}
