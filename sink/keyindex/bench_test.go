package keyindex

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/beluga-cdc/beluga/schema"
)

const benchKeys = 2_000_000

func benchKinds() map[string]func(i uint64) schema.Key {
	return map[string]func(i uint64) schema.Key{
		"dense":  func(i uint64) schema.Key { return schema.Key{Lo: i + 1} },
		"sparse": func(i uint64) schema.Key { return schema.Key{Lo: i * 1_000_003} },
		"hashed": func(i uint64) schema.Key { return schema.Key{Lo: i * 0x9E3779B97F4A7C15, Hi: i} },
	}
}

func BenchmarkPut(b *testing.B) {
	for _, kind := range []string{"dense", "sparse", "hashed"} {
		key := benchKinds()[kind]
		b.Run(kind, func(b *testing.B) {
			x := New(kind != "hashed", 0)
			for i := range b.N {
				x.Put(key(uint64(i)), uint64(i))
			}
			b.ReportMetric(float64(x.Bytes())/float64(x.Len()), "B/key")
		})
	}
}

func BenchmarkPutRun(b *testing.B) {
	x := New(true, 0)
	run := make([]int64, 8192)
	for i := 0; i < b.N; i += len(run) {
		for j := range run {
			run[j] = int64(i + j)
		}
		x.PutRun(run, uint64(i))
	}
}

func BenchmarkRandom(b *testing.B) {
	for _, kind := range []string{"dense", "sparse", "hashed"} {
		key := benchKinds()[kind]
		x := New(kind != "hashed", 0)
		for i := range uint64(benchKeys) {
			x.Put(key(i), i)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		b.Run(fmt.Sprintf("%s/replace", kind), func(b *testing.B) {
			for range b.N {
				x.Put(key(rng.Uint64N(benchKeys)), 1)
			}
		})
		b.Run(fmt.Sprintf("%s/get", kind), func(b *testing.B) {
			for range b.N {
				x.Get(key(rng.Uint64N(benchKeys)))
			}
		})
		b.Run(fmt.Sprintf("%s/delete+put", kind), func(b *testing.B) {
			for range b.N {
				k := key(rng.Uint64N(benchKeys))
				x.Delete(k)
				x.Put(k, 1)
			}
		})
	}
}
