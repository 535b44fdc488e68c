package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Diff is how a table's shape changed, in terms of the lake.
type Diff struct {
	Added   []int        // ordinals in the new version of columns that the old one did not have
	Dropped []int        // ordinals in the old version
	Renamed []ColumnPair // columns with another name, be it only in case
	Changed []ColumnChange
	// KeyChanged: the key has other columns, or another order.
	KeyChanged bool
	// Moved: columns that both have stand in another order.
	Moved bool
}

// ColumnPair is a column that both versions have.
type ColumnPair struct{ Old, New int } // ordinals in the old and the new version

// ColumnChange is a column whose lake type differs. Changes that the lake does
// not see, such as a longer VARCHAR or another default, are none.
type ColumnChange struct {
	Old, New int // ordinals in the old and the new version
	From, To LakeType
}

// Rename says that a column has another name from a version on. Only the
// statement that does it knows: the two versions alone could as well be those of
// a column that was dropped and another that was added.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// IsEmpty tells whether nothing changed that the lake sees.
func (d Diff) IsEmpty() bool {
	return len(d.Added) == 0 && len(d.Dropped) == 0 && len(d.Renamed) == 0 && len(d.Changed) == 0 && !d.KeyChanged && !d.Moved
}

// Counterparts returns, for each column of old, its ordinal in now, or -1 where it
// was dropped. All renames take place at once: a and b may change their names with
// each other.
func Counterparts(old, now *Table, renames []Rename) []int {
	pairs := make([]int, len(old.Columns))
	taken := make([]bool, len(now.Columns))
	for i := range pairs {
		pairs[i] = -1
	}
	var left []int // not renamed
	for i, c := range old.Columns {
		r := slices.IndexFunc(renames, func(r Rename) bool { return strings.EqualFold(r.From, c.Name) })
		if r < 0 {
			left = append(left, i)
		} else if j := now.Column(renames[r].To); j >= 0 {
			pairs[i], taken[j] = j, true
		}
	}
	for _, i := range left {
		if j := now.Column(old.Columns[i].Name); j >= 0 && !taken[j] {
			pairs[i], taken[j] = j, true
		}
	}
	return pairs
}

// DiffTables compares two prepared versions of a table: columns are the same that
// have the same name, but for those that were renamed.
func DiffTables(old, now *Table, renames ...Rename) Diff {
	var d Diff
	pairs := Counterparts(old, now, renames)
	last := -1
	for i, j := range pairs {
		if j < 0 {
			d.Dropped = append(d.Dropped, i)
			continue
		}
		d.Moved = d.Moved || j < last
		last = j
		if old.Columns[i].Name != now.Columns[j].Name {
			d.Renamed = append(d.Renamed, ColumnPair{i, j})
		}
		if from, to := old.Lake(i), now.Lake(j); from != to {
			d.Changed = append(d.Changed, ColumnChange{i, j, from, to})
		}
	}
	for j := range now.Columns {
		if !slices.Contains(pairs, j) {
			d.Added = append(d.Added, j)
		}
	}
	d.KeyChanged = !slices.EqualFunc(old.Key, now.Key, func(i, j int) bool { return pairs[i] == j })
	return d
}

// InPlace tells whether rows that are in the lake stay what they are: columns may
// come and go, change names and places, and become wider, and others may make the
// key.
func (d Diff) InPlace() bool {
	return !slices.ContainsFunc(d.Changed, func(c ColumnChange) bool { return !c.From.PromotesTo(c.To) })
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
	for _, p := range d.Renamed {
		s = append(s, fmt.Sprintf("column %s renamed to %s", old.Columns[p.Old].Name, now.Columns[p.New].Name))
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
