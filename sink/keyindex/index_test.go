package keyindex

import (
	"maps"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beluga-cdc/beluga/schema"
)

// integerKeys draws keys as tables have them: sequences, sparse ones, extremes.
func integerKeys(t *rapid.T) []int64 {
	start := rapid.SampledFrom([]int64{0, 1, -3000, math.MinInt64, math.MaxInt64 - 20000, 1 << 40}).Draw(t, "start")
	step := rapid.SampledFrom([]int64{1, 1, 2, 3, 10, 4096, 1 << 20, 1 << 50}).Draw(t, "step")
	n := rapid.IntRange(1, 9000).Draw(t, "n")
	keys := make([]int64, n)
	for i := range keys {
		keys[i] = start + int64(i)*step
	}
	if rapid.Bool().Draw(t, "shuffle") {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		rng.Shuffle(n, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	}
	return keys
}

type model struct {
	x *Index
	m map[schema.Key]uint64
}

func (m *model) put(t require.TestingT, k schema.Key, loc uint64) {
	want, wantHad := m.m[k]
	old, had := m.x.Put(k, loc)
	if had != wantHad || had && old != want {
		require.Failf(t, "wrong old location", "%v: %d, %t, want %d, %t", k, old, had, want, wantHad)
	}
	m.m[k] = loc
}

func (m *model) delete(t require.TestingT, k schema.Key) {
	want, wantHad := m.m[k]
	old, had := m.x.Delete(k)
	if had != wantHad || had && old != want {
		require.Failf(t, "wrong old location", "%v: %d, %t, want %d, %t", k, old, had, want, wantHad)
	}
	delete(m.m, k)
}

// check compares everything, and that no integer key is in both places.
func (m *model) check(t require.TestingT) {
	require.Equal(t, len(m.m), m.x.Len())
	seen := make(map[schema.Key]uint64, len(m.m))
	m.x.Range(func(k schema.Key, loc uint64) bool {
		if _, twice := seen[k]; twice {
			require.Failf(t, "a key comes twice", "%v", k)
		}
		seen[k] = loc
		return true
	})
	require.True(t, maps.Equal(m.m, seen))
	for k, loc := range m.m {
		if got, ok := m.x.Get(k); !ok || got != loc {
			require.Failf(t, "wrong location", "%v: %d, %t, want %d", k, got, ok, loc)
		}
	}
	m.x.table.each(func(lo, _, _ uint64) bool {
		if m.x.exact && m.x.dense.at(pageOf(int64(lo))) != nil {
			require.Failf(t, "a key is on its page and in the table", "%d", int64(lo))
		}
		return true
	})
}

func TestIndexAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exact := rapid.Bool().Draw(t, "exact")
		m := &model{New(exact, rapid.SampledFrom([]int{0, 10, 100_000}).Draw(t, "capacity")), map[schema.Key]uint64{}}
		key := func(k int64) schema.Key {
			if exact {
				return schema.Key{Lo: uint64(k)}
			}
			return schema.Key{Hi: uint64(k) * 7, Lo: uint64(k)}
		}
		loc := uint64(0)
		for range rapid.IntRange(1, 5).Draw(t, "rounds") {
			keys := integerKeys(t)
			switch rapid.SampledFrom([]string{"run", "put", "put", "delete", "mix"}).Draw(t, "what") {
			case "run":
				if exact {
					m.x.PutRun(keys, loc)
					for i, k := range keys {
						m.m[key(k)] = loc + uint64(i)
					}
					loc += uint64(len(keys))
				}
			case "put":
				for _, k := range keys {
					m.put(t, key(k), loc)
					loc++
				}
			case "delete":
				for _, k := range keys {
					m.delete(t, key(k))
				}
			case "mix":
				for i, k := range keys {
					if i%3 == 0 {
						m.delete(t, key(k))
					} else {
						m.put(t, key(k), loc)
						loc++
					}
					if i%5 == 0 {
						m.delete(t, key(keys[i/2]))
					}
				}
			}
			m.check(t)
		}
	})
}

// averageDistance returns how far the keys of a table are from their homes, on
// average.
func averageDistance(t *table) float64 {
	sum, n := 0, 0
	t.each(func(lo, hi, _ uint64) bool {
		h := t.hash(lo, hi)
		s := t.segment(h)
		at, _ := t.find(s, h, lo, hi)
		sum += distance(s.home(h, t.words+1), at, len(s.slots)) / (t.words + 1)
		n++
		return true
	})
	return float64(sum) / float64(n)
}

func TestAdversarialKeys(t *testing.T) {
	for shift := range 49 {
		exact, hashed := newTable(1, 0), newTable(2, 0)
		for i := range uint64(30_000) {
			k := (i - 15_000) << shift
			exact.put(k, 0, i)
			hashed.put(k, 0, i)
			hashed.put(0, k, i)
			hashed.put(k, k, i)
		}
		require.Equal(t, 30_000, exact.n)
		require.Equal(t, 3*30_000-2, hashed.n)
		require.Less(t, averageDistance(exact), 4.0, "shift %d", shift)
		require.Less(t, averageDistance(hashed), 4.0, "shift %d", shift)
	}
	x := New(true, 0)
	for i, k := range []int64{0, -1, 1, math.MinInt64, math.MaxInt64} {
		x.Put(schema.Key{Lo: uint64(k)}, uint64(i))
	}
	for i, k := range []int64{0, -1, 1, math.MinInt64, math.MaxInt64} {
		loc, ok := x.Get(schema.Key{Lo: uint64(k)})
		require.True(t, ok)
		require.EqualValues(t, i, loc)
	}
}

// TestEqualHashes puts keys in whose hashes agree in all bits that choose the
// segment and the slot. Splitting cannot part them and must not try for ever.
func TestEqualHashes(t *testing.T) {
	tab := newTable(2, 0)
	inverse := uint64(1)
	const a = 0x9E3779B97F4A7C15
	for range 6 { // Newton's iteration for the inverse modulo 2^64
		inverse *= 2 - a*inverse
	}
	type key struct{ lo, hi uint64 }
	var keys []key
	for i := range uint64(8000) {
		target := uint64(0xABCD)<<48 | i<<33 | 0x12345678
		lo := target*inverse ^ tab.seed
		high, _ := bits.Mul64(lo^tab.seed, a)
		hi := high ^ tab.seed // makes the second product zero
		require.Equal(t, target, tab.hash(lo, hi))
		keys = append(keys, key{lo, hi})
		tab.put(lo, hi, i)
	}
	require.Equal(t, len(keys), tab.n)
	for i, k := range keys {
		loc, ok := tab.get(k.lo, k.hi)
		require.True(t, ok)
		require.EqualValues(t, i, loc)
	}
	require.Less(t, tab.bytes(), 100*len(keys))
	for i, k := range keys {
		old, had := tab.delete(k.lo, k.hi)
		require.True(t, had)
		require.EqualValues(t, i, old)
	}
	require.Zero(t, tab.n)
}

// TestChurnKeepsMemory deletes and inserts the same keys, and keys of a moving
// window, for long.
func TestChurnKeepsMemory(t *testing.T) {
	const n = 50_000
	for name, key := range map[string]func(i uint64) schema.Key{
		"dense":  func(i uint64) schema.Key { return schema.Key{Lo: i} },
		"sparse": func(i uint64) schema.Key { return schema.Key{Lo: i * 1_000_003} },
		"hashed": func(i uint64) schema.Key { return schema.Key{Lo: i, Hi: ^i} },
	} {
		t.Run(name, func(t *testing.T) {
			x := New(name != "hashed", 0)
			for i := range uint64(n) {
				x.Put(key(i), i)
			}
			full := x.Bytes()
			rng := rand.New(rand.NewPCG(3, 4))
			for range 10 * n {
				k := key(rng.Uint64N(n))
				if _, had := x.Delete(k); !had {
					t.Fatalf("%v is gone", k)
				}
				x.Put(k, 1)
			}
			require.Equal(t, n, x.Len())
			require.LessOrEqual(t, x.Bytes(), full*5/4, "the same keys")
			for i := range uint64(10 * n) {
				x.Delete(key(i))
				x.Put(key(i+n), 1)
			}
			require.Equal(t, n, x.Len())
			require.LessOrEqual(t, x.Bytes(), full*2, "a moving window")
			for i := range uint64(n) {
				x.Delete(key(10*n + i))
			}
			require.Zero(t, x.Len())
			require.Less(t, x.Bytes(), max(full/4, 128<<10), "emptied")
		})
	}
}

// TestMemoryPerKey holds the figures that the package promises.
func TestMemoryPerKey(t *testing.T) {
	for n := 100_000; n < 400_000; n += 20_000 {
		dense, sparse, hashed := New(true, 0), New(true, 0), New(false, 0)
		for i := range uint64(n) {
			dense.Put(schema.Key{Lo: i}, i)
			sparse.Put(schema.Key{Lo: i * 1_000_003}, i)
			hashed.Put(schema.Key{Lo: i * 3, Hi: i}, i)
		}
		require.Less(t, dense.Bytes(), 11*n)
		require.Less(t, sparse.Bytes(), 27*n)
		require.Less(t, hashed.Bytes(), 40*n)
	}
	require.Less(t, func() int { // room in advance, once it is filled
		x := New(false, 1_000_000)
		for i := range uint64(1_000_000) {
			x.Put(schema.Key{Lo: i, Hi: i}, i)
		}
		return x.Bytes()
	}(), 40*1_000_000)
}

// TestSlidingWindow: a queue takes keys at one end and gives them back at the
// other. What it has left behind must not count as room between its pages.
func TestSlidingWindow(t *testing.T) {
	const n = 50_000
	for name, key := range map[string]func(i int64) schema.Key{
		"up":   func(i int64) schema.Key { return schema.Key{Lo: uint64(i)} },
		"down": func(i int64) schema.Key { return schema.Key{Lo: uint64(-i)} },
	} {
		t.Run(name, func(t *testing.T) {
			x, most := New(true, 0), 0
			for i := range int64(6_000_000) {
				x.Put(key(i), uint64(i))
				if i >= n {
					if _, had := x.Delete(key(i - n)); !had {
						t.Fatalf("key %d is gone", i-n)
					}
				}
				if i > 2*n && i%1000 == 0 {
					most = max(most, x.Bytes())
				}
			}
			require.Equal(t, n, x.Len())
			require.Less(t, most, 15*n)
		})
	}
}
