package snapshot

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

func TestBoundsReadBack(t *testing.T) {
	for _, bound := range [][]any{
		nil,
		{int64(math.MinInt64)},
		{uint64(math.MaxUint64)},
		{"größe", int64(-1)},
		{"\x00\xff[\"", "", uint64(0)},
		{mysql.TypedBytes{Type: mysql.MYSQL_TYPE_NEWDECIMAL, Bytes: []byte("-12.50")}, mysql.TypedBytes{Type: mysql.MYSQL_TYPE_BLOB, Bytes: []byte{0, 255}}},
	} {
		text, err := encodeBound(bound)
		require.NoError(t, err)
		back, err := decodeBound(text)
		require.NoError(t, err)
		require.Equal(t, bound, back)
	}
	_, err := encodeBound([]any{1.5})
	require.ErrorContains(t, err, "float64")
	_, err = decodeBound(`["z1"]`)
	require.ErrorContains(t, err, "another version of Beluga")
}

// TestLedgerAgainstModel reads the keys from 0 up to 999 in chunks, which are done
// in any order, and is interrupted at any moment: what is done and what is told
// to be left are always all keys, and what is left is read once more at most.
func TestLedgerAgainstModel(t *testing.T) {
	const keys = 1000
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 5))
		tbl := &schema.Table{}
		told := schema.Progress{Load: schema.Load{Rest: []schema.Range{{}}}}
		done := map[int64]int{}
		for len(told.Rest) > 0 {
			l := &ledger{}
			for _, r := range told.Rest {
				c := Whole(tbl)
				require.NoError(t, c.decode(r))
				l.rest = append(l.rest, &c)
			}
			told = interrupted(t, l, rng, done, told)
			left := map[int64]bool{}
			for _, r := range told.Rest {
				c := Whole(tbl)
				require.NoError(t, c.decode(r))
				for k := first(&c); k < end(&c, keys); k++ {
					require.False(t, left[k], "two ranges have key %d", k)
					left[k] = true
				}
			}
			for k := range int64(keys) {
				require.NotEqual(t, left[k], done[k] == 1, "seed %d, key %d", seed, k)
			}
		}
	}
}

func first(c *Chunk) int64 {
	if c.lower == nil {
		return 0
	}
	return c.lower[0].(int64)
}

func end(c *Chunk, keys int64) int64 {
	if c.upper == nil {
		return keys
	}
	return c.upper[0].(int64)
}

// interrupted plans and reads a while, and returns the progress that was told last.
func interrupted(t *testing.T, l *ledger, rng *rand.Rand, done map[int64]int, told schema.Progress) schema.Progress {
	const keys = 1000
	var planned []*Chunk
	read := func() {
		i := rng.IntN(len(planned))
		c := planned[i]
		planned = append(planned[:i], planned[i+1:]...)
		for k := first(c); k < end(c, keys); k++ {
			done[k]++
		}
		var err error
		told, err = l.done(c)
		require.NoError(t, err)
	}
	for _, from := range append([]*Chunk(nil), l.rest...) {
		for more := true; more; {
			c := *from
			if at := first(from) + 1 + rng.Int64N(200); c.upper == nil && at < keys {
				c.upper = []any{at}
			} else {
				more = false
			}
			planned = append(planned, l.split(from, c))
			for len(planned) > 0 && rng.IntN(2) == 0 {
				read()
			}
			if rng.IntN(6) == 0 {
				return told
			}
		}
	}
	for len(planned) > 0 {
		read()
	}
	return told
}
