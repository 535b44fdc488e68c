package snapshot

import (
	"fmt"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/value"
)

// Chunk is a range of a table's key: from lower on, up to and without upper.
// All comparing is the server's: no other program orders text as its collations
// do.
type Chunk struct {
	Table *schema.Table
	index string // of the key
	// filter is the condition of the rows that are wanted; "": all of the range.
	filter string
	lower  []any // values of the leading key columns, as arguments; nil: from the start
	upper  []any // nil: to the end
	rows   int   // that it was to have; 0: not planned
}

// Whole returns the chunk that is all of a table.
func Whole(t *schema.Table) Chunk { return Chunk{Table: t} }

// splitColumns returns the leading key columns that ranges can be made of. Of
// those left out, ENUM and SET compare as text but sort as numbers, BIT has no
// literal, and floating point has values that equal no literal. A key that
// begins with one of them is read in one piece.
func splitColumns(t *schema.Table) []int {
	for n, c := range t.Key {
		switch t.Columns[c].Type.Kind {
		case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt, schema.Decimal, schema.Year,
			schema.Date, schema.Time, schema.DateTime, schema.Timestamp, schema.Char, schema.VarChar, schema.Binary, schema.VarBinary:
		default:
			return t.Key[:n]
		}
	}
	return t.Key
}

// query returns the statement that reads the chunk, and its arguments.
func (c Chunk) query() (string, []any) {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i := range c.Table.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		column := &c.Table.Columns[i]
		b.WriteString(value.StoredExpression(column.Type, session.Quote(column.Name)))
	}
	b.WriteString(" FROM ")
	b.WriteString(tableName(c.Table.ID))
	if c.lower == nil && c.upper == nil {
		if c.filter != "" {
			b.WriteString(" WHERE " + inBrackets(c.filter))
		}
		return b.String(), nil
	}
	where, args := c.condition()
	// A range of the key is read in its order; without the hint the optimizer may
	// think that a secondary index serves better.
	b.WriteString(" FORCE INDEX (" + session.Quote(c.index) + ") WHERE ")
	b.WriteString(where)
	if c.filter != "" {
		b.WriteString(" AND " + inBrackets(c.filter))
	}
	return b.String(), args
}

// inBrackets keeps what surrounds a condition apart from it, also where it ends
// with a comment.
func inBrackets(condition string) string { return "(" + condition + "\n)" }

// FilterProbe returns a statement that reads no row, and fails where the server
// does not understand the condition.
func FilterProbe(id schema.TableID, condition string) string {
	return "SELECT 1 FROM " + tableName(id) + " WHERE " + inBrackets(condition) + " LIMIT 0"
}

func (c Chunk) condition() (string, []any) {
	cols := splitColumns(c.Table)
	var parts []string
	var args []any
	if c.lower != nil {
		w, a := compareKey(c.Table, cols, ">", ">=", c.lower)
		parts, args = append(parts, w), append(args, a...)
	}
	if c.upper != nil {
		w, a := compareKey(c.Table, cols, "<", "<", c.upper)
		parts, args = append(parts, w), append(args, a...)
	}
	return strings.Join(parts, " AND "), args
}

// compareKey writes the comparison of a key with values in lexicographic order
// as "a > ? OR a = ? AND b >= ?": MySQL makes a range of the index of that, but
// scans the table for "(a, b) >= (?, ?)". The first column's own bound stands in
// front because the optimizer finds the range more surely with it.
func compareKey(t *schema.Table, cols []int, strict, last string, values []any) (string, []any) {
	name := func(i int) string { return session.Quote(t.Columns[cols[i]].Name) }
	if len(cols) == 1 {
		return fmt.Sprintf("%s %s ?", name(0), last), values[:1]
	}
	var terms []string
	var args []any
	for n := range cols {
		var term []string
		for i := range n {
			term = append(term, name(i)+" = ?")
			args = append(args, values[i])
		}
		op := strict
		if n == len(cols)-1 {
			op = last
		}
		term = append(term, fmt.Sprintf("%s %s ?", name(n), op))
		args = append(args, values[n])
		terms = append(terms, strings.Join(term, " AND "))
	}
	bound := fmt.Sprintf("%s %s= ?", name(0), strict)
	return fmt.Sprintf("%s AND (%s)", bound, strings.Join(terms, " OR ")), append([]any{values[0]}, args...)
}

// argument copies a key value out of the driver's memory, in a type that
// compares with its column without a conversion that loses digits or bytes.
func argument(kind schema.Kind, v *mysql.FieldValue) any {
	switch v.Type {
	case mysql.FieldValueTypeUnsigned:
		return v.AsUint64()
	case mysql.FieldValueTypeSigned:
		return v.AsInt64()
	}
	switch kind {
	case schema.Decimal: // as text it would be compared as a double
		return mysql.TypedBytes{Type: mysql.MYSQL_TYPE_NEWDECIMAL, Bytes: append([]byte(nil), v.AsString()...)}
	case schema.Binary, schema.VarBinary: // as text it would have to be UTF-8
		return mysql.TypedBytes{Type: mysql.MYSQL_TYPE_BLOB, Bytes: append([]byte(nil), v.AsString()...)}
	}
	return string(v.AsString())
}

func tableName(id schema.TableID) string {
	return session.Quote(id.Database) + "." + session.Quote(id.Name)
}
