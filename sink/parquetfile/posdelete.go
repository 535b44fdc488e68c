package parquetfile

import (
	"context"
	"io"
)

// The field ids that Iceberg reserves for the columns of position delete files.
const (
	FilePathID = 2147483546
	PosID      = 2147483545
)

// FileDeletes are the deleted positions of one data file.
type FileDeletes struct {
	Path      string  // byte for byte as the manifest has it
	Positions []int64 // ascending
}

// WritePositionDeletes writes a position delete file. The entries must be in
// ascending order of their paths.
func WritePositionDeletes(out io.Writer, entries []FileDeletes, opts Options) (Stats, error) {
	return Stats{}, errSkeleton
}

// ScanPositionDeletes reads a position delete file, ours or another writer's,
// and hands over runs of positions of one data file. fn must not keep pos. A
// path may come more than once.
func ScanPositionDeletes(ctx context.Context, r io.ReaderAt, size int64, fn func(path string, pos []int64) error) error {
	return errSkeleton
}
