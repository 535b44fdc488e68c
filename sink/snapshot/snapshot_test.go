package snapshot

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// bench is a table whose files are only named, never written: manifests do not care.
type bench struct {
	*testing.T
	catalog catalog.Catalog
	table   *table.Table
	fs      warehouse.Files
	stager  *Stager
	n       int
}

func newBench(t *testing.T, version string) *bench {
	ctx := context.Background()
	w, err := warehouse.Open(ctx, warehouse.Options{Dir: filepath.Join(t.TempDir(), "lake"), Pipeline: "p"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	require.NoError(t, w.Catalog.CreateNamespace(ctx, table.Identifier{"s"}, nil))
	it, err := w.Catalog.CreateTable(ctx, table.Identifier{"s", "t"}, iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "x", Type: iceberg.PrimitiveTypes.Int32}),
		catalog.WithLocation(w.Location("s", "t")), catalog.WithProperties(iceberg.Properties{"format-version": version}))
	require.NoError(t, err)
	fs, err := warehouse.FilesOf(ctx, it)
	require.NoError(t, err)
	return &bench{T: t, catalog: w.Catalog, table: it, fs: fs, stager: NewStager()}
}

func (b *bench) file(content iceberg.ManifestEntryContent) iceberg.DataFile {
	b.n++
	f, err := iceberg.NewDataFileBuilder(b.table.Spec(), content, fmt.Sprintf("%s/data/%d.parquet", b.table.Location(), b.n), iceberg.ParquetFile, nil, nil, nil, 10, 1000)
	require.NoError(b, err)
	return f.Build()
}

func (b *bench) commit(add []iceberg.DataFile, remove ...string) error {
	c := Change{Add: add, Remove: map[string]bool{}, Operation: table.OpOverwrite, Summary: iceberg.Properties{}, Properties: iceberg.Properties{"n": fmt.Sprint(b.n)}}
	for _, r := range remove {
		c.Remove[r] = true
	}
	s, err := b.stager.Stage(b.table, b.fs, c)
	if err != nil {
		return err
	}
	md, loc, err := b.catalog.CommitTable(context.Background(), s.Identifier, s.Requirements, s.Updates)
	if err != nil {
		return err
	}
	b.table = table.New(s.Identifier, md, loc, b.table.FS, b.catalog)
	return nil
}

func (b *bench) live() map[string]int64 {
	files, err := Live(b.fs, b.table.CurrentSnapshot())
	require.NoError(b, err)
	m := map[string]int64{}
	for _, f := range files {
		m[f.FilePath()] = f.Sequence
	}
	return m
}

func TestRemovingWhatIsNotLive(t *testing.T) {
	b := newBench(t, "2")
	require.Error(t, b.commit(nil, "x"), "a table without a snapshot")
	f := b.file(iceberg.EntryContentData)
	require.NoError(t, b.commit([]iceberg.DataFile{f}))
	require.ErrorContains(t, b.commit(nil, f.FilePath(), "x"), "1 of 2 files to remove are live")
	require.Equal(t, map[string]int64{f.FilePath(): 1}, b.live())
	require.NoError(t, b.commit(nil, f.FilePath()))
	require.Empty(t, b.live())
	require.ErrorContains(t, b.commit(nil, f.FilePath()), "0 of 1")
}

// A commit on anything but the head it was staged on is refused.
func TestStaleHeadIsRefused(t *testing.T) {
	b := newBench(t, "2")
	old := b.table
	require.NoError(t, b.commit([]iceberg.DataFile{b.file(iceberg.EntryContentData)}))
	now := b.table
	b.table = old
	require.Error(t, b.commit([]iceberg.DataFile{b.file(iceberg.EntryContentData)}))
	b.table = now
	require.NoError(t, b.commit([]iceberg.DataFile{b.file(iceberg.EntryContentData)}))
	require.Len(t, b.live(), 2)
}

func TestMergeKeepsSequenceNumbers(t *testing.T) {
	for _, version := range []string{"2", "3"} {
		b := newBench(t, version)
		want := map[string]int64{}
		var removed string
		for i := int64(1); i <= manyManifests+20; i++ {
			f := b.file(iceberg.EntryContentData)
			want[f.FilePath()] = i
			if i == 5 {
				removed = f.FilePath()
			}
			if i == manyManifests+10 {
				delete(want, removed)
				require.NoError(t, b.commit([]iceberg.DataFile{f}, removed))
				continue
			}
			require.NoError(t, b.commit([]iceberg.DataFile{f}))
		}
		require.Equal(t, want, b.live())
		props := b.table.CurrentSnapshot().Summary.Properties
		require.Equal(t, fmt.Sprint(len(want)), props["total-data-files"])
		require.Equal(t, fmt.Sprint(10*len(want)), props["total-records"])
	}
}

func TestManifestsStayFew(t *testing.T) {
	b := newBench(t, "2")
	var last string
	for range 2*manyManifests + 10 {
		d := b.file(iceberg.EntryContentPosDeletes)
		add := []iceberg.DataFile{b.file(iceberg.EntryContentData), d}
		if last == "" {
			require.NoError(t, b.commit(add))
		} else {
			require.NoError(t, b.commit(add, last))
		}
		last = d.FilePath()
		ms, err := b.table.CurrentSnapshot().Manifests(b.fs)
		require.NoError(t, err)
		require.LessOrEqual(t, len(ms), manyManifests+5)
	}
	require.Len(t, b.live(), 2*manyManifests+11)
}

// What a snapshot drops, no later one needs: after it, only those before do.
func TestDroppedFilesAreNotNeeded(t *testing.T) {
	b := newBench(t, "2")
	dropped := map[string]bool{}
	for range manyManifests + 10 {
		c := Change{Add: []iceberg.DataFile{b.file(iceberg.EntryContentData)}, Operation: table.OpAppend, Summary: iceberg.Properties{}, Properties: iceberg.Properties{"n": fmt.Sprint(b.n)}}
		s, err := b.stager.Stage(b.table, b.fs, c)
		require.NoError(t, err)
		md, loc, err := b.catalog.CommitTable(context.Background(), s.Identifier, s.Requirements, s.Updates)
		require.NoError(t, err)
		b.table = table.New(s.Identifier, md, loc, b.table.FS, b.catalog)
		for _, d := range s.Dropped {
			dropped[d] = true
		}
		head := b.table.CurrentSnapshot()
		require.False(t, dropped[head.ManifestList])
		ms, err := head.Manifests(b.fs)
		require.NoError(t, err)
		for _, m := range ms {
			require.False(t, dropped[m.FilePath()])
		}
	}
	require.NotEmpty(t, dropped)
}
