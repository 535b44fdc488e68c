package sink

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestSince: a version that has a column which the one before has not shows all that
// there are; one that has other names may have been told before others were added.
func TestSince(t *testing.T) {
	at := func(number int, at string, fields ...int) version {
		v := version{Number: number, Cause: schema.Cause{At: at}}
		for _, f := range fields {
			v.Columns = append(v.Columns, versionColumn{Field: f})
		}
		return v
	}
	require.Empty(t, since(nil))
	require.Equal(t, "load", since([]version{at(1, "load", 1, 2)}))
	require.Equal(t, "added", since([]version{at(1, "load", 1, 2), at(2, "added", 1, 2, 3)}))
	require.Equal(t, "added", since([]version{at(1, "load", 1, 2), at(2, "added", 1, 3), at(3, "renamed", 1, 3), at(4, "dropped", 3)}))
	require.Equal(t, "load", since([]version{at(1, "load", 1, 2), at(2, "renamed", 1, 2)}))
	require.Empty(t, since([]version{at(7, "renamed", 1, 2), at(8, "dropped", 1)}), "those before are not kept")
}
