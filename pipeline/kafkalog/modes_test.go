package kafkalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

// TestModesOfEachRecord: what was written in other modes than a source's, and was
// not read by then, is read as it was written.
func TestModesOfEachRecord(t *testing.T) {
	cfg := config(broker(t))
	a := table(t, "a")
	a.Columns[1].Type = schema.Type{Kind: schema.VarBinary, Length: 9}
	require.NoError(t, a.Prepare())
	l := newLake(t)
	value := func(txn int64) string { return string([]byte{0xFB, 0xFF, byte(txn)}) }
	modes := []string{"bytes", "hex", "base64-url-safe", "bytes"}
	for i, binary := range modes {
		txn := int64(i + 1)
		var err error
		cfg.Modes, err = debezium.ParseModes("", "", binary, "")
		require.NoError(t, err)
		tr, w, r := open(t, cfg, l)
		if txn == 1 {
			send(t, w, schema.SchemaChange{Table: a, Reset: true})
		}
		send(t, w, block(a, txn, 0, change{op: schema.OpInsert, id: txn, v: value(txn)}), commit(txn))
		require.NoError(t, w.Close(t.Context()))
		if txn == 1 || i == len(modes)-1 {
			drain(t, r, l)
		}
		require.NoError(t, tr.Close())
		l.restart()
	}
	require.Equal(t, map[int64]string{1: value(1), 2: value(2), 3: value(3), 4: value(4)}, l.rows[a.ID])
}

// TestLossyModes: a shape that the modes would lose values of is refused before any
// of its rows is written.
func TestLossyModes(t *testing.T) {
	cfg := config(broker(t))
	var err error
	cfg.Modes, err = debezium.ParseModes("double", "", "", "")
	require.NoError(t, err)
	a, wide := table(t, "a"), table(t, "a", "price")
	wide.Columns[2].Type = schema.Type{Kind: schema.Decimal, Precision: 16}
	require.NoError(t, wide.Prepare())
	_, w, _ := open(t, cfg, newLake(t))
	send(t, w, schema.SchemaChange{Table: a, Reset: true})
	require.ErrorContains(t, w.Send(t.Context(), schema.SchemaChange{Table: wide}), "table shop.a, column price (decimal): it has 16 digits, of which decimal handling mode double keeps 15")
}
