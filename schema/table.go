package schema

import (
	"fmt"
	"strings"
)

// TableID names a table of the source. Database and name are kept apart
// because either may contain a dot.
type TableID struct {
	Database string `json:"database"`
	Name     string `json:"name"`
}

// String returns "database.name", for messages only: it cannot be parsed back.
func (id TableID) String() string { return id.Database + "." + id.Name }

// Compare orders tables by database, then name.
func (id TableID) Compare(other TableID) int {
	if c := strings.Compare(id.Database, other.Database); c != 0 {
		return c
	}
	return strings.Compare(id.Name, other.Name)
}

// Column is one column of one table version.
type Column struct {
	Name      string  `json:"name"`
	Type      Type    `json:"type"`
	Nullable  bool    `json:"nullable,omitempty"`
	Default   *string `json:"default,omitempty"` // as information_schema shows it; nil: none, NULL, or an expression
	Generated bool    `json:"generated,omitempty"`
	Comment   string  `json:"comment,omitempty"`
	// Treatment is what is done to values before they leave the source; nil: nothing.
	Treatment *Treatment `json:"treatment,omitempty"`
}

// Table is one version of a table's shape. It never changes once it is in use:
// a schema change makes a new Table, and blocks point at the version that their
// rows were written under.
type Table struct {
	ID      TableID  `json:"id"`
	Columns []Column `json:"columns"` // in the database's order
	// Key is the key that identifies a row: ordinals into Columns, in key order. It
	// is the primary key, or what MySQL takes for one where there is none: the first
	// unique key without nullable columns. Empty: a row is identified by all its
	// values, and there may be several alike.
	Key     []int  `json:"key"`
	Comment string `json:"comment,omitempty"`
	// LeftOut are the columns that the source has and the user did not want.
	LeftOut []string `json:"left_out,omitempty"`

	lakes []LakeType // filled by Prepare
}

// Prepare checks the table and computes what the hot paths need of it. It must
// have been called before the table is used in a block.
func (t *Table) Prepare() error {
	if len(t.Columns) == 0 {
		return fmt.Errorf("table %s has no columns", t.ID)
	}
	lakes := make([]LakeType, len(t.Columns))
	for i, c := range t.Columns {
		l, err := c.Type.Lake()
		if err != nil {
			return fmt.Errorf("table %s, column %s: %w", t.ID, c.Name, err)
		}
		lakes[i] = l
	}
	for _, k := range t.Key {
		if k < 0 || k >= len(t.Columns) {
			return fmt.Errorf("table %s: key names column number %d of %d", t.ID, k, len(t.Columns))
		}
	}
	t.lakes = lakes
	return nil
}

// KeepForms gives the columns that old has too their forms there. Only a column
// that was to stop at what is no day may change its mind: such a value never came
// into the lake. The table must be prepared afterwards.
func (t *Table) KeepForms(old *Table) {
	for i := range t.Columns {
		now := &t.Columns[i].Type
		if j := old.Column(t.Columns[i].Name); j >= 0 && old.Columns[j].Type.Kind == now.Kind {
			if was := old.Columns[j].Type.Form; was != FormStop {
				now.Form = was
			}
		}
	}
}

// Lake returns the Iceberg type of column i.
func (t *Table) Lake(i int) LakeType { return t.lakes[i] }

// Column returns the ordinal of the named column, or -1. Names compare as
// MySQL compares them: without regard to case.
func (t *Table) Column(name string) int {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return i
		}
	}
	return -1
}

// Keyless tells whether only all values of a row together identify it.
func (t *Table) Keyless() bool { return len(t.Key) == 0 }

// Identifies tells whether column i is part of what identifies a row: of the
// key, or of a table without one.
func (t *Table) Identifies(i int) bool { return t.Keyless() || t.IsKey(i) }

// IsKey tells whether column i belongs to the key.
func (t *Table) IsKey(i int) bool {
	for _, k := range t.Key {
		if k == i {
			return true
		}
	}
	return false
}
