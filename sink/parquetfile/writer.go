package parquetfile

import (
	"errors"
	"io"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

var errSkeleton = errors.New("not there yet")

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	rows, size int64
}

// NewWriter returns a writer of a file with the given columns. It never closes
// or syncs out.
func NewWriter(out io.Writer, cols []Column, opts Options) *Writer { return &Writer{} }

// Append writes rows of one block: rows[0], rows[1], …, or, where rows is nil,
// the first n rows. vecs[i] belongs to column i; a nil one is null throughout.
// The vectors are not needed after the call.
func (w *Writer) Append(vecs []*schema.Vec, rows []uint32, n int) error { return errSkeleton }

// AppendRefs writes rows that are spread over blocks, in the order of refs:
// blocks[b][i] is the vector of column i in block b, nil where it is null
// throughout.
func (w *Writer) AppendRefs(blocks [][]*schema.Vec, refs []pipeline.RowRef) error { return errSkeleton }

// Rows returns the number of rows appended: the position of the next one.
func (w *Writer) Rows() int64 { return w.rows }

// Size returns about how large the file would be if it was closed now.
func (w *Writer) Size() int64 { return w.size }

// Close writes what is buffered, and the footer.
func (w *Writer) Close() (Stats, error) { return Stats{}, errSkeleton }

// Abort gives up the file and frees what the writer holds. It does nothing
// after Close, so it may be deferred.
func (w *Writer) Abort() {}
