package pipeline

import "github.com/beluga-cdc/beluga/schema"

// alike is what a fold keeps of a table without a key. There a row is its values,
// and what counts is how many of a kind come and go: an insert and a deletion of
// the same values cancel each other, whichever of the two is first. An update is
// a deletion and an insert.
type alike struct {
	kinds []kind    // by entry
	rows  []rowLink // that were put and not taken back
}

// kind is the net change of rows with the same values.
type kind struct {
	deletes uint32 // rows to be deleted; 0 while there are rows to be put
	newest  uint32 // number of a rowLink + 1: the row put last; 0: none
}

// rowLink is a row to be put, and the one of its kind before it.
type rowLink struct {
	ref   RowRef
	older uint32
}

// alikeRow takes one change of a table without a key.
func (f *fold) alikeRow(b *schema.Block, ref RowRef, r int) {
	op := b.Ops[r]
	if op == schema.OpUpdate || op == schema.OpDelete {
		f.alike.remove(f.entry(f.keyer.Key(b.Old, r)))
	}
	if op != schema.OpDelete {
		f.alike.put(f.entry(f.keyer.Key(b.New, r)), ref)
	}
}

func (a *alike) kind(entry int) *kind {
	for len(a.kinds) <= entry {
		a.kinds = append(a.kinds, kind{})
	}
	return &a.kinds[entry]
}

func (a *alike) put(entry int, ref RowRef) {
	k := a.kind(entry)
	if k.deletes > 0 {
		k.deletes--
		return
	}
	a.rows = append(a.rows, rowLink{ref, k.newest})
	k.newest = uint32(len(a.rows))
}

func (a *alike) remove(entry int) {
	k := a.kind(entry)
	if k.newest == 0 {
		k.deletes++
		return
	}
	k.newest = a.rows[k.newest-1].older
}

// take fills in the net changes, and leaves nothing.
func (a *alike) take(entries []entry, c *TableChanges) {
	for i := range a.kinds {
		key := entries[i].key
		for range a.kinds[i].deletes {
			c.Deletes = append(c.Deletes, key)
		}
		for at := a.kinds[i].newest; at != 0; at = a.rows[at-1].older {
			c.Rows, c.Keys = append(c.Rows, a.rows[at-1].ref), append(c.Keys, key)
		}
	}
	a.kinds, a.rows = a.kinds[:0], a.rows[:0]
}
