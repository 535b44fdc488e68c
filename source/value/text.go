package value

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/beluga-cdc/beluga/schema"
)

// charset is how the bytes of a text column become UTF-8.
type charset uint8

const (
	utf8Text   charset = iota + 1 // is UTF-8 already; checked
	latin1Text                    // converted
)

// ASCII is a part of UTF-8 and needs no kind of its own.
var charsets = map[string]charset{"utf8mb4": utf8Text, "utf8mb3": utf8Text, "utf8": utf8Text, "ascii": utf8Text, "latin1": latin1Text}

// CharsetOK tells whether text of a character set can be replicated.
func CharsetOK(name string) bool { _, ok := charsets[name]; return ok }

// DecodeText returns the UTF-8 of bytes in a character set: names and labels
// that a table map holds.
func DecodeText(charsetName string, b []byte) (string, error) {
	switch charsets[charsetName] {
	case utf8Text:
		if utf8.Valid(b) {
			return string(b), nil
		}
		return "", fmt.Errorf("%q is no valid %s", b, charsetName)
	case latin1Text:
		return string(appendLatin1(nil, b)), nil
	}
	return "", errCharset(charsetName)
}

func errCharset(name string) error {
	return fmt.Errorf("character set %q cannot be replicated in this version; remedy: convert the column to utf8mb4, or leave the table out", name)
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

// putText appends text that is UTF-8. What is not would become a replacement
// character in one reader and an error in another, so it stops here.
func (m *Mapper) putText(dst *schema.Vec, s []byte) error {
	if !utf8.Valid(s) {
		shown := s
		if len(shown) > 40 {
			shown = shown[:40]
		}
		return m.fault(fmt.Errorf("the value %q… is no valid %s; remedy: repair the row (find such rows with WHERE NOT column <=> CONVERT(CONVERT(column USING binary) USING utf8mb4)), or make the column VARBINARY or BLOB",
			shown, m.column.Type.Charset))
	}
	dst.AppendBytes(s)
	return nil
}

// putLabel appends an ENUM value by its number. Zero is what MySQL stores for
// a value that is no label, and shows as an empty string.
func (m *Mapper) putLabel(dst *schema.Vec, n int) error {
	labels := m.column.Type.Labels
	if n > len(labels) {
		return m.fault(fmt.Errorf("the row image holds label %d of %d", n, len(labels)))
	}
	if n > 0 {
		dst.Data = append(dst.Data, labels[n-1]...)
	}
	dst.EndBytes()
	return nil
}

// putLabels appends a SET value by its bits.
func (m *Mapper) putLabels(dst *schema.Vec, bits uint64) error {
	labels := m.column.Type.Labels
	if len(labels) < 64 && bits>>len(labels) != 0 {
		return m.fault(fmt.Errorf("the row image holds set bits %x with %d labels", bits, len(labels)))
	}
	some := false
	for i, l := range labels {
		if bits&(1<<i) == 0 {
			continue
		}
		if some {
			dst.Data = append(dst.Data, ',')
		}
		dst.Data = append(dst.Data, l...)
		some = true
	}
	dst.EndBytes()
	return nil
}

// LabelsExtend tells whether labels only add to old at its end, so that every
// number means what it meant.
func LabelsExtend(old, labels []string) bool {
	return len(labels) >= len(old) && strings.Join(labels[:len(old)], "\x00") == strings.Join(old, "\x00")
}
