package sysbench

import "math/rand/v2"

// Lengths of sysbench's two texts, in groups of eleven digits.
const (
	groupsC   = 10
	groupsPad = 5
)

// appendDigits appends groups of eleven random digits, parted by hyphens:
// sysbench's text, which only entropy coding can compress.
func appendDigits(b []byte, r *rand.Rand, groups int) []byte {
	for g := range groups {
		if g > 0 {
			b = append(b, '-')
		}
		n := r.Uint64() % 100_000_000_000
		at := len(b)
		b = append(b, "00000000000"...)
		for i := at + 10; n > 0; i-- {
			b[i] = byte('0' + n%10)
			n /= 10
		}
	}
	return b
}
