package value

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestFormsWithoutAllocation: a form that was chosen costs no allocation for a
// row.
func TestFormsWithoutAllocation(t *testing.T) {
	table := &schema.Table{Columns: []schema.Column{{Name: "v", Type: schema.Type{Kind: schema.Time, Scale: 6, Form: schema.FormString}}}}
	require.NoError(t, table.Prepare())
	m, err := New(table, 0, nil)
	require.NoError(t, err)
	decode, err := m.Image(19, 6)
	require.NoError(t, err)
	image := []byte{0x4b, 0x91, 0x05, 0xff, 0xff, 0xff} // -838:59:58.000001
	var vec schema.Vec
	vec.Reset(schema.VecBytes)
	one := func() {
		vec.Reset(schema.VecBytes)
		if _, err := decode(&vec, image); err != nil {
			t.Fatal(err)
		}
	}
	one()
	require.Zero(t, testing.AllocsPerRun(100, one), string(vec.Bytes(0)))
}
