package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/deletes"
	"github.com/beluga-cdc/beluga/sink/keyindex"
	"github.com/beluga-cdc/beluga/sink/naming"
	"github.com/beluga-cdc/beluga/sink/parquetfile"
	"github.com/beluga-cdc/beluga/sink/snapshot"
)

// lakeTable is a table that this process writes.
type lakeTable struct {
	lake    *Lake
	head    *head
	names   *naming.Mapping
	shape   *schema.Table // of the rows that are written now
	state   state         // of the head; zero: nothing was committed yet
	history int64         // that its rows belong to: of the last reset
	// orphan: a run made the table and ended before its first commit. Its shape
	// may be any.
	orphan bool
	// dropped: the source has it no more. It is in no cut, and what it had stays.
	dropped  bool
	versions []version     // the shapes that it had
	shown    *schema.Table // of what main shows; another than shape during a load

	// An unfinished load.
	staged    *loadState // on the branch; nil: nothing is
	continued bool       // an earlier process began it: keys that come may be there
	laneAt    time.Time  // when the branch of a lane moved last
	// laneCause is why a lane was announced before it could begin.
	laneCause schema.Cause

	// What a restart does not know until it is needed.
	files  []*dataFile // by number; nil: gone
	shared []*sharedDeletes
	listed bool // files and shared are filled
	index  *keyindex.Index
	keyer  *schema.Keyer

	// The batch.
	pending []schema.SchemaChange // defined, but no row came yet
	columns []parquetfile.Column
	schema  *iceberg.Schema   // the next schema of the table; nil: it stays
	passed  []*iceberg.Schema // schemas of the batch before that one
	reshape bool              // shape is newer than the property
	known   *schema.Table     // the last version that was found equal to shape
	open    *openFile
	remove  map[string]bool // live files that this batch replaces
	gone    []string        // their paths
	dirty   bool
	stream  bool // something of the stream is in it: not only rows that a lane read
}

// identifier is what the table is called in the lake.
func (t *lakeTable) identifier() naming.Identifier { return t.names.Table(t.shape.ID) }

// list finds the table's live files, and the deleted rows of each.
func (t *lakeTable) list(ctx context.Context) error {
	if t.listed {
		return nil
	}
	live, err := snapshot.Live(t.head.fs, snapshot.Head(t.head.t, loadBranch))
	if err != nil {
		return fmt.Errorf("table %s: %w", t.shape.ID, err)
	}
	dead, err := deletes.Load(ctx, t.head.fs, live)
	if err != nil {
		return fmt.Errorf("table %s: %w", t.shape.ID, err)
	}
	byPath := map[string]*dataFile{}
	for _, l := range live {
		if l.ContentType() != iceberg.EntryContentData {
			continue
		}
		f := &dataFile{number: uint32(len(t.files)), path: l.FilePath(), rows: l.Count(), file: l.DataFile, committed: true, dead: dead.Positions[l.FilePath()]}
		if f.dead == nil {
			f.dead = roaring.New()
		}
		byPath[f.path] = f
		t.files = append(t.files, f)
	}
	for _, l := range live {
		if l.ContentType() == iceberg.EntryContentData {
			continue
		}
		touched := dead.Touched[snapshot.Key(l)]
		if len(touched) == 1 && byPath[touched[0]] != nil && deletes.IsScoped(l) {
			f := byPath[touched[0]]
			f.scoped = append(f.scoped, l.DataFile)
			continue
		}
		s := &sharedDeletes{file: l.DataFile}
		for _, path := range touched {
			if f := byPath[path]; f != nil {
				s.touched = append(s.touched, f)
			}
		}
		t.shared = append(t.shared, s)
	}
	t.listed = true
	return nil
}

// prepare makes the key index ready: for a table that was there when the
// process started, from the key columns of its live rows.
func (t *lakeTable) prepare(ctx context.Context) error {
	if err := t.list(ctx); err != nil {
		return err
	}
	if t.index != nil || t.onlyAppends() {
		return nil
	}
	rows := int64(0)
	for _, f := range t.files {
		if f != nil {
			rows += f.live()
		}
	}
	t.index = t.newIndex(int(rows))
	for _, f := range t.files {
		if f == nil {
			continue
		}
		if err := t.indexFile(ctx, f); err != nil {
			return fmt.Errorf("table %s: building the key index from %s: %w", t.shape.ID, f.path, err)
		}
	}
	return nil
}

// newIndex returns an empty index of the kind that the table needs.
func (t *lakeTable) newIndex(capacity int) *keyindex.Index {
	if t.shape.Keyless() {
		return keyindex.NewMultiset(capacity)
	}
	return keyindex.New(t.keyer.Exact(), capacity)
}

// onlyAppends tells whether rows are only added to the table, so that nobody has
// to find them again.
func (t *lakeTable) onlyAppends() bool { return t.shape.Keyless() && t.lake.cfg.AppendKeyless }

// indexFile enters the live rows of one file into the index.
func (t *lakeTable) indexFile(ctx context.Context, f *dataFile) error {
	var want []parquetfile.Column
	var ordinals []int
	for i, c := range t.columns {
		if t.shape.Identifies(i) {
			want, ordinals = append(want, c), append(ordinals, i)
		}
	}
	image := make([]schema.Vec, len(t.shape.Columns))
	dead := f.deleted()
	var keys []int64
	return f.scan(ctx, t.head.fs, want, func(vecs []schema.Vec, first int64, n int) error {
		for i, k := range ordinals {
			image[k] = vecs[i]
			if want[i].Required && vecs[i].NullN > 0 {
				if err := f.refuseNulls(want[i].Name, &vecs[i], first); err != nil {
					return err
				}
			}
		}
		if t.keyer.Exact() && dead.IsEmpty() {
			keys = integerKeys(keys[:0], &vecs[0], n)
			t.index.PutRun(keys, keyindex.Location(f.number, uint32(first)))
			return nil
		}
		for i := range n {
			if row := uint32(first) + uint32(i); !dead.Contains(row) {
				t.index.Put(t.keyer.Key(image, i), keyindex.Location(f.number, row))
			}
		}
		return nil
	})
}

// refuseNulls refuses a live row without a value in a column of the key: what MySQL
// has there, such as the date 0000-00-00, has no place in the lake.
func (f *dataFile) refuseNulls(column string, v *schema.Vec, first int64) error {
	dead := f.deleted()
	for i := range v.N {
		if v.IsNull(i) && !dead.Contains(uint32(first)+uint32(i)) {
			return fmt.Errorf("row %d has no value in column %s, which is of the key; drop the table in the lake and start Beluga again, which loads it anew", first+int64(i), column)
		}
	}
	return nil
}

func integerKeys(keys []int64, v *schema.Vec, n int) []int64 {
	if v.Kind == schema.VecInt64 {
		return append(keys, v.I64[:n]...)
	}
	for _, x := range v.I32[:n] {
		keys = append(keys, int64(x))
	}
	return keys
}

// scan reads columns of a file from its first row to its last.
func (f *dataFile) scan(ctx context.Context, fs iceio.IO, want []parquetfile.Column, fn func(vecs []schema.Vec, first int64, n int) error) error {
	return scanFile(ctx, fs, f.path, f.file.FileSizeBytes(), want, fn)
}

func scanFile(ctx context.Context, fs iceio.IO, location string, size int64, want []parquetfile.Column, fn func(vecs []schema.Vec, first int64, n int) error) error {
	in, err := fs.Open(location)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	r, err := parquetfile.Open(in, size)
	if err != nil {
		return err
	}
	return r.Scan(ctx, want, fn)
}
