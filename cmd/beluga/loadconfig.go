package main

import (
	"strings"

	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// SnapshotConfig says how tables are loaded first.
type SnapshotConfig struct {
	Mode       string   `yaml:"mode" enum:"initial,always,initial_only,no_data,recovery,when_needed,never,configuration_based,schema_only,schema_only_recovery" help:"when tables are loaded: initial where the lake has no position; always at each start; initial_only, to end then; no_data never, changes from now on; recovery never, if lake and server agree on the columns; when_needed as initial, and whenever the position is gone from the server; never, from the oldest binlog on; configuration_based by the switches below; schema_only and schema_only_recovery are older names of no_data and recovery"`
	Locking    string   `yaml:"locking" enum:"auto,global,tables,none,minimal" help:"how all connections of a load come to see the same state: global by FLUSH TABLES WITH READ LOCK, tables by LOCK TABLES, each for some milliseconds; none without a lock, what was written meanwhile is replayed before anything is published; auto the first of these that the server grants; minimal is another name of auto"`
	MaxThreads int      `yaml:"max-threads" also:"snapshot.max.threads,snapshot.connections" help:"connections that read tables at the same time"`
	Filter     []string `yaml:"filter" list:"whole" help:"rows that a load takes of some tables: PATTERN where CONDITION, a regular expression over the whole of database.table and SQL; changes that come later are replicated whatever row they are of"`
	ChunkRows  int      `yaml:"chunk-rows" help:"rows of a table that one connection takes at a time, at the most"`
	ChunkTime  Duration `yaml:"chunk-time" help:"how long reading what one connection takes at a time shall take, about: where rows are read slowly, it takes fewer, down to 1,000; 0: it always takes snapshot.chunk-rows"`

	CheckpointInterval Duration `yaml:"checkpoint-interval" help:"how often what has come of a load is made durable: one that is interrupted goes on from there"`

	Pause              PauseConfig    `yaml:"pause"`
	ConfigurationBased SwitchesConfig `yaml:"configuration-based"`
}

// PauseConfig says when a load waits before it reads on.
type PauseConfig struct {
	ReplicaLag Duration `yaml:"replica-lag" help:"a load from a replica waits, before what a connection takes next, while the replica is further behind than this (0: it does not)"`
	LagQuery   string   `yaml:"lag-query" help:"SQL query that tells the lag of snapshot.pause.replica-lag in seconds, one row with a number, where the server itself does not know it, such as one of a heartbeat table"`
	Load       []string `yaml:"load" list:"comma" help:"a load waits, before what a connection takes next, while a status variable of the server is above a number: VARIABLE>NUMBER, such as Threads_running>50, which counts Beluga's own connections too"`
}

func (p *PauseConfig) rules() source.Pause {
	return source.Pause{ReplicaLag: p.ReplicaLag.std(), LagQuery: p.LagQuery, Load: p.Load}
}

// SwitchesConfig makes up the snapshot mode configuration_based.
type SwitchesConfig struct {
	Data          bool `yaml:"data" help:"configuration_based: load the tables at each start"`
	Schema        bool `yaml:"schema" help:"configuration_based: without a load, begin with empty tables, or compare the columns of lake and server where the lake has a position"`
	OnDataError   bool `yaml:"on-data-error" help:"configuration_based: load the tables when the position is gone from the server"`
	OnSchemaError bool `yaml:"on-schema-error" help:"configuration_based: compare the columns of lake and server at each start, and load the tables when they differ"`
	StartStream   bool `yaml:"start-stream" help:"configuration_based: follow the binlog"`
}

// validate finds switches that would be ignored, or do nothing.
func (s *SnapshotConfig) validate(bad func(path, format string, args ...any)) {
	const based = string(source.ConfigurationBased)
	on := s.ConfigurationBased
	switch {
	case s.Mode != based && on != SwitchesConfig{}:
		bad("snapshot.configuration-based", "its switches count only with snapshot.mode %s, which is %s", based, s.Mode)
	case s.Mode == based && !on.Data && !on.Schema && !on.StartStream:
		bad("snapshot.mode", "%s would do nothing: turn on at least one of snapshot.configuration-based.data, .schema and .start-stream", based)
	}
	positive(bad, "snapshot.max-threads", s.MaxThreads)
	positive(bad, "snapshot.chunk-rows", s.ChunkRows)
	if s.ChunkTime < 0 {
		bad("snapshot.chunk-time", "%v must not be less than zero; 0 turns it off", s.ChunkTime)
	}
	positive(bad, "snapshot.checkpoint-interval", s.CheckpointInterval)
	if err := s.Pause.rules().Check(); err != nil {
		option, text, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--snapshot-pause-"), " ")
		bad("snapshot.pause."+option, "%s", text)
	}
	if err := source.CheckFilters(s.Filter); err != nil {
		bad("snapshot.filter", "%s", strings.TrimPrefix(err.Error(), "--snapshot-filter "))
	}
}

// locking is snapshot.locking by the name that is not Debezium's.
func (s *SnapshotConfig) locking() snapshot.Locking {
	if s.Locking == "minimal" {
		return snapshot.Auto
	}
	return snapshot.Locking(s.Locking)
}

// mode is snapshot.mode by its present name.
func (s *SnapshotConfig) mode() source.SnapshotMode {
	switch s.Mode {
	case "schema_only":
		return source.NoData
	case "schema_only_recovery":
		return source.Recovery
	}
	return source.SnapshotMode(s.Mode)
}
