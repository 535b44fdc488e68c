package debezium

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	"github.com/beluga-cdc/beluga/schema"
)

const vectorWidth = 4 // bytes of a number of a VECTOR

// appendVector writes a VECTOR as Debezium does: as an array of numbers.
func appendVector(dst, b []byte) ([]byte, error) {
	if len(b)%vectorWidth != 0 {
		return dst, errors.New("is no vector: it ends within a number")
	}
	dst = append(dst, '[')
	for i := 0; i < len(b); i += vectorWidth {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendDouble(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(b[i:]))), 32); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// decodeVector reads an array of numbers.
func (f *field) decodeVector(v *schema.Vec, p []byte) (n int, err error) {
	if f.form != formVector {
		return 0, errForm
	}
	from := len(v.Data)
	n, err = appendNumbers(v, p)
	if err != nil {
		v.Data = v.Data[:from]
		return n, err
	}
	v.EndBytes()
	return n, nil
}

func appendNumbers(v *schema.Vec, p []byte) (n int, err error) {
	n = 1 + skipSpace(p[1:])
	if n < len(p) && p[n] == ']' {
		return n + 1, nil
	}
	for {
		n += skipSpace(p[n:])
		x, length, err := parseFloat(p[n:], 32)
		if err != nil {
			return n, err
		}
		v.Data = binary.LittleEndian.AppendUint32(v.Data, math.Float32bits(float32(x)))
		n += length
		n += skipSpace(p[n:])
		if n == len(p) || p[n] != ',' && p[n] != ']' {
			return n, errForm
		}
		n++
		if p[n-1] == ']' {
			return n, nil
		}
	}
}

func skipSpace(p []byte) (n int) {
	for n < len(p) && (p[n] == ' ' || p[n] == '\t' || p[n] == '\n' || p[n] == '\r') {
		n++
	}
	return n
}

// skipVector returns the length of the array at the start of p, which holds
// numbers only; 0 where it does not end.
func skipVector(p []byte) int { return bytes.IndexByte(p, ']') + 1 }
