package value

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"github.com/beluga-cdc/beluga/schema"
)

// The value types of MySQL's binary JSON.
const (
	jsonSmallObject = 0x00
	jsonLargeObject = 0x01
	jsonSmallArray  = 0x02
	jsonLargeArray  = 0x03
	jsonLiteral     = 0x04
	jsonInt16       = 0x05
	jsonUint16      = 0x06
	jsonInt32       = 0x07
	jsonUint32      = 0x08
	jsonInt64       = 0x09
	jsonUint64      = 0x0a
	jsonDouble      = 0x0b
	jsonString      = 0x0c
	jsonOpaque      = 0x0f
)

// maxJSONDepth is more than the 100 levels that MySQL allows.
const maxJSONDepth = 128

var (
	errJSONImage = errors.New("the row image holds a damaged JSON document")
	errJSONDepth = errors.New("the row image holds a JSON document that is nested too deeply")
)

// putJSONB appends a binary JSON document as the text that SELECT shows, byte
// for byte: a space after each comma and colon, keys in stored order, doubles
// in the form of MySQL's own printer. A decoder that goes through a tree of Go
// values and a JSON encoder loses the difference between 1 and 1.0, and the
// blanks.
func (m *Mapper) putJSONB(dst *schema.Vec, b []byte) error {
	start := len(dst.Data)
	var err error
	if len(b) == 0 { // INSERT IGNORE of NULL into a NOT NULL column
		dst.Data = append(dst.Data, "null"...)
	} else {
		r := jsonRenderer{out: dst.Data, budget: len(b)}
		err = r.value(b[0], b[1:], 0)
		dst.Data = r.out
	}
	if err != nil {
		dst.Data = dst.Data[:start]
		return m.fault(err)
	}
	text := dst.Data[start:]
	dst.Data = dst.Data[:start]
	return m.putText(dst, text) // over itself: the check is all that it adds
}

type jsonRenderer struct {
	out []byte
	// budget is how many values, and bytes of texts, may still come. Each takes at
	// least a byte of the document; a damaged one whose values all point at one place
	// would render without end.
	budget int
}

func (r *jsonRenderer) spend(n int) error {
	if r.budget -= n; r.budget < 0 {
		return errJSONImage
	}
	return nil
}

func (r *jsonRenderer) value(typ byte, b []byte, depth int) error {
	if err := r.spend(1); err != nil {
		return err
	}
	switch typ {
	case jsonSmallObject, jsonLargeObject, jsonSmallArray, jsonLargeArray:
		if depth >= maxJSONDepth {
			return errJSONDepth
		}
		return r.container(typ, b, depth+1)
	case jsonString:
		s, err := jsonBytes(b)
		if err != nil {
			return err
		}
		return r.quote(s)
	case jsonOpaque:
		return r.opaque(b)
	}
	return r.scalar(typ, b)
}

func (r *jsonRenderer) scalar(typ byte, b []byte) error {
	if len(b) < jsonWidth(typ) {
		return errJSONImage
	}
	switch typ {
	case jsonLiteral:
		switch b[0] {
		case 0:
			r.out = append(r.out, "null"...)
		case 1:
			r.out = append(r.out, "true"...)
		case 2:
			r.out = append(r.out, "false"...)
		default:
			return errJSONImage
		}
	case jsonInt16:
		r.out = strconv.AppendInt(r.out, int64(int16(binary.LittleEndian.Uint16(b))), 10)
	case jsonUint16:
		r.out = strconv.AppendUint(r.out, uint64(binary.LittleEndian.Uint16(b)), 10)
	case jsonInt32:
		r.out = strconv.AppendInt(r.out, int64(int32(binary.LittleEndian.Uint32(b))), 10)
	case jsonUint32:
		r.out = strconv.AppendUint(r.out, uint64(binary.LittleEndian.Uint32(b)), 10)
	case jsonInt64:
		r.out = strconv.AppendInt(r.out, int64(binary.LittleEndian.Uint64(b)), 10)
	case jsonUint64:
		r.out = strconv.AppendUint(r.out, binary.LittleEndian.Uint64(b), 10)
	case jsonDouble:
		f := math.Float64frombits(binary.LittleEndian.Uint64(b))
		if math.IsNaN(f) || math.IsInf(f, 0) { // MySQL refuses them
			return errJSONImage
		}
		r.out = appendDouble(r.out, f)
	default:
		return errJSONImage
	}
	return nil
}

func jsonWidth(typ byte) int {
	switch typ {
	case jsonLiteral:
		return 1
	case jsonInt16, jsonUint16:
		return 2
	case jsonInt32, jsonUint32:
		return 4
	}
	return 8
}

// container renders an object or array: count, size, the entries of keys, the
// entries of values, then keys and values. Offsets count from its start.
func (r *jsonRenderer) container(typ byte, b []byte, depth int) error {
	object := typ == jsonSmallObject || typ == jsonLargeObject
	width := 2 // of counts and offsets
	if typ == jsonLargeObject || typ == jsonLargeArray {
		width = 4
	}
	if len(b) < 2*width {
		return errJSONImage
	}
	count, size := jsonOffset(b, width), jsonOffset(b[width:], width)
	keyEntry, valueEntry := width+2, width+1
	head := 2*width + count*valueEntry
	if object {
		head += count * keyEntry
	}
	if size > len(b) || head > size {
		return errJSONImage
	}
	b = b[:size]
	values := b[head-count*valueEntry:]
	r.out = append(r.out, "[{"[boolIndex(object)])
	for i := range count {
		if i > 0 {
			r.out = append(r.out, ", "...)
		}
		if object {
			if err := r.key(b, b[2*width+i*keyEntry:], width); err != nil {
				return err
			}
		}
		e := values[i*valueEntry : (i+1)*valueEntry]
		inner := e[1:]
		if !jsonInline(e[0], width) {
			at := jsonOffset(inner, width)
			if at > len(b) {
				return errJSONImage
			}
			inner = b[at:]
		}
		if err := r.value(e[0], inner, depth); err != nil {
			return err
		}
	}
	r.out = append(r.out, "]}"[boolIndex(object)])
	return nil
}

// key renders the key of an entry of the object b.
func (r *jsonRenderer) key(b, entry []byte, width int) error {
	at, n := jsonOffset(entry, width), int(binary.LittleEndian.Uint16(entry[width:]))
	if at+n > len(b) {
		return errJSONImage
	}
	err := r.quote(b[at : at+n])
	r.out = append(r.out, ": "...)
	return err
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

// jsonInline tells whether a value stands in its entry instead of an offset.
func jsonInline(typ byte, width int) bool {
	switch typ {
	case jsonLiteral, jsonInt16, jsonUint16:
		return true
	case jsonInt32, jsonUint32:
		return width == 4
	}
	return false
}

func jsonOffset(b []byte, width int) int {
	if width == 2 {
		return int(binary.LittleEndian.Uint16(b))
	}
	return int(binary.LittleEndian.Uint32(b))
}

// jsonBytes reads bytes with a length in front, in groups of seven bits.
func jsonBytes(b []byte) ([]byte, error) {
	n := 0
	for i := range min(len(b), 5) {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			b = b[i+1:]
			if n > len(b) {
				return nil, errJSONImage
			}
			return b[:n], nil
		}
	}
	return nil, errJSONImage
}

const hexDigits = "0123456789abcdef"

// quote writes a string literal. Only what JSON demands is escaped.
func (r *jsonRenderer) quote(s []byte) error {
	if err := r.spend(len(s)); err != nil {
		return err
	}
	out := append(r.out, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c >= 0x20:
			out = append(out, c)
		case c == '\b':
			out = append(out, `\b`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\f':
			out = append(out, `\f`...)
		case c == '\r':
			out = append(out, `\r`...)
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	r.out = append(out, '"')
	return nil
}

// appendDouble writes a double as MySQL's JSON does: the shortest digits that
// read back as the same number; an exponent, without plus or zeros, below 1e-15
// and from 1e15 on, unless there are digits behind the point even then; and ".0"
// behind a whole number, so that it stays a double.
func appendDouble(dst []byte, f float64) []byte {
	var buf [32]byte
	e := strconv.AppendFloat(buf[:0], f, 'e', -1, 64) // d[.ddd]e±dd
	mark := len(e) - 1
	for e[mark] != 'e' {
		mark--
	}
	exp, _ := strconv.Atoi(string(e[mark+1:]))
	digits := mark - 1 // without the point
	if e[0] == '-' {
		digits--
	}
	if f == 0 || exp >= -15 && (exp <= 14 || digits > exp+1) {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	dst = append(dst, e[:mark+1]...)
	return strconv.AppendInt(dst, int64(exp), 10)
}
