package kafkalog_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
)

// lossy is a broker's listener whose connections break now and then, just when
// the broker has appended records and is about to say so.
type lossy struct {
	net.Listener

	mu   sync.Mutex
	r    *rand.Rand
	lost int
}

func (l *lossy) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lossyConn{Conn: c, l: l, produces: map[uint32]bool{}}, nil
}

func (l *lossy) lose() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.r.IntN(4) > 0 {
		return false
	}
	l.lost++
	return true
}

// lossyConn knows by their numbers which answers are those of produce requests.
type lossyConn struct {
	net.Conn
	l *lossy

	mu       sync.Mutex
	produces map[uint32]bool // by correlation id
	head     []byte          // of the request that is being read
	skip     int             // bytes of it that follow
}

func (c *lossyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	for b := b[:n]; len(b) > 0; {
		if c.skip > 0 {
			k := min(c.skip, len(b))
			b, c.skip = b[k:], c.skip-k
			continue
		}
		const headLen = 12 // length, api key, version, correlation id
		k := min(headLen-len(c.head), len(b))
		c.head, b = append(c.head, b[:k]...), b[k:]
		if len(c.head) == headLen {
			if kmsg.Key(binary.BigEndian.Uint16(c.head[4:])) == kmsg.Produce {
				c.produces[binary.BigEndian.Uint32(c.head[8:])] = true
			}
			c.skip = int(binary.BigEndian.Uint32(c.head)) + 4 - headLen
			c.head = c.head[:0]
		}
	}
	return n, err
}

func (c *lossyConn) Write(b []byte) (int, error) {
	id := binary.BigEndian.Uint32(b[4:]) // the broker writes whole answers
	c.mu.Lock()
	produce := c.produces[id]
	delete(c.produces, id)
	c.mu.Unlock()
	if produce && c.l.lose() {
		c.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// TestLostReplies: the broker has appended, and its answer never arrives. Most
// repetitions it finds out itself; after it has lost the producer's numbers too,
// records are there twice.
func TestLostReplies(t *testing.T) {
	l := &lossy{r: rand.New(rand.NewPCG(2, 1))}
	r := rand.New(rand.NewPCG(3, 1))
	c := refusing(t, r, 4, []kafka.Error{kafka.UnknownProducerId}, kfake.ListenFn(func(network, address string) (_ net.Listener, err error) {
		l.Listener, err = net.Listen(network, address)
		return l, err
	}))
	cfg := config(c.ListenAddrs()[0])
	cfg.BatchBytes, cfg.Partitions = 1000, 1
	s := newScript(t, r, 60)
	lake := newLake(t)
	lake.check = s.checkCut(lake)
	finish(t, cfg, s, lake, 59)
	s.once(t, lake)
	require.Positive(t, l.lost)
	require.Positive(t, duplicates(t, cfg.Brokers[0], "p.shop.a")+duplicates(t, cfg.Brokers[0], "p.shop.b"), "the readers had nothing to drop")
}

// duplicates counts the records of a topic's only partition whose number is
// there already.
func duplicates(t *testing.T, addr, topic string) (n int) {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: topic, MaxWait: 10 * time.Millisecond})
	defer r.Close()
	seen := map[int64]bool{}
	for at, end := int64(0), endOf(t, addr, topic, 0); at < end; {
		m, err := r.ReadMessage(t.Context())
		require.NoError(t, err)
		at = m.Offset + 1
		var rec protocol.Record
		require.NoError(t, rec.Parse(m.Headers[0].Value))
		if rec.Kind == protocol.Fence {
			continue
		}
		if seen[rec.Seq] {
			n++
		}
		seen[rec.Seq] = true
	}
	return n
}
