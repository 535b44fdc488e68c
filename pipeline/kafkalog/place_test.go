package kafkalog_test

import (
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/pipeline/routing"
	"github.com/beluga-cdc/beluga/schema"
)

func routed(t *testing.T, cfg kafkalog.Config, o routing.Options) kafkalog.Config {
	t.Helper()
	var err error
	cfg.Router, err = routing.New(o)
	require.NoError(t, err)
	return cfg
}

// TestSharedTopic: tables that are routed into one topic come out as themselves, also
// those that join later, and after a restart without the router.
func TestSharedTopic(t *testing.T) {
	t.Run("fake", func(t *testing.T) { sharedTopic(t, config(broker(t))) })
	t.Run("kafka", func(t *testing.T) {
		cfg := config(servers.Kafka(t).Addr)
		cfg.Name = "shared-" + time.Now().Format("150405.000000")
		cfg.TopicPrefix = cfg.Name
		sharedTopic(t, cfg)
	})
}

func sharedTopic(t *testing.T, plain kafkalog.Config) {
	plain.Partitions = 2
	cfg := routed(t, plain, routing.Options{Regex: `(.*)\.shop\.[ab]`, Replacement: "$1.all"})
	l, a, b, c := newLake(t), table(t, "a"), table(t, "b"), table(t, "c")
	tr, w, r := open(t, cfg, l)
	send(t, w, schema.SchemaChange{Table: a, Reset: true}, schema.SchemaChange{Table: c, Reset: true},
		block(a, 0, 0, change{op: schema.OpRead, id: 1, v: "a"}), block(c, 0, 0, change{op: schema.OpRead, id: 1, v: "c"}), commit(1))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	l.restart()

	tr, w, r = open(t, cfg, l)
	send(t, w, schema.SchemaChange{Table: b, Reset: true}, block(b, 2, 0, change{op: schema.OpInsert, id: 1, v: "b"}, change{op: schema.OpInsert, id: 2, v: "b"}),
		block(a, 2, 2, change{op: schema.OpUpdate, id: 7, old: 1, v: "moved"}), commit(2))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	l.restart()

	tr, w, r = open(t, plain, l)
	send(t, w, block(b, 3, 0, change{op: schema.OpDelete, old: 2}), block(a, 3, 1, change{op: schema.OpInsert, id: 8, v: "new"}), commit(3))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Equal(t, map[schema.TableID]map[int64]string{a.ID: {7: "moved", 8: "new"}, b.ID: {1: "b"}, c.ID: {1: "c"}}, l.rows)
	p := cfg.TopicPrefix
	for _, key := range []string{p + ".all/0", p + ".all/1", p + ".all/2", p + ".all/3", p + ".shop.c/0", p + ".shop.c/1"} {
		require.Contains(t, l.resume.Position.Log, key)
	}
	require.Len(t, l.resume.Position.Log, 6)
	require.Equal(t, map[string]bool{`{"id":1,"` + routing.DefaultKeyField + `":"` + p + `.shop.b"}`: true, `{"id":2,"` + routing.DefaultKeyField + `":"` + p + `.shop.b"}`: true},
		keysIn(t, cfg.Brokers[0], p+".all", 2, 3))
}

// keysIn returns the keys that stand in partitions of a topic.
func keysIn(t *testing.T, addr, topic string, partitions ...int) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	for _, partition := range partitions {
		conn, err := kafka.DialLeader(t.Context(), "tcp", addr, topic, partition)
		require.NoError(t, err)
		end, err := conn.ReadLastOffset()
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: topic, Partition: partition, MaxWait: 50 * time.Millisecond})
		for reader.Offset() < end {
			m, err := reader.ReadMessage(context.Background())
			require.NoError(t, err)
			if m.Key != nil {
				keys[string(m.Key)] = true
			}
		}
		require.NoError(t, reader.Close())
	}
	return keys
}

// TestTopicOfAnother: a table is not routed into the topic of one that is not.
func TestTopicOfAnother(t *testing.T) {
	cfg := routed(t, config(broker(t)), routing.Options{Regex: `(.*)\.a`, Replacement: "$1.b"})
	tr, w, _ := open(t, cfg, newLake(t))
	defer tr.Close()
	b, a := table(t, "b"), table(t, "a")
	send(t, w, schema.SchemaChange{Table: b, Reset: true}, block(b, 0, 0, change{op: schema.OpRead, id: 1, v: "b"}))
	err := w.Send(t.Context(), schema.SchemaChange{Table: a, Reset: true})
	require.ErrorContains(t, err, "its topic would be p.shop.b, which is the one of table shop.b already; remedy: ")
}
