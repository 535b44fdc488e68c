package debezium

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	hexes = "0123456789ABCDEF"
)

// isPlain tells whether b may stand in a JSON string as it is: ASCII without
// controls, quotes and backslashes. It looks at 32 bytes a step, and at the last
// eight together with bytes that it has seen: most strings of a row are longer
// than that, and byte by byte this is the dearest part of an event.
func isPlain(b []byte) bool {
	if len(b) < 8 {
		for _, c := range b {
			if c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
				return false
			}
		}
		return true
	}
	last := marks(binary.LittleEndian.Uint64(b[len(b)-8:]))
	for len(b) >= 32 {
		p := (*[32]byte)(b)
		m := marks(binary.LittleEndian.Uint64(p[:])) | marks(binary.LittleEndian.Uint64(p[8:])) |
			marks(binary.LittleEndian.Uint64(p[16:])) | marks(binary.LittleEndian.Uint64(p[24:]))
		if m&highs != 0 {
			return false
		}
		b = b[32:]
	}
	for len(b) >= 8 {
		last |= marks(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	return last&highs == 0
}

// marks sets high bits if, and only if, one of eight bytes is not plain. As long
// as no byte has its own high bit set, each subtraction sets that of a byte just
// where the byte is below 0x20, or equal to the excluded one.
func marks(v uint64) uint64 {
	return (v - 0x20*ones) | ((v ^ '"'*ones) - ones) | ((v ^ '\\'*ones) - ones) | v
}

// appendText appends a JSON string. It returns false where s is not UTF-8.
func appendText(dst, s []byte) ([]byte, bool) {
	dst = append(dst, '"')
	if isPlain(s) {
		dst = append(dst, s...)
		return append(dst, '"'), true
	}
	dst, ok := appendEscaped(dst, s)
	return append(dst, '"'), ok
}

// appendEscaped escapes as Debezium's JSON library does: characters beyond the
// basic plane become a pair of surrogates, all others above 0x7F stay UTF-8.
func appendEscaped(dst, s []byte) ([]byte, bool) {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[from:i]...)
			dst = appendEscape(dst, c)
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && n == 1 {
			return dst, false
		}
		if r > 0xFFFF {
			dst = append(dst, s[from:i]...)
			hi, lo := utf16.EncodeRune(r)
			dst = appendUnit(appendUnit(dst, hi), lo)
			from = i + n
		}
		i += n
	}
	return append(dst, s[from:]...), true
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return appendUnit(dst, rune(c))
}

func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', hexes[u>>12&15], hexes[u>>8&15], hexes[u>>4&15], hexes[u&15])
}

// quote is appendText for names, which are UTF-8 in MySQL.
func quote(s string) string {
	b, _ := appendText(nil, []byte(s))
	return string(b)
}

// scanString returns what stands between the quotes of the JSON string at the
// start of p, and the length with the quotes; 0 where there is none.
func scanString(p []byte) (body []byte, n int) {
	if len(p) == 0 || p[0] != '"' {
		return nil, 0
	}
	for i := 1; ; i++ {
		k := bytes.IndexByte(p[i:], '"')
		if k < 0 {
			return nil, 0
		}
		i += k
		// The quote ends the string unless an odd number of backslashes precedes it.
		odd := false
		for j := i - 1; j > 0 && p[j] == '\\'; j-- {
			odd = !odd
		}
		if !odd {
			return p[1:i], i + 1
		}
	}
}

// appendUnescaped appends what the body of a JSON string means. It returns false
// for what is no valid escape, half a surrogate pair, a bare control, or not
// UTF-8: replacing those would change the value without a word.
func appendUnescaped(dst, s []byte) ([]byte, bool) {
	for len(s) > 0 {
		k := bytes.IndexByte(s, '\\')
		part := s
		if k >= 0 {
			part = s[:k]
		}
		if !isText(part) {
			return dst, false
		}
		dst = append(dst, part...)
		if k < 0 {
			return dst, true
		}
		var n int
		if dst, n = appendUnescape(dst, s[k:]); n == 0 {
			return dst, false
		}
		s = s[k+n:]
	}
	return dst, true
}

func isText(s []byte) bool {
	for _, c := range s {
		if c < 0x20 {
			return false
		}
	}
	return utf8.Valid(s)
}

// appendUnescape reads the escape at the start of s and returns its length, 0
// where there is none.
func appendUnescape(dst, s []byte) ([]byte, int) {
	if len(s) < 2 {
		return dst, 0
	}
	switch c := s[1]; c {
	case '"', '\\', '/':
		return append(dst, c), 2
	case 'b':
		return append(dst, '\b'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'r':
		return append(dst, '\r'), 2
	}
	r, ok := unit(s)
	if !ok {
		return dst, 0
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(dst, r), 6
	}
	lo, ok := unit(s[6:])
	if r = utf16.DecodeRune(r, lo); !ok || r == utf8.RuneError {
		return dst, 0
	}
	return utf8.AppendRune(dst, r), 12
}

func unit(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
