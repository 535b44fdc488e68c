package value

import (
	"errors"
	"fmt"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
)

// Keys are compared in the lake by their text, and in MySQL by what is stored.
// So two keys must not become one text. Where several codes are one character, a
// key may hold only the code that the server itself makes of the character; and
// a label of a key must be the text of one number.

// codeOf returns which of several codes of one character, in ascending order, the
// server takes when it converts text (TestAliases). Of most it is the first.
func codeOf(charset string, codes []int) int {
	switch charset {
	case "big5", "sjis", "tis620":
		return codes[len(codes)-1]
	case "cp932": // the rows ED and EE repeat what is elsewhere
		const first, beyond = 256 + 0x6d00, 256 + 0x6f00
		if i := slices.IndexFunc(codes, func(c int) bool { return c < first || c >= beyond }); i >= 0 {
			return codes[i]
		}
	}
	return codes[0]
}

// aliases returns the codes that the server makes of no character, though they
// have one; nil: there are none.
func (t *codeTable) aliases(charset string) map[int]bool {
	codes := map[uint16][]int{}
	for code, r := range t.runes {
		if r != noRune {
			codes[r] = append(codes[r], code)
		}
	}
	var aliases map[int]bool
	for _, same := range codes {
		if len(same) == 1 {
			continue
		}
		if aliases == nil {
			aliases = map[int]bool{}
		}
		for _, c := range same {
			if c != codeOf(charset, same) {
				aliases[c] = true
			}
		}
	}
	return aliases
}

// appendKey decodes b onto dst, as append does, and refuses aliases.
func (t *codeTable) appendKey(dst, b []byte, aliases map[int]bool) ([]byte, error) {
	for rest := b; len(rest) > 0; {
		code, n := int(rest[0]), 1
		if t.runes[code] == noRune {
			if code, n = t.code(rest); n == 0 {
				break // append says it
			}
		}
		if aliases[code] {
			return dst, fmt.Errorf("is part of the key and holds the code %x, which becomes a character that has another code too: two keys could become one", rest[:n])
		}
		rest = rest[n:]
	}
	return t.append(dst, b)
}

// keyCharset returns how the text of a key column is decoded.
func keyCharset(name string) (charset, error) {
	c, err := charsetByName(name)
	if err != nil || c.decode == nil || algorithmic[name].width > 0 {
		return c, err
	}
	t := codeTables()[name]
	if aliases := t.aliases(name); aliases != nil {
		c.decode = func(dst, b []byte) ([]byte, error) { return t.appendKey(dst, b, aliases) }
	}
	return c, nil
}

var errKeyLabels = errors.New("it is part of the key, and has labels that are empty or look alike: two keys would become one; remedy: give the labels texts of their own, or take the column out of the primary key, or leave the table out with --tables")

// checkKeyLabels refuses labels of which a text does not tell the number. The
// empty text is also that of the number 0, which is no label.
func checkKeyLabels(t *schema.Type) error {
	seen := map[string]bool{"": true}
	for _, l := range t.Labels {
		if seen[l] {
			return errKeyLabels
		}
		seen[l] = true
	}
	return nil
}
