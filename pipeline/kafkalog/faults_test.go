package kafkalog_test

import (
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

// loaded makes a log with a loaded table, read into the lake.
func loaded(t *testing.T, cfg kafkalog.Config) (*lake, *schema.Table) {
	t.Helper()
	l, a := newLake(t), table(t, "a")
	tr, w, r := open(t, cfg, l)
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "one"}), commit(1))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	l.restart()
	return l, a
}

// readError opens a reader and returns the error that ends it.
func readError(t *testing.T, cfg kafkalog.Config, l *lake) error {
	t.Helper()
	tr := kafkalog.New(cfg, quiet())
	defer tr.Close()
	r, err := tr.Reader(t.Context(), l.resume)
	require.NoError(t, err)
	for {
		if _, err := r.Next(t.Context()); err != nil {
			return err
		}
	}
}

func TestLostRecordsStopTheReader(t *testing.T) {
	cfg := config(broker(t))
	l, _ := loaded(t, cfg)
	p := l.resume.Position.Log["p.shop.a/0"]
	p.Offset += 100
	l.resume.Position.Log["p.shop.a/0"] = p
	err := readError(t, cfg, l)
	require.ErrorIs(t, err, kafkalog.ErrLost)
	require.ErrorContains(t, err, "topic p.shop.a, partition 0")
	require.ErrorContains(t, err, "load the tables again")

	l, _ = loaded(t, config(broker(t)))
	l.resume.Position.LogID = ""
	require.ErrorContains(t, readError(t, cfg, l), "does not continue the lake")
}

// TestGapStopsTheReader: a number is missing.
func TestGapStopsTheReader(t *testing.T) {
	cfg := config(broker(t))
	l, a := loaded(t, cfg)
	for k, p := range l.resume.Position.Log {
		p.Seq -= 2
		l.resume.Position.Log[k] = p
	}
	tr, w, _ := open(t, cfg, newLake(t))
	defer tr.Close()
	send(t, w, block(a, 2, 0, change{op: schema.OpInsert, id: 2, v: "two"}), commit(2))
	err := readError(t, cfg, l)
	require.ErrorIs(t, err, kafkalog.ErrLost)
	require.ErrorContains(t, err, "are missing")
}

func TestAnotherLogIsRefused(t *testing.T) {
	addr := broker(t)
	cfg := config(addr)
	l, a := loaded(t, cfg)
	deleteTopic(t, addr, "beluga-control.test")
	deleteTopic(t, addr, "p.shop.a")
	tr := kafkalog.New(cfg, quiet())
	defer tr.Close()
	_, err := tr.Writer(t.Context(), l.resume)
	require.ErrorContains(t, err, "another log")

	// Without the lake's word it is a new log, and the old lake does not fit it.
	fresh := kafkalog.New(cfg, quiet())
	defer fresh.Close()
	w, err := fresh.Writer(t.Context(), pipeline.Resume{})
	require.NoError(t, err)
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, commit(1))
	require.NoError(t, w.Close(t.Context()))
	require.ErrorContains(t, readError(t, cfg, l), "another log")
}

func TestForeignRecordsAreRefused(t *testing.T) {
	addr := broker(t)
	cfg := config(addr)
	l, _ := loaded(t, cfg)
	produce(t, addr, "p.shop.a", "hello")
	require.ErrorContains(t, readError(t, cfg, l), "not written by this program")
}

func TestUnfitTopicsAreRefused(t *testing.T) {
	addr := broker(t)
	createTopic(t, addr, "p.shop.a", 1, kafka.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: "compact"})
	createTopic(t, addr, "p.shop.b", 1)
	produce(t, addr, "p.shop.b", "hello")
	_, w, _ := open(t, config(addr), newLake(t))
	define := func(name string) error {
		return w.Send(t.Context(), schema.SchemaChange{Table: table(t, name), Reset: true})
	}
	require.ErrorContains(t, define("a"), "cleanup.policy=compact")
	require.ErrorContains(t, define("b"), "holds records already")
	require.NoError(t, define("c d"))
	require.ErrorContains(t, define("c_d"), "its topic would be p.shop.c_d, which is the one of table shop.c d already")
}

// TestBrokerFaults: whatever the broker answers, every row arrives once, in
// order. A producer that it does not know any more is replaced.
func TestBrokerFaults(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := refusing(t, r, 3, []kafka.Error{kafka.NotLeaderForPartition, kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId, kafka.RequestTimedOut})
	cfg := config(c.ListenAddrs()[0])
	cfg.BatchBytes = 500
	s := newScript(t, r, 60)
	l := newLake(t)
	l.check = s.checkCut(l)
	finish(t, cfg, s, l, 59)
	s.once(t, l)
}

// TestTooLargeForTheTopic: a row that its topic does not take stops the source, and is
// told with its size.
func TestTooLargeForTheTopic(t *testing.T) {
	addr := servers.Kafka(t).Addr
	cfg := config(addr)
	cfg.Name, cfg.TopicPrefix = "too_large", "too_large"
	createTopic(t, addr, "too_large.shop.a", 1, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "2000"})
	tr := kafkalog.New(cfg, quiet())
	defer tr.Close()
	w, err := tr.Writer(t.Context(), pipeline.Resume{})
	require.NoError(t, err)
	text := make([]byte, 5000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range text {
		text[i] = byte('!' + r.IntN(90)) // which hardly compresses
	}
	a := table(t, "a")
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, block(a, 0, 0, change{op: schema.OpRead, id: 1, v: string(text)}), commit(1))
	err = w.Close(t.Context())
	require.ErrorIs(t, err, kafka.MessageSizeTooLarge)
	require.ErrorContains(t, err, "writing topic too_large.shop.a, partition 0")
	require.ErrorContains(t, err, `of the row with the key {"id":1}`)
	require.ErrorContains(t, err, "--topic too_large.shop.a --add-config max.message.bytes=")
}

func TestReplacedSourceStops(t *testing.T) {
	cfg := config(broker(t))
	_, a := loaded(t, cfg)
	old, w, _ := open(t, cfg, newLake(t))
	_, _, _ = open(t, cfg, newLake(t))
	for w.Send(t.Context(), block(a, 2, 0, change{op: schema.OpInsert, id: 2, v: "two"})) == nil {
		time.Sleep(time.Millisecond)
	}
	require.ErrorIs(t, w.Send(t.Context(), commit(2)), kafkalog.ErrSuperseded)
	require.NoError(t, old.Close())
}

// TestTableAhead: a crash between the commits of a cut left table a at a later
// one than table b and the published cut.
func TestTableAhead(t *testing.T) {
	cfg := config(broker(t))
	l := newLake(t)
	a, b := table(t, "a"), table(t, "b")
	var history []pipeline.Resume
	var contents []map[schema.TableID]map[int64]string
	l.check = func(schema.Commit) {
		history = append(history, l.resume)
		contents = append(contents, maps.Clone(l.rows))
	}
	tr, w, r := open(t, cfg, l)
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, schema.SchemaChange{Table: b, Reset: true}, commit(1))
	cutOf := func(n int) {
		for len(history) < n {
			e, err := r.Next(t.Context())
			require.NoError(t, err)
			l.apply(e)
		}
	}
	cutOf(1)
	wide := table(t, "a", "extra")
	send(t, w, schema.SchemaChange{Table: wide}, block(wide, 2, 0, change{op: schema.OpInsert, id: 1, v: "a1"}), block(b, 2, 1, change{op: schema.OpInsert, id: 1, v: "b1"}), commit(2))
	cutOf(2)
	send(t, w, block(wide, 3, 0, change{op: schema.OpInsert, id: 2, v: "a2"}), block(b, 3, 1, change{op: schema.OpInsert, id: 2, v: "b2"}), commit(3))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	want := maps.Clone(l.rows)

	l.check = nil
	l.resume = pipeline.Resume{Position: history[0].Position, Tables: map[schema.TableID]pipeline.TableState{a.ID: history[1].Tables[a.ID], b.ID: history[0].Tables[b.ID]}}
	l.rows = map[schema.TableID]map[int64]string{a.ID: contents[1][a.ID], b.ID: contents[0][b.ID]}
	l.open = map[schema.TableID]map[int64]string{}
	l.restart()
	for id := range l.rows {
		l.open[id] = maps.Clone(l.rows[id])
	}
	l.commits = nil
	tr, w, r = open(t, cfg, l)
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Equal(t, want, l.rows)
	for k, n := range l.applied {
		require.Equal(t, 1, n, k)
		require.NotContains(t, k, "shop.a 2 ", "what table a had already")
	}
	require.Len(t, l.commits, 2)
}

// TestAllTablesAhead: after a crash between the last table's commit of a cut and its
// publication nothing but the cut comes, also if the log ends there.
func TestAllTablesAhead(t *testing.T) {
	for _, partitions := range []int{1, 3} {
		cfg := config(broker(t))
		cfg.Partitions = partitions
		l, a, b := newLake(t), table(t, "a"), table(t, "b")
		tr, w, r := open(t, cfg, l)
		send(t, w, schema.SchemaChange{Table: a, Reset: true}, schema.SchemaChange{Table: b, Reset: true}, commit(1))
		first := pipeline.Resume{}
		l.check = func(c schema.Commit) {
			if first.Position.IsZero() {
				first = l.resume
			}
		}
		for first.Position.IsZero() {
			e, err := r.Next(t.Context())
			require.NoError(t, err)
			l.apply(e)
		}
		wide := table(t, "a", "extra")
		send(t, w, block(a, 2, 0, change{op: schema.OpInsert, id: 1, v: "a1"}), schema.SchemaChange{Table: wide},
			block(wide, 2, 1, change{op: schema.OpInsert, id: 2, v: "a2"}), block(b, 2, 2, change{op: schema.OpInsert, id: 1, v: "b1"}), commit(2))
		require.NoError(t, w.Close(t.Context()))
		drain(t, r, l)
		require.NoError(t, tr.Close())
		last := l.resume.Position

		l.restart()
		l.resume.Position, l.commits = first.Position, nil // the tables stay where they are
		tr, w, r = open(t, cfg, l)
		require.NoError(t, w.Close(t.Context()))
		drain(t, r, l)
		require.NoError(t, tr.Close())
		require.Empty(t, l.applied)
		require.Len(t, l.commits, 1)
		require.Equal(t, last, l.commits[0].Position)
	}
}

func TestOtherConsumersPassOverControlRecords(t *testing.T) {
	addr := broker(t)
	cfg := config(addr)
	cfg.Partitions = 1
	_, _ = loaded(t, cfg)
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: "p.shop.a", MaxWait: 10 * time.Millisecond})
	defer r.Close()
	var values []string
	for range 4 { // fence, DDL, row, cut
		m, err := r.ReadMessage(t.Context())
		require.NoError(t, err)
		if m.Value == nil {
			require.Nil(t, m.Key)
			continue
		}
		require.Equal(t, `{"id":1}`, string(m.Key))
		values = append(values, string(m.Value))
	}
	require.Len(t, values, 1)
	require.Contains(t, values[0], `"after":{"id":1,"v":"one"}`)
}

func TestConfigFaultsAreToldAtOnce(t *testing.T) {
	_, err := kafkalog.New(kafkalog.Config{Name: "a b", Partitions: -1}, quiet()).Writer(t.Context(), pipeline.Resume{})
	for _, part := range []string{"kafka.brokers", `"a b"`, "topic prefix", "-1 partitions"} {
		require.ErrorContains(t, err, part)
	}
}
