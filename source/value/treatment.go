package value

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"unicode/utf8"

	"github.com/beluga-cdc/beluga/schema"
)

// Hashes are the algorithms of schema.Treatment.Hash.
var Hashes = map[string]func() hash.Hash{"sha-1": sha1.New, "sha-256": sha256.New, "sha-512": sha512.New}

// treatment changes the last value of a vector. A Mapper serves many goroutines,
// so it holds no state.
type treatment func(dst *schema.Vec)

// newTreatment returns the treatment of the column; nil: values stay.
func newTreatment(c *schema.Column) (treatment, error) {
	t := c.Treatment
	if t == nil {
		return nil, nil
	}
	if !t.Fits(c.Type.Kind) {
		return nil, fmt.Errorf("%s cannot be done to values of type %s", t.Kind, c.Type.Kind)
	}
	switch t.Kind {
	case schema.Mask:
		text := bytes.Repeat([]byte("*"), t.Length)
		return func(dst *schema.Vec) { replaceLast(dst, text) }, nil
	case schema.Truncate:
		count := runeEnd
		if c.Type.Kind == schema.Binary || c.Type.Kind == schema.VarBinary || c.Type.Kind == schema.Blob {
			count = byteEnd
		}
		return func(dst *schema.Vec) { truncateLast(dst, t.Length, count) }, nil
	case schema.Hash:
		newHash := Hashes[t.Hash]
		if newHash == nil {
			return nil, fmt.Errorf("hash algorithm %q is not known", t.Hash)
		}
		return func(dst *schema.Vec) { hashLast(dst, newHash(), t.Salt) }, nil
	}
	return nil, fmt.Errorf("treatment %q is not known", t.Kind)
}

// replaceLast puts text in the place of the last value, which may be null.
func replaceLast(dst *schema.Vec, text []byte) {
	dst.Truncate(dst.N - 1)
	dst.AppendBytes(text)
}

func truncateLast(dst *schema.Vec, most int, end func([]byte, int) int) {
	last := dst.N - 1
	if dst.IsNull(last) {
		return
	}
	from := int(dst.Off[last])
	to := from + end(dst.Data[from:], most)
	dst.Data, dst.Off[last+1] = dst.Data[:to], uint32(to)
}

func byteEnd(b []byte, most int) int { return min(most, len(b)) }

func runeEnd(b []byte, most int) int {
	at := 0
	for n := 0; n < most && at < len(b); n++ {
		_, size := utf8.DecodeRune(b[at:])
		at += size
	}
	return at
}

func hashLast(dst *schema.Vec, h hash.Hash, salt []byte) {
	last := dst.N - 1
	if dst.IsNull(last) {
		return
	}
	h.Write(salt)
	h.Write(dst.Bytes(last))
	var sum [sha512.Size]byte
	replaceLast(dst, hex.AppendEncode(nil, h.Sum(sum[:0])))
}
