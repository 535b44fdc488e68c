package parquetfile

import (
	"context"
	"io"

	"github.com/beluga-cdc/beluga/schema"
)

// Reader reads one file, ours or another writer's.
type Reader struct {
	rows int64
}

// Open reads the footer of a file. It reads nothing else until Scan.
func Open(r io.ReaderAt, size int64) (*Reader, error) { return nil, errSkeleton }

// Rows returns the number of rows of the file.
func (r *Reader) Rows() int64 { return r.rows }

// Scan reads the wanted columns, found by field id, from the first row to the
// last, and hands them to fn in batches: vecs[i] is column want[i] of the rows
// from first to first+n-1. fn must not keep the vectors. A column that the file
// lacks is null; one of a narrower type is widened.
func (r *Reader) Scan(ctx context.Context, want []Column, fn func(vecs []schema.Vec, first int64, n int) error) error {
	return errSkeleton
}
