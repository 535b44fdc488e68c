package kafkalog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
)

// Fetching does not go through kafka-go: its Fetch decodes every record into
// objects of its own, with allocations for each and more for each header, and
// this log has a header on every record. Here a response is read into a buffer
// that is used again and parsed where it lies: an eighth of the processor time
// (BenchmarkFetch measures both).

const (
	apiFetch     = 1
	fetchVersion = 11 // Kafka 2.3 and later
	maxWait      = 500 * time.Millisecond
	maxResponse  = 1 << 30
)

// cursor reads one partition from offsets that its user keeps. It is not safe
// for concurrent use.
type cursor struct {
	client    *client
	topic     string
	partition int
	maxBytes  int // of one fetch; a larger batch comes whole all the same

	conn        net.Conn
	correlation int32
	request     []byte
}

// fetched is one answer. set lies in the buffer given to fetch.
type fetched struct {
	set []byte
	buf []byte // to be given to a later fetch

	passage *passage // instead of both: what came past the broker
}

func (c *cursor) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// fetch waits for records from the offset on, a while. An answer may begin with
// records before the offset and end within a batch, and may be empty.
func (c *cursor) fetch(ctx context.Context, offset int64, buf []byte) (f fetched, err error) {
	err = c.client.retry(ctx, "fetching "+c.topic, func(ctx context.Context) error {
		f, err = c.attempt(ctx, offset, buf)
		if err != nil {
			// After any error the connection may hold half an answer, or lead to
			// a broker that no longer leads.
			c.close()
		}
		return err
	})
	switch {
	case errors.Is(err, kafka.OffsetOutOfRange):
		return f, c.outOfRange(ctx, offset)
	case err != nil && ctx.Err() == nil:
		return f, fmt.Errorf("fetching topic %s, partition %d, at offset %d: %w", c.topic, c.partition, offset, err)
	}
	return f, err
}

// outOfRange tells the two ways apart in which an offset is not there.
func (c *cursor) outOfRange(ctx context.Context, offset int64) error {
	first, err := c.client.firstOffset(ctx, c.topic, c.partition)
	if err != nil {
		return fmt.Errorf("fetching topic %s, partition %d, at offset %d, which is out of range: %w", c.topic, c.partition, offset, err)
	}
	cause := fmt.Errorf("offset %d is to be read, and the log ends before it: the topic was created anew or lost records", offset)
	if first > offset {
		cause = fmt.Errorf("offset %d is to be read, and the first one that is still kept is %d", offset, first)
	}
	return &LostError{Topic: c.topic, Partition: c.partition, Cause: cause, Remedy: remedyReload}
}

func (c *cursor) attempt(ctx context.Context, offset int64, buf []byte) (fetched, error) {
	if c.conn == nil {
		addr, err := c.client.leader(ctx, c.topic, c.partition)
		if err != nil {
			return fetched{}, err
		}
		if c.conn, err = c.client.dialer.DialContext(ctx, "tcp", addr); err != nil {
			return fetched{}, err
		}
	}
	conn := c.conn
	// A deadline in the past is how a read that waits learns that ctx ended.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(c.encode(offset)); err != nil {
		return fetched{}, err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return fetched{}, err
	}
	n := int(int32(binary.BigEndian.Uint32(head[:])))
	if n < 4 || n > maxResponse {
		return fetched{}, fmt.Errorf("the broker announced an answer of %d bytes", n)
	}
	if cap(buf) < n {
		buf = make([]byte, n+n/8)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(conn, buf); err != nil {
		return fetched{}, err
	}
	return c.decode(buf)
}

// encode writes the request of one partition, outside any fetch session.
func (c *cursor) encode(offset int64) []byte {
	be := binary.BigEndian
	c.correlation++
	b := append(c.request[:0], 0, 0, 0, 0)
	b = be.AppendUint16(b, apiFetch)
	b = be.AppendUint16(b, fetchVersion)
	b = be.AppendUint32(b, uint32(c.correlation))
	b = appendString(b, clientID)
	b = be.AppendUint32(b, 0xffffffff) // replica: none, a consumer
	b = be.AppendUint32(b, uint32(maxWait.Milliseconds()))
	b = be.AppendUint32(b, 1) // an answer as soon as there is a byte
	b = be.AppendUint32(b, uint32(c.maxBytes))
	b = append(b, 0)                   // isolation: the log's own rule decides what counts
	b = be.AppendUint32(b, 0)          // session id
	b = be.AppendUint32(b, 0xffffffff) // session epoch: no session
	b = be.AppendUint32(b, 1)
	b = appendString(b, c.topic)
	b = be.AppendUint32(b, 1)
	b = be.AppendUint32(b, uint32(c.partition))
	b = be.AppendUint32(b, 0xffffffff) // leader epoch: not known
	b = be.AppendUint64(b, uint64(offset))
	b = be.AppendUint64(b, 0xffffffffffffffff) // log start, of followers only
	b = be.AppendUint32(b, uint32(c.maxBytes))
	b = be.AppendUint32(b, 0) // forgotten topics
	b = appendString(b, "")   // rack
	be.PutUint32(b, uint32(len(b)-4))
	c.request = b
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

var errAnswer = errors.New("the broker's answer to a fetch ends early")

func (c *cursor) decode(buf []byte) (fetched, error) {
	p := connection.NewAnswer(buf)
	f := fetched{buf: buf}
	if got := p.Int32(); got != c.correlation {
		return f, fmt.Errorf("the broker answered request %d instead of %d", got, c.correlation)
	}
	p.Int32() // throttled: has been waited for
	if code := p.Int16(); code != 0 {
		return f, kafka.Error(code)
	}
	p.Int32() // session
	if topics := p.Int32(); topics != 1 {
		return f, fmt.Errorf("the broker answered for %d topics, one was asked for", topics)
	}
	p.Take(int(p.Int16())) // name
	if parts := p.Int32(); parts != 1 {
		return f, fmt.Errorf("the broker answered for %d partitions, one was asked for", parts)
	}
	p.Int32() // partition
	code := p.Int16()
	p.Take(3 * 8) // high watermark, last stable offset, log start
	if aborted := p.Int32(); aborted > 0 {
		p.Take(16 * int(aborted))
	}
	p.Int32() // preferred replica
	if n := p.Int32(); n > 0 {
		f.set = p.Take(int(n))
	}
	if code != 0 {
		return f, kafka.Error(code)
	}
	if p.Short() {
		return f, errAnswer
	}
	return f, nil
}

// each calls f for every record of a fetched set from the offset on, and returns
// the offset behind the last whole batch. f ends the walk by returning false.
func each(set []byte, from int64, r *recordbatch.Reader, f func(*recordbatch.Record) (bool, error)) (next int64, err error) {
	next = from
	var rec recordbatch.Record
	for {
		b, rest, ok, err := recordbatch.Cut(set)
		if err != nil || !ok {
			return next, err
		}
		set = rest
		if b.Next <= from {
			continue
		}
		if !b.Control {
			if err := r.Open(b); err != nil {
				return next, err
			}
			for {
				ok, err := r.Next(&rec)
				if err != nil {
					return next, err
				}
				if !ok {
					break
				}
				if rec.Offset < from {
					continue
				}
				if ok, err := f(&rec); err != nil || !ok {
					return rec.Offset + 1, err
				}
			}
		}
		next = b.Next
	}
}
