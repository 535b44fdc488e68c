package routing

import (
	"errors"
	"fmt"
	"strconv"
	"unicode"
)

// assertions are escapes that take no character.
var assertions = map[rune]string{'b': `(?:\b)`, 'B': `(?:\B)`, 'A': `(?:\A)`, 'G': `(?:\A)`, 'z': `(?:\z)`, 'Z': `(?:\z)`}

// escape reads what follows a backslash outside of a class.
func (t *translator) escape() (string, error) {
	r := t.raw()
	if text, ok := assertions[r]; ok {
		if t.at++; r == 'b' && t.accept("{g}") {
			return "", errors.New("\\b{g} is not known here")
		}
		return text, nil
	}
	switch {
	case r == 'R':
		t.at++
		return `(?:\r\n|[\n\x0b\f\r])`, nil
	case r == 'X':
		t.at++
		return set{}.not().String(), nil
	case r >= '1' && r <= '9':
		return t.backReference(), nil
	case r == 'k':
		t.at++
		if !t.accept("<") {
			return "", errors.New("\\k is not followed by the name of a group in angle brackets")
		}
		name, err := t.name()
		if err != nil {
			return "", err
		}
		group, ok := t.names[name]
		if !ok {
			return "", fmt.Errorf("there is no group called %q before \\k<%[1]s>", name)
		}
		return t.sameAs(group), nil
	}
	s, c, err := t.escaped()
	if err != nil {
		return "", err
	}
	if c != end {
		return t.literal(c), nil
	}
	return t.folded(s).String(), nil
}

// backReference takes as many digits as make the number of a group that was opened.
func (t *translator) backReference() string {
	group := int(t.raw() - '0')
	for t.at++; isDigit(t.raw()); t.at++ {
		longer := group*10 + int(t.raw()-'0')
		if longer > t.groups {
			break
		}
		group = longer
	}
	if group > t.groups {
		return never
	}
	return t.sameAs(group)
}

func (t *translator) sameAs(group int) string {
	if t.fold {
		return fmt.Sprintf(`(?i:\%d)`, group)
	}
	return fmt.Sprintf(`(?:\%d)`, group)
}

// controls are the escapes of single characters.
var controls = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': 7, 'e': 27}

// escaped reads an escape that stands for a set, or for the one character c.
func (t *translator) escaped() (s set, c rune, err error) {
	r := t.raw()
	if r == end {
		return s, end, errors.New("a backslash at the end escapes nothing")
	}
	t.at++
	if in, ok := escapedSets[unicode.ToLower(r)]; ok && r < 128 {
		if s = setOf(in); unicode.IsUpper(r) {
			s = s.not()
		}
		return s, end, nil
	}
	if c, ok := controls[r]; ok {
		return s, c, nil
	}
	switch {
	case r == 'p' || r == 'P':
		s, err = t.property()
		if r == 'P' {
			s = s.not()
		}
		return s, end, err
	case r == 'c':
		c := t.raw()
		if c == end {
			return s, end, errors.New("\\c is followed by no character")
		}
		t.at++
		return s, c ^ 64, nil
	case r == '0':
		c, err = t.octal()
		return s, c, err
	case r == 'x' && t.accept("{"):
		c, err = t.hex(-1)
		if err == nil && !t.accept("}") {
			err = errors.New("\\x{ is not closed")
		}
		return s, c, err
	case r == 'x':
		c, err = t.hex(2)
		return s, c, err
	case r == 'u':
		c, err = t.hex(4)
		return s, c, err
	case r < 128 && isAlnum(r):
		return s, end, fmt.Errorf("\\%c is no escape of Java's that is known here", r)
	}
	return s, r, nil
}

func (t *translator) property() (set, error) {
	r := t.next()
	if r != '{' {
		if r == end {
			return set{}, errors.New("\\p names no property")
		}
		return property(string(r))
	}
	from := t.at
	for t.raw() != '}' {
		if t.raw() == end {
			return set{}, errors.New("\\p{ is not closed")
		}
		t.at++
	}
	t.at++
	return property(string(t.src[from : t.at-1]))
}

// octal reads up to three digits, of which the first of three is at most 3.
func (t *translator) octal() (rune, error) {
	isOctal := func() bool { return t.raw() >= '0' && t.raw() <= '7' }
	if !isOctal() {
		return end, errors.New("\\0 is followed by no octal digit")
	}
	most := 2
	if t.raw() <= '3' {
		most = 3
	}
	c := rune(0)
	for n := 0; n < most && isOctal(); n++ {
		c = c*8 + t.raw() - '0'
		t.at++
	}
	return c, nil
}

// hex reads so many digits, or all there are.
func (t *translator) hex(digits int) (rune, error) {
	from := t.at
	for t.at-from != digits && t.raw() >= 0 && t.raw() < 128 && properties["XDigit"](t.raw()) {
		t.at++
	}
	n, err := strconv.ParseInt(string(t.src[from:t.at]), 16, 32)
	if err != nil || digits > 0 && t.at-from != digits || n > unicode.MaxRune {
		return end, errors.New("an escape lacks hexadecimal digits")
	}
	return rune(n), nil
}

// class reads a class behind its opening bracket, or, not consuming its end, the right
// side of an intersection.
func (t *translator) class(consume bool) (set, error) {
	var s set
	negated := consume && t.accept("^")
	some := false // was read
	for {
		switch r := t.peek(); {
		case r == end:
			return s, errors.New("a character class is not closed")
		case r == ']' && some:
			if consume {
				t.at++
			}
			if negated {
				s = s.not()
			}
			return s, nil
		case r == '[':
			t.at++
			inner, err := t.class(true)
			if err != nil {
				return s, err
			}
			s = s.or(inner)
		case r == '&' && t.accept("&&"):
			right, any, err := t.right()
			if err != nil {
				return s, err
			}
			switch {
			case !any && !some:
				return s, errors.New("&& has nothing on either side")
			case !some:
				s = right
			case any:
				s = s.and(right)
			}
		default:
			one, err := t.member()
			if err != nil {
				return s, err
			}
			s = s.or(one)
		}
		some = true
	}
}

// right reads the right side of an intersection.
func (t *translator) right() (s set, any bool, err error) {
	for t.peek() != ']' && t.peek() != '&' {
		var one set
		if t.peek() == '[' {
			t.at++
			one, err = t.class(true)
		} else {
			one, err = t.class(false)
		}
		if err != nil {
			return s, any, err
		}
		s, any = s.or(one), true
	}
	return s, any, nil
}

// member reads a character, a range or an escaped set.
func (t *translator) member() (set, error) {
	s, from, err := t.single()
	if err != nil || from == end {
		return s, err
	}
	if t.peek() == '-' {
		at := t.at
		t.at++
		if after := t.peek(); after == '[' || after == ']' || after == end {
			t.at = at
		} else {
			_, to, err := t.single()
			if err != nil {
				return s, err
			}
			if to == end || to < from {
				return s, errors.New("a range of characters ends before it begins, or with a class")
			}
			return t.folded(setOf(func(r rune) bool { return r >= from && r <= to })), nil
		}
	}
	return t.folded(only(from)), nil
}

func (t *translator) single() (s set, c rune, err error) {
	if c = t.next(); c != '\\' {
		return s, c, nil
	}
	return t.escaped()
}
