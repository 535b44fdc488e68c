package keyindex

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/beluga-cdc/beluga/schema"
)

// reportCPU adds the CPU time of an operation, collector included: wall time
// says little on a machine with other work.
func reportCPU(b *testing.B) func() {
	start := cpuTime(b)
	return func() { b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op") }
}

func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

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
			defer reportCPU(b)()
			x := New(kind != "hashed", 0)
			for i := range b.N {
				x.Put(key(uint64(i)), uint64(i))
			}
			b.ReportMetric(float64(x.Bytes())/float64(x.Len()), "B/key")
		})
	}
}

func BenchmarkPutRun(b *testing.B) {
	defer reportCPU(b)()
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
			defer reportCPU(b)()
			for range b.N {
				x.Put(key(rng.Uint64N(benchKeys)), 1)
			}
		})
		b.Run(fmt.Sprintf("%s/get", kind), func(b *testing.B) {
			defer reportCPU(b)()
			for range b.N {
				x.Get(key(rng.Uint64N(benchKeys)))
			}
		})
		b.Run(fmt.Sprintf("%s/delete+put", kind), func(b *testing.B) {
			defer reportCPU(b)()
			for range b.N {
				k := key(rng.Uint64N(benchKeys))
				x.Delete(k)
				x.Put(k, 1)
			}
		})
	}
}
