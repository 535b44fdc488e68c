package value

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"

	"github.com/beluga-cdc/beluga/schema"
)

var (
	errDecimalText  = errors.New("the server sent a decimal in an unknown form")
	errDecimalImage = errors.New("the row image holds a decimal group beyond its digits")
)

var powersOfTen = [10]uint32{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000}

// unscaled is a decimal without its point, up to 38 digits, as magnitude and
// sign.
type unscaled struct {
	hi, lo   uint64
	negative bool
}

// shift makes room for n decimal digits (at most nine) and adds them.
func (u *unscaled) shift(n int, digits uint32) {
	p := uint64(powersOfTen[n])
	carry, lo := bits.Mul64(u.lo, p)
	var c uint64
	u.lo, c = bits.Add64(lo, uint64(digits), 0)
	u.hi = u.hi*p + carry + c
}

// putUnscaled appends a decimal whose scale is the column's.
func (m *Mapper) putUnscaled(dst *schema.Vec, u unscaled) {
	hi, lo := u.hi, u.lo
	if u.negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	if dst.Kind == schema.VecInt64 {
		dst.AppendInt64(int64(lo))
		return
	}
	dst.AppendDec128(int64(hi), lo)
}

// parseDecimal reads MySQL's text of a decimal. The server always sends all
// digits of the column's scale; another number of them would shift the value, and
// more digits than the column's would not fit what holds them.
func parseDecimal(s []byte, precision, scale int) (unscaled, error) {
	var u unscaled
	if len(s) > 0 && s[0] == '-' {
		u.negative, s = true, s[1:]
	}
	point, n := -1, 0
	for i, c := range s {
		switch {
		case c == '.' && point < 0:
			point = i
		case c >= '0' && c <= '9':
			if u.lo|u.hi != 0 || c != '0' {
				n++
			}
			u.shift(1, uint32(c-'0'))
		default:
			return u, errDecimalText
		}
	}
	frac := 0
	if point >= 0 {
		frac = len(s) - point - 1
	}
	if len(s) == 0 || frac != scale || n > precision {
		return u, errDecimalText
	}
	return u, nil
}

// appendDecimalText appends the canonical text of a decimal that is too wide
// for a number: no zeros in front (ZEROFILL sends some), no negative zero.
func appendDecimalText(dst, s []byte) ([]byte, error) {
	negative := len(s) > 0 && s[0] == '-'
	if negative {
		s = s[1:]
	}
	zero := true
	for _, c := range s {
		if c != '.' && (c < '0' || c > '9') {
			return dst, errDecimalText
		}
		zero = zero && (c == '0' || c == '.')
	}
	for len(s) > 1 && s[0] == '0' && s[1] != '.' {
		s = s[1:]
	}
	if negative && !zero {
		dst = append(dst, '-')
	}
	return append(dst, s...), nil
}

// packed is the layout of MySQL's binary decimal: groups of nine digits in four
// bytes, and a shorter group at either end in as few bytes as hold it.
type packed struct {
	precision, scale          int
	intGroups, fracGroups     int
	intRest, fracRest, length int // digits of the short groups; bytes in all
}

var bytesForDigits = [10]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}

func newPacked(precision, scale int) (packed, error) {
	if precision < 1 || precision > 65 || scale < 0 || scale > 30 || scale > precision {
		return packed{}, fmt.Errorf("decimal(%d,%d) is no MySQL type", precision, scale)
	}
	return packedOf(precision, scale), nil
}

// packedOf is for any digits. A value in a JSON document may have more than a
// column: the server counts zeros in front.
func packedOf(precision, scale int) packed {
	p := packed{precision: precision, scale: scale}
	whole := precision - scale
	p.intGroups, p.intRest = whole/9, whole%9
	p.fracGroups, p.fracRest = scale/9, scale%9
	p.length = 4*(p.intGroups+p.fracGroups) + bytesForDigits[p.intRest] + bytesForDigits[p.fracRest]
	return p
}

// each calls f with the digits of each group, from the left. b has p.length
// bytes. The sign is the inverted top bit; a negative value has all bits
// inverted, so that values sort as bytes.
func (p *packed) each(b []byte, f func(digits int, group uint32)) (negative bool, err error) {
	negative = b[0]&0x80 == 0
	mask := uint32(0)
	if negative {
		mask = 0xffffffff
	}
	first, pos := true, 0
	take := func(digits int) error {
		n := bytesForDigits[digits]
		if n == 0 {
			return nil
		}
		var v uint32
		for i, c := range b[pos : pos+n] {
			if first && i == 0 {
				c ^= 0x80
			}
			v = v<<8 | uint32(c)
		}
		v ^= mask >> (32 - 8*n)
		first, pos = false, pos+n
		if v >= powersOfTen[digits] {
			return errDecimalImage
		}
		f(digits, v)
		return nil
	}
	if err = take(p.intRest); err != nil {
		return negative, err
	}
	for range p.intGroups + p.fracGroups {
		if err = take(9); err != nil {
			return negative, err
		}
	}
	return negative, take(p.fracRest)
}

// number decodes a decimal of at most 38 digits. It is the unrolled twin of
// each for the hot path: a callback for each group costs more than the group.
func (p *packed) number(b []byte) (unscaled, error) {
	u := unscaled{negative: b[0]&0x80 == 0}
	flip := byte(0)
	if u.negative {
		flip = 0xff
	}
	top := byte(0x80)
	pos := 0
	if n := bytesForDigits[p.intRest]; n > 0 {
		var v uint32
		for _, c := range b[:n] {
			v = v<<8 | uint32(c^flip^top)
			top = 0
		}
		if v >= powersOfTen[p.intRest] {
			return u, errDecimalImage
		}
		u.shift(p.intRest, v)
		pos = n
	}
	for range p.intGroups + p.fracGroups {
		v := binary.BigEndian.Uint32(b[pos:]) ^ uint32(top)<<24
		if flip != 0 {
			v = ^v
		}
		top = 0
		if v >= powersOfTen[9] {
			return u, errDecimalImage
		}
		u.shift(9, v)
		pos += 4
	}
	if n := bytesForDigits[p.fracRest]; n > 0 {
		var v uint32
		for _, c := range b[pos : pos+n] {
			v = v<<8 | uint32(c^flip^top)
			top = 0
		}
		if v >= powersOfTen[p.fracRest] {
			return u, errDecimalImage
		}
		u.shift(p.fracRest, v)
	}
	return u, nil
}

// appendText appends the text of a decimal of any width.
func (p *packed) appendText(dst, b []byte) ([]byte, error) {
	var text [80]byte
	t := text[:0]
	seen := 0
	negative, err := p.each(b, func(digits int, group uint32) {
		var g [9]byte
		s := strconv.AppendUint(g[:0], uint64(group), 10)
		for range digits - len(s) {
			t = append(t, '0')
		}
		t = append(t, s...)
		seen += digits
		if seen == p.precision-p.scale && p.scale > 0 {
			t = append(t, '.')
		}
	})
	if err != nil {
		return dst, err
	}
	if p.precision == p.scale { // no digit before the point, and so no point yet
		t = append([]byte("0."), t...)
	}
	if negative {
		t = append([]byte{'-'}, t...)
	}
	return appendDecimalText(dst, t)
}
