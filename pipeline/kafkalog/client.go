package kafkalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
)

const (
	clientID       = "beluga"
	attemptTimeout = 30 * time.Second // of one request; its outcome is unknown then
	openTimeout    = 10 * time.Second // for the first answer of a cluster
	minBackoff     = 50 * time.Millisecond
	maxBackoff     = 2 * time.Second
	complainEvery  = 30 * time.Second
)

// client is one end's connection to the cluster: kafka-go's client for
// everything but fetching (see fetch.go), with the errors inside responses
// brought out and transient ones tried again.
type client struct {
	kafka     *kafka.Client
	transport *kafka.Transport
	dialer    *connection.Dialer
	log       *slog.Logger
}

func newClient(brokers []string, d *connection.Dialer, log *slog.Logger) *client {
	t := &kafka.Transport{ClientID: clientID, Dial: d.DialContext, MetadataTTL: 5 * time.Second}
	return &client{
		kafka:     &kafka.Client{Addr: kafka.TCP(brokers...), Transport: t},
		transport: t,
		dialer:    d,
		log:       log,
	}
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// retry calls f until it succeeds, fails for good, or ctx ends. It says so in the
// log when that takes long: a broker that is away is waited for.
func (c *client) retry(ctx context.Context, step string, f func(context.Context) error) error {
	begin := time.Now()
	wait, complain := minBackoff, begin.Add(complainEvery/10)
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := connection.Explain(f(attempt))
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil || !isTransient(err) {
			return err
		}
		// A topic that was just created is not known everywhere for a moment; one
		// that was deleted never comes back.
		if errors.Is(err, kafka.UnknownTopicOrPartition) && time.Since(begin) > attemptTimeout {
			return err
		}
		if time.Now().After(complain) {
			complain = time.Now().Add(complainEvery)
			c.log.Warn("waiting for Kafka", "step", step, "error", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		wait = min(2*wait, maxBackoff)
	}
}

// isUnknownLayout recognises the client's own error for a topic that its cached
// picture of the cluster does not show yet.
func isUnknownLayout(err error) bool {
	return errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition) || errors.Is(err, protocol.ErrNoLeader)
}

// connect asks the cluster a first question, so that a wrong address is an error
// at once and not a wait without end.
func (c *client) connect(ctx context.Context, brokers []string) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	var last error
	err := c.retry(ctx, "connecting", func(ctx context.Context) error {
		_, last = c.kafka.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
		return last
	})
	var explained *connection.Error
	switch {
	case err == nil:
		return nil
	case errors.As(errors.Join(err, last), &explained):
		return fmt.Errorf("connecting to Kafka at %s: %w", strings.Join(brokers, ","), explained)
	}
	remedy := "check kafka.brokers, and that the broker runs and is reachable under the address that it advertises"
	if errors.Is(last, io.EOF) || errors.Is(last, io.ErrUnexpectedEOF) {
		remedy += "; brokers that want TLS or a login end other connections like this (kafka.tls, kafka.sasl)"
	}
	return fmt.Errorf("connecting to Kafka at %s: %w; remedy: %s", strings.Join(brokers, ","), errors.Join(last, dropDeadline(err)), remedy)
}

func dropDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// producer asks for the numbers by which the broker drops a batch that arrives
// twice within the life of this process.
func (c *client) producer(ctx context.Context) (p recordbatch.Producer, err error) {
	err = c.retry(ctx, "getting a producer id", func(ctx context.Context) error {
		res, err := c.kafka.InitProducerID(ctx, &kafka.InitProducerIDRequest{})
		if err != nil {
			return err
		}
		if res.Error != nil {
			return res.Error
		}
		// A broker that has just started answers with an id of −1, which would
		// switch deduplication off without a word.
		if res.Producer.ProducerID < 0 {
			return kafka.GroupCoordinatorNotAvailable
		}
		p = recordbatch.Producer{ID: int64(res.Producer.ProducerID), Epoch: int16(res.Producer.ProducerEpoch)}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("getting a producer id: %w", err)
	}
	return p, nil
}

// produce sends a sealed record set once and returns the offset of its first
// record.
func (c *client) produce(ctx context.Context, topic string, partition int, set []byte) (int64, error) {
	res, err := c.kafka.RawProduce(ctx, &kafka.RawProduceRequest{
		Topic:        topic,
		Partition:    partition,
		RequiredAcks: kafka.RequireAll,
		RawRecords:   protocol.RawRecordSet{Reader: bytes.NewReader(set)},
	})
	if err != nil {
		return 0, err
	}
	if res.Error != nil {
		return 0, res.Error
	}
	return res.BaseOffset, nil
}

// leader returns the address of the broker that leads the partition.
func (c *client) leader(ctx context.Context, topic string, partition int) (string, error) {
	t, err := c.describe(ctx, topic)
	if err != nil {
		return "", err
	}
	for _, p := range t.Partitions {
		if p.ID == partition {
			if p.Error != nil {
				return "", p.Error
			}
			if p.Leader.Host == "" {
				return "", kafka.LeaderNotAvailable
			}
			return net.JoinHostPort(p.Leader.Host, strconv.Itoa(p.Leader.Port)), nil
		}
	}
	return "", kafka.UnknownTopicOrPartition
}

// describe returns what the cluster says of a topic. The client that is kept
// would answer from a picture that is seconds old; a new one has to ask.
func (c *client) describe(ctx context.Context, topic string) (kafka.Topic, error) {
	fresh := &kafka.Transport{ClientID: clientID, Dial: c.dialer.DialContext, MetadataTopics: []string{topic}}
	defer fresh.CloseIdleConnections()
	asker := kafka.Client{Addr: c.kafka.Addr, Transport: fresh}
	res, err := asker.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return kafka.Topic{}, err
	}
	for _, t := range res.Topics {
		if t.Name == topic {
			return t, t.Error
		}
	}
	return kafka.Topic{}, kafka.UnknownTopicOrPartition
}

// endOffset returns the offset behind the last record of a partition.
func (c *client) endOffset(ctx context.Context, topic string, partition int) (end int64, err error) {
	err = c.retry(ctx, "listing offsets", func(ctx context.Context) error {
		res, err := c.kafka.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(partition)}}})
		if err != nil {
			return err
		}
		for _, p := range res.Topics[topic] {
			if p.Partition == partition {
				end = p.LastOffset
				return p.Error
			}
		}
		return kafka.UnknownTopicOrPartition
	})
	return end, err
}

// firstOffset returns the offset of the first record that a partition still has.
func (c *client) firstOffset(ctx context.Context, topic string, partition int) (first int64, err error) {
	err = c.retry(ctx, "listing offsets", func(ctx context.Context) error {
		res, err := c.kafka.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(partition)}}})
		if err != nil {
			return err
		}
		for _, p := range res.Topics[topic] {
			if p.Partition == partition {
				first = p.FirstOffset
				return p.Error
			}
		}
		return kafka.UnknownTopicOrPartition
	})
	return first, err
}
