package routing

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// pattern is a pattern of Java's in words that the engine takes alike.
type pattern struct {
	text   string
	groups int            // capturing ones, by the order of their opening brackets
	names  map[string]int // of some of them
}

// translator reads a pattern from left to right.
type translator struct {
	pattern
	src []rune
	at  int
	// Of the flags only these change what is matched: in a topic there is no end of a
	// line, and no character beyond ASCII.
	fold, dotAll, comments bool
}

// end stands for the end of the pattern.
const end rune = -1

// translate reads a pattern as java.util.regex.Pattern of Java 17 does.
func translate(text string) (*pattern, error) {
	t := &translator{src: []rune(unquote(text)), pattern: pattern{names: map[string]int{}}}
	out, err := t.alternation()
	if err == nil && t.peek() == ')' {
		err = errors.New("a closing bracket that nothing opens")
	}
	if err != nil {
		return nil, err
	}
	t.text = out
	return &t.pattern, nil
}

// unquote escapes what stands between \Q and \E.
func unquote(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := cutQuote(s)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		var quoted string
		quoted, s, _ = strings.Cut(rest, `\E`)
		for _, r := range quoted {
			switch {
			case isDigit(r):
				fmt.Fprintf(&b, `\x%02x`, r) // not a part of what stands before
			case isAlpha(r) || r >= 128:
				b.WriteRune(r)
			default:
				b.WriteRune('\\')
				b.WriteRune(r)
			}
		}
	}
}

// cutQuote finds the next \Q whose backslash is not escaped itself.
func cutQuote(s string) (before, rest string, ok bool) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if s[i+1] == 'Q' {
			return s[:i], s[i+2:], true
		}
		i++
	}
	return s, "", false
}

func (t *translator) raw() rune {
	if t.at >= len(t.src) {
		return end
	}
	return t.src[t.at]
}

// peek returns the next character, behind white space and comments where these are
// allowed.
func (t *translator) peek() rune {
	for t.comments {
		switch r := t.raw(); {
		case r == '#':
			for t.raw() != end && !isBreak(t.raw()) {
				t.at++
			}
		case r >= 0 && r < 128 && isSpace(r):
			t.at++
		default:
			return r
		}
	}
	return t.raw()
}

func (t *translator) next() rune {
	r := t.peek()
	if r != end {
		t.at++
	}
	return r
}

// accept takes the text if it comes next.
func (t *translator) accept(text string) bool {
	rest := t.src[t.at:]
	want := []rune(text)
	if len(rest) < len(want) || !slices.Equal(rest[:len(want)], want) {
		return false
	}
	t.at += len(want)
	return true
}

// alternation reads up to the end or to a closing bracket. Flags that are set in it
// end with it.
func (t *translator) alternation() (string, error) {
	fold, dotAll, comments := t.fold, t.dotAll, t.comments
	defer func() { t.fold, t.dotAll, t.comments = fold, dotAll, comments }()
	var b strings.Builder
	for {
		switch t.peek() {
		case end, ')':
			return b.String(), nil
		case '|':
			t.at++
			b.WriteByte('|')
			continue
		}
		atom, err := t.atom()
		if err == nil && atom != "" {
			atom, err = t.quantified(atom)
		}
		if err != nil {
			return "", err
		}
		b.WriteString(atom)
	}
}

// atom reads what a quantifier can follow; flags are none, and empty.
func (t *translator) atom() (string, error) {
	switch r := t.next(); r {
	case '(':
		return t.group()
	case '[':
		s, err := t.class(true)
		return t.folded(s).String(), err
	case '.':
		if t.dotAll {
			return set{}.not().String(), nil
		}
		return setOf(func(r rune) bool { return r != '\n' && r != '\r' }).String(), nil
	case '^':
		return `(?:\A)`, nil
	case '$':
		return `(?:\z)`, nil
	case '\\':
		return t.escape()
	case '{': // repeats nothing, which is allowed
		t.at--
		return `(?:)`, nil
	case '*', '+', '?':
		return "", fmt.Errorf("%q has nothing before it to repeat", r)
	default:
		return t.literal(r), nil
	}
}

func (t *translator) folded(s set) set {
	if t.fold {
		return s.fold()
	}
	return s
}

func (t *translator) literal(r rune) string {
	if r >= 128 {
		return never
	}
	return t.folded(only(r)).String()
}

// group reads what follows an opening bracket.
func (t *translator) group() (string, error) {
	if !t.accept("?") {
		t.groups++
		return t.rest("(")
	}
	for _, kind := range []string{":", "=", "!", ">", "<=", "<!"} {
		if t.accept(kind) {
			return t.rest("(?" + kind)
		}
	}
	if t.accept("<") {
		name, err := t.name()
		if err != nil {
			return "", err
		}
		if _, twice := t.names[name]; twice {
			return "", fmt.Errorf("two groups are called %q", name)
		}
		t.groups++
		t.names[name] = t.groups
		return t.rest("(")
	}
	return t.flags()
}

// rest reads a group up to its end.
func (t *translator) rest(opening string) (string, error) {
	inner, err := t.alternation()
	if err == nil && t.next() != ')' {
		err = errors.New("a bracket is not closed")
	}
	return opening + inner + ")", err
}

func (t *translator) name() (string, error) {
	from := t.at
	for r := t.raw(); r < 128 && r >= 0 && isAlnum(r); r = t.raw() {
		t.at++
	}
	name := string(t.src[from:t.at])
	if !t.accept(">") || name == "" || isDigit(rune(name[0])) {
		return "", errors.New("a group's name is a letter and then letters and digits, in angle brackets")
	}
	return name, nil
}

// flags reads (?i), which holds up to the end of the group that it stands in, or (?i:…).
func (t *translator) flags() (string, error) {
	before := *t
	on := true
	for {
		switch r := t.raw(); r {
		case 'i':
			t.fold = on
		case 's':
			t.dotAll = on
		case 'x':
			t.comments = on
		case 'd', 'm', 'u', 'U': // of what is in no topic
		case '-':
			if !on {
				return "", errors.New("a second minus sign among flags")
			}
			on = false
		case ')':
			t.at++
			return "", nil
		case ':':
			t.at++
			out, err := t.rest("(?:")
			t.fold, t.dotAll, t.comments = before.fold, before.dotAll, before.comments
			return out, err
		default:
			return "", errors.New("(? is followed by no flag and no kind of group that Java knows")
		}
		t.at++
	}
}

// quantified adds the quantifier that follows.
func (t *translator) quantified(atom string) (string, error) {
	var q string
	switch r := t.peek(); {
	case r == '*' || r == '+' || r == '?':
		t.at++
		q = string(r)
	case r == '{':
		t.at++
		var err error
		if q, err = t.count(); err != nil {
			return "", err
		}
	default:
		return atom, nil
	}
	switch t.peek() {
	case '?':
		t.at++
		return atom + q + "?", nil
	case '+': // gives nothing back
		t.at++
		return "(?>" + atom + q + ")", nil
	}
	return atom + q, nil
}

// count reads {n}, {n,} and {n,m}.
func (t *translator) count() (string, error) {
	wrong := errors.New("after an opening brace there is no {n}, {n,} or {n,m}")
	from, ok := t.number()
	if !ok {
		return "", wrong
	}
	out := "{" + strconv.Itoa(from)
	if t.accept(",") {
		out += ","
		if to, ok := t.number(); ok {
			if to < from {
				return "", fmt.Errorf("{%d,%d} ends before it begins", from, to)
			}
			out += strconv.Itoa(to)
		}
	}
	if !t.accept("}") {
		return "", wrong
	}
	return out + "}", nil
}

func (t *translator) number() (int, bool) {
	from := t.at
	for isDigit(t.raw()) {
		t.at++
	}
	n, err := strconv.Atoi(string(t.src[from:t.at]))
	return n, err == nil
}
