package snapshot

import (
	"sync/atomic"
	"time"
)

const (
	// leastRows is how small chunks become at most: the statements that find and read
	// a smaller one cost more than its rows.
	leastRows = 1_000
	// firstBytes is what a table's first chunks have by the server's estimate, which
	// most servers read well within a second.
	firstBytes = 32 << 20
	// firstRows is what they have where the server has no estimate.
	firstRows = 10_000
)

// pace decides how many rows the next chunk of a table has, so that its SELECT
// takes about the target. A chunk is what is read again after an interruption, and
// how long the server keeps one statement open.
type pace struct {
	target time.Duration // 0: each chunk has the most
	most   int
	rows   atomic.Int64
}

// newPace begins with a guess, for several chunks are cut before the first was
// read: those of a table of BLOBs would take minutes.
func newPace(target time.Duration, most int, rowBytes int64) *pace {
	p := &pace{target: target, most: most}
	first := int64(most)
	if target > 0 {
		first = firstRows
		if rowBytes > 0 {
			first = firstBytes / rowBytes
		}
	}
	p.rows.Store(int64(within(float64(first), most)))
	return p
}

// next returns how many rows the next chunk is to have.
func (p *pace) next() int { return int(p.rows.Load()) }

// note takes how long a chunk took that was to have so many rows.
func (p *pace) note(rows int, took time.Duration) {
	if p.target > 0 && rows > 0 {
		p.rows.Store(int64(adapt(rows, took, p.target, p.most)))
	}
}

// adapt returns the size for the time, given that of a chunk which took so long.
// It is about the size that was planned and not about the rows that came: holes in
// the key and rows that a filter leaves out are as they are there. One quick chunk
// proves little, so sizes grow at most twofold; a slow one has cost its time
// already, and they shrink tenfold.
func adapt(rows int, took, target time.Duration, most int) int {
	size := float64(rows)
	wanted := size * float64(target) / float64(max(took, time.Microsecond))
	return within(min(max(wanted, size/10), size*2), most)
}

func within(rows float64, most int) int {
	return int(min(max(rows, leastRows), float64(most)))
}
