package binlog

import (
	"bytes"
	"unicode/utf8"

	"github.com/beluga-cdc/beluga/source/value"
)

// query is a QUERY_EVENT.
type query struct {
	thread    uint32
	collation uint64 // in which the client wrote the text; 0: not said
	sqlMode   uint64
	database  string
	text      []byte
	// unread is the character set of a text that could not be converted, and
	// in which names may therefore mean others than they seem to.
	unread string
}

func parseQuery(body []byte, extra int) (query, error) {
	c := cursor{b: body}
	q := query{thread: uint32(c.number(4))}
	c.take(4) // seconds it took
	db := int(c.number(1))
	c.take(2) // error code
	vars := int(c.number(2))
	c.take(extra)
	q.readVariables(c.take(vars))
	q.database = string(c.take(db))
	c.take(1)
	q.text = c.b
	return q, c.err()
}

// Codes of the status variables that come before the client's collation. What
// has another code comes behind it.
const (
	varFlags         = 0
	varSQLMode       = 1
	varAutoIncrement = 3
	varCharset       = 4
	varCatalog       = 6
)

// The SQL modes that a statement is read by.
const (
	ansiQuotes         = 1 << 2  // "name" is a name, and no text
	noBackslashEscapes = 1 << 20 // a backslash is a letter
)

// strictModes are the SQL modes in which an ALTER ends with an error instead of making
// a value fit.
const strictModes = 1<<21 | 1<<22

// strict tells whether the statement changed no value that did not fit.
func (q *query) strict() bool { return q.sqlMode&strictModes != 0 }

// readVariables finds what the text depends on among the statement's status
// variables.
func (q *query) readVariables(vars []byte) {
	c := cursor{b: vars}
	for len(c.b) > 0 {
		switch c.number(1) {
		case varFlags, varAutoIncrement:
			c.take(4)
		case varSQLMode:
			q.sqlMode = c.number(8)
		case varCatalog:
			c.take(int(c.number(1)))
		case varCharset:
			q.collation = c.number(2)
			return
		default:
			return
		}
	}
}

// tokens splits the text as its client's session did.
func (q *query) tokens() []token { return tokens(q.text, q.sqlMode) }

// toUTF8 converts the text. The server logs a statement as the client wrote it:
// a table that a latin1 client creates would have another name here than in the
// table maps of its rows. The database's name is always UTF-8.
func (q *query) toUTF8(collations map[uint64]string) {
	charset := collations[q.collation]
	switch charset {
	case "", "binary", "ascii", "utf8mb3", "utf8mb4":
		return
	}
	if !bytes.ContainsFunc(q.text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return
	}
	text, err := value.DecodeText(charset, q.text)
	if err != nil {
		q.unread = charset
		return
	}
	q.text = []byte(text)
}
