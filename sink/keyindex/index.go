package keyindex

import (
	"maps"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
)

// firstLook is how many integer keys the table has when dense pages among
// them are first looked for.
const firstLook = 4 * pageKeys

// sampledLook is from how many on the look begins with a sample.
const sampledLook = 64 * pageKeys

// Index maps the keys of one table to where their rows are. It is not safe for
// concurrent use.
type Index struct {
	table *table
	exact bool
	dense pages
	look  int // size of the table at which dense pages are looked for again
	// older has, for a location whose key has more of them, the one before it; nil:
	// a key has one location.
	older *table
}

// New returns an empty index. exact: the keys are single integers
// (schema.Keyer.Exact). capacity is how many keys are expected; integers need
// no such room in advance.
func New(exact bool, capacity int) *Index {
	if exact {
		return &Index{exact: true, table: newTable(1, 0), look: firstLook}
	}
	return &Index{table: newTable(2, capacity)}
}

// NewMultiset returns an empty index in which a key may have any number of
// locations: Put adds one and never replaces, Get and Delete find the newest.
func NewMultiset(capacity int) *Index {
	return &Index{table: newTable(2, capacity), older: newTable(1, 0)}
}

// Location packs a file's number and a row's position in it.
func Location(file, row uint32) uint64 { return uint64(file)<<32 | uint64(row) }

// Split is the inverse of Location.
func Split(loc uint64) (file, row uint32) { return uint32(loc >> 32), uint32(loc) }

// Put sets the location of a key and returns the one that it had. The last
// location of all, row 2^32-1 of file 2^32-1, cannot be stored.
func (x *Index) Put(k schema.Key, loc uint64) (old uint64, had bool) {
	if x.older != nil {
		if old, had := x.table.put(k.Lo, k.Hi, loc); had {
			x.older.put(loc, 0, old)
		}
		return 0, false
	}
	if !x.exact {
		return x.table.put(k.Lo, k.Hi, loc)
	}
	key := int64(k.Lo)
	number := pageOf(key)
	if p := x.dense.at(number); p != nil {
		return x.dense.put(p, key, loc)
	}
	if x.besideFull(number) {
		if p := x.makePage(number); p != nil {
			return x.dense.put(p, key, loc)
		}
	}
	old, had = x.table.put(k.Lo, 0, loc)
	if x.table.n >= x.look {
		x.findDense()
	}
	return old, had
}

// PutRun sets the locations of integer keys to first, first+1, and so on. It is
// Put for each, but a run that is dense gets its pages at once.
func (x *Index) PutRun(keys []int64, first uint64) {
	for len(keys) > 0 {
		number, n := pageOf(keys[0]), 1
		for n < len(keys) && pageOf(keys[n]) == number {
			n++
		}
		p := x.dense.at(number)
		if p == nil && n >= pageWorth {
			p = x.makePage(number)
		}
		for i, key := range keys[:n] {
			if p != nil {
				x.dense.put(p, key, first+uint64(i))
			} else {
				x.Put(schema.Key{Lo: uint64(key)}, first+uint64(i))
			}
		}
		keys, first = keys[n:], first+uint64(n)
	}
}

// Get returns the location of a key.
func (x *Index) Get(k schema.Key) (loc uint64, ok bool) {
	if !x.exact {
		return x.table.get(k.Lo, k.Hi)
	}
	if p := x.dense.at(pageOf(int64(k.Lo))); p != nil {
		mark := p.marks[k.Lo%pageKeys]
		return mark - 1, mark != 0
	}
	return x.table.get(k.Lo, 0)
}

// Delete removes a key and returns the location that it had.
func (x *Index) Delete(k schema.Key) (old uint64, had bool) {
	if !x.exact {
		old, had = x.table.delete(k.Lo, k.Hi)
		if x.older != nil && had {
			if before, more := x.older.delete(old, 0); more {
				x.table.put(k.Lo, k.Hi, before)
			}
		}
		return old, had
	}
	number := pageOf(int64(k.Lo))
	p := x.dense.at(number)
	if p == nil {
		return x.table.delete(k.Lo, 0)
	}
	mark := p.marks[k.Lo%pageKeys]
	if mark == 0 {
		return 0, false
	}
	p.marks[k.Lo%pageKeys] = 0
	p.count--
	x.dense.n--
	if p.count == 0 || p.grown && p.count < pageWaste {
		x.dissolve(number, p)
	}
	return mark - 1, true
}

// Len returns the number of locations.
func (x *Index) Len() int {
	n := x.table.n + x.dense.n
	if x.older != nil {
		n += x.older.n
	}
	return n
}

// Bytes returns the memory that the index holds.
func (x *Index) Bytes() int {
	n := x.table.bytes() + x.dense.bytes()
	if x.older != nil {
		n += x.older.bytes()
	}
	return n
}

// Range calls fn for every key, in no order, until it returns false; of several
// locations of a key with the newest. fn must not change the index.
func (x *Index) Range(fn func(k schema.Key, loc uint64) bool) {
	for i, p := range x.dense.list {
		if p == nil {
			continue
		}
		base := (x.dense.first + int64(i)) << pageBits
		for j, mark := range p.marks {
			if mark != 0 && !fn(schema.Key{Lo: uint64(base + int64(j))}, mark-1) {
				return
			}
		}
	}
	x.table.each(func(lo, hi, loc uint64) bool { return fn(schema.Key{Hi: hi, Lo: lo}, loc) })
}

func (d *pages) put(p *page, key int64, loc uint64) (old uint64, had bool) {
	slot := &p.marks[key&(pageKeys-1)]
	mark := *slot
	*slot = loc + 1
	if mark != 0 {
		return mark - 1, true
	}
	p.count++
	d.n++
	if p.count >= pageWorth {
		p.grown = true
	}
	return 0, false
}

// besideFull tells whether the page before or after is at least half full: then
// a new key most likely goes on with a sequence.
func (x *Index) besideFull(number int64) bool {
	for _, n := range [...]int64{number - 1, number + 1} {
		if p := x.dense.at(n); p != nil && p.count >= pageKeys/2 {
			return true
		}
	}
	return false
}

// makePage makes the page and moves its keys there from the table. It returns
// nil where the page would lie too far away.
func (x *Index) makePage(number int64) *page {
	p := x.dense.add(number)
	if p == nil {
		return nil
	}
	base := number << pageBits
	for i := int64(0); i < pageKeys && x.table.n > 0; i++ {
		if loc, had := x.table.delete(uint64(base+i), 0); had {
			x.dense.put(p, base+i, loc)
		}
	}
	return p
}

// dissolve moves the keys of a page back to the table.
func (x *Index) dissolve(number int64, p *page) {
	base := number << pageBits
	for i, mark := range p.marks {
		if mark != 0 {
			x.table.put(uint64(base+int64(i)), 0, mark-1)
		}
	}
	x.dense.drop(number)
}

// findDense makes pages where the table has come to hold enough keys of one. In
// a large table it counts only every sixteenth page, and the rest if one of
// those is worth it: sparse keys should not pay for what they never get.
func (x *Index) findDense() {
	if x.table.n >= sampledLook && len(x.worthyPages(16)) == 0 {
		x.look = 4 * x.table.n
		return
	}
	for _, number := range x.worthyPages(1) {
		x.makePage(number)
	}
	x.look = max(firstLook, 4*x.table.n)
}

// worthyPages returns the numbers, in order, of missing pages that would be
// worth their memory, among the multiples of every.
func (x *Index) worthyPages(every int64) []int64 {
	counts := make(map[int64]int)
	x.table.each(func(lo, _, _ uint64) bool {
		if number := pageOf(int64(lo)); number%every == 0 {
			counts[number]++
		}
		return true
	})
	maps.DeleteFunc(counts, func(_ int64, n int) bool { return n < pageWorth })
	return slices.Sorted(maps.Keys(counts))
}
