package cutfile

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/sink/warehouse"
)

func TestRoundTrip(t *testing.T) {
	var rows []Row
	for i := range int64(300) {
		r := Row{Pipeline: "p", Cut: i, Position: fmt.Sprintf("uuid:1-%d", i), SourceTime: 1_700_000_000_123_456 + i, PublishedAt: -i, Tables: map[string]int64{}}
		for j := range i % 5 {
			r.Tables[fmt.Sprintf("shop.t%d", j)] = i<<32 - j
		}
		rows = append(rows, r)
	}
	location := warehouse.Scheme + t.TempDir() + "/cuts.parquet"
	f, err := Write(warehouse.Local, location, rows)
	require.NoError(t, err)
	require.EqualValues(t, 300, f.Count())
	got, err := Read(warehouse.Local, location)
	require.NoError(t, err)
	require.Len(t, got, 300)
	for i := range got {
		if len(got[i].Tables) == 0 {
			got[i].Tables = map[string]int64{} // nil and empty are the same map in a file
		}
	}
	require.Equal(t, rows, got)
}
