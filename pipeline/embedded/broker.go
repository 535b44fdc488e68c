package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Config is how a broker runs.
type Config struct {
	// Log gets the broker's warnings; nil drops them.
	Log *slog.Logger
}

const (
	// maxBatch is the largest batch that the broker takes. A row of MySQL may have
	// a gigabyte, but an event of more than this is nothing that consumers take.
	maxBatch = 128 << 20
	// segmentBytes is small because whole segments go when the log is trimmed.
	segmentBytes = 16 << 20
)

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	lock    *os.File
	close   sync.Once
}

// Start opens the log under dir, or begins one there, and serves it until Close.
func Start(dir string, cfg Config) (*Broker, error) {
	lock, id, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(0), kfake.ClusterID(id), kfake.DataDir(filepath.Join(dir, logDir)),
		kfake.BrokerConfigs(map[string]string{
			// Only Trim drops records: by time or size some could go before they were read.
			"log.retention.ms":    "-1",
			"log.retention.bytes": "-1",
			"log.segment.bytes":   strconv.Itoa(segmentBytes),
			"message.max.bytes":   strconv.Itoa(maxBatch),
			// A pipeline that was off for a month goes on where it was.
			"offsets.retention.minutes": "2147483647",
		}),
		kfake.WithLogger(logger{cfg.Log}),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the embedded broker on %s: %w", dir, err), lock.Close())
	}
	return &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0], lock: lock}, nil
}

// Trim drops the records of a partition below an offset, segment by segment. The
// last of them always stays: kfake forgets where a partition ended that has become
// empty, and would give its offsets out again.
func (b *Broker) Trim(topic string, partition int, before int64) error {
	p := b.cluster.PartitionInfo(topic, int32(partition))
	if p == nil {
		return fmt.Errorf("topic %s has no partition %d", topic, partition)
	}
	if before-1 <= p.LogStartOffset {
		return nil
	}
	if err := b.cluster.DeleteRecords(topic, int32(partition), before-1); err != nil {
		return fmt.Errorf("topic %s, partition %d, up to offset %d: %w", topic, partition, before, err)
	}
	return nil
}

// Addr returns host:port of the broker.
func (b *Broker) Addr() string { return b.addr }

// Close stops serving, writes what is left to write, and gives the log free for
// another process.
func (b *Broker) Close() error {
	var err error
	b.close.Do(func() {
		b.cluster.Close()
		err = b.lock.Close()
	})
	return err
}

// logger hands kfake's warnings and errors on.
type logger struct{ log *slog.Logger }

func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	if l.log == nil || level == kfake.LogLevelNone || level > kfake.LogLevelWarn {
		return
	}
	to := slog.LevelWarn
	if level == kfake.LogLevelError {
		to = slog.LevelError
	}
	l.log.Log(context.Background(), to, fmt.Sprintf(format, args...), "component", "embedded broker")
}
