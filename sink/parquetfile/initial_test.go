package parquetfile

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestInitialDefault: a file shows the initial defaults of columns that it lacks, also
// of required ones, in batches that a long one does not make larger than others; and of
// a column that it has, what it has.
func TestInitialDefault(t *testing.T) {
	const rows, long = 1000, 1 << 20
	id := Column{ID: 1, Name: "id", Type: schema.LakeType{Kind: schema.LakeInt}}
	var v schema.Vec
	v.Reset(schema.VecInt32)
	for i := range int32(rows) {
		if i == 7 {
			v.AppendNull()
			continue
		}
		v.AppendInt32(i)
	}
	var file bytes.Buffer
	w := NewWriter(&file, []Column{id}, Options{})
	require.NoError(t, w.Append([]*schema.Vec{&v}, nil, rows))
	_, err := w.Close()
	require.NoError(t, err)
	r, err := Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)

	number, text := &schema.Vec{}, &schema.Vec{}
	number.Reset(schema.VecInt32)
	number.AppendInt32(5)
	text.Reset(schema.VecBytes)
	text.AppendBytes(bytes.Repeat([]byte("x"), long))
	id.Initial = number
	want := []Column{id,
		{ID: 2, Name: "n", Type: schema.LakeType{Kind: schema.LakeInt}, Required: true, Initial: number},
		{ID: 3, Name: "s", Type: schema.LakeType{Kind: schema.LakeString}, Initial: text},
		{ID: 4, Name: "none", Type: schema.LakeType{Kind: schema.LakeInt}}}
	read := 0
	require.NoError(t, r.Scan(t.Context(), want, func(vecs []schema.Vec, first int64, n int) error {
		require.LessOrEqual(t, len(vecs[2].Data), batchBytes)
		for i := range n {
			row := int(first) + i
			require.Equal(t, row == 7, vecs[0].IsNull(i), "the file has that")
			require.Equal(t, v.I32[row], vecs[0].I32[i])
			require.Equal(t, int32(5), vecs[1].I32[i])
			require.Len(t, vecs[2].Bytes(i), long)
			require.True(t, vecs[3].IsNull(i))
		}
		read += n
		return nil
	}))
	require.Equal(t, rows, read)
}
