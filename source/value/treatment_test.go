package value_test

import (
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// TestTreatments: characters are counted, not bytes; of bytes, bytes; the hash is
// the one that Debezium's column.mask.hash.v2 makes of the same salt; NULL is
// hidden by a mask and stays otherwise.
func TestTreatments(t *testing.T) {
	latin1 := schema.Type{Kind: schema.VarChar, Length: 20, Charset: "latin1"}
	text, blob := schema.Type{Kind: schema.VarChar, Length: 20, Charset: "utf8mb4"}, schema.Type{Kind: schema.Blob}
	salted := &schema.Treatment{Kind: schema.Hash, Hash: "sha-256", Salt: []byte("CzQMA0cB5K")}
	for _, c := range []struct {
		typ       schema.Type
		treatment *schema.Treatment
		in, want  string // "NULL"
	}{
		{text, &schema.Treatment{Kind: schema.Mask, Length: 3}, "secret", "***"},
		{text, &schema.Treatment{Kind: schema.Mask, Length: 0}, "secret", ""},
		{text, &schema.Treatment{Kind: schema.Mask, Length: 3}, "NULL", "***"},
		{text, &schema.Treatment{Kind: schema.Truncate, Length: 3}, "äé\U0001F40Bß", "äé\U0001F40B"},
		{text, &schema.Treatment{Kind: schema.Truncate, Length: 3}, "äé", "äé"},
		{text, &schema.Treatment{Kind: schema.Truncate, Length: 0}, "äé", ""},
		{text, &schema.Treatment{Kind: schema.Truncate, Length: 3}, "NULL", "NULL"},
		{blob, &schema.Treatment{Kind: schema.Truncate, Length: 3}, "\xff\xfe\xfd\xfc", "\xff\xfe\xfd"},
		{latin1, &schema.Treatment{Kind: schema.Truncate, Length: 3}, "\xe4rmel", "ärm"},
		{latin1, salted, "sally.thomas@acme.com", "57671fbf59a9f9d66c361b2aff7a34102169b32c7819c1c9daccb677d806f99d"},
		{text, salted, "sally.thomas@acme.com", "57671fbf59a9f9d66c361b2aff7a34102169b32c7819c1c9daccb677d806f99d"},
		{text, salted, "NULL", "NULL"},
	} {
		tbl := &schema.Table{Columns: []schema.Column{{Name: "c", Type: c.typ, Nullable: true, Treatment: c.treatment}}}
		require.NoError(t, tbl.Prepare())
		m, err := value.New(tbl, 0, nil)
		require.NoError(t, err)
		b := schema.NewBlock(tbl)
		v := mysql.NewFieldValue(mysql.FieldValueTypeString, 0, []byte(c.in))
		if c.in == "NULL" {
			v = mysql.NewFieldValue(mysql.FieldValueTypeNull, 0, nil)
		}
		for range 2 { // the value before stays as it was
			require.NoError(t, m.FromStored(&b.New[0], &v))
		}
		for i := range 2 {
			if c.want == "NULL" {
				require.True(t, b.New[0].IsNull(i))
				continue
			}
			require.False(t, b.New[0].IsNull(i))
			require.Equal(t, c.want, string(b.New[0].Bytes(i)))
		}
		require.Equal(t, 2, b.New[0].N)
	}
	number := &schema.Table{Columns: []schema.Column{{Name: "c", Type: schema.Type{Kind: schema.Int}, Treatment: salted}}}
	require.NoError(t, number.Prepare())
	_, err := value.New(number, 0, nil)
	require.ErrorContains(t, err, "hash cannot be done to values of type int")
}
