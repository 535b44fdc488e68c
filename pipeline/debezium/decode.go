package debezium

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// Why a value was refused. They end a sentence that begins with the value.
var (
	errForm  = errors.New("is not what an event holds for this type")
	errRange = errors.New("is out of the type's range")
	errTime  = errors.New("is no time of a day, and the lake's type time holds only 00:00:00 to 23:59:59.999999")
)

func be64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// decode appends the value at the start of p and returns the length of its text.
// With an error it appends nothing. What follows the value is the caller's
// affair.
func (f *field) decode(v *schema.Vec, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, errForm
	}
	switch p[0] {
	case '"':
		return f.decodeString(v, p)
	case 'n':
		if len(p) < 4 || string(p[:4]) != "null" {
			return 0, errForm
		}
		v.AppendNull()
		return 4, nil
	case 't', 'f':
		return f.decodeBool(v, p)
	case '{':
		return f.decodeGeometry(v, p)
	case '[':
		return f.decodeVector(v, p)
	}
	switch f.form {
	case formFloat32, formFloat64:
		return f.decodeFloat(v, p)
	case formDecimalDouble:
		return f.decodeDouble(v, p)
	}
	return f.decodeInt(v, p)
}

func (f *field) decodeBool(v *schema.Vec, p []byte) (n int, err error) {
	// Debezium writes a TINYINT(1) column as a boolean where the DDL that it read
	// said BOOLEAN.
	if f.form != formBool && f.kind != schema.TinyInt {
		return 0, errForm
	}
	switch {
	case len(p) >= 4 && string(p[:4]) == "true":
		v.AppendBool(true)
		return 4, nil
	case len(p) >= 5 && string(p[:5]) == "false":
		v.AppendBool(false)
		return 5, nil
	}
	return 0, errForm
}

func (f *field) decodeInt(v *schema.Vec, p []byte) (n int, err error) {
	x, wide, n := parseInt(p)
	if n == 0 {
		return 0, errForm
	}
	if n < 0 || wide && f.form != formUint64 {
		return 0, errRange
	}
	switch f.form {
	case formInt32:
		if int64(int32(x)) != x {
			return 0, errRange
		}
		v.AppendInt32(int32(x))
	case formInt64:
		v.AppendInt64(x)
	case formUint64:
		v.AppendDec128(0, uint64(x))
	case formTime:
		if x < 0 || x >= microsPerDay {
			return 0, errTime
		}
		v.AppendInt64(x)
	case formTimeMillis:
		if x < 0 || x >= microsPerDay/1000 {
			return 0, errTime
		}
		v.AppendInt64(x * 1000)
	case formTimeNanos:
		if x < 0 || x >= microsPerDay*1000 || x%1000 != 0 {
			return 0, errTime
		}
		v.AppendInt64(x / 1000)
	case formMillis:
		if x > math.MaxInt64/1000 || x < math.MinInt64/1000 {
			return 0, errRange
		}
		v.AppendInt64(x * 1000)
	default:
		return 0, errForm
	}
	return n, nil
}

// parseInt reads an integer. wide: it lies between 2^63 and 2^64, and x holds
// its bits. n is the length of the text, 0 where there is no integer, -1 where it
// has more than 64 bits.
func parseInt(p []byte) (x int64, wide bool, n int) {
	i := 0
	if p[0] == '-' {
		i = 1
	}
	var u uint64
	start := i
	for ; i < len(p); i++ {
		c := p[i] - '0'
		if c > 9 {
			break
		}
		if u > (math.MaxUint64-9)/10 && (u > math.MaxUint64/10 || uint64(c) > math.MaxUint64-u*10) {
			return 0, false, -1
		}
		u = u*10 + uint64(c)
	}
	if i == start {
		return 0, false, 0
	}
	if start == 0 {
		return int64(u), u > math.MaxInt64, i
	}
	if u > 1<<63 {
		return 0, false, -1
	}
	return -int64(u), false, i
}

func (f *field) decodeFloat(v *schema.Vec, p []byte) (n int, err error) {
	if f.form == formFloat32 {
		x, n, err := parseFloat(p, 32)
		if err == nil {
			v.AppendFloat32(float32(x))
		}
		return n, err
	}
	x, n, err := parseFloat(p, 64)
	if err == nil {
		v.AppendFloat64(x)
	}
	return n, err
}

// parseFloat reads a number; n is the length of its text.
func parseFloat(p []byte, bitSize int) (x float64, n int, err error) {
	for n < len(p) && (p[n] >= '0' && p[n] <= '9' || p[n] == '-' || p[n] == '+' || p[n] == '.' || p[n]|0x20 == 'e') {
		n++
	}
	if n == 0 || p[0] == '+' {
		return 0, 0, errForm
	}
	x, err = strconv.ParseFloat(string(p[:n]), bitSize)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, 0, errRange
	case err != nil:
		return 0, 0, errForm
	}
	return x, n, nil
}

func (f *field) decodeString(v *schema.Vec, p []byte) (n int, err error) {
	s, n := scanString(p)
	if n == 0 {
		return 0, errForm
	}
	if f.form == formText {
		return n, appendTextValue(v, s)
	}
	// Java does not escape base64 and times, but JSON allows it ("\/").
	if slices.Contains(s, '\\') {
		var ok bool
		if s, ok = appendUnescaped(nil, s); !ok {
			return n, errForm
		}
	}
	switch f.form {
	case formTimestamp:
		x, ok := parseTimestamp(s)
		if !ok {
			return n, errForm
		}
		v.AppendInt64(x)
		return n, nil
	case formBytes:
		return n, appendBytesValue(v, s, strictBase64)
	case formBits, formUnsigned, formDecimal64, formDecimal128, formDecimalText:
		return n, f.decodeBase64(v, s)
	}
	return n, f.decodeChosen(v, s)
}

func appendTextValue(v *schema.Vec, s []byte) error {
	if isPlain(s) {
		v.AppendBytes(s)
		return nil
	}
	from := len(v.Data)
	data, ok := appendUnescaped(v.Data, s)
	if !ok {
		v.Data = data[:from]
		return errors.New("is no valid JSON string in UTF-8")
	}
	v.Data = data
	v.EndBytes()
	return nil
}

// strictBase64 refuses stray bits after the last byte: two texts of one value
// would be a sign that somebody cut it.
var (
	strictBase64    = base64.StdEncoding.Strict()
	strictURLBase64 = base64.URLEncoding.Strict()
)

func appendBytesValue(v *schema.Vec, s []byte, in *base64.Encoding) error {
	from := len(v.Data)
	v.Data = slices.Grow(v.Data, in.DecodedLen(len(s)))
	n, err := in.Decode(v.Data[from:cap(v.Data)], s)
	if err != nil {
		return errors.New("is no base64")
	}
	v.Data = v.Data[:from+n]
	v.EndBytes()
	return nil
}

// decodeBase64 reads the forms that are numbers inside.
func (f *field) decodeBase64(v *schema.Vec, s []byte) error {
	var buf [64]byte
	raw := buf[:]
	if most := strictBase64.DecodedLen(len(s)); most > len(raw) {
		raw = make([]byte, most)
	}
	n, err := strictBase64.Decode(raw, s)
	if err != nil {
		return errors.New("is no base64")
	}
	raw = raw[:n]
	if f.form == formBits {
		return f.decodeBits(v, raw)
	}
	if n == 0 {
		return errForm
	}
	if f.form == formDecimalText {
		text := decimalText(raw, f.scale)
		if digits := strings.Replace(text, ".", "", 1); len(strings.TrimLeft(digits, "-0")) > f.precision {
			return errRange
		}
		v.AppendBytes([]byte(text))
		return nil
	}
	hi, lo, ok := f.decimal(raw)
	if !ok || f.form == formUnsigned && hi != 0 {
		return errRange
	}
	if f.form == formDecimal64 {
		v.AppendInt64(int64(lo))
	} else {
		v.AppendDec128(int64(hi), lo)
	}
	return nil
}

// decimal sign-extends a two's complement and checks it against the precision.
func (f *field) decimal(raw []byte) (hi, lo uint64, ok bool) {
	var full [16]byte
	if len(raw) > len(full) {
		return 0, 0, false
	}
	if raw[0] >= 0x80 {
		for i := range full[:len(full)-len(raw)] {
			full[i] = 0xFF
		}
	}
	copy(full[len(full)-len(raw):], raw)
	hi, lo = be64(full[:8]), be64(full[8:])
	absHi, absLo := hi, lo
	if raw[0] >= 0x80 {
		absHi, absLo = ^hi, -lo
		if lo == 0 {
			absHi++
		}
	}
	return hi, lo, absHi < f.limitHi || absHi == f.limitHi && absLo < f.limitLo
}

func (f *field) decodeBits(v *schema.Vec, le []byte) error {
	width := f.width
	if width == 0 {
		width = len(le)
	}
	if len(le) > width || width > 8 {
		return errRange
	}
	for i := width - 1; i >= 0; i-- {
		var c byte
		if i < len(le) {
			c = le[i]
		}
		v.Data = append(v.Data, c)
	}
	v.EndBytes()
	return nil
}
