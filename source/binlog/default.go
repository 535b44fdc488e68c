package binlog

import (
	"slices"
	"strings"
)

// Added is a column that is new in a shape, and what its rows from before show in it.
type Added struct {
	Column  int // ordinal
	Default Default
}

// Default is the default of a column as the statement that added it says it. It is the
// one that old rows show: the dictionary's may be of a later statement.
type Default struct {
	Kind DefaultKind
	Text string // of a number or a string
	// Strict: the server has refused a text that the column cannot hold as it is.
	Strict bool
}

// DefaultKind is how a statement says a default.
type DefaultKind uint8

// The kinds of defaults.
const (
	UnknownDefault  DefaultKind = iota // only the server knows it
	NullDefault                        // rows show NULL
	ImplicitDefault                    // a column that forbids NULL has none
	NumberDefault
	TextDefault
)

// isOption tells whether a word can stand behind a default, so that what is before it is
// the whole of it.
func (t token) isOption() bool {
	return slices.ContainsFunc([]string{"COMMENT", "FIRST", "AFTER", "NOT", "NULL", "UNIQUE", "KEY", "PRIMARY", "VISIBLE", "INVISIBLE", "CHECK", "CONSTRAINT", "COLUMN_FORMAT", "STORAGE"}, t.is)
}

// initial returns the default of a column that is being added.
func (d *definition) initial() Default {
	top := d.top()
	at, forbids := -1, false
	for i, t := range top {
		switch {
		case t.is("AS"), t.is("GENERATED"), t.is("AUTO_INCREMENT"), t.is("SERIAL"):
			return Default{}
		case t.is("NOT"):
			forbids = true
		case i > 0 && t.is("DEFAULT") && !top[i-1].is("COLUMN_FORMAT") && !top[i-1].is("STORAGE"):
			if at >= 0 {
				return Default{}
			}
			at = i
		}
	}
	switch {
	case at >= 0:
		return literal(top[at+1:])
	case d.isKey(): // of its own, which may forbid NULL
		return Default{}
	case forbids:
		return Default{Kind: ImplicitDefault}
	}
	return Default{Kind: NullDefault}
}

// top returns the tokens of the definition that stand in no parentheses, and of each pair
// of these the opening one. The first is the type.
func (d *definition) top() (list []token) {
	depth := 0
	for _, t := range d.tokens {
		if t.sign(')') {
			depth--
		}
		if depth == 0 && !t.sign(')') {
			list = append(list, t)
		}
		if t.sign('(') {
			depth++
		}
	}
	return list
}

// literal reads a default that is one number or text. Any other is left to the server.
func literal(ts []token) Default {
	v := Default{Kind: NumberDefault}
	first := func() token {
		if len(ts) == 0 {
			return token{}
		}
		return ts[0]
	}
	switch t := first(); {
	case t.is("NULL"):
		ts, v.Kind = ts[1:], NullDefault
	case t.is("TRUE"):
		ts, v.Text = ts[1:], "1"
	case t.is("FALSE"):
		ts, v.Text = ts[1:], "0"
	case t.kind == stringToken && !t.escaped:
		ts, v.Kind, v.Text = ts[1:], TextDefault, t.text
	default:
		if t.sign('-') || t.sign('+') {
			v.Text, ts = strings.TrimPrefix(t.text, "+"), ts[1:]
		}
		for first().sign('.') || first().isDigits() {
			v.Text, ts = v.Text+first().text, ts[1:]
		}
	}
	if len(ts) > 0 && !ts[0].isOption() {
		return Default{}
	}
	return v
}

func (t token) isDigits() bool {
	return t.kind == wordToken && strings.Trim(t.text, "0123456789") == ""
}
