package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/embedded"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/warehouse"
	"github.com/beluga-cdc/beluga/source"
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
func openTransport(c *Config, which parts, log *slog.Logger) (pipeline.Transport, io.Closer, error) {
	if len(c.Kafka.Brokers) == 0 {
		return pipeline.NewDirect(int(c.Memory.Limit / 8)), closers{}, nil
	}
	codec, err := recordbatch.ParseCodec(c.Kafka.Compression)
	if err != nil {
		return nil, nil, fmt.Errorf("kafka.compression: %w", err)
	}
	keys, err := pipeline.ParseMessageKeys(c.Kafka.MessageKeyColumns)
	if err != nil {
		return nil, nil, fmt.Errorf("kafka.message-key-columns: %w", err)
	}
	modes, err := c.Kafka.modes()
	if err != nil {
		return nil, nil, fmt.Errorf("kafka: %w", err)
	}
	router, err := c.Kafka.router()
	if err != nil {
		return nil, nil, fmt.Errorf("kafka: %w", err)
	}
	selection, err := c.selection()
	if err != nil {
		return nil, nil, err
	}
	// Where the source has chosen, all is read that the log holds: also of tables that it
	// leaves out by now, for the log ends with them.
	var read func(schema.TableID) bool
	if !which.source {
		if read, err = c.Tables.chosen(); err != nil {
			return nil, nil, err
		}
	}
	var open closers
	brokers, retention := c.Kafka.Brokers, c.Kafka.Retention.std()
	var trim func(string, int, int64) error
	if c.Kafka.embedded() {
		b, err := embedded.Start(filepath.Join(c.To, warehouse.LogFolder), embedded.Config{Log: log})
		if err != nil {
			return nil, nil, err
		}
		open = append(open, b)
		// The log of this broker must not lose its end, which it would by age.
		brokers, retention, trim = []string{b.Addr()}, -time.Second, b.Trim
	}
	dialer, err := connection.New(context.Background(), c.Kafka.connection())
	if err != nil {
		return nil, nil, errors.Join(err, open.Close())
	}
	t := kafkalog.New(kafkalog.Config{
		Brokers:           brokers,
		Dialer:            dialer,
		Name:              c.logName(),
		TopicPrefix:       c.topicPrefix(),
		Selection:         selection,
		Tables:            read,
		MessageKeys:       keys,
		Router:            router,
		Modes:             modes,
		NoTombstones:      !c.Kafka.TombstonesOnDelete,
		Partitions:        c.Kafka.Partitions,
		ReplicationFactor: c.Kafka.Replication,
		Retention:         retention,
		Trim:              trim,
		Codec:             codec,
		Memory:            int(c.Memory.Limit / 4),
		LoadInterval:      c.Snapshot.CheckpointInterval.std(),
		Version:           buildVersion(),
	}, log.With("part", "log"))
	return t, append(open, t), nil
}

// selection says which tables are captured, as the user would have to write it
// to capture the same again. Patterns are over database.table, so with them the
// database of --from chooses nothing.
func (c *Config) selection() (string, error) {
	text, err := c.included()
	if len(c.Tables.Exclude) > 0 {
		text += " and --tables-exclude '" + sortedText(c.Tables.Exclude) + "'"
	}
	// As the tables do, these decide which rows of a transaction there are, and where.
	if list := c.Kafka.MessageKeyColumns; len(list) > 0 {
		text += " and --kafka-message-key-columns '" + strings.Join(slices.Sorted(slices.Values(list)), ";") + "'"
	}
	for _, mode := range c.Kafka.chosenModes() {
		text += " and " + mode // a key that is written in another way comes to another partition
	}
	if list := c.GTID.SourceIncludes; len(list) > 0 && c.GTID.SourceFilterRows {
		text += " and --gtid-source-includes '" + sortedText(list) + "'"
	}
	if list := c.GTID.SourceExcludes; len(list) > 0 && c.GTID.SourceFilterRows {
		text += " and --gtid-source-excludes '" + sortedText(list) + "'"
	}
	if c.Signal.DataCollection != "" {
		text += " and --signal-data-collection " + c.Signal.DataCollection // whose rows are counted too
	}
	return text, err
}

func sortedText(list []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(list))), ",")
}

// chosen tells which tables the patterns name; nil: there are none, so all.
func (t *TablesConfig) chosen() (func(schema.TableID) bool, error) {
	if len(t.Include)+len(t.Exclude) == 0 {
		return nil, nil
	}
	var list [2][]*regexp.Regexp
	for i, patterns := range [...][]string{t.Include, t.Exclude} {
		for _, p := range patterns {
			re, err := regexp.Compile("^(?:" + p + ")$")
			if err != nil {
				return nil, fmt.Errorf("tables: %q is no regular expression: %w", p, err)
			}
			list[i] = append(list[i], re)
		}
	}
	return func(id schema.TableID) bool {
		name := id.String()
		matches := func(re *regexp.Regexp) bool { return re.MatchString(name) }
		return (len(list[0]) == 0 || slices.ContainsFunc(list[0], matches)) && !slices.ContainsFunc(list[1], matches)
	}, nil
}

func (c *Config) included() (string, error) {
	if len(c.Tables.Include) > 0 {
		return "--tables '" + sortedText(c.Tables.Include) + "'", nil
	}
	if c.From == "" {
		return "", nil // who only reads the log does not choose what is in it
	}
	s, err := source.ParseURL(c.From)
	if err != nil {
		return "", err
	}
	if s.Database == "" {
		return "--from without a database and no --tables", nil
	}
	return "database " + s.Database + " in --from and no --tables", nil
}
