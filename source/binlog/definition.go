package binlog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// definition is how a statement defines a column.
type definition struct {
	name   string
	tokens []token // behind the name
	value  Default // that rows from before it show, where the column was added
	apart  bool    // which is that values of before are set apart, and rows show NULL
}

// definition takes a name and what defines the column, up to the end of the clause
// or of the list in parentheses.
func (p *parser) definition() definition {
	d := definition{name: p.next().text}
	depth := 0
	for i, t := range p.ts {
		switch {
		case t.sign('('):
			depth++
		case t.sign(')'):
			depth--
		}
		if t.kind == endToken || depth < 0 || depth == 0 && t.sign(',') {
			d.tokens = p.ts[:i]
			return d
		}
	}
	return d
}

// places tells whether the definition says where the column is to stand.
func (d *definition) places() bool {
	depth := 0
	for _, t := range d.tokens {
		switch {
		case t.sign('('):
			depth++
		case t.sign(')'):
			depth--
		case depth == 0 && (t.is("FIRST") || t.is("AFTER")):
			return true
		}
	}
	return false
}

// forbidsNull tells whether the column may not be NULL any more.
func (d *definition) forbidsNull() bool {
	for i, t := range d.tokens {
		if t.is("NOT") && i+1 < len(d.tokens) && d.tokens[i+1].is("NULL") {
			return true
		}
	}
	return d.isKey()
}

// comment returns the column's comment. One with a backslash that may stand for another
// character is left to the server's dictionary.
func (d *definition) comment() string {
	for i, t := range d.tokens[:max(len(d.tokens)-1, 0)] {
		if text := d.tokens[i+1]; t.is("COMMENT") && text.kind == stringToken && !text.escaped {
			return text.text
		}
	}
	return ""
}

// isKey tells whether the definition makes the column a key of its own, which KEY
// alone does too.
func (d *definition) isKey() bool {
	return slices.ContainsFunc(d.tokens, func(t token) bool { return t.is("KEY") || t.is("UNIQUE") || t.is("SERIAL") })
}

// agreement is whether a type is the one that a statement defines.
type agreement uint8

const (
	unsure agreement = iota
	agrees
	differs
)

// agreesWith compares the definition with a type that information_schema shows,
// which may be that of a later statement.
func (d *definition) agreesWith(now schema.Type) agreement {
	want, ok := d.typ()
	if !ok {
		return unsure
	}
	want.Charset, want.Form = now.Charset, now.Form
	if sameType(want, now) {
		return agrees
	}
	return differs
}

// plainTypes are the types whose name alone says what they are.
var plainTypes = map[string]schema.Type{
	"TINYINT": {Kind: schema.TinyInt}, "BOOL": {Kind: schema.TinyInt}, "BOOLEAN": {Kind: schema.TinyInt}, "SMALLINT": {Kind: schema.SmallInt},
	"MEDIUMINT": {Kind: schema.MediumInt}, "INT": {Kind: schema.Int}, "INTEGER": {Kind: schema.Int}, "BIGINT": {Kind: schema.BigInt},
	"FLOAT": {Kind: schema.Float}, "DOUBLE": {Kind: schema.Double}, "DATE": {Kind: schema.Date}, "YEAR": {Kind: schema.Year},
	"DECIMAL": {Kind: schema.Decimal, Precision: 10}, "NUMERIC": {Kind: schema.Decimal, Precision: 10}, "DEC": {Kind: schema.Decimal, Precision: 10},
	"BIT": {Kind: schema.Bit, Length: 1}, "TIME": {Kind: schema.Time}, "DATETIME": {Kind: schema.DateTime}, "TIMESTAMP": {Kind: schema.Timestamp},
	"CHAR": {Kind: schema.Char, Length: 1}, "VARCHAR": {Kind: schema.VarChar}, "BINARY": {Kind: schema.Binary, Length: 1}, "VARBINARY": {Kind: schema.VarBinary},
	"TINYTEXT": {Kind: schema.Text, Length: 1}, "TEXT": {Kind: schema.Text, Length: 2}, "MEDIUMTEXT": {Kind: schema.Text, Length: 3}, "LONGTEXT": {Kind: schema.Text, Length: 4},
	"TINYBLOB": {Kind: schema.Blob, Length: 1}, "BLOB": {Kind: schema.Blob, Length: 2}, "MEDIUMBLOB": {Kind: schema.Blob, Length: 3}, "LONGBLOB": {Kind: schema.Blob, Length: 4},
	"ENUM": {Kind: schema.Enum}, "SET": {Kind: schema.Set},
}

// typ returns the type as far as the statement says it plainly. Character sets,
// and words that stand for several things, are left to the server.
func (d *definition) typ() (t schema.Type, ok bool) {
	if len(d.tokens) == 0 || d.tokens[0].kind != wordToken {
		return t, false
	}
	if t, ok = plainTypes[strings.ToUpper(d.tokens[0].text)]; !ok {
		return t, false
	}
	rest := d.tokens[1:]
	var args []token
	if len(rest) > 0 && rest[0].sign('(') {
		end := 0
		for end < len(rest) && !rest[end].sign(')') {
			if !rest[end].sign('(') && !rest[end].sign(',') {
				args = append(args, rest[end])
			}
			end++
		}
		rest = rest[min(end+1, len(rest)):]
	}
	depth := 0 // words of an expression say nothing of the type
	for _, w := range rest {
		switch {
		case w.sign('('):
			depth++
		case w.sign(')'):
			depth--
		case depth > 0:
		case w.is("UNSIGNED"), w.is("ZEROFILL"):
			t.Unsigned = true
		case w.is("VARYING"), w.is("CHARACTER"), w.is("CHARSET"), w.is("COLLATE"), w.is("BINARY"), w.is("BYTE"), w.is("ASCII"), w.is("UNICODE"):
			return t, false
		}
	}
	return t, withArguments(&t, args)
}

// withArguments applies what stands in parentheses behind a type's name.
func withArguments(t *schema.Type, args []token) bool {
	number := func(i int, into *int) (ok bool) {
		if i >= len(args) {
			return true
		}
		n, err := strconv.Atoi(args[i].text)
		*into = n
		return err == nil
	}
	switch t.Kind {
	case schema.Decimal:
		return number(0, &t.Precision) && number(1, &t.Scale)
	case schema.Bit, schema.Char, schema.VarChar, schema.Binary, schema.VarBinary:
		return number(0, &t.Length)
	case schema.Time, schema.DateTime, schema.Timestamp:
		return number(0, &t.Scale)
	case schema.Float, schema.Double, schema.Text, schema.Blob: // FLOAT(30) is a DOUBLE, and TEXT(30) a TINYTEXT
		return len(args) == 0
	case schema.Enum, schema.Set:
		for _, a := range args {
			t.Labels = append(t.Labels, a.text)
		}
	}
	return true
}
