package verify

import (
	"math/bits"

	"github.com/beluga-cdc/beluga/schema"
)

// rowSet stands for the rows of one key: in a table with a key one or none, but
// a fault may have made several. Sums do not depend on the order of reading, and
// two different multisets of 128-bit hashes have the same sum only by accident.
type rowSet struct {
	rows   int64
	hi, lo uint64
}

func (s *rowSet) add(row schema.Key) {
	var carry uint64
	s.rows++
	s.lo, carry = bits.Add64(s.lo, row.Lo, 0)
	s.hi, _ = bits.Add64(s.hi, row.Hi, carry)
}

// bucketBits is a compromise: 262,144 buckets take 6 MB a side, and in a table
// of 100 million rows one changed row has 400 others read again.
const bucketBits = 18

// digest is the sums of a whole table's rows by bucket.
type digest struct {
	buckets []rowSet
	rows    int64
}

func newDigest() *digest { return &digest{buckets: make([]rowSet, 1<<bucketBits)} }

func (d *digest) add(key, row schema.Key) {
	d.buckets[bucketOf(key)].add(row)
	d.rows++
}

// bucketOf spreads keys: an integer key is not a hash, and neighbours must not
// share a bucket, or a hot range would fill few of them.
func bucketOf(k schema.Key) uint32 {
	return uint32((k.Lo ^ k.Hi) * 0x9E3779B97F4A7C15 >> (64 - bucketBits))
}

// passes cuts the buckets that differ into sets whose rows fit into memory at
// the same time; a set has at least one bucket.
func passes(a, b *digest, most int64) []map[uint32]bool {
	var list []map[uint32]bool
	var rows int64
	for i := range a.buckets {
		if a.buckets[i] == b.buckets[i] {
			continue
		}
		n := max(a.buckets[i].rows, b.buckets[i].rows)
		if len(list) == 0 || rows+n > most {
			list, rows = append(list, map[uint32]bool{}), 0
		}
		list[len(list)-1][uint32(i)] = true
		rows += n
	}
	return list
}
