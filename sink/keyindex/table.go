package keyindex

import (
	"math/bits"
	"math/rand/v2"
)

const (
	minSlots   = 64   // of a segment
	splitSlots = 4096 // a full segment of this size becomes two
	halfSlots  = 2560 // of each of the two
	stepSlots  = 512  // a large segment grows by this
)

// table is an extendible hash table: the top bits of a key's hash choose a
// segment through the directory, other bits a slot in it, with linear probing.
// One large array would be simpler, but doubling it at a hundred million keys
// stops everything for a second and needs the old one beside the new; here one
// segment at a time grows.
//
// A slot is the key's one or two words, then the location plus one, so that
// fresh memory is empty slots.
type table struct {
	words     int // of a key: 1 or 2
	dir       []*segment
	depth     uint // the directory has 1<<depth entries
	n         int
	slotBytes int // of all segments
	seed      uint64
}

type segment struct {
	slots []uint64
	count int // slots in use
	size  int // slots
	depth uint
}

func newTable(words, capacity int) *table {
	t := &table{words: words, seed: rand.Uint64()}
	size := minSlots
	if capacity > 0 {
		t.depth = uint(bits.Len(uint(capacity / (splitSlots * 7 / 10))))
		size = min(max(capacity>>t.depth*4/3, minSlots), splitSlots)
	}
	t.dir = make([]*segment, 1<<t.depth)
	for i := range t.dir {
		t.dir[i] = t.newSegment(size, t.depth)
	}
	return t
}

func (t *table) newSegment(size int, depth uint) *segment {
	words := size * (t.words + 1)
	t.slotBytes += words * 8
	return &segment{slots: make([]uint64, words), size: size, depth: depth}
}

// hash mixes a key. The seed keeps anybody from choosing keys that collide.
func (t *table) hash(lo, hi uint64) uint64 {
	const a, b = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
	h, l := bits.Mul64(lo^t.seed, a)
	if t.words == 2 {
		h2, l2 := bits.Mul64(hi^h^t.seed, b)
		return h2 ^ l2 ^ l
	}
	return (h ^ l) * b
}

func (t *table) segment(hash uint64) *segment { return t.dir[hash>>(64-t.depth)] } // a shift by 64 gives 0

func (s *segment) home(hash uint64, stride int) int {
	return int(uint64(uint32(hash))*uint64(s.size)>>32) * stride
}

// find returns the offset of the key's slot, or of the empty slot where it
// belongs.
func (t *table) find(s *segment, hash, lo, hi uint64) (at int, ok bool) {
	if t.words == 1 {
		for at = s.home(hash, 2); s.slots[at+1] != 0; {
			if s.slots[at] == lo {
				return at, true
			}
			if at += 2; at == len(s.slots) {
				at = 0
			}
		}
		return at, false
	}
	for at = s.home(hash, 3); s.slots[at+2] != 0; {
		if s.slots[at] == lo && s.slots[at+1] == hi {
			return at, true
		}
		if at += 3; at == len(s.slots) {
			at = 0
		}
	}
	return at, false
}

func (t *table) get(lo, hi uint64) (loc uint64, ok bool) {
	h := t.hash(lo, hi)
	s := t.segment(h)
	at, ok := t.find(s, h, lo, hi)
	if !ok {
		return 0, false
	}
	return s.slots[at+t.words] - 1, true
}

func (t *table) put(lo, hi, loc uint64) (old uint64, had bool) {
	h := t.hash(lo, hi)
	for {
		s := t.segment(h)
		at, ok := t.find(s, h, lo, hi)
		if ok {
			old, s.slots[at+t.words] = s.slots[at+t.words]-1, loc+1
			return old, true
		}
		// Linear probing stays short up to four fifths.
		if (s.count+1)*5 <= s.size*4 {
			t.fill(s, at, lo, hi, loc+1)
			t.n++
			return 0, false
		}
		t.grow(s, h)
	}
}

func (t *table) fill(s *segment, at int, lo, hi, mark uint64) {
	s.slots[at] = lo
	if t.words == 2 {
		s.slots[at+1] = hi
	}
	s.slots[at+t.words] = mark
	s.count++
}

// delete closes the gap by moving later keys of the same run back. Marks of
// deleted slots would have to be cleaned up under churn; this leaves nothing.
func (t *table) delete(lo, hi uint64) (old uint64, had bool) {
	h := t.hash(lo, hi)
	s := t.segment(h)
	gap, ok := t.find(s, h, lo, hi)
	if !ok {
		return 0, false
	}
	stride := t.words + 1
	old = s.slots[gap+t.words] - 1
	for at := gap; ; {
		if at += stride; at == len(s.slots) {
			at = 0
		}
		slot := s.slots[at : at+stride]
		if slot[t.words] == 0 {
			break
		}
		// A key may move back to the gap, but not past its home.
		home := s.home(t.hash(slot[0], slot[t.words-1]), stride)
		if distance(home, at, len(s.slots)) < distance(gap, at, len(s.slots)) {
			continue
		}
		copy(s.slots[gap:gap+stride], slot)
		gap = at
	}
	clear(s.slots[gap : gap+stride])
	s.count--
	t.n--
	if s.size > minSlots && s.count*8 < s.size {
		t.resize(s, max(minSlots, s.size/4))
	}
	return old, true
}

// distance is how far it is from one offset to another, upwards and round.
func distance(from, to, length int) int {
	if to < from {
		return to - from + length
	}
	return to - from
}

// grow gives a full segment more slots, or splits it.
func (t *table) grow(s *segment, hash uint64) {
	switch {
	case s.size < 2*stepSlots:
		t.resize(s, s.size*2)
	case s.size < splitSlots:
		t.resize(s, s.size+stepSlots)
	case s.depth == t.depth && t.depth > uint(bits.Len(uint(t.n/halfSlots)))+4:
		// The keys of this segment do not part: doubling the directory for it
		// would have no end.
		t.resize(s, s.size*2)
	default:
		t.split(s, hash)
	}
}

func (t *table) resize(s *segment, size int) {
	moved := t.newSegment(size, s.depth)
	t.move(s, func(uint64) *segment { return moved })
	*s = *moved
}

// split divides a segment by the next bit of the hash.
func (t *table) split(s *segment, hash uint64) {
	if s.depth == t.depth {
		dir := make([]*segment, 2*len(t.dir))
		for i, d := range t.dir {
			dir[2*i], dir[2*i+1] = d, d
		}
		t.dir = dir
		t.depth++
	}
	size := max(halfSlots, s.size*5/8)
	halves := [2]*segment{t.newSegment(size, s.depth+1), t.newSegment(size, s.depth+1)}
	t.move(s, func(h uint64) *segment {
		half := h >> (63 - s.depth) & 1
		if m := halves[half]; (m.count+1)*5 > m.size*4 {
			t.resize(m, m.size*2)
		}
		return halves[half]
	})
	span := 1 << (t.depth - s.depth) // directory entries that led to the segment
	first := int(hash>>(64-t.depth)) &^ (span - 1)
	for i := range span {
		t.dir[first+i] = halves[i/(span/2)]
	}
}

// move puts every key of a segment that is given up into the one that to
// names.
func (t *table) move(s *segment, to func(hash uint64) *segment) {
	stride := t.words + 1
	for slots := s.slots; len(slots) > 0; slots = slots[stride:] {
		if slots[t.words] == 0 {
			continue
		}
		lo, hi := slots[0], slots[t.words-1]
		h := t.hash(lo, hi)
		m := to(h)
		at, _ := t.find(m, h, lo, hi)
		t.fill(m, at, lo, hi, slots[t.words])
	}
	t.slotBytes -= 8 * len(s.slots)
}

func (t *table) bytes() int { return t.slotBytes + len(t.dir)*8 }

// each calls fn for every key until it returns false.
func (t *table) each(fn func(lo, hi, loc uint64) bool) bool {
	var last *segment
	for _, s := range t.dir {
		if s == last { // entries of one segment are neighbours
			continue
		}
		last = s
		for slots := s.slots; len(slots) > 0; slots = slots[t.words+1:] {
			if slots[t.words] == 0 {
				continue
			}
			hi := uint64(0)
			if t.words == 2 {
				hi = slots[1]
			}
			if !fn(slots[0], hi, slots[t.words]-1) {
				return false
			}
		}
	}
	return true
}
