package parquetfile

import (
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// totals are what the pages of a chunk, or the chunks of a column, add up to.
type totals struct {
	size    int64 // in the file
	rawSize int64 // before compression
	values  int64 // nulls included
	nulls   int64
	bounds  bounds
}

func (t *totals) add(l layout, o *totals) {
	t.size += o.size
	t.rawSize += o.rawSize
	t.values += o.values
	t.nulls += o.nulls
	t.bounds.merge(l, &o.bounds)
}

// chunk is a column of the row group that is being written. Its compressed
// pages stay in memory until the row group ends, because a column chunk has to
// be contiguous in the file.
type chunk struct {
	Column
	name       string // in the file
	layout     layout
	width      int
	exactBound int // longest string that stands in the footer as a bound
	dict       *dictionary

	page    page // being filled
	pageCap int  // what the last page came to need
	live    []uint32
	pages   []*page // being compressed, or waiting to be taken, in order
	seq     int     // pages of the row group so far
	probe   *probe
	packed  byteChain // compressed pages
	group   totals
	dictEnd int64 // size of the dictionary page at the start of packed

	file totals
}

func newChunk(c Column, name string) *chunk {
	l, width := layoutOf(c.Type)
	return &chunk{Column: c, name: name, layout: l, width: width, exactBound: exactBound}
}

// openPage makes sure that there is a page to add to.
func (c *chunk) openPage() {
	if c.page.raw != nil {
		return
	}
	c.page.raw = newBuffer(max(c.pageCap, levelsRoom))
	if !c.Required {
		c.page.raw = c.page.raw[:levelsRoom]
	}
}

// finishPage hands the page over to be encoded.
func (c *chunk) finishPage(w *Writer) error {
	if c.page.rows == 0 {
		return nil
	}
	p := new(page)
	*p, c.page = c.page, page{}
	c.pageCap = cap(p.raw)
	return c.encode(w, p)
}

// finish hands over all that the row group still has.
func (c *chunk) finish(w *Writer) error {
	if c.dict != nil {
		return c.dict.finish(c, w)
	}
	return c.finishPage(w)
}

// wrap names the column that an error is about.
func (c *chunk) wrap(err error) error {
	return fmt.Errorf("writing column %s (field id %d, %s): %w", c.Name, c.ID, c.Type, err)
}

// encode has a page encoded, by a goroutine of its own where there are workers.
// Waiting for room among them is what keeps a fast source from filling the
// memory with pages.
func (c *chunk) encode(w *Writer, p *page) error {
	if p.first = c.seq%probeEvery == 0; p.first {
		c.probe = &probe{made: make(chan struct{})}
	}
	p.probe = c.probe
	c.seq++
	c.pages = append(c.pages, p)
	if w.opts.Workers == nil {
		p.encode(c, w.opts.Codec)
		return c.take(w, false)
	}
	p.done = make(chan struct{})
	slots := w.opts.Workers.slots
	slots <- struct{}{}
	go func() {
		p.encode(c, w.opts.Codec)
		<-slots
		close(p.done)
	}()
	return c.take(w, false)
}

// take takes back the pages that are encoded; all of them if it is to wait.
func (c *chunk) take(w *Writer, wait bool) error {
	n := 0
	defer func() { c.pages = slices.Delete(c.pages, 0, n) }()
	for _, p := range c.pages {
		if p.done != nil && wait {
			<-p.done
		} else if p.done != nil {
			select {
			case <-p.done:
			default:
				return nil
			}
		}
		n++
		if p.err != nil {
			return p.err
		}
		t := totals{size: int64(len(p.out) - p.start), rawSize: int64(p.size), bounds: p.bounds}
		if p.dictionary {
			c.dictEnd = t.size
		} else {
			t.values, t.nulls = int64(p.entries()), int64(p.nulls+p.empty)
		}
		c.group.add(c.layout, &t)
		w.packed += t.size
		w.packedRaw += t.rawSize
		c.packed.append(p.out[p.start:])
		freeBuffer(p.out)
	}
	return nil
}

// write writes the chunk to the file and returns its place in the footer.
func (c *chunk) write(w *Writer) (format.ColumnChunk, error) {
	start := w.offset
	for _, piece := range c.packed.pieces {
		if err := w.write(piece); err != nil {
			return format.ColumnChunk{}, err
		}
	}
	c.packed.free()
	lower, upper := c.group.bounds.parquet(c.layout, c.exactBound)
	m := format.ColumnMetaData{
		Type: physicalTypes[c.layout], Encoding: []format.Encoding{format.Plain, format.RLE}, PathInSchema: c.path(),
		Codec: w.opts.Codec.format(), NumValues: c.group.values,
		TotalUncompressedSize: c.group.rawSize, TotalCompressedSize: c.group.size, DataPageOffset: start + c.dictEnd,
		Statistics: format.Statistics{NullCount: c.group.nulls, MinValue: lower, MaxValue: upper},
	}
	if c.dict != nil {
		m.DictionaryPageOffset = start
		m.Encoding = append(m.Encoding, format.RLEDictionary)
	}
	c.file.add(c.layout, &c.group)
	c.group, c.seq, c.dictEnd = totals{}, 0, 0
	return format.ColumnChunk{FileOffset: start, MetaData: m}, nil
}

// abandon waits for what is being encoded and frees everything.
func (c *chunk) abandon() {
	for _, p := range c.pages {
		if p.done != nil {
			<-p.done
		}
		freeBuffer(p.raw)
		freeBuffer(p.out)
	}
	c.pages = nil
	freeBuffer(c.page.raw)
	c.page = page{}
	c.packed.free()
}
