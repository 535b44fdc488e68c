package value

import (
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestBeyondTheType: what no server sends of a column stops, and does not become
// another value that fits.
func TestBeyondTheType(t *testing.T) {
	for _, c := range []struct {
		typ  schema.Type
		text string
	}{
		{schema.Type{Kind: schema.Decimal, Precision: 18, Scale: 2}, "123456789012345678901.23"},
		{schema.Type{Kind: schema.Decimal, Precision: 9}, "-1234567890"},
		{schema.Type{Kind: schema.Time, Form: schema.FormString}, "999:00:00"},
		{schema.Type{Kind: schema.Time, Form: schema.FormLong}, "-839:00:00"},
	} {
		table := &schema.Table{Columns: []schema.Column{{Name: "c", Type: c.typ}}}
		require.NoError(t, table.Prepare())
		m, err := New(table, 0, nil)
		require.NoError(t, err)
		var vec schema.Vec
		vec.Reset(table.Lake(0).Vec())
		v := mysql.NewFieldValue(mysql.FieldValueTypeString, 0, []byte(c.text))
		require.Error(t, m.FromSelect(&vec, &v), c.text)
		require.Zero(t, vec.N)
	}
}
