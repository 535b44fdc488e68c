package kafkalog

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"syscall"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
)

func cpuNanos() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkFetch reads the same records, each with the log's header, by our
// cursor and by kafka-go's client. The broker is in the process, so its work is
// in both figures.
func BenchmarkFetch(b *testing.B) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	require.NoError(b, err)
	defer cluster.Close()
	c := newClient(cluster.ListenAddrs(), new(connection.Dialer), slog.New(slog.DiscardHandler))
	defer c.close()
	const batches = 100
	value := bytes.Repeat([]byte("0123456789-abcdefghijk-"), 30)
	headers := []recordbatch.Header{{Key: "b", Value: make([]byte, 35)}}
	total := 0
	for range batches {
		var w recordbatch.Builder
		for w.Size() < 1<<20 {
			w.Append(1, value[:10], value, headers)
			total++
		}
		set, err := new(recordbatch.Sealer).Seal(&w, recordbatch.Snappy, recordbatch.NoProducer)
		require.NoError(b, err)
		_, err = c.produce(b.Context(), "t", 0, set)
		require.NoError(b, err)
	}
	run := func(name string, read func() int) {
		b.Run(name, func(b *testing.B) {
			before := cpuNanos()
			for b.Loop() {
				require.Equal(b, total, read())
			}
			b.ReportMetric(float64(cpuNanos()-before)/float64(b.N*total), "cpu-ns/record")
		})
	}
	run("cursor", func() (n int) {
		cur := cursor{client: c, topic: "t", maxBytes: 2 << 20}
		defer cur.close()
		var r recordbatch.Reader
		var buf []byte
		for offset := int64(0); offset < int64(total); {
			f, err := cur.fetch(b.Context(), offset, buf)
			require.NoError(b, err)
			buf = f.buf
			offset, err = each(f.set, offset, &r, func(rec *recordbatch.Record) (bool, error) {
				if _, ok := rec.Header("b"); ok {
					n++
				}
				return true, nil
			})
			require.NoError(b, err)
		}
		return n
	})
	run("kafka-go", func() (n int) {
		for n < total {
			res, err := c.kafka.Fetch(b.Context(), &kafka.FetchRequest{Topic: "t", Offset: int64(n), MinBytes: 1, MaxBytes: 2 << 20, MaxWait: maxWait})
			require.NoError(b, err)
			require.NoError(b, res.Error)
			for {
				rec, err := res.Records.ReadRecord()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(b, err)
				_, _ = protocol.ReadAll(rec.Key)
				_, _ = protocol.ReadAll(rec.Value)
				if rec.Offset == int64(n) && len(rec.Headers) == 1 {
					n++
				}
			}
		}
		return n
	})
}
