package kafkalog_test

import (
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
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

// TestNoTombstones: only they are left out, and the log stays readable whole, also
// where a source with another choice goes on in the middle of a transaction.
func TestNoTombstones(t *testing.T) {
	for _, without := range []bool{false, true} {
		cfg := config(broker(t))
		cfg.NoTombstones = without
		a, l := table(t, "a"), newLake(t)
		_, w, _ := open(t, cfg, l)
		send(t, w, schema.SchemaChange{Table: a, Reset: true},
			block(a, 1, 0, change{op: schema.OpInsert, id: 1, v: "one"}, change{op: schema.OpInsert, id: 2, v: "two"}), commit(1))
		// A change of key and a deletion, and then the source is gone.
		half := []change{{op: schema.OpUpdate, id: 11, old: 1, v: "moved"}, {op: schema.OpDelete, old: 2}}
		send(t, w, block(a, 2, 0, half...))
		require.NoError(t, w.Close(t.Context()))

		cfg.NoTombstones = !without
		tr, w, r := open(t, cfg, l)
		send(t, w, block(a, 2, 0, half...), block(a, 2, 2, change{op: schema.OpDelete, old: 11}), commit(2))
		require.NoError(t, w.Close(t.Context()))
		drain(t, r, l)
		require.NoError(t, tr.Close())
		require.Empty(t, l.rows[a.ID])
		require.Equal(t, 1, l.applied["shop.a 2 moved"])
		// Those that the first left out come late, and behind what they belong to.
		require.Equal(t, map[bool]int{false: 2, true: 3}[without], tombstones(t, cfg, a.ID))
	}
}

// tombstones counts the records of a table that have a key and no value.
func tombstones(t *testing.T, cfg kafkalog.Config, id schema.TableID) (n int) {
	t.Helper()
	for p := range cfg.Partitions {
		conn, err := kafka.DialLeader(t.Context(), "tcp", cfg.Brokers[0], cfg.TopicPrefix+"."+id.String(), p)
		require.NoError(t, err)
		end, err := conn.ReadLastOffset()
		require.NoError(t, err)
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: cfg.Brokers, Topic: cfg.TopicPrefix + "." + id.String(), Partition: p, MaxWait: 10 * time.Millisecond})
		for at := int64(0); at < end; {
			m, err := r.ReadMessage(t.Context())
			require.NoError(t, err)
			if at = m.Offset + 1; m.Key != nil && m.Value == nil {
				n++
			}
		}
		require.NoError(t, r.Close())
		require.NoError(t, conn.Close())
	}
	return n
}
