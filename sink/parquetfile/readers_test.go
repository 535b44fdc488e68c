package parquetfile

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
)

// readings is what testdata/read.py prints of a file.
type readings struct {
	PyArrow, DuckDB [][]*string
	Types, Names    []string
	IDs             []int
	Stats           [][2]any // column, whether the footer's bounds are right
}

func readByOthers(t *testing.T, paths ...string) map[string]readings {
	python := servers.Python(t, "pyarrow", "duckdb")
	cmd := exec.Command(python, append([]string{filepath.Join("testdata", "read.py")}, paths...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var got map[string]readings
	require.NoError(t, json.Unmarshal(out, &got))
	return got
}

// plainText is a value as read.py prints it.
func plainText(v *schema.Vec, row int) *string {
	if v.IsNull(row) {
		return nil
	}
	var s string
	switch v.Kind {
	case schema.VecBytes:
		s = hex.EncodeToString(v.Bytes(row))
	case schema.VecDec128:
		b := bounds{bmin: v.Dec128(row)}
		s = b.bigInt(layoutFixed, false).String()
	default:
		s = show(v, row)
	}
	return &s
}

func writeFile(t *testing.T, path string, cols []Column, vecs []*schema.Vec, opts Options) Stats {
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w := NewWriter(f, cols, opts)
	defer w.Abort()
	if n := vecs[0].N; n > 0 {
		require.NoError(t, w.Append(vecs, nil, n))
	}
	s, err := w.Close()
	require.NoError(t, err)
	return s
}

// TestOtherReaders has PyArrow and DuckDB read what the writer wrote.
func TestOtherReaders(t *testing.T) {
	cols := allTypes()
	rng := rand.New(rand.NewPCG(5, 6))
	dir := t.TempDir()
	files := map[string]struct {
		rows int
		opts Options
	}{
		"empty":   {0, Options{}},
		"one":     {1, Options{}},
		"default": {2000, Options{Workers: NewWorkers(2)}},
		"pages":   {2000, Options{PageSize: 512, RowGroupSize: 40 << 10}},
		"zstd":    {300, Options{Codec: Zstd}},
		"plain":   {300, Options{Codec: Uncompressed, PageSize: 1000}},
	}
	vecs, paths := map[string][]*schema.Vec{}, []string{}
	for name, f := range files {
		p := filepath.Join(dir, name+".parquet")
		vecs[p] = randomBlock(rng, cols, f.rows)
		if name == "default" { // values of more than a page
			big := vecs[p][len(cols)-6]
			big.Truncate(big.N - 1)
			big.AppendBytes(bytes.Repeat([]byte("0123456789é"), 300_000))
		}
		writeFile(t, p, cols, vecs[p], f.opts)
		paths = append(paths, p)
	}
	for path, got := range readByOthers(t, paths...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			require.Equal(t, wantTypes, got.Types)
			for i, c := range cols {
				require.Equal(t, c.ID, got.IDs[i])
				require.Equal(t, c.Name, got.Names[i])
			}
			right := map[any]bool{}
			for _, s := range got.Stats {
				right[s[0]] = true
				require.Equal(t, true, s[1], "bounds of %s", s[0])
			}
			if vecs[path][0].N >= 300 {
				require.Greater(t, len(right), len(cols)/2, "columns with bounds")
			}
			for reader, rows := range map[string][][]*string{"pyarrow": got.PyArrow, "duckdb": got.DuckDB} {
				require.Len(t, rows, vecs[path][0].N, reader)
				for r, row := range rows {
					for i, c := range cols {
						require.Equal(t, plainText(vecs[path][i], r), row[i], "%s: column %s (%s), row %d", reader, c.Name, c.Type, r)
					}
				}
			}
		})
	}
}

var wantTypes = twice("bool", "int32", "int64", "float", "double", "decimal128(1, 0)", "decimal128(9, 2)", "decimal128(18, 18)", "decimal128(19, 3)",
	"decimal128(20, 0)", "decimal128(38, 10)", "date32[day]", "time64[us]", "timestamp[us]", "timestamp[us, tz=UTC]", "string", "binary", "list<element: float not null>")

func twice(s ...string) (out []string) {
	for _, x := range s {
		out = append(out, x, x)
	}
	return out
}

// TestParquetGoReads reads the file through parquet-go's rows, which know
// nothing of our conversions.
func TestParquetGoReads(t *testing.T) {
	cols := allTypes()
	vecs := randomBlock(rand.New(rand.NewPCG(7, 8)), cols, 900)
	var out bytes.Buffer
	w := NewWriter(&out, cols, Options{PageSize: 900, RowGroupSize: 30 << 10})
	require.NoError(t, w.Append(vecs, nil, 900))
	_, err := w.Close()
	require.NoError(t, err)
	r := parquet.NewGenericReader[any](bytes.NewReader(out.Bytes()))
	defer r.Close()
	rows := make([]parquet.Row, 100)
	for at := 0; ; {
		n, err := r.ReadRows(rows)
		for _, row := range rows[:n] {
			row.Range(func(i int, values []parquet.Value) bool {
				if cols[i].Type.Kind == schema.LakeFloatList {
					requireList(t, vecs[i], at, values)
					return true
				}
				require.Equal(t, fmt.Sprint(parquetGoText(vecs[i], cols[i], at)), values[0].String(), cols[i].Name)
				return true
			})
			at++
		}
		if errors.Is(err, io.EOF) {
			require.Equal(t, 900, at)
			return
		}
		require.NoError(t, err)
	}
}

// requireList compares the elements of a list, and how null and the empty list are
// told apart: a list without elements is one value that has no content.
func requireList(t *testing.T, v *schema.Vec, row int, values []parquet.Value) {
	var elements []byte
	for i, e := range values {
		require.Equal(t, i > 0, e.RepetitionLevel() > 0)
		if !e.IsNull() {
			elements = binary.LittleEndian.AppendUint32(elements, math.Float32bits(e.Float()))
		}
	}
	require.Equal(t, string(v.Bytes(row)), string(elements))
	require.Equal(t, v.IsNull(row), values[0].IsNull() && values[0].DefinitionLevel() == 0 && v.NullN > 0)
}

func parquetGoText(v *schema.Vec, c Column, row int) any {
	l, width := layoutOf(c.Type)
	switch {
	case v.IsNull(row):
		return "<null>"
	case l == layoutBool:
		return v.I32[row] != 0
	case l == layoutFloat32:
		return parquet.FloatValue(v.Float32(row)).String()
	case l == layoutFloat64:
		return parquet.DoubleValue(v.Float64(row)).String()
	case l == layoutFixed:
		return string(v.Dec128(row)[16-width:])
	}
	return show(v, row)
}

// TestReadsOtherWriters reads what parquet-go and PyArrow write in encodings that
// the writer never uses: dictionaries, deltas, pages of version 2, other codecs.
func TestReadsOtherWriters(t *testing.T) {
	type row struct {
		A int32     `parquet:"a,delta,id(1)"`
		B *int64    `parquet:"b,optional,dict,id(2)"`
		C string    `parquet:"c,delta,snappy,id(3)"`
		D *string   `parquet:"d,optional,dict,gzip,id(4)"`
		E float32   `parquet:"e,id(5)"`
		F int32     `parquet:"f,decimal(2:7),id(6)"`
		G []float32 `parquet:"g,optional,list,id(7)"`
	}
	rng := rand.New(rand.NewPCG(9, 10))
	var rows []row
	for i := range 5000 {
		r := row{A: int32(i), C: fmt.Sprint("text ", i%100), E: float32(i), F: int32(-i)}
		if rng.IntN(3) > 0 {
			b, d := int64(i%17), fmt.Sprint("d", i%3)
			r.B, r.D = &b, &d
		}
		for j := range rng.IntN(9) {
			r.G = append(r.G, float32(i%5)+float32(j)/4)
		}
		rows = append(rows, r)
	}
	cols := []Column{ // each in a wider type than the file's, where Iceberg allows one
		{ID: 6, Name: "f", Type: schema.LakeType{Kind: schema.LakeDecimal, Precision: 30, Scale: 2}},
		{ID: 1, Name: "a", Type: schema.LakeType{Kind: schema.LakeLong}, Required: true},
		{ID: 99, Name: "later", Type: schema.LakeType{Kind: schema.LakeString}},
		{ID: 2, Name: "b", Type: schema.LakeType{Kind: schema.LakeLong}},
		{ID: 3, Name: "c", Type: schema.LakeType{Kind: schema.LakeString}},
		{ID: 4, Name: "d", Type: schema.LakeType{Kind: schema.LakeString}},
		{ID: 5, Name: "e", Type: schema.LakeType{Kind: schema.LakeDouble}},
		{ID: 7, Name: "g", Type: schema.LakeType{Kind: schema.LakeFloatList}},
	}
	model := newModel(cols)
	for _, r := range rows {
		model[0].AppendDec128(int64(r.F)>>63, uint64(int64(r.F)))
		model[1].AppendInt64(int64(r.A))
		model[2].AppendNull()
		if r.B == nil {
			model[3].AppendNull()
			model[5].AppendNull()
		} else {
			model[3].AppendInt64(*r.B)
			model[5].AppendBytes([]byte(*r.D))
		}
		model[4].AppendBytes([]byte(r.C))
		model[6].AppendFloat64(float64(r.E))
		if r.G == nil {
			model[7].AppendNull()
			continue
		}
		for _, x := range r.G {
			model[7].Data = binary.LittleEndian.AppendUint32(model[7].Data, math.Float32bits(x))
		}
		model[7].EndBytes()
	}
	for _, version := range []int{1, 2} {
		var out bytes.Buffer
		w := parquet.NewGenericWriter[row](&out, parquet.DataPageVersion(version), parquet.PageBufferSize(2000), parquet.MaxRowsPerRowGroup(1700))
		_, err := w.Write(rows)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		requireSame(t, cols, model, readAll(t, out.Bytes(), cols))
	}
}
