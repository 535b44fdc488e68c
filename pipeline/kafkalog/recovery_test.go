package kafkalog_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// idIn returns the n-th id whose row goes to that partition of three.
func idIn(partition, n int) int64 {
	for id := int64(0); ; id++ {
		key := kafka.Message{Key: []byte(`{"id":` + strconv.FormatInt(id, 10) + `}`)}
		if (kafka.Murmur2Balancer{}).Balance(key, 0, 1, 2) != partition {
			continue
		}
		if n--; n < 0 {
			return id
		}
	}
}

// torn makes a log whose source was killed when partition 0 had the rows of
// transactions 2 to 4 and partition 1 had none. It returns those transactions,
// and what the table holds after each.
func torn(t *testing.T, b *stalling, cfg kafkalog.Config, l *lake, a *schema.Table) (txns [][]schema.Event, states map[int64]map[int64]string) {
	t.Helper()
	states = map[int64]map[int64]string{1: {1: "one"}}
	for txn := int64(2); txn <= 4; txn++ {
		n := int(txn)
		states[txn] = map[int64]string{}
		for id, v := range states[txn-1] {
			states[txn][id] = v
		}
		var changes []change
		for p := range 2 {
			c := change{op: schema.OpInsert, id: idIn(p, n), v: fmt.Sprint(txn, ".", p)}
			states[txn][c.id] = c.v
			if changes = append(changes, c); txn == 4 {
				break // partition 1 has room for three waiting batches: two rows and a cut
			}
		}
		txns = append(txns, []schema.Event{block(a, txn, 0, changes...), commit(txn)})
	}
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	before := endOf(t, b.addr, "p.shop.a", 0)
	tr := kafkalog.New(cfg, quiet())
	w, err := tr.Writer(ctx, l.resume)
	require.NoError(t, err)
	b.partition.Store(1)
	for _, events := range txns {
		send(t, w, again(a, events)...)
	}
	for endOf(t, b.addr, "p.shop.a", 0) < before+5 { // fence, three rows, a cut
		time.Sleep(time.Millisecond)
	}
	kill()
	require.NoError(t, tr.Close())
	b.partition.Store(-1)
	return txns, states
}

// again copies events: Send takes blocks away.
func again(a *schema.Table, events []schema.Event) (out []schema.Event) {
	for _, e := range events {
		if b, ok := e.(*schema.Block); ok {
			var changes []change
			for i := range b.Ops {
				changes = append(changes, change{op: b.Ops[i], id: b.New[0].I64[i], v: string(b.New[1].Bytes(i))})
			}
			e = block(a, b.Origins[0].GTID.N, b.Origins[0].TxnRow, changes...)
		}
		out = append(out, e)
	}
	return out
}

// tornConfig makes every record a batch, and no cut and no checkpoint but those
// of the first Commit and of a load.
func tornConfig(addr string) kafkalog.Config {
	cfg := config(addr)
	cfg.BatchBytes, cfg.CutInterval, cfg.CheckpointInterval = 1, time.Hour, time.Hour
	return cfg
}

// TestNoCutBeforeAllIsPassed: a partition holds rows of transactions that the
// source has not come to again; a cut before them would show them too early.
func TestNoCutBeforeAllIsPassed(t *testing.T) {
	b := stallingBroker(t)
	cfg := tornConfig(b.addr)
	l, a := loaded(t, cfg)
	txns, states := torn(t, b, cfg, l, a)
	l.check = func(c schema.Commit) {
		txn := int64(txnAt(c.Position)) + 1
		require.Equal(t, states[txn], l.rows[a.ID], "after transaction %d", txn)
	}
	tr, w, r := open(t, cfg, l)
	require.Equal(t, 0, txnAt(w.Resume().Position))
	for _, events := range txns {
		send(t, w, events...)
	}
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Equal(t, states[4], l.rows[a.ID])
	for k, n := range l.applied {
		require.Equal(t, 1, n, k)
	}
}

// TestTransactionsUnderOldNames: a server that lost what the log holds of it gives the
// names of those transactions to others. They must not pass for the lost ones.
func TestTransactionsUnderOldNames(t *testing.T) {
	b := stallingBroker(t)
	cfg := tornConfig(b.addr)
	l, a := loaded(t, cfg)
	txns, _ := torn(t, b, cfg, l, a)
	tr, w, _ := open(t, cfg, l)
	defer tr.Close()
	for i, e := range again(a, txns[0]) {
		if block, ok := e.(*schema.Block); ok {
			block.Origins[0].Time += 1_000_000
			require.ErrorContains(t, w.Send(t.Context(), block), "rows of another transaction")
			require.Zero(t, i)
		}
	}
}

// writerUnder opens and closes the source's end under a selection of tables.
func writerUnder(t *testing.T, cfg kafkalog.Config, selection string, events ...schema.Event) error {
	t.Helper()
	cfg.Selection = selection
	tr := kafkalog.New(cfg, quiet())
	defer tr.Close()
	w, err := tr.Writer(t.Context(), pipeline.Resume{})
	if err != nil {
		return err
	}
	send(t, w, events...)
	return w.Close(t.Context())
}

// TestChangedSelection: rows are numbered over the captured tables, so what a
// killed source left can only be completed under its selection.
func TestChangedSelection(t *testing.T) {
	b := stallingBroker(t)
	cfg := tornConfig(b.addr)
	cfg.Selection = `--tables shop\.a`
	l, a := loaded(t, cfg)
	require.NoError(t, writerUnder(t, cfg, "x"), "nothing is pending")
	cfg.Selection = "y"
	txns, states := torn(t, b, cfg, l, a)

	for range 2 { // a source that was refused has claimed the log, and must not pass for who wrote the rows
		var refused *kafkalog.SelectionError
		err := writerUnder(t, cfg, "z")
		require.ErrorAs(t, err, &refused)
		require.Equal(t, kafkalog.SelectionError{Was: "y", Is: "z", Pending: 3}, *refused)
		require.ErrorContains(t, err, "run once more with `y` until it has caught up")
	}
	var events []schema.Event
	for _, e := range txns {
		events = append(events, e...)
	}
	require.NoError(t, writerUnder(t, cfg, "y", events...))
	require.NoError(t, writerUnder(t, cfg, "z"), "the last source has caught up")

	tr, _, r := open(t, cfg, l)
	for len(l.commits) == 0 || txnAt(l.resume.Position) < 3 {
		e, err := r.Next(t.Context())
		require.NoError(t, err)
		l.apply(e)
	}
	require.NoError(t, tr.Close())
	require.Equal(t, states[4], l.rows[a.ID])
	for k, n := range l.applied {
		require.Equal(t, 1, n, k)
	}
}

// TestSelectionOutlivesItsClaim: the control topic keeps its newest records, and
// a source may run for longer than its claim is kept.
func TestSelectionOutlivesItsClaim(t *testing.T) {
	b := stallingBroker(t)
	cfg := tornConfig(b.addr)
	cfg.Selection, cfg.CheckpointInterval = "x", time.Millisecond
	l, a := loaded(t, cfg)
	ctx, kill := context.WithCancel(t.Context())
	tr := kafkalog.New(cfg, quiet())
	w, err := tr.Writer(ctx, l.resume)
	require.NoError(t, err)
	claims := endOf(t, b.addr, "beluga-control.test", 0)
	send(t, w, block(a, 2, 0, change{op: schema.OpInsert, id: 2, v: "two"}), commit(2))
	for endOf(t, b.addr, "beluga-control.test", 0) == claims {
		time.Sleep(time.Millisecond)
	}
	before := endOf(t, b.addr, "p.shop.a", 0)
	send(t, w, block(a, 3, 0, change{op: schema.OpInsert, id: idIn(0, 5), v: "three"}))
	for endOf(t, b.addr, "p.shop.a", 0) == before {
		time.Sleep(time.Millisecond)
	}
	kill()
	require.NoError(t, tr.Close())

	deleteRecords(t, b.addr, "beluga-control.test", endOf(t, b.addr, "beluga-control.test", 0)-1)
	var refused *kafkalog.SelectionError
	require.ErrorAs(t, writerUnder(t, cfg, "z"), &refused)
	require.Equal(t, "x", refused.Was)
	require.NoError(t, writerUnder(t, cfg, "x"))
}
