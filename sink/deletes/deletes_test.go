package deletes

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/sink/parquetfile"
	"github.com/beluga-cdc/beluga/sink/snapshot"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

var spec = *iceberg.UnpartitionedSpec

func data(t *testing.T, path string, sequence int64) snapshot.File {
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, path, iceberg.ParquetFile, nil, nil, nil, 1<<20, 1<<20)
	require.NoError(t, err)
	return snapshot.File{DataFile: b.Build(), Sequence: sequence}
}

func random(n int, limit uint32) *roaring.Bitmap {
	rnd := rand.New(rand.NewPCG(uint64(n), 1))
	b := roaring.New()
	for range n {
		b.Add(rnd.Uint32N(limit))
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	a, b := "file:///lake/shop/orders/data/a.parquet", "file:///lake/shop/orders/data/b.parquet"
	dir := warehouse.Scheme + t.TempDir()
	full := roaring.New()
	full.AddRange(0, 300_000)
	for name, positions := range map[string]*roaring.Bitmap{"one": roaring.BitmapOf(7), "many": random(200_000, 1<<20), "runs": full} {
		t.Run(name, func(t *testing.T) {
			files := []File{{b, positions.Clone()}, {a, roaring.BitmapOf(1, 2, 3)}}
			want := map[string]*roaring.Bitmap{a: roaring.BitmapOf(1, 2, 3), b: positions}
			d, err := WritePositions(warehouse.Local, dir+"/"+name+".parquet", spec, files)
			require.NoError(t, err)
			require.False(t, IsScoped(d))
			require.EqualValues(t, positions.GetCardinality()+3, d.Count())
			vs, err := WriteVectors(warehouse.Local, dir+"/"+name+".puffin", spec, files)
			require.NoError(t, err)
			require.Len(t, vs, 2)
			for _, written := range [][]iceberg.DataFile{{d}, vs} {
				live := []snapshot.File{data(t, a, 1), data(t, b, 1)}
				for _, w := range written {
					live = append(live, snapshot.File{DataFile: w, Sequence: 1})
				}
				l, err := Load(context.Background(), warehouse.Local, live)
				require.NoError(t, err)
				require.Len(t, l.Positions, 2)
				for path, p := range want {
					require.True(t, p.Equals(l.Positions[path]), path)
				}
				require.Len(t, l.Touched, len(written))
			}
		})
	}
}

func TestScopedByBounds(t *testing.T) {
	path := "file:///a/path/that/is/much/longer/than/the/sixteen/bytes/that/bounds/are/cut/to.parquet"
	d, err := WritePositions(warehouse.Local, warehouse.Scheme+t.TempDir()+"/d.parquet", spec, []File{{path, roaring.BitmapOf(5)}})
	require.NoError(t, err)
	require.True(t, IsScoped(d))
	for _, bounds := range []map[int][]byte{d.LowerBoundValues(), d.UpperBoundValues()} {
		require.Equal(t, path, string(bounds[2147483546]))
	}
}

func TestSequenceRule(t *testing.T) {
	dir := warehouse.Scheme + t.TempDir()
	d, err := WritePositions(warehouse.Local, dir+"/d.parquet", spec, []File{{"old", roaring.BitmapOf(1)}, {"same", roaring.BitmapOf(2)}, {"young", roaring.BitmapOf(3)}, {"vector", roaring.BitmapOf(4)}})
	require.NoError(t, err)
	v, err := WriteVectors(warehouse.Local, dir+"/v.puffin", spec, []File{{"vector", roaring.BitmapOf(4, 5)}})
	require.NoError(t, err)
	l, err := Load(context.Background(), warehouse.Local, []snapshot.File{
		data(t, "old", 1), data(t, "same", 2), data(t, "young", 3), data(t, "vector", 1),
		{DataFile: d, Sequence: 2},
		{DataFile: v[0], Sequence: 3},
	})
	require.NoError(t, err)
	require.Len(t, l.Positions, 3)
	require.True(t, l.Positions["old"].Equals(roaring.BitmapOf(1)))
	require.True(t, l.Positions["same"].Equals(roaring.BitmapOf(2)))
	require.True(t, l.Positions["vector"].Equals(roaring.BitmapOf(4, 5)))
}

func TestEqualityDeletesAreRefused(t *testing.T) {
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentEqDeletes, "file:///eq.parquet", iceberg.ParquetFile, nil, nil, nil, 1, 1)
	require.NoError(t, err)
	_, err = Load(context.Background(), warehouse.Local, []snapshot.File{{DataFile: b.EqualityFieldIDs([]int{1}).Build(), Sequence: 1}})
	require.ErrorContains(t, err, "equality delete")
}

// TestPositionsBeyondEveryFile: cut to 32 bits they would be those of other rows,
// which would seem to be gone.
func TestPositionsBeyondEveryFile(t *testing.T) {
	path := t.TempDir() + "/d.parquet"
	for _, position := range []int64{-1, 1<<32 + 3} {
		var b bytes.Buffer
		st, err := parquetfile.WritePositionDeletes(&b, []parquetfile.FileDeletes{{Path: "a", Positions: []int64{position}}}, parquetfile.Options{})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
		d, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentPosDeletes, warehouse.Scheme+path, iceberg.ParquetFile, nil, nil, nil, st.Rows, st.Size)
		require.NoError(t, err)
		_, err = Load(context.Background(), warehouse.Local, []snapshot.File{data(t, "a", 1), {DataFile: d.Build(), Sequence: 1}})
		require.ErrorContains(t, err, fmt.Sprintf("position %d of a", position))
	}
}
