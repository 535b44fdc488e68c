package parquetfile

import "sync"

// bufferSizes are the capacities that buffers are reused at. A column begins
// with the smallest and takes larger ones as its pages fill: a batch of ten
// rows of a table with a hundred columns must not cost a hundred full pages.
var bufferSizes = [...]int{8 << 10, 128 << 10, 1<<20 + 128<<10}

var bufferPools [len(bufferSizes)]sync.Pool

// newBuffer returns an empty buffer with at least the capacity asked for.
func newBuffer(capacity int) []byte {
	for i, n := range bufferSizes {
		if capacity <= n {
			if b, ok := bufferPools[i].Get().(*[]byte); ok {
				return (*b)[:0]
			}
			return make([]byte, 0, n)
		}
	}
	return make([]byte, 0, capacity)
}

// freeBuffer takes back what newBuffer gave. Others, such as the page of one
// huge value, are left to the garbage collector.
func freeBuffer(b []byte) {
	for i, n := range bufferSizes {
		if cap(b) == n {
			bufferPools[i].Put(&b)
			return
		}
	}
}

// growBuffer makes room for n more bytes: in the next larger size, so that a
// page is copied at most twice while it fills.
func growBuffer(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	grown := append(newBuffer(max(len(b)+n, cap(b)+1)), b...)
	freeBuffer(b)
	return grown
}

// byteChain is bytes that are appended at one end and written out at once, in
// pieces, so that growing never copies and no piece is much larger than what it
// holds.
type byteChain struct {
	pieces [][]byte
	size   int64
}

func (c *byteChain) append(b []byte) {
	c.size += int64(len(b))
	for len(b) > 0 {
		last := len(c.pieces) - 1
		if last < 0 || len(c.pieces[last]) == cap(c.pieces[last]) {
			c.pieces = append(c.pieces, newBuffer(min(len(b), bufferSizes[1])))
			last++
		}
		p := c.pieces[last]
		n := min(len(b), cap(p)-len(p))
		c.pieces[last] = append(p, b[:n]...)
		b = b[n:]
	}
}

func (c *byteChain) free() {
	for _, p := range c.pieces {
		freeBuffer(p)
	}
	clear(c.pieces)
	c.pieces, c.size = c.pieces[:0], 0
}
