package binlog

import (
	"bytes"
	"strings"
)

// tokenKind is what a token of a statement is.
type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // keyword, name or number
	nameToken             // `name`, and under ANSI_QUOTES "name"
	stringToken           // 'text', and "text" otherwise
	signToken             // any other character
)

type token struct {
	kind    tokenKind
	text    string
	escaped bool // a backslash stood in it, which may stand for another character than the next
}

// is tells whether the token is the keyword (in capitals).
func (t token) is(keyword string) bool {
	return t.kind == wordToken && strings.EqualFold(t.text, keyword)
}

func (t token) sign(c byte) bool { return t.kind == signToken && t.text[0] == c }

// lexer splits a statement into tokens. It knows just enough of SQL to find
// what a DDL statement does to which table: the table map tells the rest, so no
// grammar is needed that would have to follow the server's.
type lexer struct {
	s   []byte
	pos int
	// depth counts open "/*!": what stands in them is executed.
	depth int
	// escapes: a backslash in a text makes the next character stand for itself.
	escapes bool
	ansi    bool // "name" is a name, in which a backslash is a letter
}

func (l *lexer) next() token {
	for l.pos < len(l.s) {
		c := l.s[l.pos]
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			l.pos++
		case c == '#' || c == '-' && l.at("--") && (l.pos+2 == len(l.s) || l.s[l.pos+2] <= ' '):
			l.skipTo("\n")
		case l.at("/*!"), l.at("/*M!"): // the latter MariaDB's own; MySQL takes it for a comment, and nobody writes it there
			l.pos += len("/*!")
			if l.s[l.pos-1] == 'M' {
				l.pos++
			}
			for l.pos < len(l.s) && l.s[l.pos] >= '0' && l.s[l.pos] <= '9' {
				l.pos++
			}
			l.depth++
		case l.at("/*"):
			l.pos += 2
			l.skipTo("*/")
		case l.depth > 0 && l.at("*/"):
			l.pos += 2
			l.depth--
		case c == '`' || c == '"' && l.ansi:
			return token{kind: nameToken, text: l.quoted(c, false)}
		case c == '\'' || c == '"':
			from := l.pos
			text := l.quoted(c, l.escapes)
			return token{stringToken, text, l.escapes && bytes.IndexByte(l.s[from:l.pos], '\\') >= 0}
		case isWordByte(c):
			start := l.pos
			for l.pos < len(l.s) && isWordByte(l.s[l.pos]) {
				l.pos++
			}
			return token{kind: wordToken, text: string(l.s[start:l.pos])}
		default:
			l.pos++
			return token{kind: signToken, text: string(rune(c))}
		}
	}
	return token{}
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

func (l *lexer) at(s string) bool { return bytes.HasPrefix(l.s[l.pos:], []byte(s)) }

func (l *lexer) skipTo(end string) {
	if i := bytes.Index(l.s[l.pos:], []byte(end)); i >= 0 {
		l.pos += i + len(end)
		return
	}
	l.pos = len(l.s)
}

// quoted reads up to the closing quote; a doubled quote is one of the text.
func (l *lexer) quoted(q byte, backslash bool) string {
	var b []byte
	for l.pos++; l.pos < len(l.s); l.pos++ {
		c := l.s[l.pos]
		switch {
		case c == q && l.pos+1 < len(l.s) && l.s[l.pos+1] == q:
			l.pos++
		case c == q:
			l.pos++
			return string(b)
		case c == '\\' && backslash && l.pos+1 < len(l.s):
			l.pos++
			c = l.s[l.pos]
		}
		b = append(b, c)
	}
	return string(b)
}

// tokens returns all tokens as a session of the SQL mode means them, with an end token
// behind them.
func tokens(statement []byte, sqlMode uint64) []token {
	l := lexer{s: statement, escapes: sqlMode&noBackslashEscapes == 0, ansi: sqlMode&ansiQuotes != 0}
	var ts []token
	for {
		t := l.next()
		ts = append(ts, t)
		if t.kind == endToken {
			return ts
		}
	}
}
