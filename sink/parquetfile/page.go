package parquetfile

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// levelsRoom is left at the front of the page of an optional column, for
	// definition levels that are one run: their length, the run's header, its value.
	levelsRoom = 4 + binary.MaxVarintLen32 + 1
	// headerRoom is left in front of a compressed page, so that its header, whose
	// length is known last, needs no copy of the page.
	headerRoom = 96
)

// page is one data page. It is filled by the writer, then encoded by a
// goroutine of its own, then taken back by the writer after done.
type page struct {
	raw   []byte // levelsRoom bytes, then the values that are not null, PLAIN
	rows  int
	nulls int
	// valid has a bit for each row, set where it is not null: definition levels as
	// they are stored. Empty as long as there was no null.
	valid []byte
	bits  int // layoutBool: number of values in raw
	// layoutLists: the number of elements of each row that is not null, how many rows
	// have none, and how many elements are not the first of their row.
	lengths []uint32
	empty   int
	more    int

	first      bool // makes the probe
	probe      *probe
	encoding   format.Encoding
	dictionary bool // the dictionary of the pages after it

	done   chan struct{}
	out    []byte // header and compressed page, from start on
	start  int
	size   int // bytes before compression, header included
	bounds bounds
	err    error
}

func (p *page) values() int { return p.rows - p.nulls }

// entries returns how many values the page has by Parquet's way of counting:
// nulls, empty lists, and each element of the others.
func (p *page) entries() int { return p.rows + p.more }

// addRows counts rows that have no null.
func (p *page) addRows(n int) {
	if p.nulls > 0 {
		p.valid = setBits(p.valid, p.rows, n)
	}
	p.rows += n
}

// addNulls counts one row for each of rows, of which those that isNull are
// null, and appends the others to live.
func (p *page) addNulls(rows []uint32, isNull func(int) bool, live []uint32) []uint32 {
	if p.nulls == 0 {
		p.valid = setBits(p.valid[:0], 0, p.rows)
	}
	for len(p.valid)*8 < p.rows+len(rows) {
		p.valid = append(p.valid, 0)
	}
	for _, r := range rows {
		if isNull(int(r)) {
			p.nulls++
		} else {
			p.valid[p.rows>>3] |= 1 << (p.rows & 7)
			live = append(live, r)
		}
		p.rows++
	}
	return live
}

// addAllNull counts n null rows.
func (p *page) addAllNull(n int) {
	if p.nulls == 0 {
		p.valid = setBits(p.valid[:0], 0, p.rows)
	}
	p.rows, p.nulls = p.rows+n, p.nulls+n
	for len(p.valid)*8 < p.rows {
		p.valid = append(p.valid, 0)
	}
}

// setBits sets the n bits from at on; b is extended with zero bytes as needed.
func setBits(b []byte, at, n int) []byte {
	for len(b)*8 < at+n {
		b = append(b, 0)
	}
	for ; n > 0 && at&7 != 0; at, n = at+1, n-1 {
		b[at>>3] |= 1 << (at & 7)
	}
	for ; n >= 8; at, n = at+8, n-8 {
		b[at>>3] = 0xff
	}
	for ; n > 0; at, n = at+1, n-1 {
		b[at>>3] |= 1 << (at & 7)
	}
	return b
}

// withLevels returns the page as it is compressed. Levels of one value are a
// single run; mixed ones are stored bit by bit, which the bits of valid already
// are: compression does the rest.
func (p *page) withLevels(optional bool) []byte {
	if !optional {
		return p.raw
	}
	var run [levelsRoom]byte
	if p.nulls == 0 || p.nulls == p.rows {
		n := 4 + binary.PutUvarint(run[4:], uint64(p.rows)<<1)
		if p.nulls == 0 {
			run[n] = 1
		}
		n++
		binary.LittleEndian.PutUint32(run[:], uint32(n-4))
		copy(p.raw[levelsRoom-n:], run[:n])
		return p.raw[levelsRoom-n:]
	}
	n := 4 + binary.PutUvarint(run[4:], uint64(len(p.valid))<<1|1)
	binary.LittleEndian.PutUint32(run[:], uint32(n-4+len(p.valid)))
	old := len(p.raw)
	head := n + len(p.valid)
	p.raw = growBuffer(p.raw, head)
	p.raw = p.raw[:old+head-levelsRoom]
	copy(p.raw[head:], p.raw[levelsRoom:old])
	copy(p.raw, run[:n])
	copy(p.raw[n:], p.valid)
	return p.raw
}

// encode finds the bounds of the page, compresses it, and puts its header
// before it. Bounds are found here and not while rows are gathered because
// the page is about to be read by the compressor anyway, off the writer's
// goroutine.
func (p *page) encode(c *chunk, codec Codec) {
	p.err = p.bounds.find(c, p)
	var body []byte
	if c.layout == layoutLists {
		body = p.withListLevels(!c.Required)
	} else {
		body = p.withLevels(!c.Required)
	}
	if len(body) > math.MaxInt32 {
		if p.first {
			close(p.probe.made)
		}
		p.err = fmt.Errorf("a page of %d bytes is larger than Parquet allows", len(body))
		return
	}
	p.out = growBuffer(p.out, headerRoom+len(body)+len(body)/16)[:headerRoom]
	var err error
	if p.out, err = codec.compress(p.out, body, p.probe, p.first); err != nil {
		p.err = err
		return
	}
	if err := p.addHeader(len(body)); err != nil {
		p.err = err
	}
	freeBuffer(p.raw)
	p.raw = nil
}

func (p *page) addHeader(rawSize int) error {
	h := format.PageHeader{
		UncompressedPageSize: int32(rawSize),
		CompressedPageSize:   int32(len(p.out) - headerRoom),
		CRC:                  int32(crc32.ChecksumIEEE(p.out[headerRoom:])),
	}
	if p.dictionary {
		h.Type = format.DictionaryPage
		h.DictionaryPageHeader = thrift.New(format.DictionaryPageHeader{NumValues: int32(p.rows), Encoding: format.Plain})
	} else {
		h.Type = format.DataPage
		h.DataPageHeader = thrift.New(format.DataPageHeader{
			NumValues: int32(p.entries()), Encoding: p.encoding,
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
			Statistics: format.Statistics{NullCount: int64(p.nulls + p.empty)},
		})
	}
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return fmt.Errorf("encoding a page header: %w", err)
	}
	if len(head) > headerRoom {
		return fmt.Errorf("a page header takes %d bytes, more than the %d left for it", len(head), headerRoom)
	}
	p.start = headerRoom - len(head)
	copy(p.out[p.start:], head)
	p.size = rawSize + len(head)
	return nil
}

// appendBool packs one more value into the page.
func (p *page) appendBool(v bool) {
	if p.bits&7 == 0 {
		p.raw = append(p.raw, 0)
	}
	if v {
		p.raw[len(p.raw)-1] |= 1 << (p.bits & 7)
	}
	p.bits++
}

// trueBits counts the true values of a page of booleans.
func trueBits(raw []byte) (n int) {
	for _, b := range raw {
		n += bits.OnesCount8(b)
	}
	return n
}
