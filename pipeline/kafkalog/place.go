package kafkalog

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/beluga-cdc/beluga/schema"
)

// place finds a table's place in the log, and makes its topic, or its partitions in a
// topic that others have already. Nothing is in these before the control topic tells
// of the table: what a source leaves that dies here, the next one takes.
func (w *Writer) place(id schema.TableID) (tableEntry, error) {
	to, err := w.cfg.topicOf(id)
	if err != nil {
		return tableEntry{}, err
	}
	own, err := w.cfg.ownTopic(id)
	if err != nil {
		return tableEntry{}, err
	}
	e := tableEntry{Number: int64(len(w.entries)) + 1, ID: id, Topic: to.Topic, Birth: w.cut, Routed: to.Topic != own, KeyField: to.KeyField, KeyValue: to.KeyValue}
	for _, other := range w.entries {
		if other.Topic != e.Topic {
			continue
		}
		if !e.Routed || !other.Routed {
			return e, fmt.Errorf("its topic would be %s, which is the one of table %s already; remedy: rename one of the tables, or leave one out", e.Topic, other.ID)
		}
		e.First = max(e.First, other.First+other.Partitions)
	}
	if e.First > 0 {
		e.Partitions = w.cfg.Partitions
		if err := w.client.growTopic(w.ctx, e.Topic, e.First+e.Partitions); err != nil {
			return e, err
		}
		return e, w.checkEmpty(e)
	}
	existed := false
	if e.Partitions, existed, err = w.client.ensureTopic(w.ctx, e.Topic, w.cfg.Partitions, w.cfg.ReplicationFactor, w.cfg.dataSettings()); err != nil || !existed {
		return e, err
	}
	return e, w.checkEmpty(e)
}

// checkEmpty refuses partitions that hold something before the table is in them.
func (w *Writer) checkEmpty(e tableEntry) error {
	for i := e.First; i < e.First+e.Partitions; i++ {
		end, err := w.client.endOffset(w.ctx, e.Topic, i)
		if err != nil {
			return fmt.Errorf("finding the end of topic %s: %w", e.Topic, err)
		}
		if end > 0 {
			return fmt.Errorf("topic %s holds records already that are not this pipeline's; remedy: delete it, or use another topic prefix", e.Topic)
		}
	}
	return nil
}

// growTopic makes sure that a topic has so many partitions.
func (c *client) growTopic(ctx context.Context, name string, partitions int) error {
	n, err := c.partitions(ctx, name)
	if err != nil || n >= partitions {
		return err
	}
	err = c.retry(ctx, "adding partitions to topic "+name, func(ctx context.Context) error {
		res, err := c.kafka.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: name, Count: int32(partitions)}}})
		if err != nil {
			return err
		}
		return res.Errors[name]
	})
	if err != nil {
		if n, again := c.partitions(ctx, name); again == nil && n >= partitions {
			return nil // the answer of the first attempt was lost
		}
		return fmt.Errorf("adding partitions to topic %s, for %d in all: %w", name, partitions, err)
	}
	err = c.retry(ctx, "waiting for the partitions of "+name, func(ctx context.Context) error {
		t, err := c.describe(ctx, name)
		if err == nil && len(t.Partitions) < partitions {
			err = kafka.LeaderNotAvailable
		}
		for _, p := range t.Partitions {
			if err == nil && p.Error != nil {
				err = p.Error
			}
		}
		return err
	})
	c.transport.CloseIdleConnections() // they know the topic as it was
	return err
}
