package debezium

import (
	"encoding/hex"
	"errors"
	"math"
	"math/bits"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
)

const (
	tenTo19  = 10_000_000_000_000_000_000
	digits19 = 19
)

// appendPlain writes a decimal as MySQL prints it, never with an exponent.
func (f *field) appendPlain(dst []byte, v *schema.Vec, row int) []byte {
	dst = append(dst, '"')
	switch v.Kind {
	case schema.VecBytes:
		dst = append(dst, v.Bytes(row)...)
	case schema.VecInt64:
		x := v.I64[row]
		dst = appendScaled(dst, uint64(x>>63), uint64(x), f.scale)
	default:
		d := v.Dec128(row)
		dst = appendScaled(dst, be64(d[:8]), be64(d[8:]), f.scale)
	}
	return append(dst, '"')
}

// appendScaled writes an unscaled value in two's complement with so many digits
// after the point.
func appendScaled(dst []byte, hi, lo uint64, scale int) []byte {
	if int64(hi) < 0 {
		dst = append(dst, '-')
		hi, lo = negate(hi, lo)
	}
	var buf [40]byte // 2^128 has 39 digits
	i := len(buf)
	for n := 0; hi != 0 || lo != 0 || n <= scale; {
		// The low 19 digits at a time, which fit a word.
		var rest uint64
		top := hi / tenTo19
		lo, rest = bits.Div64(hi%tenTo19, lo, tenTo19)
		hi = top
		for k := 0; k < digits19 && (rest != 0 || hi != 0 || lo != 0 || n <= scale); k++ {
			i--
			buf[i] = '0' + byte(rest%10)
			rest /= 10
			n++
		}
	}
	whole := buf[i : len(buf)-scale]
	dst = append(dst, whole...)
	if scale == 0 {
		return dst
	}
	return append(append(dst, '.'), buf[len(buf)-scale:]...)
}

func negate(hi, lo uint64) (uint64, uint64) {
	hi, lo = ^hi, -lo
	if lo == 0 {
		hi++
	}
	return hi, lo
}

// decodeChosen reads strings in forms of other modes than the defaults.
func (f *field) decodeChosen(v *schema.Vec, s []byte) error {
	switch f.form {
	case formDecimalPlain:
		return f.decodePlain(v, s)
	case formURLBase64:
		return appendBytesValue(v, s, strictURLBase64)
	case formHex:
		return appendHexValue(v, s)
	case formTimeISO:
		x, ok := parseClock(s)
		if !ok {
			return errTime
		}
		v.AppendInt64(x)
		return nil
	case formDateISO:
		const date = len("0000-00-00")
		if len(s) != date+1 || s[date] != 'Z' {
			return errForm
		}
		days, ok := parseDate(s[:date])
		if !ok {
			return errForm
		}
		v.AppendInt32(int32(days))
		return nil
	case formInstantISO:
		x, ok := parseTimestamp(s)
		if !ok {
			return errForm
		}
		v.AppendInt64(x)
		return nil
	}
	return errForm
}

func appendHexValue(v *schema.Vec, s []byte) error {
	from := len(v.Data)
	v.Data = slices.Grow(v.Data, len(s)/2+1) // an odd length is found by what decodes
	n, err := hex.Decode(v.Data[from:cap(v.Data)], s)
	if err != nil {
		return errors.New("is no hexadecimal text")
	}
	v.Data = v.Data[:from+n]
	v.EndBytes()
	return nil
}

// decodePlain reads what appendPlain writes.
func (f *field) decodePlain(v *schema.Vec, s []byte) error {
	hi, lo, digits, err := f.unscaled(s)
	if err != nil {
		return err
	}
	if digits > f.precision {
		return errRange
	}
	switch v.Kind {
	case schema.VecBytes:
		v.AppendBytes(s)
	case schema.VecInt64:
		v.AppendInt64(int64(lo))
	default:
		v.AppendDec128(int64(hi), lo)
	}
	return nil
}

// unscaled reads a decimal text: the value without its point, whose bits are right
// where it has no more than MaxDecimal digits, and how many digits that are without
// leading zeros.
func (f *field) unscaled(s []byte) (hi, lo uint64, digits int, err error) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	point := len(s)
	if f.scale > 0 {
		point -= f.scale + 1
	}
	if point < 1 || f.scale > 0 && s[point] != '.' {
		return 0, 0, 0, errForm
	}
	for i, c := range s {
		if i == point {
			continue
		}
		if c -= '0'; c > 9 {
			return 0, 0, 0, errForm
		} else if c > 0 || digits > 0 {
			digits++
		}
		over, low := bits.Mul64(lo, 10)
		var carry uint64
		lo, carry = bits.Add64(low, uint64(c), 0)
		hi = hi*10 + over + carry
	}
	if neg {
		hi, lo = negate(hi, lo)
	}
	return hi, lo, digits, nil
}

// decodeDouble reads a decimal that was written as a double: the one with so many
// digits that gives this double.
func (f *field) decodeDouble(v *schema.Vec, p []byte) (n int, err error) {
	x, n, err := parseFloat(p, 64)
	if err != nil {
		return n, err
	}
	if f.precision > maxDoubleDigits || v.Kind != schema.VecInt64 {
		return 0, errors.New("was written as a double, which does not keep the digits of this type")
	}
	unit := math.Pow10(f.scale)
	u := math.Round(x * unit)
	if math.Abs(u) >= math.Pow10(f.precision) || u/unit != x {
		return 0, errRange
	}
	v.AppendInt64(int64(u))
	return n, nil
}
