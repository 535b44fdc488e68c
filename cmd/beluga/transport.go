package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/embedded"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// closers are closed in the reverse of their order.
type closers []io.Closer

// Close closes all of them, whatever one says.
func (c closers) Close() error {
	var errs []error
	for i := len(c) - 1; i >= 0; i-- {
		errs = append(errs, c[i].Close())
	}
	return errors.Join(errs...)
}

// openTransport returns the way that events take from source to sink, and what
// has to be closed after it.
func openTransport(c *Config, log *slog.Logger) (pipeline.Transport, io.Closer, error) {
	if len(c.Kafka.Brokers) == 0 {
		return pipeline.NewDirect(int(c.Memory.Limit / 8)), closers{}, nil
	}
	codec, err := recordbatch.ParseCodec(c.Kafka.Compression)
	if err != nil {
		return nil, nil, fmt.Errorf("kafka.compression: %w", err)
	}
	var open closers
	brokers, retention := c.Kafka.Brokers, c.Kafka.Retention.std()
	if c.Kafka.embedded() {
		b, err := embedded.Start(filepath.Join(c.To, warehouse.LogFolder), embedded.Config{Log: log})
		if err != nil {
			return nil, nil, err
		}
		open = append(open, b)
		// The log of this broker must not lose its end, which it would by age.
		brokers, retention = []string{b.Addr()}, -time.Second
	}
	t := kafkalog.New(kafkalog.Config{
		Brokers:           brokers,
		Name:              c.Name,
		TopicPrefix:       c.topicPrefix(),
		Partitions:        c.Kafka.Partitions,
		ReplicationFactor: c.Kafka.Replication,
		Retention:         retention,
		Codec:             codec,
		Memory:            int(c.Memory.Limit / 4),
		Version:           buildVersion(),
	}, log.With("part", "log"))
	return t, append(open, t), nil
}
