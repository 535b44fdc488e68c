package sink

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/apache/iceberg-go"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/sink/deletes"
)

// maxDeleteFiles is how many live delete files a data file may have. Each costs
// every reader of the data file an open and a decode; fewer would mean that every
// commit writes all deletes of every file it touched again.
const maxDeleteFiles = 6

// parallelSyncs small files are written at the same time: each waits for the
// disk far longer than it takes to encode.
const parallelSyncs = 8

// encodeDeletes writes the delete files of the batch, and notes those that they
// replace.
func (t *lakeTable) encodeDeletes() ([]iceberg.DataFile, error) {
	touched, fresh, err := t.settle()
	if err != nil {
		return nil, err
	}
	t.shared = slices.DeleteFunc(t.shared, func(s *sharedDeletes) bool {
		s.touched = slices.DeleteFunc(s.touched, func(f *dataFile) bool { return t.files[f.number] != f })
		if len(s.touched) == 0 {
			t.removeFile(s.file)
		}
		return len(s.touched) == 0
	})
	if len(touched) == 0 {
		return nil, nil
	}
	var add []iceberg.DataFile
	switch {
	case t.vectors():
		add, err = t.encodeVectors(touched)
	case len(t.shared)+2 > maxDeleteFiles: // with this batch's, and the one that a merge leaves
		add, err = t.mergePositions(touched)
	default:
		add, err = t.encodePositions(touched, fresh)
	}
	if err != nil {
		return nil, err
	}
	return add, failpoint(stepDeleteFileClosed)
}

// settle returns the files in which this batch deleted rows, and which rows.
// Those without a live row leave the table.
func (t *lakeTable) settle() (touched []*dataFile, fresh []*roaring.Bitmap, _ error) {
	for _, f := range t.files {
		switch {
		case f == nil || len(f.fresh) == 0:
		case f.isDead():
			if err := t.replace(f); err != nil {
				return nil, nil, err
			}
		default:
			touched = append(touched, f)
			fresh = append(fresh, f.settle())
		}
	}
	return touched, fresh, nil
}

func (t *lakeTable) deletesLocation(ext string) string {
	return t.head.t.Location() + "/data/" + t.lake.fileName(ext)
}

// encodeVectors writes all deleted rows of each file as its one vector.
func (t *lakeTable) encodeVectors(touched []*dataFile) ([]iceberg.DataFile, error) {
	files := make([]deletes.File, len(touched))
	for i, f := range touched {
		files[i] = asDeletes(f, f.dead)
	}
	add, err := deletes.WriteVectors(t.head.fs, t.deletesLocation("puffin"), t.head.t.Spec(), files)
	if err != nil {
		return nil, err
	}
	for i, f := range touched {
		t.rescope(f, add[i])
	}
	// What is left from before an upgrade of the table: the vectors hold it.
	t.shared = slices.DeleteFunc(t.shared, func(s *sharedDeletes) bool {
		for _, f := range s.touched {
			if !slices.Contains(touched, f) {
				return false
			}
		}
		t.removeFile(s.file)
		return true
	})
	return add, nil
}

// encodePositions writes the deletions of this batch alone, for all files.
func (t *lakeTable) encodePositions(touched []*dataFile, fresh []*roaring.Bitmap) ([]iceberg.DataFile, error) {
	files := make([]deletes.File, len(touched))
	for i, f := range touched {
		files[i] = asDeletes(f, fresh[i])
	}
	add, err := deletes.WritePositions(t.head.fs, t.deletesLocation("deletes.parquet"), t.head.t.Spec(), files)
	if err != nil {
		return nil, err
	}
	t.shared = append(t.shared, &sharedDeletes{file: add, touched: touched})
	return []iceberg.DataFile{add}, nil
}

// mergePositions writes, for every file that this batch or a shared delete file
// touched, all its deleted rows as one delete file of its own.
func (t *lakeTable) mergePositions(touched []*dataFile) ([]iceberg.DataFile, error) {
	todo := slices.Clone(touched)
	for _, s := range t.shared {
		todo = append(todo, s.touched...)
		t.removeFile(s.file)
	}
	t.shared = nil
	slices.SortFunc(todo, func(a, b *dataFile) int { return cmp.Compare(a.number, b.number) })
	todo = slices.Compact(todo)
	add := make([]iceberg.DataFile, len(todo))
	var g errgroup.Group
	g.SetLimit(parallelSyncs)
	for i, f := range todo {
		g.Go(func() (err error) {
			add[i], err = deletes.WritePositions(t.head.fs, t.deletesLocation("deletes.parquet"), t.head.t.Spec(), []deletes.File{asDeletes(f, f.dead)})
			if err != nil {
				return fmt.Errorf("merging the deletes of %s: %w", f.path, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, f := range todo {
		t.rescope(f, add[i])
	}
	return add, nil
}

// rescope makes d the one delete file that is about f alone.
func (t *lakeTable) rescope(f *dataFile, d iceberg.DataFile) {
	for _, was := range f.scoped {
		t.removeFile(was)
	}
	f.scoped = []iceberg.DataFile{d}
}
