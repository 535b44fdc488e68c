package schema

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDomainsAgainstModel compares positions of MariaDB with what they mean: of
// each domain, the number up to which there is everything.
func TestDomainsAgainstModel(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 11))
		a, ma := randomDomains(rng)
		b, mb := randomDomains(rng)
		contains, missing := true, int64(0)
		union := map[uint32]int64{}
		for domain := range uint32(3) {
			contains = contains && ma[domain] >= mb[domain]
			missing += max(0, ma[domain]-mb[domain])
			if n := max(ma[domain], mb[domain]); n > 0 {
				union[domain] = n
			}
			n := rng.Int64N(40)
			require.Equal(t, n > 0 && n <= ma[domain], a.Contains(MariaDBGTID(domain, rng.Uint32(), n)))
		}
		require.Equal(t, contains, a.ContainsSet(b))
		difference := a.Subtract(b)
		require.Equal(t, missing, difference.Count())
		u := a.Clone()
		u.AddSet(b)
		requireDomains(t, union, u)
		requireDomains(t, ma, a) // untouched
		for _, s := range []GTIDSet{a, b, u, difference} {
			back, err := ParseGTIDSet(s.String())
			require.NoError(t, err, s)
			require.True(t, back.Equal(s), "%s and %s", s, back)
		}
		restored := b.Clone()
		restored.AddSet(difference)
		require.True(t, restored.ContainsSet(a))
	}
}

func randomDomains(rng *rand.Rand) (GTIDSet, map[uint32]int64) {
	var s GTIDSet
	m := map[uint32]int64{}
	for range rng.IntN(6) {
		domain := rng.Uint32N(3)
		m[domain] += 1 + rng.Int64N(9) // numbers may be left out
		s.Add(MariaDBGTID(domain, 1+rng.Uint32N(2), m[domain]))
	}
	return s, m
}

func requireDomains(t *testing.T, want map[uint32]int64, got GTIDSet) {
	t.Helper()
	last := map[uint32]int64{}
	for _, g := range got.Last() {
		last[g.Domain()] = g.N
	}
	require.Equal(t, want, last)
}

func TestMariaDBText(t *testing.T) {
	for in, want := range map[string]string{
		"0-1-100":            "0-1-100",
		"7-2-5,0-1-100":      "0-1-100,7-2-5",
		" 0-1-100,\n7-2-5 ":  "0-1-100,7-2-5",
		"0-1-100,0-2-101":    "0-2-101",
		"0-1-101-150":        "0-1-101-150",
		"4294967295-10-1":    "4294967295-10-1",
		"0-1-7-7":            "0-1-7-7",
		"0-1-7-7,0-1-6":      "0-1-7",
		"0-4294967295-123-4": "",
	} {
		s, err := ParseGTIDSet(in)
		if want == "" {
			require.Error(t, err, in)
			continue
		}
		require.NoError(t, err, in)
		require.Equal(t, want, s.String())
	}
	for _, in := range []string{"0-1", "0-1-0", "0-1-2-3-4", "4294967296-1-1", "0-1-9223372036854775807", "0-1-x", "0-1-5:6"} {
		_, err := ParseGTIDSet(in)
		require.Error(t, err, in)
	}
}

// Two servers that went apart stand at the same number, and not at the same place.
func TestServerOfTheLastTransactionCounts(t *testing.T) {
	var one, other GTIDSet
	one.Add(MariaDBGTID(0, 1, 100))
	other.Add(MariaDBGTID(0, 2, 100))
	require.False(t, one.Equal(other))
	require.True(t, one.ContainsSet(other), "a domain has one order, whoever writes")
	one.Add(MariaDBGTID(0, 2, 99)) // late: it is not the last
	require.Equal(t, "0-1-100", one.String())

	b, err := json.Marshal(Position{GTIDs: one})
	require.NoError(t, err)
	var back Position
	require.NoError(t, json.Unmarshal(b, &back))
	require.True(t, back.GTIDs.Equal(one))
	require.True(t, back.Covers(&Origin{GTID: MariaDBGTID(0, 9, 100)}))
	require.False(t, back.Covers(&Origin{GTID: MariaDBGTID(0, 1, 101)}))
	require.False(t, back.Covers(&Origin{GTID: MariaDBGTID(1, 1, 1)}), "another domain")
}
