package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/session"
)

// passwordVariable holds the password where --from has none: what stands on a
// command line, everybody on the machine can read.
const passwordVariable = "BELUGA_PASSWORD"

// serverOf returns where the server is and how to get in.
func serverOf(c *Config) (source.Config, error) {
	s, err := source.ParseURL(c.From)
	if err != nil {
		return s, err
	}
	if s.Endpoint.Password == "" && s.Endpoint.PasswordFile == "" {
		s.Endpoint.Password = session.Secret(os.Getenv(passwordVariable))
	}
	return s, nil
}

// newSource returns the source that the configuration describes.
func newSource(c *Config, log *slog.Logger) (*source.MySQL, error) {
	s, err := serverOf(c)
	if err != nil {
		return nil, err
	}
	s.Tables, s.ExcludeTables, s.Columns, s.Once = c.Tables.Include, c.Tables.Exclude, c.Columns.rules(), c.Once
	s.ReloadIncompatible, s.SetApart = c.OnIncompatible != onIncompatibleStop, c.OnIncompatible == onIncompatibleColumn
	s.RefuseKeyless, s.Types = c.Keyless == keylessRefuse, c.Types.policy()
	s.Connections, s.ChunkRows, s.ChunkTime = c.Snapshot.MaxThreads, c.Snapshot.ChunkRows, c.Snapshot.ChunkTime.std()
	s.LaneMemory = int(c.Memory.Limit / 128)
	s.Locking, s.Filters = c.Snapshot.locking(), c.Snapshot.Filter
	s.ActionQuery, s.ActionInterval = c.Heartbeat.ActionQuery, c.Heartbeat.Interval.std()
	s.GTIDSources, s.Pause = c.GTID.sources(), c.Snapshot.Pause.rules()
	on := c.Snapshot.ConfigurationBased
	s.Mode, s.Switches = c.Snapshot.mode(), source.Switches{Data: on.Data, Schema: on.Schema, OnDataError: on.OnDataError, OnSchemaError: on.OnSchemaError, Stream: on.StartStream}
	s.Name = c.Name
	if c.Signal.DataCollection != "" {
		if s.SignalTable, err = source.ParseSignalTable(c.Signal.DataCollection); err != nil {
			return nil, fmt.Errorf("signal.data-collection: %w", err)
		}
	}
	if len(c.Kafka.Brokers) > 0 {
		if s.MessageKeys, err = pipeline.ParseMessageKeys(c.Kafka.MessageKeyColumns); err != nil {
			return nil, fmt.Errorf("kafka.message-key-columns: %w", err)
		}
		s.Partitions = c.Kafka.Partitions
		s.LaneWindow = s.LaneMemory
		s.OldImages = binlog.Full // events on topics show rows before and after
	}
	return source.New(s, log.With("part", "source")), nil
}

func (c *ColumnsConfig) rules() source.Columns {
	return source.Columns{Include: c.Include, Exclude: c.Exclude, Mask: c.Mask, Truncate: c.Truncate, Hash: c.Hash, HashAlgorithm: c.HashAlgorithm, HashSalt: c.HashSalt}
}

// sinkConfig is the sink's part of the configuration.
func sinkConfig(c *Config, readOnly bool) sink.Config {
	interval := c.Snapshot.CheckpointInterval.std()
	if len(c.Kafka.Brokers) > 0 {
		interval = 0 // a log goes on behind the last cut, and does not bring them again
	}
	return sink.Config{
		Dir:           c.To,
		Remote:        c.remote(),
		Pipeline:      c.Name,
		Readers:       c.Readers,
		MemoryLimit:   int64(c.Memory.Limit / 4),
		ReadOnly:      readOnly,
		LaneInterval:  interval,
		AppendKeyless: c.Keyless == keylessAppend,
		RemoveDropped: c.OnDrop == onDropDrop,
		Defaults:      map[string]sink.Defaults{onDefaultInitial: sink.InitialDefaults, onDefaultRewrite: sink.RewriteFiles, onDefaultNull: sink.ShowNull}[c.OnDefault],
	}
}

// limits say when a batch is cut.
func (c *Config) limits() pipeline.Limits {
	return pipeline.Limits{Interval: c.Commit.Interval.std(), Rows: c.Commit.Rows, Bytes: c.commitBytes(), Checkpoint: c.Snapshot.CheckpointInterval.std()}
}

// limitMemory tells the runtime the limit: near it, garbage is collected more
// often instead of memory being asked for.
func limitMemory(c *Config) { debug.SetMemoryLimit(int64(c.Memory.Limit)) }

// exitCode says what kind of end an error is.
func exitCode(err error) int {
	var usage usageError
	var config configError
	var selection *kafkalog.SelectionError
	var ahead *source.AheadError
	switch {
	case errors.As(err, &usage), errors.As(err, &config), errors.As(err, &selection):
		return exitUsage
	case errors.Is(err, sink.ErrAnotherInstance), errors.Is(err, kafkalog.ErrSuperseded):
		return exitInstance
	case errors.Is(err, source.ErrPositionLost), errors.Is(err, kafkalog.ErrLost), errors.As(err, &ahead):
		return exitPosition
	}
	return exitFault
}
