package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/schema"
)

// batchesPerPartition: one is filled, one waits, one is under way.
const batchesPerPartition = 3

// partitionWriter numbers the records of one partition and sends them in order:
// one batch under way, the same bytes again until the broker has acknowledged
// them. It never gives a batch up: what cannot be sent ends the writer.
type partitionWriter struct {
	client    *client
	topic     string
	partition int
	number    int // among all partitions of the log
	epoch     int64
	codec     recordbatch.Codec
	limit     int // bytes of a batch
	relay     *relay

	mu      sync.Mutex
	seq     int64                          // last number given
	version int64                          // last table version written
	known   map[int64]*schema.SchemaChange // by version: those that it holds behind the checkpoint; the writer's
	current *batch
	header  []byte
	headers []recordbatch.Header

	free, full chan *batch
	acked      func(*partitionWriter, cutMark, int64)
	reached    func(*partitionWriter, int64)
	reachedSeq int64 // the broker has all up to this number; under the writer's cutsMu
	end        int64 // behind the last acknowledged record; the sender's until it has ended
	producer   recordbatch.Producer
	sealer     recordbatch.Sealer
}

type batch struct {
	recordbatch.Builder
	cuts []cutMark

	// What of it may pass by the broker: all of it, or nothing.
	first  int64 // number of its first record
	pieces []piece
	mark   *protocol.Record
	unlent bool // there are rows that were not lent
}

// cutMark remembers where in a batch a cut stands.
type cutMark struct {
	cut, seq, version int64
	index             int
}

// key names the partition in positions.
func (p *partitionWriter) key() string { return partitionKey(p.topic, p.partition) }

func (p *partitionWriter) init(limit int) {
	p.limit = limit
	p.free = make(chan *batch, batchesPerPartition)
	p.full = make(chan *batch, batchesPerPartition)
	for range batchesPerPartition {
		p.free <- p.newBatch()
	}
}

func (p *partitionWriter) newBatch() *batch {
	return &batch{Builder: recordbatch.Builder{Expect: p.limit}}
}

// append numbers a record and puts it into the batch that is being filled. It
// waits while all batches are on their way. done ends when the writer does. The
// caller holds the lock, and ends the row or flushes before it lets go of it.
func (p *partitionWriter) append(done context.Context, r *protocol.Record, timestamp int64, key, value []byte, more []recordbatch.Header) error {
	if p.current == nil {
		select {
		case p.current = <-p.free:
		case <-done.Done():
			return context.Cause(done)
		}
	}
	p.seq++
	r.Epoch, r.Seq = p.epoch, p.seq
	p.header = r.Append(p.header[:0])
	p.headers = append(p.headers[:0], recordbatch.Header{Key: protocol.HeaderKey, Value: p.header})
	p.headers = append(p.headers, more...)
	if p.current.Count() == 0 {
		p.current.first = p.seq
	}
	p.current.Append(timestamp, key, value, p.headers)
	switch r.Kind {
	case protocol.DDL:
		p.version = r.Version
	case protocol.Cut:
		p.current.cuts = append(p.current.cuts, cutMark{cut: r.Cut, seq: p.seq, version: p.version, index: p.current.Count() - 1})
	}
	return nil
}

// endRow notes that the batch has a row, whose block may be lent.
func (p *partitionWriter) endRow(l *loan, row int, version int64) {
	switch b := p.current; {
	case l == nil:
		b.unlent = true
	case len(b.pieces) > 0 && b.pieces[len(b.pieces)-1].loan == l:
		b.pieces[len(b.pieces)-1].to = row + 1
	default:
		b.pieces = append(b.pieces, piece{l, row, row + 1, version})
	}
	if p.current.Size() >= p.limit {
		p.flushLocked()
	}
}

// mark appends a control record, and sends everything up to it.
func (p *partitionWriter) mark(done context.Context, r *protocol.Record, timestamp int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.append(done, r, timestamp, nil, nil, nil); err != nil {
		return err
	}
	p.current.mark = r
	p.flushLocked()
	return nil
}

// flush sends what is there.
func (p *partitionWriter) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushLocked()
}

// last sends what is there, and returns the number of the last record.
func (p *partitionWriter) last() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushLocked()
	return p.seq
}

func (p *partitionWriter) flushLocked() {
	if p.current != nil && p.current.Count() > 0 {
		p.full <- p.current // has room for all batches there are
		p.current = nil
	}
}

// send sends batches until full is closed or ctx ends.
func (p *partitionWriter) send(ctx context.Context) error {
	for {
		select {
		case b, ok := <-p.full:
			if !ok {
				return nil
			}
			b, err := p.deliver(ctx, b)
			if err != nil {
				return fmt.Errorf("writing topic %s, partition %d: %w", p.topic, p.partition, err)
			}
			p.free <- b
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// deliver sends one batch until it is acknowledged, and returns an empty one.
func (p *partitionWriter) deliver(ctx context.Context, b *batch) (*batch, error) {
	set, err := p.sealer.Seal(&b.Builder, p.codec, p.producer)
	if err != nil {
		return nil, err
	}
	var base int64
	clean := true
	for {
		err = p.client.retry(ctx, "writing "+p.topic, func(ctx context.Context) error {
			base, err = p.client.produce(ctx, p.topic, p.partition, set)
			clean = clean && err == nil
			return err
		})
		if !isProducerLost(err) {
			break
		}
		// The broker lost what it knew of our producer, or has the batch but not
		// where. As another producer it is a new batch; if it is there twice then,
		// readers drop the second by our own numbers.
		if p.producer, err = p.client.producer(ctx); err != nil {
			return nil, err
		}
		set = append([]byte(nil), set...)
		recordbatch.Stamp(set, p.producer)
	}
	if errors.Is(err, kafka.MessageSizeTooLarge) {
		return nil, fmt.Errorf("%w: %d records that are sent together have %d bytes%s; remedy: let the topic take them: kafka-configs.sh --alter --topic %s --add-config max.message.bytes=%d, or more for larger rows of its table",
			err, b.Count(), len(set), largest(set), p.topic, 2*len(set))
	}
	if err != nil {
		return nil, err
	}
	// The sequence is a signed 32-bit number that goes on at 0 after its largest.
	p.producer.Sequence = int32((int64(p.producer.Sequence) + int64(b.Count())) & (1<<31 - 1))
	p.end = base + int64(b.Count())
	p.relay.pass(b.passage(p.epoch, base), p.end)
	for _, c := range b.cuts {
		p.acked(p, c, base+int64(c.index)+1)
	}
	p.reached(p, b.first+int64(b.Count())-1)
	if !clean {
		// An attempt that failed here may still be reading the memory.
		p.sealer = recordbatch.Sealer{}
		return p.newBatch(), nil
	}
	b.Reset()
	b.cuts, b.unlent = b.cuts[:0], false
	return b, nil
}

// largest tells which record of a sealed set is the largest, as far as the set can
// be read.
func largest(set []byte) string {
	const shown = 200 // bytes of a key, which may be large itself
	var key []byte
	size := 0
	_, err := each(set[4:], 0, &recordbatch.Reader{}, func(r *recordbatch.Record) (bool, error) {
		if n := len(r.Key) + len(r.Value); n > size {
			size, key = n, append(key[:0], r.Key[:min(len(r.Key), shown)]...)
		}
		return true, nil
	})
	if err != nil || size == 0 {
		return ""
	}
	return fmt.Sprintf(", the largest before compression %d, of the row with the key %s", size, key)
}

// passage returns what the reader may have of an acknowledged batch, or nil.
func (b *batch) passage(epoch, base int64) *passage {
	m := &passage{base: base, next: base + int64(b.Count()), epoch: epoch, first: b.first, last: b.first + int64(b.Count()) - 1, pieces: b.pieces, mark: b.mark}
	b.pieces, b.mark = nil, nil
	if b.unlent {
		m.drop()
		return nil
	}
	return m
}

// fence makes everything void that a source with a lower epoch writes later, and
// returns the offset behind it.
func fence(ctx context.Context, c *client, topic string, partition int, epoch int64, logID string) (int64, error) {
	r := protocol.Record{Kind: protocol.Fence, Epoch: epoch, Payload: []byte(logID)}
	var b recordbatch.Builder
	b.Append(time.Now().UnixMilli(), nil, nil, []recordbatch.Header{{Key: protocol.HeaderKey, Value: r.Append(nil)}})
	set, err := new(recordbatch.Sealer).Seal(&b, recordbatch.None, recordbatch.NoProducer)
	if err != nil {
		return 0, err
	}
	var base int64
	err = c.retry(ctx, "fencing "+topic, func(ctx context.Context) (err error) {
		base, err = c.produce(ctx, topic, partition, set)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("fencing topic %s, partition %d: %w", topic, partition, err)
	}
	return base + 1, nil
}

// state returns the reader's state behind an acknowledged cut.
func (m cutMark) state(epoch, offset int64) schema.LogPosition {
	return schema.LogPosition{Offset: offset, Epoch: epoch, Seq: m.seq, Cut: m.cut, Schema: m.version}
}
