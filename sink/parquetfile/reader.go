package parquetfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/beluga-cdc/beluga/schema"
)

const (
	batchRows  = 8192
	batchBytes = 64 << 20 // of one column, where values repeat from a dictionary
	readBuffer = 256 << 10
)

var errPagesEnd = errors.New("the pages end before the row group does")

// Reader reads one file, ours or another writer's. It may be used by several
// goroutines at a time.
type Reader struct {
	file *parquet.File
}

// Open reads the footer of a file. It reads nothing else until Scan.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	// The indexes of pages serve look-ups; a scan would read them for nothing.
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(readBuffer))
	if err != nil {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	return &Reader{file: f}, nil
}

// Rows returns the number of rows of the file.
func (r *Reader) Rows() int64 { return r.file.NumRows() }

// Scan reads the wanted columns, found by field id, from the first row to the
// last, and hands them to fn in batches: vecs[i] is column want[i] of the rows
// from first to first+n-1. fn must not keep the vectors. A column that the file
// lacks shows its initial default; one of a narrower type is widened.
func (r *Reader) Scan(ctx context.Context, want []Column, fn func(vecs []schema.Vec, first int64, n int) error) error {
	cols, err := r.columns(want)
	if err != nil {
		return err
	}
	vecs := make([]schema.Vec, len(want))
	row := int64(0)
	for _, g := range r.file.RowGroups() {
		s := groupScan{cols: cols, vecs: vecs, rows: g.NumRows()}
		err := s.run(ctx, g.ColumnChunks(), row, fn)
		if err = errors.Join(err, s.close()); err != nil {
			return err
		}
		row += g.NumRows()
	}
	return nil
}

// columns finds the wanted columns in the file. A file that does not say its
// field ids is refused: each of its columns would look like one that it lacks,
// and so like nulls.
func (r *Reader) columns(want []Column) ([]columnReader, error) {
	byID, ids := make(map[int]*parquet.Column), false
	for _, c := range r.file.Root().Columns() {
		byID[c.ID()] = c
		ids = ids || c.ID() != 0
	}
	if !ids && len(byID) > 0 {
		return nil, errors.New("the file has no Iceberg field ids, so its columns cannot be told")
	}
	cols := make([]columnReader, len(want))
	for i, c := range want {
		cols[i].want = c
		leaf, ok := byID[c.ID]
		switch {
		case !ok && c.Required && c.Initial == nil:
			return nil, fmt.Errorf("the file lacks the required column %s (field id %d)", c.Name, c.ID)
		case !ok:
			continue
		}
		var conv conversion
		var err error
		if c.Type.Kind == schema.LakeFloatList {
			leaf, cols[i].lists, err = listOf(leaf, c)
		} else {
			conv, err = conversionOf(leaf, c)
		}
		if err != nil {
			return nil, fmt.Errorf("reading column %s (field id %d): %w", c.Name, c.ID, err)
		}
		cols[i].leaf, cols[i].conv = leaf, conv
	}
	return cols, nil
}

// groupScan reads one row group.
type groupScan struct {
	cols []columnReader
	vecs []schema.Vec
	rows int64
}

func (s *groupScan) run(ctx context.Context, chunks []parquet.ColumnChunk, first int64, fn func([]schema.Vec, int64, int) error) error {
	for i := range s.cols {
		if c := &s.cols[i]; c.leaf != nil {
			c.pages = chunks[c.leaf.Index()].Pages()
			if c.lists != nil {
				c.lists.reset()
			}
		}
	}
	for done := int64(0); done < s.rows; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := int(min(batchRows, s.rows-done))
		for i := range s.cols {
			c := &s.cols[i]
			left, err := c.available()
			if err != nil {
				return fmt.Errorf("reading column %s (field id %d): %w", c.want.Name, c.want.ID, err)
			}
			n = min(n, left)
		}
		for i := range s.cols {
			s.vecs[i].Reset(s.cols[i].want.Type.Vec())
			if err := s.cols[i].read(&s.vecs[i], n); err != nil {
				return fmt.Errorf("reading column %s (field id %d): %w", s.cols[i].want.Name, s.cols[i].want.ID, err)
			}
		}
		if err := fn(s.vecs, first+done, n); err != nil {
			return err
		}
		done += int64(n)
	}
	return nil
}

func (s *groupScan) close() (err error) {
	for i := range s.cols {
		err = errors.Join(err, s.cols[i].close())
	}
	return err
}

// columnReader reads one column, page by page.
type columnReader struct {
	want  Column
	leaf  *parquet.Column // nil: the file lacks the column
	conv  conversion
	lists *listReader // nil: the column has no lists

	pages  parquet.Pages
	page   parquet.Page
	levels []byte // of the page; nil: no nulls
	values []byte // of the page, or the dictionary's numbers
	ends   []uint32
	rows   int // in the page
	row    int // the next one
	value  int // the next of the values that are not null

	dictOf parquet.Dictionary
	dict   schema.Vec // the chunk's dictionary, in the wanted type
	dictTo int        // length of its longest value
}

// available makes sure that there is a page with rows left, and returns how
// many of them may be read at once.
func (c *columnReader) available() (int, error) {
	if c.leaf == nil {
		if c.want.Initial != nil {
			return min(batchRows, max(1, batchBytes/max(1, len(c.want.Initial.Data)))), nil
		}
		return batchRows, nil
	}
	if c.lists != nil {
		return c.availableLists()
	}
	for c.page == nil || c.row == c.rows {
		c.release()
		p, err := c.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return 0, errPagesEnd
		} else if err != nil {
			return 0, err
		}
		if err := c.open(p); err != nil {
			return 0, err
		}
	}
	if c.page.Dictionary() != nil && c.dictTo > 0 {
		return min(c.rows-c.row, max(1, batchBytes/c.dictTo)), nil
	}
	return c.rows - c.row, nil
}

func (c *columnReader) open(p parquet.Page) error {
	c.page, c.row, c.value = p, 0, 0
	c.rows, c.levels = int(p.NumRows()), p.DefinitionLevels()
	data := p.Data()
	c.values, c.ends = data.Data()
	d := p.Dictionary()
	notNull := c.rows
	if c.levels != nil {
		notNull = bytes.Count(c.levels, []byte{1})
	}
	if d == nil && c.conv.from == parquet.ByteArray && len(c.ends) != notNull+1 {
		return fmt.Errorf("a page of %d values says that it has %d", len(c.ends)-1, notNull)
	}
	if d == nil || d == c.dictOf {
		return nil
	}
	c.dictOf = d
	c.dict.Reset(c.want.Type.Vec())
	all := d.Page().Data()
	values, ends := all.Data()
	if err := c.conv.append(&c.dict, values, ends, 0, d.Len()); err != nil {
		return err
	}
	c.dictTo = 0
	for i := 1; i < len(c.dict.Off); i++ {
		c.dictTo = max(c.dictTo, int(c.dict.Off[i]-c.dict.Off[i-1]))
	}
	return nil
}

// read appends the next n rows, which the page has.
func (c *columnReader) read(v *schema.Vec, n int) error {
	if c.leaf == nil {
		for range n {
			if c.want.Initial != nil {
				v.AppendFrom(c.want.Initial, 0)
			} else {
				v.AppendNull()
			}
		}
		return nil
	}
	if c.lists != nil {
		c.lists.read(v, n)
		return nil
	}
	if c.levels == nil {
		c.row += n
		return c.readValues(v, n)
	}
	levels := c.levels[c.row : c.row+n]
	c.row += n
	for i := 0; i < n; {
		j := i
		for j < n && levels[j] != 0 {
			j++
		}
		if err := c.readValues(v, j-i); err != nil {
			return err
		}
		for i = j; i < n && levels[i] == 0; i++ {
			v.AppendNull()
		}
	}
	return nil
}

// readValues appends the next n values that are not null.
func (c *columnReader) readValues(v *schema.Vec, n int) error {
	from := c.value
	c.value += n
	if c.page.Dictionary() == nil {
		return c.conv.append(v, c.values, c.ends, from, n)
	}
	for i := from; i < from+n; i++ {
		number := int(le32At(c.values, i))
		if number >= c.dict.N {
			return fmt.Errorf("value %d of a dictionary of %d", number, c.dict.N)
		}
		v.AppendFrom(&c.dict, number)
	}
	return nil
}

func (c *columnReader) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

func (c *columnReader) close() error {
	c.release()
	c.dictOf = nil
	if c.pages == nil {
		return nil
	}
	err := c.pages.Close()
	c.pages = nil
	return err
}
