package value

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// charset is how the bytes of a text column become UTF-8.
type charset struct {
	width int // bytes of the longest character
	// decode appends the UTF-8 of b. nil: b is UTF-8 already, and is checked where
	// it is stored.
	decode func(dst, b []byte) ([]byte, error)
}

var errCharacter = errors.New("holds what is no character by the server's own table, where SELECT shows a question mark")

// algorithmic are the character sets that need no table.
var algorithmic = map[string]charset{
	"utf8mb4": {width: 4}, "utf8mb3": {width: 3}, "utf8": {width: 3}, "ascii": {width: 1}, // ASCII is a part of UTF-8
	"latin1":  {1, func(dst, b []byte) ([]byte, error) { return appendLatin1(dst, b), nil }},
	"ucs2":    {2, appendUCS2},
	"utf16":   {4, func(dst, b []byte) ([]byte, error) { return appendUTF16(dst, b, 0) }},
	"utf16le": {4, func(dst, b []byte) ([]byte, error) { return appendUTF16(dst, b, 1) }},
	"utf32":   {4, appendUTF32},
}

func charsetByName(name string) (charset, error) {
	if c, ok := algorithmic[name]; ok {
		return c, nil
	}
	for i := range tabled {
		if tabled[i].name == name {
			return charset{tabled[i].shape.width(), codeTables()[name].append}, nil
		}
	}
	return charset{}, fmt.Errorf("character set %q is not known; remedy: convert the column to utf8mb4, or leave the table out", name)
}

// CharsetWidth returns the bytes of the longest character, by which a table map
// multiplies the length of a column; 0: the character set is not known.
func CharsetWidth(name string) int {
	if name == "binary" {
		return 1
	}
	if c, ok := algorithmic[name]; ok {
		return c.width
	}
	for i := range tabled {
		if tabled[i].name == name {
			return tabled[i].shape.width()
		}
	}
	return 0
}

// DecodeText returns the UTF-8 of bytes in a character set: names and labels
// that a table map holds.
func DecodeText(charsetName string, b []byte) (string, error) {
	c, err := charsetByName(charsetName)
	if err != nil {
		return "", err
	}
	if c.decode != nil {
		text, err := c.decode(nil, b)
		if err != nil {
			return "", fmt.Errorf("%q %w", b, err)
		}
		return string(text), nil
	}
	if !utf8.Valid(b) {
		return "", fmt.Errorf("%q is no valid %s", b, charsetName)
	}
	return string(b), nil
}

// latin1High is what MySQL's latin1 means by the bytes 0x80–0x9f: Windows-1252,
// and where that has a hole (81, 8d, 8f, 90, 9d), the control character of the
// same number.
var latin1High = [32]rune{
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
}

func appendLatin1(dst, b []byte) []byte {
	for _, c := range b {
		switch {
		case c < 0x80:
			dst = append(dst, c)
		case c < 0xa0:
			dst = utf8.AppendRune(dst, latin1High[c-0x80])
		default:
			dst = append(dst, 0xc0|c>>6, 0x80|c&0x3f)
		}
	}
	return dst
}

func isSurrogate(r rune) bool { return r >= 0xd800 && r <= 0xdfff }

func appendUCS2(dst, b []byte) ([]byte, error) {
	if len(b)%2 != 0 {
		return dst, errCharacter
	}
	for ; len(b) > 0; b = b[2:] {
		r := rune(b[0])<<8 | rune(b[1])
		if isSurrogate(r) { // UCS-2 has no pairs
			return dst, errCharacter
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}

// appendUTF16 takes the place of the low byte within a unit, where it is not
// the second one.
func appendUTF16(dst, b []byte, swap int) ([]byte, error) {
	unit := func(at int) rune { return rune(b[at+swap])<<8 | rune(b[at+1-swap]) }
	for i := 0; i < len(b); i += 2 {
		if len(b)-i < 2 {
			return dst, errCharacter
		}
		r := unit(i)
		if isSurrogate(r) {
			if r >= 0xdc00 || len(b)-i < 4 || unit(i+2)>>10 != 0xdc00>>10 {
				return dst, errCharacter
			}
			r = 0x10000 + (r-0xd800)<<10 + unit(i+2) - 0xdc00
			i += 2
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}

func appendUTF32(dst, b []byte) ([]byte, error) {
	if len(b)%4 != 0 {
		return dst, errCharacter
	}
	for ; len(b) > 0; b = b[4:] {
		r := rune(b[0])<<24 | rune(b[1])<<16 | rune(b[2])<<8 | rune(b[3])
		if !utf8.ValidRune(r) {
			return dst, errCharacter
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}
