package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/sqliteshim"
	"pgregory.net/rapid"
)

func TestFolderNamesAreInjective(t *testing.T) {
	for name, want := range map[string]string{
		"shop": "shop", "Order_items-2$": "Order_items-2$", "a.b": "a.b", "..": "~2E.", ".": "~2E", "../x": "~2E.~2Fx",
		"a/b": "a~2Fb", "~2F": "~7E2F", "a b": "a~20b", "50%": "50~25", "é": "~C3~A9", "log": "~6Cog", "catalog.db": "~63atalog.db", "catalog.db-wal": "~63atalog.db-wal",
	} {
		require.Equal(t, want, FolderName(name))
	}
	long := strings.Repeat("ü", 64)
	require.LessOrEqual(t, len(FolderName(long)), longestName)
	require.NotEqual(t, FolderName(long+"a"), FolderName(long+"b"))

	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOf(rapid.RuneFrom([]rune("abA.~/%2FE \\\x00é:"))).Draw(t, "name")
		f := FolderName(name)
		if was, ok := seen[f]; ok && was != name {
			t.Fatalf("%q and %q share the folder %q", was, name, f)
		}
		seen[f] = name
		if name != "" && (f == "." || f == ".." || strings.ContainsAny(f, "/\\%?#: \x00")) {
			t.Fatalf("%q becomes %q", name, f)
		}
	})
}

// TestHalfMadeCatalog: a process that makes the catalog, or died with it, has made one of
// its tables.
func TestHalfMadeCatalog(t *testing.T) {
	for _, table := range []string{"iceberg_tables", "iceberg_namespace_properties"} {
		dir := t.TempDir()
		w, err := Open(t.Context(), Options{Dir: dir, Pipeline: "p"})
		require.NoError(t, err)
		require.NoError(t, w.Close())
		db, err := sql.Open(sqliteshim.ShimName, filepath.Join(dir, CatalogFile))
		require.NoError(t, err)
		_, err = db.Exec("DROP TABLE " + table)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		w, err = Open(t.Context(), Options{Dir: dir, Pipeline: "p"})
		require.NoError(t, err)
		_, err = w.Catalog.ListNamespaces(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
}

func TestRefusals(t *testing.T) {
	ctx := context.Background()
	database := func(statements ...string) func(string) {
		return func(dir string) {
			db, err := sql.Open(sqliteshim.ShimName, filepath.Join(dir, CatalogFile))
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			for _, s := range statements {
				_, err := db.Exec(s)
				require.NoError(t, err)
			}
		}
	}
	for want, prepare := range map[string]func(dir string){
		`the folder holds "notes.txt", and no catalog.db: it belongs to something else; name an empty or a new folder`: func(dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644))
		},
		"is no SQLite database": func(dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, CatalogFile), []byte("something else altogether"), 0o644))
		},
		"is an SQLite database of something else (table notes)": database("CREATE TABLE notes (x INT)"),
		"belongs to the Iceberg catalog theirs, not to beluga": database("CREATE TABLE iceberg_tables (catalog_name TEXT)",
			"CREATE TABLE iceberg_namespace_properties (catalog_name TEXT)", "INSERT INTO iceberg_tables VALUES ('theirs')"),
	} {
		t.Run(want, func(t *testing.T) {
			dir := t.TempDir()
			prepare(dir)
			before := listing(t, dir)
			_, err := Open(ctx, Options{Dir: dir, Pipeline: "p"})
			require.ErrorContains(t, err, want)
			require.ErrorContains(t, err, dir)
			after := listing(t, dir)
			delete(after, ".beluga-p.lock")
			require.Equal(t, before, after)
		})
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := Open(ctx, Options{Dir: file, Pipeline: "p"})
	require.ErrorContains(t, err, "is a file; name a folder")
	_, err = Open(ctx, Options{Dir: filepath.Join(dir, "50%"), Pipeline: "p"})
	require.ErrorContains(t, err, "choose another folder")
	for _, missing := range []string{"none", "."} {
		_, err = Open(ctx, Options{Dir: filepath.Join(t.TempDir(), missing), ReadOnly: true})
		require.ErrorIs(t, err, ErrNoWarehouse)
	}
}

func listing(t *testing.T, dir string) map[string]string {
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		files[e.Name()] = string(b)
	}
	return files
}

func TestSecondInstance(t *testing.T) {
	ctx := context.Background()
	o := Options{Dir: filepath.Join(t.TempDir(), "deep", "lake"), Pipeline: "p"}
	w, err := Open(ctx, o)
	require.NoError(t, err)
	_, err = Open(ctx, o)
	require.ErrorIs(t, err, ErrAnotherInstance)
	r, err := Open(ctx, Options{Dir: o.Dir, ReadOnly: true})
	require.NoError(t, err, "a reader needs no lock")
	require.NoError(t, r.Close())
	require.NoError(t, w.Close())
	w, err = Open(ctx, o)
	require.NoError(t, err)
	require.NoError(t, w.Close())
}

func createTable(t *testing.T, w *Warehouse) *table.Table {
	ctx := context.Background()
	require.NoError(t, w.Catalog.CreateNamespace(ctx, table.Identifier{"s"}, nil))
	it, err := w.Catalog.CreateTable(ctx, table.Identifier{"s", "t"}, iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "x", Type: iceberg.PrimitiveTypes.Int32}),
		catalog.WithLocation(w.Location("s", "t")), catalog.WithProperties(iceberg.Properties{"write.metadata.previous-versions-max": "3", "write.metadata.delete-after-commit.enabled": "true"}))
	require.NoError(t, err)
	return it
}

// The library writes metadata through our file system: a file that exists is
// never overwritten, and what is closed was synced.
func TestFilesAreSyncedBeforeTheyAreNamed(t *testing.T) {
	w, err := Open(context.Background(), Options{Dir: t.TempDir(), Pipeline: "p"})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	it := createTable(t, w)
	fs, err := it.FS(context.Background())
	require.NoError(t, err)
	require.IsType(t, syncFS{}, fs)
	require.Error(t, syncFS{}.WriteFile(it.MetadataLocation(), nil), "a file that the catalog names is never written again")

	path := filepath.Join(w.Dir, "new", "folders", "x")
	f, err := syncFS{}.Create(Scheme + path)
	require.NoError(t, err)
	require.IsType(t, syncFile{}, f)
	_, err = f.Write([]byte("content"))
	require.NoError(t, err)
	require.NoError(t, f.(syncFile).File.Close())
	require.Error(t, f.Close(), "a file that cannot be synced is no success")
}

// Readers without a catalog find the head by version-hint.text, and old
// metadata goes with its link.
func TestHeadIsPublished(t *testing.T) {
	ctx := context.Background()
	w, err := Open(ctx, Options{Dir: t.TempDir(), Pipeline: "p"})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	it := createTable(t, w)
	dir := filepath.Join(w.Dir, "s", "t", "metadata")
	for i := 1; i <= 8; i++ {
		md, loc, err := w.Catalog.CommitTable(ctx, it.Identifier(), nil, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"i": fmt.Sprint(i)})})
		require.NoError(t, err)
		now := table.New(it.Identifier(), md, loc, it.FS, w.Catalog)
		// What a commit that lost a race has left under the same number.
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("v%d.metadata.json", i)), nil, 0o644))
		require.NoError(t, syncFS{}.PublishHead(now))
		require.NoError(t, DropOldMetadata(syncFS{}, it, now))
		it = now
		hint, err := os.ReadFile(filepath.Join(dir, hintFile))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), string(hint))
		a, err := os.Stat(filepath.Join(dir, fmt.Sprintf("v%d.metadata.json", i)))
		require.NoError(t, err)
		b, err := os.Stat(Path(loc))
		require.NoError(t, err)
		require.True(t, os.SameFile(a, b))
	}
	links, err := filepath.Glob(filepath.Join(dir, "v*.metadata.json"))
	require.NoError(t, err)
	require.Len(t, links, 4)
	all, err := filepath.Glob(filepath.Join(dir, "0*.metadata.json"))
	require.NoError(t, err)
	require.Len(t, all, 4, "%v", all)
}

func TestPathsThatNoURISurvivesAreRefused(t *testing.T) {
	for _, name := range []string{"my lake", "50%", "a#b", "a?b", "a\nb"} {
		_, err := Open(t.Context(), Options{Dir: filepath.Join(t.TempDir(), name), Pipeline: "p"})
		require.ErrorContains(t, err, "does not survive in the URIs", name)
	}
}
