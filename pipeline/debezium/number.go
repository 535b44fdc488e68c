package debezium

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// appendDouble appends a number as Java prints it, which is the shortest text
// that reads back as the same bits, always with a digit after the point:
// readers that infer types from samples tell 1.0 from 1.
func appendDouble(dst []byte, x float64, bitSize int) ([]byte, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return dst, errors.New("is not a finite number, and JSON has only those")
	}
	if a := math.Abs(x); a == 0 || a >= 1e-3 && a < 1e7 {
		from := len(dst)
		dst = strconv.AppendFloat(dst, x, 'f', -1, bitSize)
		for _, c := range dst[from:] {
			if c == '.' {
				return dst, nil
			}
		}
		return append(dst, '.', '0'), nil
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], x, 'e', -1, bitSize)
	e := len(text) - 1
	for text[e] != 'e' {
		e--
	}
	dst = append(dst, text[:e]...)
	if e <= 2 { // one digit, perhaps with its sign
		dst = append(dst, '.', '0')
	}
	dst = append(dst, 'E')
	exp := text[e+1:]
	if exp[0] == '-' {
		dst = append(dst, '-')
	}
	if exp = exp[1:]; exp[0] == '0' { // Go writes two digits at least
		exp = exp[1:]
	}
	return append(dst, exp...), nil
}

// appendDecimal appends the base64 of a big-endian two's complement, shortened
// to the fewest bytes that keep the sign.
func appendDecimal(dst, be []byte) []byte {
	for len(be) > 1 && (be[0] == 0 && be[1] < 0x80 || be[0] == 0xFF && be[1] >= 0x80) {
		be = be[1:]
	}
	return appendBase64(dst, be)
}

func appendDecimal64(dst []byte, x int64) []byte {
	var be [8]byte
	binary.BigEndian.PutUint64(be[:], uint64(x))
	return appendDecimal(dst, be[:])
}

func appendBase64(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

// appendDecimalText is appendDecimal for decimals of more digits than a block
// keeps as numbers. They are rare, so it may allocate.
func appendDecimalText(dst, text []byte, scale int) ([]byte, error) {
	s := string(text)
	whole, frac, _ := strings.Cut(s, ".")
	x, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok || len(frac) != scale {
		return dst, fmt.Errorf("has the text %s, which is no decimal with %d digits after the point", excerpt(text), scale)
	}
	return appendDecimal(dst, twosComplement(x)), nil
}

// twosComplement returns x in big-endian bytes with at least one sign bit.
func twosComplement(x *big.Int) []byte {
	n := x.BitLen()/8 + 1
	if x.Sign() < 0 {
		x = new(big.Int).Add(x, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	return x.FillBytes(make([]byte, n))
}

// decimalText is the inverse: the text that MySQL prints for the unscaled value.
func decimalText(be []byte, scale int) string {
	x := new(big.Int).SetBytes(be)
	if len(be) > 0 && be[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(be))))
	}
	s := new(big.Int).Abs(x).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	if scale > 0 {
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if x.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// excerpt quotes text for a message, without letting a megabyte into it.
func excerpt(b []byte) string {
	const most = 64
	if len(b) > most {
		return fmt.Sprintf("%.64q… (%d bytes)", b[:most], len(b))
	}
	return fmt.Sprintf("%q", b)
}
