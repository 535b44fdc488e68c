package schema

import (
	"math/big"
	"strings"
)

// Unscaled returns decimal i of the vector without its point.
func (v *Vec) Unscaled(i int) *big.Int {
	if v.Kind == VecInt64 {
		return big.NewInt(v.I64[i])
	}
	b := v.Dec128(i)
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return n
}

// DecimalText writes a decimal with all digits of its scale.
func DecimalText(unscaled *big.Int, scale int) string {
	digits := new(big.Int).Abs(unscaled).String()
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	if at := len(digits) - scale; scale > 0 {
		digits = digits[:at] + "." + digits[at:]
	}
	if unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}
