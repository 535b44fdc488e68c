package parquetfile

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

func TestRefusedValues(t *testing.T) {
	decimal := func(p int) schema.LakeType { return schema.LakeType{Kind: schema.LakeDecimal, Precision: p, Scale: 1} }
	long := schema.LakeType{Kind: schema.LakeLong}
	for name, c := range map[string]struct {
		col  Column
		fill func(*schema.Vec)
		text string
	}{
		"null":          {Column{ID: 4, Name: "k", Type: long, Required: true}, (*schema.Vec).AppendNull, "writing column k (field id 4, long): null in a required column"},
		"digits":        {Column{Type: decimal(5)}, func(v *schema.Vec) { v.AppendInt64(-100_000) }, "-100000 has more digits than decimal(5, 1)"},
		"not 32 bits":   {Column{Type: decimal(9)}, func(v *schema.Vec) { v.AppendInt64(1 << 40) }, "does not fit decimal(9, 1)"},
		"digits 18":     {Column{Type: decimal(18)}, func(v *schema.Vec) { v.AppendInt64(1e18) }, "more digits"},
		"digits 20":     {Column{Type: decimal(20)}, func(v *schema.Vec) { v.AppendDec128(6, 0) }, "more digits"},
		"list":          {Column{Type: schema.LakeType{Kind: schema.LakeFloatList}}, func(v *schema.Vec) { v.AppendBytes([]byte{1, 2, 3, 4, 5}) }, "a list of 5 bytes, which is no number of floats"},
		"not its bytes": {Column{Type: decimal(20)}, func(v *schema.Vec) { v.AppendDec128(1<<40, 0) }, "does not fit decimal(20, 1)"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newModel([]Column{c.col})
			c.fill(v[0])
			w := NewWriter(new(bytes.Buffer), []Column{c.col}, Options{Workers: NewWorkers(1)})
			defer w.Abort()
			err := w.Append(v, nil, 1)
			_, closeErr := w.Close()
			require.ErrorContains(t, errors.Join(err, closeErr), c.text)
			require.Error(t, closeErr)
		})
	}
	required := []Column{{ID: 1, Name: "k", Type: long, Required: true}}
	w := NewWriter(new(bytes.Buffer), required, Options{})
	require.ErrorIs(t, w.Append([]*schema.Vec{nil}, nil, 1), errNullInRequired)
	w = NewWriter(new(bytes.Buffer), required, Options{})
	require.ErrorContains(t, w.Append([]*schema.Vec{{Kind: schema.VecInt32, N: 1, I32: []int32{1}}}, nil, 1), "another kind")
	w = NewWriter(new(bytes.Buffer), required, Options{})
	require.ErrorContains(t, w.Append(nil, nil, 1), "0 columns to a file of 1")
}

type failingWriter struct{ left int }

var errDisk = errors.New("no space left on device")

func (f *failingWriter) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errDisk
	}
	return len(b), nil
}

// TestAbort leaves files in every state; TestMain finds goroutines that are
// left behind.
func TestAbort(t *testing.T) {
	cols := allTypes()
	vecs := randomBlock(rand.New(rand.NewPCG(1, 1)), cols, 2000)
	workers := NewWorkers(2)
	for _, room := range []int{0, 3, 100, 50_000} {
		w := NewWriter(&failingWriter{room}, cols, Options{PageSize: 500, RowGroupSize: 20_000, Workers: workers})
		var err error
		for range 3 {
			err = errors.Join(err, w.Append(vecs, nil, 2000))
		}
		require.ErrorIs(t, err, errDisk)
		_, err = w.Close()
		require.ErrorIs(t, err, errDisk)
	}
	w := NewWriter(new(bytes.Buffer), cols, Options{PageSize: 500, Workers: workers})
	require.NoError(t, w.Append(vecs, nil, 2000))
	w.Abort()
	w.Abort()
	require.ErrorIs(t, w.Append(vecs, nil, 1), errClosed)
	_, err := w.Close()
	require.ErrorIs(t, err, errClosed)
	require.Empty(t, workers.slots)
}

func TestRefusedFiles(t *testing.T) {
	type row struct {
		A int64  `parquet:"a,id(1)"`
		B string `parquet:"b,id(2)"`
		C int32  `parquet:"c,decimal(2:7),id(3)"`
		D int64  `parquet:"d,timestamp(millisecond),id(4)"`
	}
	file := func(v any) []byte {
		var out bytes.Buffer
		w := parquet.NewGenericWriter[any](&out, parquet.SchemaOf(v))
		_, err := w.Write([]any{v})
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return out.Bytes()
	}
	good := file(row{})
	type lists struct {
		A []float64   `parquet:"a,list,id(1)"`
		B []*float32  `parquet:"b,list,id(2)" parquet-element:",optional"`
		C [][]float32 `parquet:"c,list,id(3)"`
		D float32     `parquet:"d,id(4)"`
	}
	goodLists := file(lists{B: []*float32{nil}})
	scan := func(b []byte, c Column) error {
		r, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return err
		}
		return r.Scan(context.Background(), []Column{c}, func([]schema.Vec, int64, int) error { return nil })
	}
	require.ErrorContains(t, scan(good[:len(good)-3], Column{}), "reading the footer")
	require.ErrorContains(t, scan(nil, Column{}), "reading the footer")
	require.ErrorContains(t, scan(file(struct{ A int64 }{}), Column{ID: 1, Type: schema.LakeType{Kind: schema.LakeLong}}), "no Iceberg field ids")
	require.ErrorContains(t, scan(good, Column{ID: 9, Name: "x", Type: schema.LakeType{Kind: schema.LakeLong}, Required: true}), "lacks the required column x (field id 9)")
	for id, types := range map[int][]schema.LakeType{
		1: {{Kind: schema.LakeInt}, {Kind: schema.LakeString}, {Kind: schema.LakeDecimal, Precision: 18}, {Kind: schema.LakeTimestamp}},
		2: {{Kind: schema.LakeLong}, {Kind: schema.LakeBoolean}},
		3: {{Kind: schema.LakeDecimal, Precision: 6, Scale: 2}, {Kind: schema.LakeDecimal, Precision: 9, Scale: 3}, {Kind: schema.LakeInt}},
		4: {{Kind: schema.LakeTimestamp}, {Kind: schema.LakeTimestampTZ}},
	} {
		for _, typ := range types {
			require.ErrorContains(t, scan(good, Column{ID: id, Name: "x", Type: typ}), "cannot be read as "+typ.String())
		}
	}
	for id, text := range map[int]string{1: "cannot be read as list<float>", 2: errNullElement.Error(), 3: "cannot be read as list<float>", 4: "cannot be read as list<float>"} {
		require.ErrorContains(t, scan(goodLists, Column{ID: id, Name: "x", Type: schema.LakeType{Kind: schema.LakeFloatList}}), text)
	}
	cols := []Column{{ID: 1, Name: "s", Type: schema.LakeType{Kind: schema.LakeString}}}
	rng := rand.New(rand.NewPCG(1, 2))
	_, vecs := textColumn(func(int) []byte { return digits(rng, 10) }, 1000)
	var out bytes.Buffer
	w := NewWriter(&out, cols, Options{})
	require.NoError(t, w.Append(vecs, nil, 1000))
	_, err := w.Close()
	require.NoError(t, err)
	broken := out.Bytes()
	broken[len(broken)/2] ^= 1
	require.ErrorContains(t, scan(broken, cols[0]), "reading column s (field id 1)", "a flipped bit")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := Open(bytes.NewReader(good), int64(len(good)))
	require.NoError(t, err)
	err = r.Scan(ctx, []Column{{ID: 1, Type: schema.LakeType{Kind: schema.LakeLong}}}, func([]schema.Vec, int64, int) error { return nil })
	require.ErrorIs(t, err, context.Canceled)
}

func TestFieldNames(t *testing.T) {
	var cols []Column
	for i, n := range []string{"id", "a.b", "a_x2Eb", "9 lives", "größe", "日本", "😀", "", "a-b"} {
		cols = append(cols, Column{ID: i + 1, Name: n})
	}
	require.Equal(t, []string{"id", "a_x2Eb", "a_x2Eb_3", "_9_x20lives", "größe", "日本", "_xD83D_xDE00", "", "a_x2Db"}, fieldNames(cols))
}
