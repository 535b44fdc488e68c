package kafkalog

import (
	"errors"
	"fmt"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/pipeline/routing"
	"github.com/beluga-cdc/beluga/schema"
)

// Config says where the log is and how it is written. Zero fields get the
// defaults named here.
type Config struct {
	Brokers []string           // host:port, any of the cluster
	Dialer  *connection.Dialer // opens connections to them; plain ones
	// Name is the log's. It names the control topic, so two pipelines on one
	// cluster need two names.
	Name        string
	TopicPrefix string // data topics are <prefix>.<database>.<table>
	// Selection says in the user's words which tables are captured: a source goes
	// on in the middle of a transaction only under the selection that it began with.
	Selection string

	// Tables says which of the log's tables a reader takes; nil: all of them.
	Tables func(schema.TableID) bool

	// Router gives tables other topics, which several may share. A table keeps the one
	// that it came into the log with.
	Router routing.Router

	// MessageKeys choose the columns of the records' keys.
	MessageKeys pipeline.MessageKeys
	// Modes choose how values stand in the events. Each record names its own, so
	// that others may be chosen at any time.
	Modes debezium.Modes
	// NoTombstones leaves out the records without a value that follow deletions.
	NoTombstones bool

	// These count for topics that are created; topics that exist keep theirs.
	Partitions        int           // of each table's topic; 1
	ReplicationFactor int           // -1: the broker's default
	Retention         time.Duration // 7 days; negative: for ever

	Codec recordbatch.Codec
	// BatchBytes is how large a record batch grows before compression; 1 MiB. The
	// broker refuses batches above its message.max.bytes.
	BatchBytes int
	// CutInterval is how often a consistent cut is marked; 250 ms. A sink's commit
	// can be no more often.
	CutInterval time.Duration
	// CheckpointInterval is how often a source notes where it stands, and so how
	// much of the log is read again when it starts; 10 s.
	CheckpointInterval time.Duration
	// LoadInterval is how often what has come of a load is noted: one that is
	// interrupted goes on from there; 30 s.
	LoadInterval time.Duration
	// Memory is how many bytes the batches that wait on each side may take, about;
	// 128 MiB.
	Memory int

	// Trim drops the records of a partition below an offset, which neither end will
	// read again: the lake holds them, and so does a checkpoint. For a log that has
	// no other readers; nil leaves them to the broker's retention.
	Trim func(topic string, partition int, before int64) error

	// Version is the program's, for the events' source block.
	Version string
}

const (
	defaultMemory = 128 << 20
	lentPart      = 2 // of Memory, for blocks that pass by the broker
)

func (c Config) withDefaults() (Config, error) {
	var faults []error
	if len(c.Brokers) == 0 {
		faults = append(faults, errors.New("kafka.brokers is empty: give at least one host:port"))
	}
	if c.Name == "" || sanitise(c.Name) != c.Name {
		faults = append(faults, fmt.Errorf("pipeline name %q cannot name a topic: use letters, digits, '.', '_' and '-'", c.Name))
	}
	if c.TopicPrefix == "" || sanitise(c.TopicPrefix) != c.TopicPrefix {
		faults = append(faults, fmt.Errorf("topic prefix %q cannot begin a topic's name: use letters, digits, '.', '_' and '-'", c.TopicPrefix))
	}
	if c.Partitions < 0 || c.Partitions > 10_000 {
		faults = append(faults, fmt.Errorf("%d partitions: use 1 to 10000", c.Partitions))
	}
	if c.Dialer == nil {
		c.Dialer = &connection.Dialer{}
	}
	c.Partitions = orDefault(c.Partitions, 1)
	c.ReplicationFactor = orDefault(c.ReplicationFactor, -1)
	c.Retention = orDefault(c.Retention, 7*24*time.Hour)
	c.BatchBytes = orDefault(c.BatchBytes, 1<<20)
	c.CutInterval = orDefault(c.CutInterval, 250*time.Millisecond)
	c.CheckpointInterval = orDefault(c.CheckpointInterval, 10*time.Second)
	c.LoadInterval = orDefault(c.LoadInterval, 30*time.Second)
	c.Memory = orDefault(c.Memory, defaultMemory)
	return c, errors.Join(faults...)
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// controlTopic is where claims, tables and checkpoints stand.
func (c *Config) controlTopic() string { return "beluga-control." + c.Name }
