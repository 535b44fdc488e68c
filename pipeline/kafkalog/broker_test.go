package kafkalog_test

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
)

func admin(addr string) *kafka.Client { return &kafka.Client{Addr: kafka.TCP(addr)} }

func createTopic(t *testing.T, addr, name string, partitions int, settings ...kafka.ConfigEntry) {
	t.Helper()
	res, err := admin(addr).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: name, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: settings}}})
	require.NoError(t, err)
	require.NoError(t, res.Errors[name])
}

func deleteTopic(t *testing.T, addr, name string) {
	t.Helper()
	res, err := admin(addr).DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{name}})
	require.NoError(t, err)
	require.NoError(t, res.Errors[name])
}

func produce(t *testing.T, addr, topic string, value string) {
	t.Helper()
	w := kafka.Writer{Addr: kafka.TCP(addr), Topic: topic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	defer w.Close()
	require.NoError(t, w.WriteMessages(t.Context(), kafka.Message{Value: []byte(value)}))
}

// faulty is a broker that answers requests to write by an error, where fault
// gives one that is not 0.
func faulty(t *testing.T, fault func(*kmsg.ProduceRequest) kafka.Error, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append(options, kfake.NumBrokers(1))...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		in := req.(*kmsg.ProduceRequest)
		code := fault(in)
		if code == 0 {
			return nil, nil, false
		}
		return produceFault(in, code), nil, true
	})
	return c
}

// refusing is a broker that takes no rows one time in so many, with one of the
// errors.
func refusing(t *testing.T, r *rand.Rand, in int, codes []kafka.Error, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	return faulty(t, func(req *kmsg.ProduceRequest) kafka.Error {
		if !hasProducer(req) || r.IntN(in) > 0 {
			return 0
		}
		return codes[r.IntN(len(codes))]
	}, options...)
}

// stalling is a broker that can be told not to take rows for one partition.
type stalling struct {
	addr      string
	partition atomic.Int32 // −1: it takes all
}

func stallingBroker(t *testing.T) *stalling {
	b := &stalling{}
	b.partition.Store(-1)
	b.addr = faulty(t, func(in *kmsg.ProduceRequest) kafka.Error {
		if in.Topics[0].Partitions[0].Partition != b.partition.Load() {
			return 0
		}
		return kafka.NotLeaderForPartition
	}).ListenAddrs()[0]
	return b
}

// produceFault is the answer of a broker that did not take what it was sent.
func produceFault(in *kmsg.ProduceRequest, code kafka.Error) kmsg.Response {
	out := in.ResponseKind().(*kmsg.ProduceResponse)
	topic := kmsg.NewProduceResponseTopic()
	topic.Topic = in.Topics[0].Topic
	part := kmsg.NewProduceResponseTopicPartition()
	part.Partition, part.ErrorCode = in.Topics[0].Partitions[0].Partition, int16(code)
	topic.Partitions = append(topic.Partitions, part)
	out.Topics = append(out.Topics, topic)
	return out
}

// hasProducer tells whether a request holds rows. Claims, fences and checkpoints
// have no producer id.
func hasProducer(in *kmsg.ProduceRequest) bool {
	b, _, ok, err := recordbatch.Cut(in.Topics[0].Partitions[0].Records)
	return err == nil && ok && b.Producer.ID >= 0
}

func endOf(t *testing.T, addr, topic string, partition int) int64 {
	t.Helper()
	res, err := admin(addr).ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(partition)}}})
	require.NoError(t, err)
	require.NoError(t, res.Topics[topic][0].Error)
	return res.Topics[topic][0].LastOffset
}

// deleteRecords takes what lies before an offset out of a topic, as retention
// does.
func deleteRecords(t *testing.T, addr, topic string, before int64) {
	t.Helper()
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Offset = before
	in := kmsg.NewDeleteRecordsRequestTopic()
	in.Topic, in.Partitions = topic, append(in.Partitions, part)
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = append(req.Topics, in)
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1))
	require.NoError(t, err)
	var size [4]byte
	_, err = io.ReadFull(conn, size[:])
	require.NoError(t, err)
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err = io.ReadFull(conn, body)
	require.NoError(t, err)
	res := req.ResponseKind()
	require.NoError(t, res.ReadFrom(body[4:])) // behind the correlation id
	out := res.(*kmsg.DeleteRecordsResponse).Topics[0].Partitions[0]
	require.Zero(t, out.ErrorCode)
	require.Equal(t, before, out.LowWatermark)
}
