package kafkalog

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
)

// queuedNotices is how many notifications wait for a broker that is away. There
// are a few for each table and load.
const queuedNotices = 4096

// Notices writes notifications to a topic, as Debezium does. It is no part of the
// log: what cannot be written is told and left out, and the run goes on.
type Notices struct {
	cfg   Config
	topic string
	log   *slog.Logger
	queue chan pipeline.Notification
}

// Notices returns the way to a topic. It connects in Run.
func (t *Transport) Notices(topic string) *Notices {
	return &Notices{cfg: t.cfg, topic: topic, log: t.log, queue: make(chan pipeline.Notification, queuedNotices)}
}

// Add takes a notification. It never waits.
func (n *Notices) Add(x pipeline.Notification) {
	select {
	case n.queue <- x:
	default:
		n.log.Warn("a notification is left out: Kafka has not taken those before", "id", x.ID, "type", x.Type)
	}
}

// Run writes until stop ends, and then what still waits; ctx ends it at once.
func (n *Notices) Run(ctx, stop context.Context) error {
	cfg, err := n.cfg.withDefaults()
	if err != nil {
		return err
	}
	c := newClient(cfg.Brokers, cfg.Dialer, n.log)
	defer c.close()
	if _, _, err := c.ensureTopic(ctx, n.topic, 1, cfg.ReplicationFactor, cfg.dataSettings()); err != nil {
		return fmt.Errorf("notify.topic: %w; remedy: let the user create topics, create it yourself, or name another", err)
	}
	for {
		select {
		case x := <-n.queue:
			n.write(ctx, c, x)
		case <-stop.Done():
			for len(n.queue) > 0 && ctx.Err() == nil {
				n.write(ctx, c, <-n.queue)
			}
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (n *Notices) write(ctx context.Context, c *client, x pipeline.Notification) {
	err := n.produce(ctx, c, x)
	if err != nil && ctx.Err() == nil {
		n.log.Warn("a notification could not be written", "topic", n.topic, "id", x.ID, "type", x.Type, "error", err)
	}
}

func (n *Notices) produce(ctx context.Context, c *client, x pipeline.Notification) error {
	key, err := json.Marshal(map[string]string{"id": x.ID})
	if err != nil {
		return err
	}
	value, err := json.Marshal(x)
	if err != nil {
		return err
	}
	var b recordbatch.Builder // not kept: a late attempt may still read its memory
	b.Append(x.Time, key, value, nil)
	set, err := new(recordbatch.Sealer).Seal(&b, recordbatch.Snappy, recordbatch.NoProducer)
	if err != nil {
		return err
	}
	return c.retry(ctx, "writing topic "+n.topic, func(ctx context.Context) error {
		_, err := c.produce(ctx, n.topic, 0, set)
		return err
	})
}
