package keyindex

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestMultisetAgainstModel keeps few keys with many locations and many keys with
// few, and compares with a map of stacks.
func TestMultisetAgainstModel(t *testing.T) {
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		keys := []int64{1, 7, 300, 40_000}[seed%4]
		x, model, total := NewMultiset(int(seed%2)*50_000), map[schema.Key][]uint64{}, 0
		for loc := range uint64(120_000) {
			n := rnd.Int64N(keys)
			k := schema.Key{Hi: uint64(n) * 7, Lo: uint64(n)}
			// In turns it grows and shrinks.
			if stack := model[k]; rnd.IntN(10) < 3+4*int(loc/20_000%2) {
				old, had := x.Delete(k)
				require.Equal(t, len(stack) > 0, had)
				if had {
					require.Equal(t, stack[len(stack)-1], old)
					model[k] = stack[:len(stack)-1]
					total--
				}
				continue
			}
			_, had := x.Put(k, loc)
			require.False(t, had)
			model[k] = append(model[k], loc)
			total++
		}
		require.Equal(t, total, x.Len())
		for k, stack := range model {
			for i := len(stack) - 1; i >= 0; i-- {
				loc, ok := x.Get(k)
				require.True(t, ok)
				require.Equal(t, stack[i], loc)
				old, had := x.Delete(k)
				require.True(t, had)
				require.Equal(t, stack[i], old)
			}
			_, ok := x.Get(k)
			require.False(t, ok)
		}
		require.Zero(t, x.Len())
	}
}
