package parquetfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

func digits(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rng.IntN(10))
	}
	return b
}

func TestHuffmanFrames(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	dec, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer dec.Close()
	noise := make([]byte, 300<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	for _, src := range [][]byte{
		{}, {1}, []byte("0123456789"), digits(rng, 11), digits(rng, 12), digits(rng, 1000), digits(rng, huffmanBlock-1), digits(rng, huffmanBlock),
		digits(rng, huffmanBlock+1), digits(rng, 3<<20), make([]byte, 5), make([]byte, huffmanBlock), make([]byte, 1<<20), noise,
		append(digits(rng, 200<<10), noise...), append(make([]byte, huffmanBlock), digits(rng, 100)...),
	} {
		frame := appendHuffmanFrame([]byte("before"), src)
		got, err := dec.DecodeAll(frame[6:], nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal(src, got), "%d bytes", len(src))
		require.LessOrEqual(t, len(frame)-6, len(src)+10+3*(1+len(src)/huffmanBlock))
	}
	require.Less(t, len(appendHuffmanFrame(nil, digits(rng, 1<<20))), 450<<10, "ten digits take 3.4 bits each")
}

func textColumn(values func(i int) []byte, n int) ([]Column, []*schema.Vec) {
	cols := []Column{{ID: 1, Name: "s", Type: schema.LakeType{Kind: schema.LakeString}, Required: true}}
	vecs := newModel(cols)
	for i := range n {
		vecs[0].AppendBytes(values(i))
	}
	return cols, vecs
}

// TestAdaptiveCodec checks what the probe chooses where the answer is clear, and
// that PyArrow and DuckDB read a file of frames without matches.
func TestAdaptiveCodec(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	random := func(int) []byte { return digits(rng, 120) }
	distinct := make([][]byte, 300)
	for i := range distinct {
		distinct[i] = digits(rng, 120)
	}
	repeated := func(int) []byte { return distinct[rng.IntN(len(distinct))] }
	for name, c := range map[string]struct {
		values  func(int) []byte
		matches bool
	}{"random": {random, false}, "repeated": {repeated, true}} {
		cols, vecs := textColumn(c.values, 40_000)
		sizes := map[Codec]int64{}
		for _, codec := range []Codec{Adaptive, Zstd} {
			var out bytes.Buffer
			w := NewWriter(&out, cols, Options{Codec: codec})
			require.NoError(t, w.Append(vecs, nil, 40_000))
			if codec == Adaptive {
				require.Equal(t, c.matches, w.chunks[0].probe.matches, name)
			}
			s, err := w.Close()
			require.NoError(t, err)
			sizes[codec] = s.Size
			requireSame(t, cols, vecs, readAll(t, out.Bytes(), cols))
		}
		require.Less(t, float64(sizes[Adaptive]), 1.05*float64(sizes[Zstd]), name)
	}
	cols, vecs := textColumn(random, 12_000)
	path := filepath.Join(t.TempDir(), "huffman.parquet")
	writeFile(t, path, cols, vecs, Options{})
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(b), "\x28\xB5\x2F\xFD\x80\x38", "the frame header of appendHuffmanFrame")
	got := readByOthers(t, path)[path]
	for r := range vecs[0].N {
		if want := *plainText(vecs[0], r); *got.PyArrow[r][0] != want || *got.DuckDB[r][0] != want {
			t.Fatalf("row %d: %s, %s, want %s", r, *got.PyArrow[r][0], *got.DuckDB[r][0], want)
		}
	}
}

// TestSameBytes writes the same rows with and without workers.
func TestSameBytes(t *testing.T) {
	cols := allTypes()
	vecs := randomBlock(rand.New(rand.NewPCG(4, 4)), cols, 3000)
	var first []byte
	for _, workers := range []*Workers{nil, NewWorkers(1), NewWorkers(8)} {
		var out bytes.Buffer
		w := NewWriter(&out, cols, Options{PageSize: 1000, RowGroupSize: 100_000, Workers: workers})
		require.NoError(t, w.Append(vecs, nil, 3000))
		_, err := w.Close()
		require.NoError(t, err)
		if first == nil {
			first = out.Bytes()
		}
		require.True(t, bytes.Equal(first, out.Bytes()), fmt.Sprint(workers))
	}
}
