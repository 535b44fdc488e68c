package parquetfile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

func scanDeletes(t *testing.T, file []byte) map[string][]int64 {
	got := map[string][]int64{}
	err := ScanPositionDeletes(context.Background(), bytes.NewReader(file), int64(len(file)), func(path string, pos []int64) error {
		got[path] = append(got[path], pos...)
		return nil
	})
	require.NoError(t, err)
	return got
}

func TestPositionDeletes(t *testing.T) {
	long := "file:///warehouse/" + strings.Repeat("deep/", 60)
	sequence := func(n, step int64) (s []int64) {
		for i := range n {
			s = append(s, i*step)
		}
		return s
	}
	many := []FileDeletes{}
	for i := range 300 {
		many = append(many, FileDeletes{fmt.Sprintf("%s%03d.parquet", long, i), sequence(int64(i+1), 3)})
	}
	dir := t.TempDir()
	cases := map[string][]FileDeletes{
		"one":   {{long + "a.parquet", sequence(20_000, 7)}},
		"two":   {{long + "a.parquet", []int64{0, 5, 1 << 40}}, {long + "b.parquet", []int64{3}}},
		"many":  many,
		"holes": {{"a", nil}, {"b", []int64{1}}, {"c", nil}},
	}
	var paths []string
	for name, entries := range cases {
		var out bytes.Buffer
		s, err := WritePositionDeletes(&out, entries, Options{RowGroupSize: 200_000})
		require.NoError(t, err)
		want, rows := map[string][]int64{}, 0
		var first, last string
		for _, e := range entries {
			if len(e.Positions) > 0 {
				want[e.Path] = e.Positions
				rows += len(e.Positions)
				if last = e.Path; first == "" {
					first = e.Path
				}
			}
		}
		require.Equal(t, want, scanDeletes(t, out.Bytes()))
		require.EqualValues(t, rows, s.Rows)
		require.EqualValues(t, out.Len(), s.Size)
		require.Equal(t, first, string(s.LowerBounds[FilePathID]))
		require.Equal(t, last, string(s.UpperBounds[FilePathID]))
		require.EqualValues(t, rows, s.ValueCounts[PosID])
		require.EqualValues(t, rows, s.ValueCounts[FilePathID])
		p := filepath.Join(dir, name+".parquet")
		require.NoError(t, os.WriteFile(p, out.Bytes(), 0o600))
		paths = append(paths, p)
	}
	for path, got := range readByOthers(t, paths...) {
		entries := cases[strings.TrimSuffix(filepath.Base(path), ".parquet")]
		row := 0
		for _, e := range entries {
			for _, pos := range e.Positions {
				want := []string{fmt.Sprintf("%x", e.Path), fmt.Sprint(pos)}
				for _, rows := range [][][]*string{got.PyArrow, got.DuckDB} {
					if *rows[row][0] != want[0] || *rows[row][1] != want[1] {
						t.Fatalf("%s, row %d: %s %s, want %s", path, row, *rows[row][0], *rows[row][1], want)
					}
				}
				row++
			}
		}
		require.Len(t, got.PyArrow, row)
		require.Equal(t, []int{FilePathID, PosID}, got.IDs)
	}
}

func TestPositionDeletesOfOthers(t *testing.T) {
	type row struct {
		Pos  int64  `parquet:"pos,delta,id(2147483545)"`
		Path string `parquet:"file_path,plain,id(2147483546)"`
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out)
	_, err := w.Write([]row{{1, "a"}, {9, "a"}, {4, "b"}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Equal(t, map[string][]int64{"a": {1, 9}, "b": {4}}, scanDeletes(t, out.Bytes()))
}

func TestUnsortedPositionDeletes(t *testing.T) {
	for _, entries := range [][]FileDeletes{
		{{"b", []int64{1}}, {"a", []int64{1}}}, {{"a", []int64{1}}, {"a", []int64{2}}}, {{"a", []int64{2, 1}}}, {{"a", []int64{2, 2}}},
	} {
		_, err := WritePositionDeletes(new(bytes.Buffer), entries, Options{})
		require.ErrorContains(t, err, "after")
	}
}
