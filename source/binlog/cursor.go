package binlog

import (
	"encoding/binary"
	"errors"
)

var errEvent = errors.New("the event ends too early or contradicts itself; it is damaged, or of a server version that is not known")

// cursor reads an event's body. A read beyond the end gives zeros and marks the
// cursor bad, so that a parser checks once at its end.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.bad, c.b = true, nil
		return nil
	}
	s := c.b[:n:n]
	c.b = c.b[n:]
	return s
}

func (c *cursor) number(width int) uint64 {
	var v uint64
	for i, x := range c.take(width) {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// packed reads MySQL's length-encoded integer.
func (c *cursor) packed() int {
	switch n := c.number(1); n {
	case 252:
		return int(c.number(2))
	case 253:
		return int(c.number(3))
	case 254:
		return int(c.number(8) & (1<<62 - 1))
	default:
		return int(n)
	}
}

func (c *cursor) packedBytes() []byte { return c.take(c.packed()) }

func (c *cursor) err() error {
	if c.bad {
		return errEvent
	}
	return nil
}

// header is the common header of every event.
type header struct {
	time     uint32 // seconds
	typ      byte
	serverID uint32
	size     uint32
	end      uint32 // of the event in its file, modulo 2^32; 0: not known
	flags    uint16
}

// endIn returns where the event ends in its file, given a place of the file not
// far before it: the header has 32 bits of that, which wrap in files that one
// large transaction took beyond 4 GiB. Events that are in no file have no end.
func (h *header) endIn(before uint64) (uint64, bool) {
	if h.flags&flagArtificial != 0 || h.end == 0 || h.typ == evHeartbeat || h.typ == evHeartbeat2 {
		return 0, false
	}
	at := before&^0xffff_ffff | uint64(h.end)
	if at < before {
		at += 1 << 32
	}
	return at, true
}

const headerSize = 19

func parseHeader(b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, errEvent
	}
	le := binary.LittleEndian
	return header{le.Uint32(b), b[4], le.Uint32(b[5:]), le.Uint32(b[9:]), le.Uint32(b[13:]), le.Uint16(b[17:])}, nil
}
