package kafkalog_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// fetches counts the requests for a topic's records from an offset on, and refuses
// them while it is told to.
type fetches struct {
	refuse atomic.Bool
	asked  atomic.Int64
}

func watchFetches(c *kfake.Cluster, topic string, from int64) *fetches {
	f := &fetches{}
	c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		fetch := req.(*kmsg.FetchRequest)
		if len(fetch.Topics) != 1 || fetch.Topics[0].Topic != topic || fetch.Topics[0].Partitions[0].FetchOffset < from {
			return nil, nil, false
		}
		f.asked.Add(1)
		if !f.refuse.Load() {
			return nil, nil, false
		}
		res := fetch.ResponseKind().(*kmsg.FetchResponse)
		t := kmsg.NewFetchResponseTopic()
		t.Topic = topic
		p := kmsg.NewFetchResponseTopicPartition()
		p.ErrorCode = kerr.UnknownServerError.Code
		t.Partitions = append(t.Partitions, p)
		res.Topics = append(res.Topics, t)
		return res, nil, true
	})
	return f
}

// TestPassesByTheBroker reads a log whose records the broker does not give out:
// what it has acknowledged comes from memory.
func TestPassesByTheBroker(t *testing.T) {
	c := cluster(t)
	cfg := config(c.ListenAddrs()[0])
	cfg.Partitions = 1
	l := newLake(t)
	a := table(t, "a")
	tr, w, r := open(t, cfg, l)
	watch := watchFetches(c, "p.shop.a", 1) // 0 is the fence
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, commit(1))
	readTo(t, r, l, commit(1))
	watch.refuse.Store(true) // what comes now cannot be fetched
	want := map[int64]string{}
	for i := int64(2); i < 100; i++ {
		send(t, w, block(a, i, 0, change{op: schema.OpInsert, id: i, v: "new"}))
		want[i] = "new"
	}
	send(t, w, commit(99))
	for i := int64(100); i < 150; i++ {
		send(t, w, block(a, i, 0, change{op: schema.OpUpdate, id: 100 + i, old: i - 90, v: "moved"}, change{op: schema.OpDelete, old: i - 90 + 1}), commit(i))
		delete(want, i-90)
		delete(want, i-90+1)
		want[100+i] = "moved"
	}
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Equal(t, want, l.rows[a.ID])

	watch.refuse.Store(false)
	whole := newLake(t)
	tr = kafkalog.New(cfg, quiet())
	defer tr.Close()
	r, err := tr.Reader(t.Context(), whole.resume)
	require.NoError(t, err)
	readTo(t, r, whole, commit(149))
	require.Equal(t, want, whole.rows[a.ID])
}

// readTo reads up to a commit.
func readTo(t *testing.T, r pipeline.Reader, l *lake, last schema.Commit) {
	for !l.resume.Position.Contains(last.Position) {
		e, err := r.Next(t.Context())
		require.NoError(t, err)
		l.apply(e)
	}
}

// TestSlowSinkReadsTheLog holds a sink up until the source has written far more
// than may be lent: the source does not wait for it, and the sink finds in the log
// what did not come from memory.
func TestSlowSinkReadsTheLog(t *testing.T) {
	c := cluster(t)
	cfg := config(c.ListenAddrs()[0])
	cfg.Partitions, cfg.Memory, cfg.BatchBytes = 1, 64<<10, 1<<10
	l := newLake(t)
	a := table(t, "a")
	tr, w, r := open(t, cfg, l)
	watch := watchFetches(c, "p.shop.a", 1)
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, commit(1))
	for i := int64(2); i < 1500; i++ {
		var changes []change
		for k := range int64(7) {
			changes = append(changes, change{op: schema.OpInsert, id: i*10 + k, v: "row"})
		}
		changes[i%7] = change{op: schema.OpInsert, id: i*10 + 8, v: "row"}
		send(t, w, block(a, i, 0, changes...), commit(i))
		if i == 1000 {
			// The sink comes back while the source goes on.
			done := make(chan error, 1)
			defer func() { require.NoError(t, <-done) }()
			go func() { done <- read(t.Context(), r, l) }()
		}
		if i > 1000 {
			time.Sleep(100 * time.Microsecond) // so that both ways are gone in turn
		}
	}
	require.NoError(t, w.Close(t.Context()))
	t.Cleanup(func() { tr.Close() })
	t.Cleanup(func() {
		require.Len(t, l.rows[a.ID], 1498*7)
		require.Positive(t, watch.asked.Load())
	})
}
