package deletes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table/dv"

	"github.com/beluga-cdc/beluga/sink/parquetfile"
	"github.com/beluga-cdc/beluga/sink/snapshot"
)

// Loaded is what the delete files of a snapshot say.
type Loaded struct {
	// Positions are the deleted positions of each data file that has some.
	Positions map[string]*roaring.Bitmap
	// Touched are the data files that each delete file names, by its snapshot.Key.
	Touched map[string][]string
}

// Load reads the delete files among the live files of a snapshot.
func Load(ctx context.Context, fs iceio.IO, live []snapshot.File) (*Loaded, error) {
	l := &Loaded{Positions: map[string]*roaring.Bitmap{}, Touched: map[string][]string{}}
	sequence := map[string]int64{}
	vectors := map[string]bool{}
	for _, f := range live {
		switch {
		case f.ContentType() == iceberg.EntryContentData:
			sequence[f.FilePath()] = f.Sequence
		case f.FileFormat() == iceberg.PuffinFile && f.ReferencedDataFile() != nil:
			vectors[*f.ReferencedDataFile()] = true
		}
	}
	for _, f := range live {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		switch {
		case f.ContentType() == iceberg.EntryContentEqDeletes:
			return nil, fmt.Errorf("delete file %s is an equality delete, which this version does not read; compact the table with the engine that wrote it", f.FilePath())
		case f.ContentType() != iceberg.EntryContentPosDeletes:
			continue
		case f.FileFormat() == iceberg.PuffinFile:
			err = l.loadVector(fs, f)
		default:
			err = l.loadPositions(ctx, fs, f, sequence, vectors)
		}
		if err != nil {
			return nil, fmt.Errorf("reading delete file %s: %w", f.FilePath(), err)
		}
	}
	return l, nil
}

func (l *Loaded) loadVector(fs iceio.IO, f snapshot.File) error {
	b, err := dv.ReadDV(fs, f.DataFile)
	if err != nil {
		return err
	}
	path := *f.ReferencedDataFile()
	dead := l.of(path)
	for p := range b.Positions() {
		if p > math.MaxUint32 {
			return outside(path, p)
		}
		dead.Add(uint32(p))
	}
	l.Touched[snapshot.Key(f)] = []string{path}
	return nil
}

// loadPositions reads a v2 file. Where a data file has a vector, that alone
// counts; where it is younger than the deletes, they are not about it.
func (l *Loaded) loadPositions(ctx context.Context, fs iceio.IO, f snapshot.File, sequence map[string]int64, vectors map[string]bool) (err error) {
	in, err := fs.Open(f.FilePath())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	seen := map[string]bool{}
	return parquetfile.ScanPositionDeletes(ctx, in, f.FileSizeBytes(), func(path string, pos []int64) error {
		if !seen[path] {
			seen[path] = true
			l.Touched[snapshot.Key(f)] = append(l.Touched[snapshot.Key(f)], path)
		}
		if seq, ok := sequence[path]; !ok || seq > f.Sequence || vectors[path] {
			return nil
		}
		dead := l.of(path)
		for _, p := range pos {
			if p < 0 || p > math.MaxUint32 {
				return outside(path, p)
			}
			dead.Add(uint32(p))
		}
		return nil
	})
}

func outside[N int64 | uint64](path string, position N) error {
	return fmt.Errorf("it deletes position %d of %s, where no file has a row", position, path)
}

func (l *Loaded) of(path string) *roaring.Bitmap {
	b := l.Positions[path]
	if b == nil {
		b = roaring.New()
		l.Positions[path] = b
	}
	return b
}

// IsScoped tells whether a delete file says by itself that it is about one data
// file only.
func IsScoped(f iceberg.DataFile) bool {
	if f.FileFormat() == iceberg.PuffinFile {
		return true
	}
	lower, ok := f.LowerBoundValues()[parquetfile.FilePathID]
	return ok && bytes.Equal(lower, f.UpperBoundValues()[parquetfile.FilePathID])
}
