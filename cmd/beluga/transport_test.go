package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSelection: what captures the same tables must read the same, or the log
// would refuse to go on. So must what decides which rows there are, and where.
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
	with := func(c Config) string {
		c.From, c.GTID.SourceFilterRows = shop, true
		text, err := c.selection()
		require.NoError(t, err)
		return text
	}
	require.Equal(t, of(shop)+" and --kafka-message-key-columns 'a:x;b:y'", with(Config{Kafka: KafkaConfig{MessageKeyColumns: []string{"b:y", "a:x"}}}))
	require.Equal(t, of(shop)+" and --gtid-source-excludes 'x,y'", with(Config{GTID: GTIDConfig{SourceExcludes: []string{"y", "x"}}}))
	require.Equal(t, of(shop)+" and --kafka-binary-handling-mode hex", with(Config{Kafka: KafkaConfig{DecimalHandlingMode: "precise", BinaryHandlingMode: "hex"}}))
	_, err := (&Config{From: "nonsense"}).selection()
	require.Error(t, err)
}
