package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSelection: what captures the same tables must read the same, or the log
// would refuse to go on.
func TestSelection(t *testing.T) {
	of := func(from string, tables ...string) string {
		text, err := (&Config{From: from, Tables: TablesConfig{Include: tables}}).selection()
		require.NoError(t, err)
		return text
	}
	const shop, all = "mysql://u:secret@host/shop", "mysql://u@other"
	require.Equal(t, `--tables 'shop\.a,shop\.b'`, of(shop, `shop\.b`, `shop\.a`, `shop\.b`))
	require.Equal(t, of(shop, "a"), of(all, "a"), "patterns name the database themselves")
	require.Equal(t, "database shop in --from and no --tables", of(shop))
	require.NotEqual(t, of(shop), of(all))
	_, err := (&Config{From: "nonsense"}).selection()
	require.Error(t, err)
}
