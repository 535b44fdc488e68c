package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Diff is how a table's shape changed, in terms of the lake.
type Diff struct {
	Added   []int // ordinals in the new version of columns that the old one did not have
	Dropped []int // ordinals in the old version
	Changed []ColumnChange
	// KeyChanged: the key has other columns, or another order.
	KeyChanged bool
	// Moved: columns that both have stand in another order.
	Moved bool
}

// ColumnChange is a column whose lake type differs. Changes that the lake does
// not see, such as a longer VARCHAR or another default, are none.
type ColumnChange struct {
	Old, New int // ordinals in the old and the new version
	From, To LakeType
}

// IsEmpty tells whether nothing changed that the lake sees.
func (d Diff) IsEmpty() bool {
	return len(d.Added) == 0 && len(d.Dropped) == 0 && len(d.Changed) == 0 && !d.KeyChanged && !d.Moved
}

// OnlyAdds tells whether the change adds columns and does nothing else.
func (d Diff) OnlyAdds() bool {
	return len(d.Added) > 0 && len(d.Dropped) == 0 && len(d.Changed) == 0 && !d.KeyChanged && !d.Moved
}

// DiffTables compares two prepared versions of a table by column names.
func DiffTables(old, now *Table) Diff {
	var d Diff
	last := -1
	for i, c := range old.Columns {
		j := now.Column(c.Name)
		if j < 0 {
			d.Dropped = append(d.Dropped, i)
			continue
		}
		if j < last {
			d.Moved = true
		}
		last = j
		if from, to := old.Lake(i), now.Lake(j); from != to {
			d.Changed = append(d.Changed, ColumnChange{i, j, from, to})
		}
	}
	for j, c := range now.Columns {
		if old.Column(c.Name) < 0 {
			d.Added = append(d.Added, j)
		}
	}
	names := func(t *Table) (n []string) {
		for _, k := range t.Key {
			n = append(n, strings.ToLower(t.Columns[k].Name))
		}
		return n
	}
	d.KeyChanged = !slices.Equal(names(old), names(now))
	return d
}

// Describe says the change in words, for messages.
func (d Diff) Describe(old, now *Table) string {
	var s []string
	for _, i := range d.Added {
		s = append(s, fmt.Sprintf("column %s added", now.Columns[i].Name))
	}
	for _, i := range d.Dropped {
		s = append(s, fmt.Sprintf("column %s dropped", old.Columns[i].Name))
	}
	for _, c := range d.Changed {
		s = append(s, fmt.Sprintf("column %s changed from %s to %s", now.Columns[c.New].Name, c.From, c.To))
	}
	if d.KeyChanged {
		s = append(s, "key changed")
	}
	if d.Moved {
		s = append(s, "columns reordered")
	}
	if len(s) == 0 {
		return "nothing changed"
	}
	return strings.Join(s, ", ")
}
