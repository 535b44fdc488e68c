package routing

import (
	"fmt"
	"strings"
	"unicode"
)

// set is the ASCII characters of a class. No other stands in a topic.
type set [128]bool

func setOf(in func(r rune) bool) (s set) {
	for r := range s {
		s[r] = in(rune(r))
	}
	return s
}

func only(r rune) set { return setOf(func(x rune) bool { return x == r }) }

func (s set) or(o set) set  { return setOf(func(r rune) bool { return s[r] || o[r] }) }
func (s set) and(o set) set { return setOf(func(r rune) bool { return s[r] && o[r] }) }
func (s set) not() set      { return setOf(func(r rune) bool { return !s[r] }) }

// fold adds the other case of each letter.
func (s set) fold() set {
	return setOf(func(r rune) bool { return s[r] || s[unicode.ToLower(r)] || s[unicode.ToUpper(r)] })
}

const never = `(?!)` // matches nowhere

// String writes the set as a class that every engine reads alike.
func (s set) String() string {
	var b strings.Builder
	for r := 0; r < len(s); r++ {
		if !s[r] {
			continue
		}
		last := r
		for last+1 < len(s) && s[last+1] {
			last++
		}
		fmt.Fprintf(&b, `\x%02x`, r)
		if last > r {
			fmt.Fprintf(&b, `-\x%02x`, last)
		}
		r = last
	}
	if b.Len() == 0 {
		return never
	}
	return "[" + b.String() + "]"
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
func isUpper(r rune) bool { return r >= 'A' && r <= 'Z' }
func isAlpha(r rune) bool { return isUpper(r) || r >= 'a' && r <= 'z' }
func isAlnum(r rune) bool { return isDigit(r) || isAlpha(r) }
func isWord(r rune) bool  { return isAlnum(r) || r == '_' }
func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }
func isBreak(r rune) bool { return r >= '\n' && r <= '\r' }
func isGraph(r rune) bool { return r > ' ' && r < 0x7f }
func isBlank(r rune) bool { return r == ' ' || r == '\t' }

// escapedSets are \d and its like; in upper case each is the opposite.
var escapedSets = map[rune]func(rune) bool{'d': isDigit, 'w': isWord, 's': isSpace, 'h': isBlank, 'v': isBreak}

// properties are the classes of \p{…} that have names of their own.
var properties = map[string]func(rune) bool{
	"Lower": unicode.IsLower, "Upper": unicode.IsUpper, "ASCII": func(rune) bool { return true }, "Alpha": isAlpha, "Digit": isDigit, "Alnum": isAlnum,
	"Punct": func(r rune) bool { return isGraph(r) && !isAlnum(r) }, "Graph": isGraph, "Print": func(r rune) bool { return isGraph(r) || r == ' ' },
	"Blank": isBlank, "Cntrl": func(r rune) bool { return r < ' ' || r == 0x7f },
	"XDigit": func(r rune) bool { return isDigit(r) || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F' }, "Space": isSpace,
	"javaLowerCase": unicode.IsLower, "javaUpperCase": unicode.IsUpper, "javaLetter": isAlpha, "javaDigit": isDigit, "javaLetterOrDigit": isAlnum, "javaAlphabetic": isAlpha,
	"IsAlphabetic": isAlpha, "IsLetter": isAlpha, "IsDigit": isDigit, "IsLowercase": unicode.IsLower, "IsUppercase": unicode.IsUpper, "IsPunctuation": unicode.IsPunct,
	"IsLatin": isAlpha, "InBasicLatin": func(rune) bool { return true }, "InBASIC_LATIN": func(rune) bool { return true },
}

// property returns the set of \p{name}: a class above, or a general category.
func property(name string) (set, error) {
	if in, ok := properties[name]; ok {
		return setOf(in), nil
	}
	category := name
	for _, prefix := range []string{"Is", "gc=", "general_category="} {
		category = strings.TrimPrefix(category, prefix)
	}
	if t, ok := unicode.Categories[category]; ok && category != "" {
		return setOf(func(r rune) bool { return unicode.Is(t, r) }), nil
	}
	return set{}, fmt.Errorf("\\p{%s} is not known here; write the characters in brackets", name)
}
