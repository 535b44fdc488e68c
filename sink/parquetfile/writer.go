package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

const (
	magic     = "PAR1"
	createdBy = "Beluga version 0.1.0"

	maxGroupRows = 1 << 24 // of a row group: columns of nulls and booleans take no room to speak of
	maxStepRows  = 1 << 14 // rows that one column takes before the next has its turn
	maxStepSize  = 8 << 20 // bytes, about, that all columns together take in a turn

	sizeGuess = 1 << 20 // this many bytes are taken to shrink to half before anything is known
)

var (
	errNullInRequired = errors.New("null in a required column")
	errClosed         = errors.New("writing to a file that is closed")
)

// Writer writes one file. It is not safe for concurrent use. After an error
// the file is lost; the writer repeats the error.
type Writer struct {
	out    io.Writer
	opts   Options
	chunks []*chunk
	offset int64
	rows   int64
	groups []format.RowGroup
	splits []int64

	groupRows int64
	groupRaw  int64 // bytes of values in the row group, before compression
	packed    int64 // bytes of the row group's pages that are compressed …
	packedRaw int64 // … and of the same pages before

	sequence []uint32 // 0, 1, 2, …
	refRows  []uint32
	closed   bool
	err      error
}

// NewWriter returns a writer of a file with the given columns. It never closes
// or syncs out.
func NewWriter(out io.Writer, cols []Column, opts Options) *Writer {
	w := &Writer{out: out, opts: opts.withDefaults()}
	names := fieldNames(cols)
	for i, c := range cols {
		w.chunks = append(w.chunks, newChunk(c, names[i]))
	}
	return w
}

// Append writes rows of one block: rows[0], rows[1], …, or, where rows is nil,
// the first n rows. vecs[i] belongs to column i; a nil one is null throughout.
// The vectors are not needed after the call.
func (w *Writer) Append(vecs []*schema.Vec, rows []uint32, n int) error {
	if rows == nil {
		for i := len(w.sequence); i < n; i++ {
			w.sequence = append(w.sequence, uint32(i))
		}
		rows = w.sequence[:n]
	}
	return w.append(vecs, rows)
}

// AppendRefs writes rows that are spread over blocks, in the order of refs:
// blocks[b][i] is the vector of column i in block b, nil where it is null
// throughout.
func (w *Writer) AppendRefs(blocks [][]*schema.Vec, refs []pipeline.RowRef) error {
	// A batch's rows are mostly in the order in which they came, so that runs of
	// one block are long; runs keep the loops over values free of a second look-up.
	for i := 0; i < len(refs); {
		block := refs[i].Block
		w.refRows = w.refRows[:0]
		for ; i < len(refs) && refs[i].Block == block; i++ {
			w.refRows = append(w.refRows, refs[i].Row)
		}
		if err := w.append(blocks[block], w.refRows); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) append(vecs []*schema.Vec, rows []uint32) error {
	switch {
	case w.err != nil:
		return w.err
	case w.closed:
		return errClosed
	case len(vecs) != len(w.chunks):
		return w.fail(fmt.Errorf("appending %d columns to a file of %d", len(vecs), len(w.chunks)))
	}
	for len(rows) > 0 {
		run := rows[:min(len(rows), stepRows(vecs, len(rows)))]
		for i, c := range w.chunks {
			if err := c.gather(w, vecs[i], run); err != nil {
				return w.fail(c.wrap(err))
			}
		}
		if err := w.added(len(run)); err != nil {
			return err
		}
		rows = rows[len(run):]
	}
	return nil
}

// stepRows returns how many of n rows all columns take before the end of the row
// group is looked at: without it, one large batch of large values would be one
// row group.
func stepRows(vecs []*schema.Vec, n int) int {
	if n <= 64 {
		return n
	}
	size := 1
	for _, v := range vecs {
		if v != nil && v.N > 0 {
			size += v.Size() / v.N
		}
	}
	return max(1, min(maxStepRows, maxStepSize/size))
}

// added counts rows that every column has taken.
func (w *Writer) added(n int) error {
	w.rows += int64(n)
	w.groupRows += int64(n)
	if w.groupRaw >= w.opts.RowGroupSize || w.groupRows >= maxGroupRows {
		return w.flushGroup()
	}
	return nil
}

// Rows returns the number of rows appended: the position of the next one.
func (w *Writer) Rows() int64 { return w.rows }

// Size returns about how large the file would be if it was closed now. Pages
// that are not compressed yet are taken to shrink as the others did.
func (w *Writer) Size() int64 {
	rest := w.groupRaw - w.packedRaw
	if w.opts.Codec != Uncompressed {
		written, raw := w.offset+w.packed, w.packedRaw
		for _, g := range w.groups {
			raw += g.TotalByteSize
		}
		rest = int64(float64(rest) * float64(written+sizeGuess/2) / float64(raw+sizeGuess))
	}
	return w.offset + w.packed + max(rest, 0)
}

// flushGroup ends the row group.
func (w *Writer) flushGroup() error {
	if w.groupRows == 0 {
		return nil
	}
	for _, c := range w.chunks {
		if err := c.finish(w); err != nil {
			return w.fail(c.wrap(err))
		}
	}
	if err := w.begin(); err != nil {
		return w.fail(err)
	}
	if len(w.groups) > math.MaxInt16 {
		return w.fail(fmt.Errorf("more than %d row groups in one file", math.MaxInt16))
	}
	g := format.RowGroup{NumRows: w.groupRows, FileOffset: w.offset, Ordinal: int16(len(w.groups))}
	for _, c := range w.chunks {
		if err := c.take(w, true); err != nil {
			return w.fail(c.wrap(err))
		}
		m, err := c.write(w)
		if err != nil {
			return w.fail(err)
		}
		g.Columns = append(g.Columns, m)
		g.TotalByteSize += m.MetaData.TotalUncompressedSize
		g.TotalCompressedSize += m.MetaData.TotalCompressedSize
	}
	w.groups = append(w.groups, g)
	w.splits = append(w.splits, g.FileOffset)
	w.groupRows, w.groupRaw, w.packed, w.packedRaw = 0, 0, 0, 0
	return nil
}

// begin writes the magic number, once.
func (w *Writer) begin() error {
	if w.offset > 0 {
		return nil
	}
	return w.write([]byte(magic))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.offset += int64(n)
	if err != nil {
		return fmt.Errorf("writing the file: %w", err)
	}
	return nil
}

func (w *Writer) fail(err error) error {
	w.err = err
	return err
}

// Close writes what is buffered, and the footer.
func (w *Writer) Close() (Stats, error) {
	if w.closed && w.err == nil {
		return Stats{}, errClosed
	}
	defer w.Abort()
	if w.err != nil {
		return Stats{}, w.err
	}
	if err := w.flushGroup(); err != nil {
		return Stats{}, err
	}
	if err := w.begin(); err != nil {
		return Stats{}, w.fail(err)
	}
	if err := w.writeFooter(); err != nil {
		return Stats{}, w.fail(err)
	}
	return w.stats(), nil
}

// Abort gives up the file and frees what the writer holds. It does nothing
// after Close, so it may be deferred.
func (w *Writer) Abort() {
	if w.closed {
		return
	}
	w.closed = true
	for _, c := range w.chunks {
		c.abandon()
	}
}

func (w *Writer) writeFooter() error {
	m := format.FileMetaData{Version: 2, NumRows: w.rows, RowGroups: w.groups, CreatedBy: createdBy}
	m.Schema = append(m.Schema, format.SchemaElement{Name: "table", NumChildren: thrift.New(int32(len(w.chunks)))})
	for _, c := range w.chunks {
		m.Schema = append(m.Schema, elements(c.Column, c.name)...)
		m.ColumnOrders = append(m.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &m)
	if err != nil {
		return fmt.Errorf("encoding the footer: %w", err)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return w.write(append(b, magic...))
}

func (w *Writer) stats() Stats {
	s := Stats{
		Rows: w.rows, Size: w.offset, SplitOffsets: w.splits,
		ColumnSizes: map[int]int64{}, ValueCounts: map[int]int64{}, NullCounts: map[int]int64{}, NaNCounts: map[int]int64{},
		LowerBounds: map[int][]byte{}, UpperBounds: map[int][]byte{},
	}
	for _, c := range w.chunks {
		id := c.leafID()
		s.ColumnSizes[id], s.ValueCounts[id], s.NullCounts[id] = c.file.size, c.file.values, c.file.nulls
		if c.layout == layoutFloat32 || c.layout == layoutFloat64 {
			s.NaNCounts[c.ID] = c.file.bounds.nans
		}
		lower, upper := c.file.bounds.iceberg(c.layout, c.Type)
		if lower != nil {
			s.LowerBounds[c.ID] = lower
		}
		if upper != nil {
			s.UpperBounds[c.ID] = upper
		}
	}
	return s
}
