package sink

import (
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/apache/iceberg-go"

	"github.com/beluga-cdc/beluga/sink/deletes"
	"github.com/beluga-cdc/beluga/sink/parquetfile"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// dataFile is a data file of a table, live or about to be.
type dataFile struct {
	number    uint32 // in the key index
	path      string // location, byte for byte as the manifest has it
	rows      int64
	file      iceberg.DataFile // nil while it is being written
	committed bool
	dead      *roaring.Bitmap    // deleted rows
	fresh     []uint32           // deleted since the last commit, not in dead yet
	scoped    []iceberg.DataFile // live delete files of this file alone
}

// settle moves the fresh deletions to dead. Every position comes once, because
// the index gives each location up once; in order they are cheap to add.
func (f *dataFile) settle() *roaring.Bitmap {
	slices.Sort(f.fresh)
	added := roaring.BitmapOf(f.fresh...)
	f.dead.Or(added)
	f.fresh = f.fresh[:0]
	return added
}

// deleted returns all deleted rows, those of the batch too.
func (f *dataFile) deleted() *roaring.Bitmap {
	if len(f.fresh) == 0 {
		return f.dead
	}
	return roaring.Or(f.dead, roaring.BitmapOf(f.fresh...))
}

func (f *dataFile) isDead() bool {
	return int64(f.dead.GetCardinality())+int64(len(f.fresh)) == f.rows && f.file != nil
}

func (f *dataFile) live() int64 { return f.rows - int64(f.dead.GetCardinality()) - int64(len(f.fresh)) }

// sharedDeletes is a live delete file that names more than one data file.
type sharedDeletes struct {
	file    iceberg.DataFile
	touched []*dataFile
}

// openFile is a data file that is being written.
type openFile struct {
	*dataFile
	out    warehouse.File
	writer *parquetfile.Writer
	used   int64 // order of the last use, over all tables
}

func (t *lakeTable) openFile() (*openFile, error) { return t.openFileOf(t.columns) }

// openFileOf is openFile where the file, if there is none yet, is to have other columns.
func (t *lakeTable) openFileOf(columns []parquetfile.Column) (*openFile, error) {
	if t.open == nil {
		path := t.head.t.Location() + "/data/" + t.lake.fileName("parquet")
		out, err := t.head.fs.CreateFile(path)
		if err != nil {
			return nil, fmt.Errorf("creating a data file: %w", err)
		}
		f := &dataFile{number: uint32(len(t.files)), path: path, dead: roaring.New()}
		t.files = append(t.files, f)
		t.open = &openFile{dataFile: f, out: out, writer: parquetfile.NewWriter(out, columns, parquetfile.Options{Workers: t.lake.workers})}
	}
	t.lake.uses++
	t.open.used = t.lake.uses
	return t.open, nil
}

// appended is called after rows were appended to the open file.
func (t *lakeTable) appended() error {
	t.dirty = true
	t.open.rows = t.open.writer.Rows()
	if t.open.writer.Size() >= t.lake.cfg.TargetFileBytes {
		return t.closeFile()
	}
	return nil
}

// closeFile ends the open data file. Its content is synced; its name is with
// the commit.
func (t *lakeTable) closeFile() error {
	f := t.open
	if f == nil {
		return nil
	}
	t.open = nil
	st, err := f.writer.Close()
	if err != nil {
		return fmt.Errorf("writing data file %s: %w", f.path, err)
	}
	if err := f.out.Close(); err != nil {
		return err
	}
	spec := t.head.t.Spec()
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, f.path, iceberg.ParquetFile, nil, nil, nil, st.Rows, st.Size)
	if err != nil {
		return fmt.Errorf("describing data file %s: %w", f.path, err)
	}
	f.file = b.ColumnSizes(st.ColumnSizes).ValueCounts(st.ValueCounts).NullValueCounts(st.NullCounts).NaNValueCounts(st.NaNCounts).
		LowerBoundValues(st.LowerBounds).UpperBoundValues(st.UpperBounds).SplitOffsets(st.SplitOffsets).Build()
	return failpoint(stepDataFileClosed)
}

// discard forgets a data file that no commit ever named, and deletes it.
func (t *lakeTable) discard(f *dataFile) error {
	t.files[f.number] = nil
	if err := t.head.fs.Remove(f.path); err != nil {
		return fmt.Errorf("deleting a data file that is not needed: %w", err)
	}
	return nil
}

// abort gives up the open file, if there is one.
func (t *lakeTable) abort() error {
	if t.open == nil {
		return nil
	}
	f := t.open
	t.open = nil
	f.writer.Abort()
	t.files[f.number] = nil
	if err := f.out.Abort(); err != nil {
		return fmt.Errorf("giving up data file %s: %w", f.path, err)
	}
	return nil
}

func asDeletes(f *dataFile, positions *roaring.Bitmap) deletes.File {
	return deletes.File{Path: f.path, Positions: positions}
}
