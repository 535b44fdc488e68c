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
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Config is how a broker runs. The zero value is right for most.
type Config struct {
	// Port on the loopback interface; 0 takes a free one.
	Port int
	// SyncWrites makes each acknowledgement wait for the disk.
	SyncWrites bool
	// KeepBytes bounds each partition: older records go, read or not. 0 keeps all.
	KeepBytes int64
	// Log gets the broker's warnings; nil drops them.
	Log *slog.Logger
}

const (
	// maxBatch is the largest batch that the broker takes. A row of MySQL may have
	// a gigabyte, but an event of more than this is nothing that consumers take.
	maxBatch = 128 << 20
	// minKeep: kfake forgets the end of a partition that has become empty, and would
	// give its offsets out again. With room for several of the largest batches the
	// last one always stays.
	minKeep = 4 * maxBatch
	// keepInterval is how often KeepBytes is enforced.
	keepInterval = time.Minute
)

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	lock    *os.File
	stop    chan struct{}
	done    sync.WaitGroup
	close   sync.Once
}

// Start opens the log under dir, or begins one there, and serves it until Close.
func Start(dir string, cfg Config) (*Broker, error) {
	if cfg.KeepBytes != 0 && cfg.KeepBytes < minKeep {
		return nil, fmt.Errorf("starting the embedded broker: a bound of %d bytes for each partition is too small; give %d or more, or 0 to keep all", cfg.KeepBytes, minKeep)
	}
	lock, id, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	cluster, err := newCluster(filepath.Join(dir, logDir), id, cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the embedded broker on %s: %w", dir, err), lock.Close())
	}
	b := &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0], lock: lock, stop: make(chan struct{})}
	if cfg.KeepBytes > 0 {
		b.done.Go(b.enforce)
	}
	return b, nil
}

func newCluster(dir, id string, cfg Config) (*kfake.Cluster, error) {
	keep := int64(-1)
	if cfg.KeepBytes > 0 {
		keep = cfg.KeepBytes
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(cfg.Port), kfake.ClusterID(id), kfake.DataDir(dir),
		kfake.BrokerConfigs(map[string]string{
			// By time a partition could become empty: see minKeep.
			"log.retention.ms":    "-1",
			"log.retention.bytes": strconv.FormatInt(keep, 10),
			"message.max.bytes":   strconv.Itoa(maxBatch),
			// A pipeline that was off for a month goes on where it was.
			"offsets.retention.minutes": "2147483647",
		}),
		kfake.WithLogger(logger{cfg.Log}),
	}
	if cfg.SyncWrites {
		opts = append(opts, kfake.SyncWrites())
	}
	return kfake.NewCluster(opts...)
}

// enforce applies KeepBytes. kfake would do so by itself only for topics that
// have settings of their own.
func (b *Broker) enforce() {
	t := time.NewTicker(keepInterval)
	defer t.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-t.C:
			b.cluster.ApplyRetention()
		}
	}
}

// Addr returns host:port of the broker.
func (b *Broker) Addr() string { return b.addr }

// Close stops serving, writes what is left to write, and gives the log free for
// another process.
func (b *Broker) Close() error {
	var err error
	b.close.Do(func() {
		close(b.stop)
		b.done.Wait()
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
