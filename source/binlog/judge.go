package binlog

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

var errReload = errors.New("remedy: load the tables again: run with an empty lake (--to another folder), where --tables can leave this one out")

// ErrIncompatible is the remedy for a change that the rows in the lake cannot follow,
// and for which Config.Reload has the table loaded again.
var ErrIncompatible = errors.New("remedy: run with --on-incompatible reload, which loads the table again beside the others, or new-column, by which single columns begin anew beside what they held; or load the tables again: run with an empty lake (--to another folder), where --tables can leave this one out")

// followable refuses a difference that the lake cannot follow.
func (r *run) followable(t *table, now *schema.Table, d schema.Diff) error {
	switch {
	case !d.InPlace():
		return unfollowed(t.shape, now, d)
	case d.KeyChanged && r.cfg.Lanes != nil && r.cfg.Lanes.Has(t.id):
		// What is left of it to be read is noted in ranges of the key.
		return fmt.Errorf("table %s: %s while it is loaded in a lane; %w", t.id, d.Describe(t.shape, now), ErrIncompatible)
	case d.KeyChanged:
		for _, k := range now.Key {
			if c := &now.Columns[k]; c.Treatment != nil {
				return fmt.Errorf("table %s: column %s became part of the key, and --columns-%s makes different rows alike; %w", t.id, c.Name, c.Treatment.Kind, errReload)
			}
		}
	}
	return nil
}

func unfollowed(old, now *schema.Table, d schema.Diff) error {
	return fmt.Errorf("table %s: %s, which does not go with the rows that are there; %w", now.ID, d.Describe(old, now), ErrIncompatible)
}

// judgeMap refuses what a table map shows and no statement told. Columns that are
// gone while others are new may be columns with another name: their values are in
// the rows that are there, and would be lost. Where the map has no names, columns
// in another order may be those of a later time, and rows would be misread.
func judgeMap(old, now *schema.Table, d schema.Diff, unnamed bool) error {
	gone := len(d.Dropped) > 0 || slices.ContainsFunc(old.LeftOut, func(name string) bool { return !containsName(now.LeftOut, name) })
	switch {
	case unnamed && (d.KeyChanged || d.Moved || len(d.Dropped) > 0 || len(d.Renamed) > 0):
		return fmt.Errorf("table %s: %s, and the binlog has no column names to tell since when; %w", now.ID, d.Describe(old, now), errNames)
	case len(d.Added) > 0 && gone:
		return fmt.Errorf("table %s: %s, and no statement in the binlog says whether that is a column with another name; %w", now.ID, d.Describe(old, now), ErrIncompatible)
	}
	return nil
}

// judge refuses what the lake cannot follow.
func judge(old, now *schema.Table) (schema.Diff, error) {
	d := schema.DiffTables(old, now)
	if !d.InPlace() {
		return d, unfollowed(old, now, d)
	}
	for _, c := range now.Columns {
		if i := old.Column(c.Name); i >= 0 && valuesMayChange(old.Columns[i].Type, c.Type) {
			return d, valuesChanged(now.ID, c.Name, old.Columns[i].Type, c.Type)
		}
	}
	return d, nil
}

func valuesChanged(id schema.TableID, column string, old, now schema.Type) error {
	return fmt.Errorf("table %s: column %s was altered from %s to %s, which may have changed values without a trace in the binlog; %w", id, column, old, now, ErrIncompatible)
}

// judgeDefined refuses types of a statement that do not hold what the columns held, as
// far as it says them plainly, and names the columns. The dictionary may show those of a
// later statement: a column that became narrow and wide again would look as if nothing had
// happened to it.
func (t *table) judgeDefined(list []definition) (columns []string, why error) {
	for i := range list {
		d := &list[i]
		c := t.shape.Column(d.name)
		if c < 0 {
			continue
		}
		was := t.shape.Columns[c].Type
		if k := find(t.altered.defined, d.name); k >= 0 { // by a statement before
			was = t.altered.defined[k].typeAfter(was)
		}
		if now := d.typeAfter(was); mayLose(was, now) {
			columns = append(columns, t.shape.Columns[c].Name)
			if why == nil {
				why = valuesChanged(t.id, d.name, was, now)
			}
		}
	}
	return columns, why
}

// typeAfter returns the type that a definition gives a column, or the one that it had
// where the definition does not say it plainly.
func (d *definition) typeAfter(was schema.Type) schema.Type {
	now, plain := d.typ()
	switch {
	case !plain, now.Kind == schema.Enum, now.Kind == schema.Set: // whose labels are written in many ways
		return was
	case was.Kind == schema.Bit && now.Kind == schema.TinyInt: // which may be a boolean
		return was
	case holdsBytes(was.Kind) && !holdsBytes(now.Kind): // as VARCHAR does where a table's character set is binary
		return was
	case now.Kind == schema.Decimal && now.Precision == 0, now.Kind == schema.Bit && now.Length == 0: // not what it is then
		return was
	}
	now.Charset = was.Charset
	if now.Kind == was.Kind {
		now.Form = was.Form
	}
	return now
}

func holdsBytes(k schema.Kind) bool {
	return k == schema.Binary || k == schema.VarBinary || k == schema.Blob
}

// mayLose tells whether a column of the one type may lose values by becoming one of the
// other, or readers of the lake cannot take it for the same.
func mayLose(was, now schema.Type) bool {
	from, err := was.Lake()
	to, other := now.Lake()
	return err == nil && other == nil && (from != to && !from.PromotesTo(to) || valuesMayChange(was, now))
}

// valuesMayChange tells whether an ALTER between two types, alike in the lake,
// may have changed stored values, or how they look there: it writes no row events.
// What does not fit the new type is cut or clamped where sql_mode is not strict, and
// that is not in the log either.
func valuesMayChange(old, now schema.Type) bool {
	switch now.Kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt:
		return !holdsNumbers(old, now)
	case schema.Decimal:
		return !holdsDecimals(old, now)
	case schema.Float, schema.Double:
		return old.Kind > now.Kind || now.Unsigned && !old.Unsigned // clamped to zero
	case schema.Time, schema.DateTime, schema.Timestamp:
		return now.Kind != old.Kind || now.Scale < old.Scale || now.Form == schema.FormString && now.Scale != old.Scale
	case schema.Bit: // as bytes, in the lake
		return now.Kind != old.Kind && now.Length != 1 || now.Length < old.Length || (now.Length+7)/8 != (old.Length+7)/8 && old.Kind == schema.Bit
	case schema.Enum, schema.Set:
		return now.Kind != old.Kind || !value.LabelsExtend(old.Labels, now.Labels)
	case schema.Binary: // padded to its length
		return now.Kind != old.Kind || now.Length != old.Length
	case schema.VarBinary:
		return old.Kind != schema.Binary && old.Kind != schema.VarBinary || now.Length < old.Length
	case schema.Blob:
		return old.Kind != schema.Binary && old.Kind != schema.VarBinary && old.Kind != schema.Blob || !hasRoom(old, now)
	case schema.Year, schema.JSON, schema.Geometry: // 5 becomes the year 2005, and JSON loses its blanks
		return now.Kind != old.Kind
	case schema.Char: // shows no blanks at its end
		if old.Kind != schema.Char {
			return true
		}
	}
	return textMayChange(old, now)
}

// holdsNumbers tells whether an integer type holds all values of the old one.
func holdsNumbers(old, now schema.Type) bool {
	switch old.Kind {
	case schema.Bit:
		return old.Length == 1
	case schema.Year:
		return now.Kind != schema.TinyInt
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt:
		wider := now.Kind > old.Kind
		if now.Unsigned || !old.Unsigned {
			return now.Unsigned == old.Unsigned && (wider || now.Kind == old.Kind)
		}
		return wider
	}
	return false
}

// holdsDecimals is the same for decimals. Those that the lake holds as text show
// the digits of their column.
func holdsDecimals(old, now schema.Type) bool {
	if old.Kind == schema.BigInt {
		return old.Unsigned // else the lake would tell
	}
	return old.Kind == schema.Decimal && now.Scale == old.Scale && now.Precision >= old.Precision && (old.Unsigned || !now.Unsigned)
}

// textMayChange tells whether text may have been cut, or lost characters.
func textMayChange(old, now schema.Type) bool {
	switch now.Kind {
	case schema.Char, schema.VarChar:
		if n := longest(old); n < 0 || n > now.Length {
			return true
		}
	case schema.Text:
		if !hasRoom(old, now) {
			return true
		}
	}
	from := old.Charset
	if old.Kind == schema.JSON {
		from = "utf8mb4"
	}
	return !holdsCharacters(from, now.Charset)
}

// holdsCharacters tells whether a character set has all characters of another. MySQL
// has all of Unicode in some, and only these have characters beyond its first plane.
func holdsCharacters(from, to string) bool {
	switch {
	case from == to, from == "", from == "ascii", isWholeUnicode(to):
		return true
	case to == "utf8mb3", to == "utf8", to == "ucs2":
		return !isWholeUnicode(from)
	}
	return false
}

func isWholeUnicode(charset string) bool {
	switch charset {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return true
	}
	return false
}

// longest returns how many characters the values of a type have at most; -1: not
// known.
func longest(t schema.Type) int {
	n := -1
	switch t.Kind {
	case schema.Char, schema.VarChar:
		n = t.Length
	case schema.Enum:
		for _, l := range t.Labels {
			n = max(n, utf8.RuneCountInString(l))
		}
	case schema.Set:
		for _, l := range t.Labels {
			n += 1 + utf8.RuneCountInString(l)
		}
	}
	return n
}

// hasRoom tells whether a TEXT or BLOB has room for all values of the old type. That
// of the largest kind has: no value has more than 1 GiB.
func hasRoom(old, now schema.Type) bool {
	if now.Length == 0 || now.Length == 4 {
		return true
	}
	var n int // bytes
	switch old.Kind {
	case schema.Text, schema.Blob:
		if old.Length > now.Length || keepsBytes(old.Charset, now.Charset) {
			return old.Length <= now.Length
		}
		n = (1<<(8*old.Length) - 1) * value.CharsetWidth(now.Charset)
	case schema.Binary, schema.VarBinary:
		n = old.Length
	case schema.JSON:
		return false
	default:
		n = longest(old) * value.CharsetWidth(now.Charset)
	}
	return n < 1<<(8*now.Length)
}

// keepsBytes tells whether text has no more bytes in another character set.
func keepsBytes(from, to string) bool {
	switch to {
	case from:
		return true
	case "ucs2", "utf16", "utf16le", "utf32":
		return false
	}
	return from == "ascii" || to == "utf8mb4" && (from == "utf8mb3" || from == "utf8")
}
