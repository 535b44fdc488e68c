package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/beluga-cdc/beluga/pipeline/routing"
	"github.com/beluga-cdc/beluga/schema"
)

// maxTopicName is Kafka's limit.
const maxTopicName = 249

// sanitise makes a text fit for a topic's name as Debezium does: what Kafka does
// not allow becomes an underscore.
func sanitise(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '_'
	}, s)
}

// topicOf returns where the events of a table go.
func (c *Config) topicOf(id schema.TableID) (routing.Route, error) {
	name, err := c.ownTopic(id)
	if err != nil {
		return routing.Route{}, err
	}
	return c.Router.Route(name)
}

// ownTopic returns the topic that a table has unless it is routed.
func (c *Config) ownTopic(id schema.TableID) (string, error) {
	name := sanitise(c.TopicPrefix + "." + id.Database + "." + id.Name)
	if len(name) > maxTopicName {
		return "", fmt.Errorf("table %s: its topic's name would have %d characters, and Kafka allows %d: use a shorter topic prefix", id, len(name), maxTopicName)
	}
	return name, nil
}

// partitionKey is how a partition is named in positions.
func partitionKey(topic string, partition int) string {
	return topic + "/" + strconv.Itoa(partition)
}

// ensureTopic creates a topic, or checks one that exists. It returns the number
// of partitions and whether the topic was there before.
func (c *client) ensureTopic(ctx context.Context, name string, partitions, replication int, settings map[string]string) (n int, existed bool, err error) {
	req := kafka.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: replication}
	for k, v := range settings {
		req.ConfigEntries = append(req.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	err = c.retry(ctx, "creating topic "+name, func(ctx context.Context) error {
		res, err := c.kafka.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{req}})
		if err != nil {
			return err
		}
		return res.Errors[name]
	})
	existed = errors.Is(err, kafka.TopicAlreadyExists)
	if err != nil && !existed {
		return 0, false, fmt.Errorf("creating topic %s with %d partitions and replication factor %d: %w", name, partitions, replication, err)
	}
	n, err = c.partitions(ctx, name)
	if err == nil && existed {
		err = c.checkTopic(ctx, name)
	}
	return n, existed, err
}

// partitions waits until all partitions of a topic have a leader and returns how
// many they are.
func (c *client) partitions(ctx context.Context, name string) (n int, err error) {
	err = c.retry(ctx, "reading the partitions of "+name, func(ctx context.Context) error {
		t, err := c.describe(ctx, name)
		if err != nil {
			return err
		}
		for _, p := range t.Partitions {
			if p.Error != nil {
				return p.Error
			}
		}
		if n = len(t.Partitions); n == 0 {
			return kafka.LeaderNotAvailable
		}
		return nil
	})
	return n, err
}

// exists tells whether there is such a topic.
func (c *client) exists(ctx context.Context, name string) (ok bool, err error) {
	err = c.retry(ctx, "looking for topic "+name, func(ctx context.Context) error {
		_, err := c.describe(ctx, name)
		ok = err == nil
		if errors.Is(err, kafka.UnknownTopicOrPartition) {
			return nil
		}
		return err
	})
	return ok, err
}

// checkTopic refuses a topic whose settings would break the log.
func (c *client) checkTopic(ctx context.Context, name string) error {
	var settings map[string]string
	err := c.retry(ctx, "reading the settings of "+name, func(ctx context.Context) error {
		res, err := c.kafka.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ConfigNames: []string{"cleanup.policy"}}}})
		if err != nil {
			return err
		}
		settings = map[string]string{}
		for _, r := range res.Resources {
			if r.Error != nil {
				return r.Error
			}
			for _, e := range r.ConfigEntries {
				settings[e.ConfigName] = e.ConfigValue
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the settings of topic %s: %w", name, err)
	}
	if p := settings["cleanup.policy"]; strings.Contains(p, "compact") {
		return fmt.Errorf("topic %s has cleanup.policy=%s, and compaction takes records out of the numbered log: "+
			"set it with kafka-configs --alter --entity-type topics --entity-name %s --add-config cleanup.policy=delete, or delete the topic, or use another topic prefix", name, p, name)
	}
	return nil
}

func (c *Config) dataSettings() map[string]string {
	return map[string]string{
		"cleanup.policy":   "delete",
		"retention.ms":     strconv.FormatInt(retentionMillis(c.Retention), 10),
		"compression.type": "producer",
	}
}

func retentionMillis(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return d.Milliseconds()
}

// controlSettings bound the control topic by size, never by time: the last
// checkpoint of a pipeline that stood still for a month must be there.
func controlSettings() map[string]string {
	return map[string]string{
		"cleanup.policy":  "delete",
		"retention.ms":    "-1",
		"retention.bytes": strconv.Itoa(64 << 20),
		"segment.bytes":   strconv.Itoa(16 << 20),
	}
}
