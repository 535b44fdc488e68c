package keyindex

const (
	pageBits = 12
	pageKeys = 1 << pageBits

	// A page pays, against the table, from a quarter full; it is given up far
	// below that, so that keys do not go back and forth.
	pageWorth = pageKeys / 4
	pageWaste = pageKeys / 16

	// How sparse the array of pages may be.
	windowPerPage = 8
	windowSpare   = 1024
)

// pages is the dense part of an index of integers: an array of pages of
// consecutive keys, those that are not worth it missing.
type pages struct {
	list  []*page
	first int64 // number of the page list[0]: its first key >> pageBits
	used  int   // pages that exist
	n     int   // keys
}

type page struct {
	marks [pageKeys]uint64 // location plus one; 0: no such key
	count int
	grown bool // has been worth its memory: only then can it become waste
}

func pageOf(key int64) int64 { return key >> pageBits }

// at returns the page with the number, or nil.
func (p *pages) at(number int64) *page {
	if i := uint64(number - p.first); i < uint64(len(p.list)) {
		return p.list[i]
	}
	return nil
}

// add makes a page, unless it would lie too far from the others.
func (p *pages) add(number int64) *page {
	if len(p.list) == 0 {
		p.first = number
	}
	from, to := min(p.first, number), max(p.first+int64(len(p.list)), number+1)
	if span := uint64(to - from); span > uint64(windowPerPage*(p.used+1)+windowSpare) {
		return nil
	}
	if from < p.first { // with room for the next ones downwards
		spare := min(int64(p.used/2), from-(-1<<(63-pageBits)))
		list := make([]*page, to-from+spare)
		copy(list[p.first-from+spare:], p.list)
		p.list, p.first = list, from-spare
	}
	for int64(len(p.list)) < to-p.first {
		p.list = append(p.list, nil)
	}
	made := new(page)
	p.list[number-p.first] = made
	p.used++
	return made
}

// drop gives a page up, and the places at both ends of the array that have none
// any more: a table whose keys move on, as a queue's do, would else come to lie too
// far from where it began.
func (p *pages) drop(number int64) {
	p.n -= p.list[number-p.first].count
	p.list[number-p.first] = nil
	p.used--
	if p.used == 0 {
		p.list = nil
		return
	}
	for p.list[0] == nil {
		p.list, p.first = p.list[1:], p.first+1
	}
	for p.list[len(p.list)-1] == nil {
		p.list = p.list[:len(p.list)-1]
	}
}

func (p *pages) bytes() int { return p.used*pageKeys*8 + cap(p.list)*8 }
