package value

import (
	"bytes"
	"compress/flate"
	_ "embed" // the tables
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// charsetTables says which character each code of the tabled character sets is,
// as a MySQL server converts it (TestCharsetTables asks one, and writes the file
// with -update). A table of the same name from elsewhere need not agree with the
// server's SELECT, which is what the lake is compared with.
//
//go:embed charsets.flate
var charsetTables []byte

// codeShape is which byte sequences a character set uses.
type codeShape uint8

const (
	oneByte   codeShape = iota
	twoBytes            // and single bytes
	threeByte           // and 8f with two bytes more
	fourBytes           // gb18030: and four bytes, whose second one is a digit
)

func (s codeShape) width() int { return int(s) + 1 }

// Codes of four bytes count through their digits, 81308130 being 0. The first
// ones are the rest of the BMP, in the table; from linearSupplement on they are
// the planes above it, in order.
const (
	linearBMP        = 39_420
	linearSupplement = 189_000
)

// codeSpace is how many codes the table of a shape has. They are numbered:
// single bytes, pairs from 8000 on, pairs behind 8f, and the linear ones.
func (s codeShape) codeSpace() int {
	switch s {
	case oneByte:
		return 256
	case twoBytes:
		return 256 + 0x8000
	case threeByte:
		return 256 + 2*0x8000
	}
	return 256 + 0x8000 + linearBMP
}

// tabledCharset is a character set whose table is in the file.
type tabledCharset struct {
	name  string
	shape codeShape
	base  string // a character set that is nearly the same, earlier in the list
}

// tabled is in the order of the file.
var tabled = []tabledCharset{
	{name: "armscii8"}, {name: "cp1250"}, {name: "cp1251"}, {name: "cp1256"}, {name: "cp1257"}, {name: "cp850"}, {name: "cp852"}, {name: "cp866"},
	{name: "dec8"}, {name: "geostd8"}, {name: "greek"}, {name: "hebrew"}, {name: "hp8"}, {name: "keybcs2"}, {name: "koi8r"}, {name: "koi8u"},
	{name: "latin2"}, {name: "latin5"}, {name: "latin7"}, {name: "macce"}, {name: "macroman"}, {name: "swe7"}, {name: "tis620"},
	{name: "big5", shape: twoBytes}, {name: "euckr", shape: twoBytes}, {name: "gbk", shape: twoBytes}, {name: "gb2312", shape: twoBytes, base: "gbk"},
	{name: "gb18030", shape: fourBytes, base: "gbk"}, {name: "sjis", shape: twoBytes}, {name: "cp932", shape: twoBytes, base: "sjis"},
	{name: "ujis", shape: threeByte}, {name: "eucjpms", shape: threeByte, base: "ujis"},
}

// codeTables returns the tables by character set. They are unpacked once, and
// only where some column needs them.
var codeTables = sync.OnceValue(func() map[string]*codeTable {
	tables, err := readTables(charsetTables)
	if err != nil { // the file is a part of the program
		panic(fmt.Sprintf("reading the tables of the character sets: %v", err))
	}
	return tables
})

// noRune marks a code without a character. No character set has surrogates, so
// their space is free; zero is a character.
const noRune = 0xd800

// codeTable holds the character of each code of codeSpace. Those of the tabled
// character sets are all in the BMP.
type codeTable struct {
	shape codeShape
	runes []uint16
}

// append decodes b onto dst.
func (t *codeTable) append(dst, b []byte) ([]byte, error) {
	for len(b) > 0 {
		c := b[0]
		if r := t.runes[c]; r != noRune {
			dst, b = utf8.AppendRune(dst, rune(r)), b[1:]
			continue
		}
		code, n := t.code(b)
		switch {
		case n == 0:
			return dst, errCharacter
		case code >= len(t.runes):
			dst = utf8.AppendRune(dst, rune(code-len(t.runes))+0x10000)
		case t.runes[code] == noRune:
			return dst, errCharacter
		default:
			dst = utf8.AppendRune(dst, rune(t.runes[code]))
		}
		b = b[n:]
	}
	return dst, nil
}

// code returns the number of the character of several bytes that b begins with,
// and how many they are; 0: there is none. Numbers beyond the table are those of
// the planes above the BMP.
func (t *codeTable) code(b []byte) (code, n int) {
	pair := func(b []byte) int { return 256 + int(b[0]&0x7f)<<8 + int(b[1]) }
	switch {
	case t.shape == oneByte || b[0] < 0x80 || len(b) < 2:
		return 0, 0
	case t.shape == threeByte && b[0] == 0x8f:
		if len(b) < 3 || b[1] < 0x80 {
			return 0, 0
		}
		return 0x8000 + pair(b[1:]), 3
	case t.shape == fourBytes && b[1] >= '0' && b[1] <= '9':
		if len(b) < 4 || b[0] == 0x80 || b[0] == 0xff || b[2] < 0x81 || b[2] == 0xff || b[3] < '0' || b[3] > '9' {
			return 0, 0
		}
		linear := ((int(b[0]-0x81)*10+int(b[1]-'0'))*126+int(b[2]-0x81))*10 + int(b[3]-'0')
		switch {
		case linear < linearBMP:
			return 256 + 0x8000 + linear, 4
		case linear >= linearSupplement && linear < linearSupplement+0x100000:
			return len(t.runes) + linear - linearSupplement, 4
		}
		return 0, 0
	}
	return pair(b), 2
}

var errTables = errors.New("the file is damaged")

// The file holds a number for each code, as varints, all compressed. 0 and 1
// are the common cases: what was to be expected, and no character.
const (
	asExpected = iota
	unassigned
	firstDistance
)

// expected is the character of a code that costs nothing: the base's, or the
// one after the code before.
func expected(base *codeTable, code int, before uint16) uint16 {
	if base != nil && code < len(base.runes) {
		return base.runes[code]
	}
	return before + 1
}

func readTables(packed []byte) (map[string]*codeTable, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	tables := make(map[string]*codeTable, len(tabled))
	for _, c := range tabled {
		t := &codeTable{shape: c.shape, runes: make([]uint16, c.shape.codeSpace())}
		before := uint16(noRune - 1)
		for code := range t.runes {
			v, n := binary.Uvarint(raw)
			if n <= 0 {
				return nil, errTables
			}
			raw = raw[n:]
			switch v {
			case asExpected:
				t.runes[code] = expected(tables[c.base], code, before)
			case unassigned:
				t.runes[code] = noRune
				continue
			default:
				v -= firstDistance
				t.runes[code] = before + uint16(int64(v>>1)^-int64(v&1))
			}
			before = t.runes[code]
		}
		tables[c.name] = t
	}
	if len(raw) > 0 {
		return nil, errTables
	}
	return tables, nil
}
