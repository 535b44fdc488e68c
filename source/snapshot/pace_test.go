package snapshot

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAdapt(t *testing.T) {
	const most = 100_000
	for _, c := range []struct {
		rows int
		took time.Duration
		want int
	}{
		{20_000, 2 * time.Second, 20_000},
		{20_000, 4 * time.Second, 10_000},
		{20_000, 1600 * time.Millisecond, 25_000},
		{20_000, time.Millisecond, 40_000},
		{20_000, 0, 40_000},
		{80_000, time.Second, most},
		{20_000, time.Hour, 2_000},
		{2_000, time.Hour, leastRows},
	} {
		require.Equal(t, c.want, adapt(c.rows, c.took, 2*time.Second, most), "%d rows in %s", c.rows, c.took)
	}
	require.Equal(t, 37, adapt(37, time.Hour, time.Second, 37), "the most that was configured counts more than the least")
}

// TestPaceSettles reads tables whose rows take a constant time: the chunks come to
// take the target, as far as the bounds let them, and stay so.
func TestPaceSettles(t *testing.T) {
	const target, most = 2 * time.Second, 100_000
	for _, row := range []time.Duration{time.Microsecond, 30 * time.Microsecond, time.Millisecond, time.Second} {
		p := newPace(target, most, 0)
		for range 8 {
			p.note(p.next(), time.Duration(p.next())*row)
		}
		want := min(max(int(target/row), leastRows), most)
		require.InDelta(t, want, p.next(), 1, "%s a row", row)
	}
}

func TestPaceBegins(t *testing.T) {
	const most = 100_000
	require.Equal(t, most, newPace(0, most, 1<<20).next(), "no target")
	require.Equal(t, most, newPace(time.Second, most, 190).next())
	require.Equal(t, 32<<10, newPace(time.Second, most, 1<<10).next())
	require.Equal(t, leastRows, newPace(time.Second, most, 10<<20).next())
	require.Equal(t, firstRows, newPace(time.Second, most, 0).next(), "no estimate")
	p := newPace(0, most, 0)
	p.note(most, time.Hour)
	require.Equal(t, most, p.next(), "no target")
}
