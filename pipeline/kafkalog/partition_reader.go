package kafkalog

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/schema"
)

// maxBlockRows keeps blocks small enough that decoding, folding and writing
// overlap.
const maxBlockRows = 8192

// item is what a partition delivers: rows, a place where it has to wait, or,
// with neither, only how far it came.
type item struct {
	state   schema.LogPosition // behind it
	block   *schema.Block
	version int64 // of the block's or the change's table
	change  *schema.SchemaChange
	cut     *cutPayload
	number  int64 // of the cut
	tables  int64 // that take part in it
}

// partitionReader fetches and decodes one partition ahead of the reader, within
// its share of the memory.
type partitionReader struct {
	number    int
	table     int // number
	key       string
	cursor    cursor
	registry  *shapes
	id        schema.TableID
	state     schema.LogPosition // behind the last item that was delivered
	ahead     schema.LogPosition // behind the last record that was decoded; decode's
	has       int64              // the table has all before this offset, and only cuts count there; what passes by the broker is behind it
	items     chan item
	wake      chan<- struct{}
	relay     *relay
	blockSize int

	// decode's
	shape     *schema.Table
	decoder   *debezium.Decoder
	form      int64 // of the events that it reads
	block     *schema.Block
	extent    schema.Extent // of its blocks
	size      int
	delivered int64 // offset behind the last item
	record    protocol.Record
	txn       protocol.Txn // of the block's last origin
	loans     []tenure     // blocks that have come in part
}

// fetchAhead fetches into two buffers in turn, one of which is decoded.
func (p *partitionReader) fetchAhead(ctx context.Context, offset int64, sets chan<- fetched, bufs <-chan []byte) error {
	defer p.cursor.close()
	var buf []byte
	for {
		m, err := p.relay.next(ctx, offset)
		if err != nil {
			return err
		}
		f := fetched{passage: m}
		if m != nil {
			offset = m.next
		} else {
			if buf == nil {
				select {
				case buf = <-bufs:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			if f, err = p.cursor.fetch(ctx, offset, buf); err != nil {
				return err
			}
			if buf = f.buf; len(f.set) == 0 {
				continue
			}
			if offset, err = behind(f.set, offset); err != nil {
				return partitionFault(p.cursor.topic, p.cursor.partition, offset, err)
			}
			buf = nil
		}
		select {
		case sets <- f:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// behind returns the offset behind the whole batches of a set.
func behind(set []byte, from int64) (int64, error) {
	for {
		b, rest, ok, err := recordbatch.Cut(set)
		if err != nil || !ok {
			return from, err
		}
		set, from = rest, max(from, b.Next)
	}
}

// decode turns what was fetched into items.
func (p *partitionReader) decode(ctx context.Context, sets <-chan fetched, bufs chan<- []byte) error {
	var batch recordbatch.Reader
	for {
		var f fetched
		select {
		case f = <-sets:
		default:
			// Nothing is waiting: what is there must not wait either.
			if err := p.deliver(ctx); err != nil {
				return err
			}
			select {
			case f = <-sets:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if f.passage != nil {
			if err := p.pass(ctx, f.passage); err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return partitionFault(p.cursor.topic, p.cursor.partition, f.passage.base, err)
			}
			continue
		}
		if err := p.settle(ctx); err != nil {
			return err
		}
		next, err := each(f.set, p.ahead.Offset, &batch, func(r *recordbatch.Record) (bool, error) { return true, p.take(ctx, r) })
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return partitionFault(p.cursor.topic, p.cursor.partition, next, err)
		}
		p.ahead.Offset = max(p.ahead.Offset, next)
		bufs <- f.buf // has room for all there are
	}
}

// take applies the log's rule to a record and decodes it if it counts.
func (p *partitionReader) take(ctx context.Context, r *recordbatch.Record) error {
	if err := parseHeader(&p.record, r); err != nil {
		return err
	}
	verdict, err := protocol.Fold(&p.ahead, r.Offset, &p.record)
	if err != nil || verdict != protocol.Accepted {
		return err
	}
	if r.Offset < p.has && p.record.Kind != protocol.Cut {
		return nil
	}
	if p.record.Kind == protocol.Row {
		return p.row(ctx, r)
	}
	return p.mark(ctx, r.Offset)
}

// mark delivers what is no row, at that offset.
func (p *partitionReader) mark(ctx context.Context, offset int64) error {
	switch p.record.Kind {
	case protocol.Cut:
		var c cutPayload
		if err := json.Unmarshal(p.record.Payload, &c); err != nil {
			return fmt.Errorf("record %d: decoding a cut: %w", offset, err)
		}
		if err := p.flush(ctx, offset); err != nil {
			return err
		}
		p.ahead.Cut = p.record.Cut
		return p.push(ctx, item{state: p.ahead, cut: &c, number: p.record.Cut, tables: p.record.Tables})
	case protocol.DDL:
		return p.ddl(ctx, offset)
	}
	return nil
}

// ddl goes on under the next table version. One that the partition has already
// was sent again by a source that could not know it.
func (p *partitionReader) ddl(ctx context.Context, offset int64) error {
	if p.record.Version <= p.ahead.Schema {
		return nil
	}
	c, err := p.registry.change(p.table, &p.record)
	if err != nil {
		return fmt.Errorf("record %d: decoding a shape of table %s: %w", offset, p.id, err)
	}
	if err := p.flush(ctx, offset); err != nil {
		return err
	}
	p.ahead.Schema = p.record.Version
	if c.Table != nil {
		p.use(c.Table)
	}
	return p.push(ctx, item{state: p.ahead, change: c, version: p.record.Version})
}

// use decodes what follows under a shape.
func (p *partitionReader) use(t *schema.Table) {
	p.shape, p.decoder = t, nil
}

// read makes the decoder one of events in the record's form.
func (p *partitionReader) read(form int64) error {
	if p.decoder != nil && p.form == form {
		return nil
	}
	m, err := debezium.ModesOf(form)
	if err != nil {
		return err
	}
	p.decoder, p.form = debezium.NewDecoder(p.shape, m), form
	return nil
}

func (p *partitionReader) row(ctx context.Context, r *recordbatch.Record) error {
	if r.Value == nil {
		return nil // a tombstone, for consumers of compacted copies
	}
	if err := p.current(p.record.Version, r.Offset); err != nil {
		return err
	}
	if err := p.read(p.record.Form); err != nil {
		return fmt.Errorf("record %d: %w", r.Offset, err)
	}
	if p.record.Txn.IsZero() != p.txn.IsZero() && p.block != nil {
		// Rows of a load may be followed by transactions without a mark between, and
		// blocks of a load hold nothing else.
		if err := p.deliver(ctx); err != nil {
			return err
		}
	}
	if p.block == nil {
		p.block, p.size = schema.NewBlock(p.shape), 0
		p.extent.Reserve(p.block)
	}
	b := p.block
	if len(b.Origins) == 0 || p.record.Txn != p.txn {
		p.txn = p.record.Txn
		b.Origins = append(b.Origins, p.origin(r))
	}
	if err := p.decoder.Append(b, r.Key, r.Value); err != nil {
		return fmt.Errorf("record %d: %w", r.Offset, err)
	}
	p.size += len(r.Value)
	if b.Rows() >= maxBlockRows || p.size >= p.blockSize {
		return p.deliver(ctx)
	}
	return nil
}

// current makes sure that rows of a table version can be delivered here.
func (p *partitionReader) current(version, offset int64) error {
	if version != p.ahead.Schema {
		return fmt.Errorf("record %d of table %s has version %d, and the table stands at version %d", offset, p.id, version, p.ahead.Schema)
	}
	if p.shape == nil {
		return fmt.Errorf("the lake has no table %s, although it stands behind the begin of its topic; remedy: %s", p.id, remedyReload)
	}
	return nil
}

// origin describes where the rows from this one on come from.
func (p *partitionReader) origin(r *recordbatch.Record) schema.Origin {
	n := int(p.record.Ordinal / recordsPerRow)
	o := schema.Origin{Row: p.block.Rows(), GTID: p.txn.GTID, File: p.txn.File, Pos: p.txn.Pos, Time: p.record.Time, Partition: p.key, Offset: r.Offset}
	if o.GTID.IsZero() {
		o.EventRow = n
	} else {
		o.TxnRow = n
	}
	return o
}

// flush delivers the rows that wait before a mark at that offset. The rows' item
// must not claim to stand behind the mark: a log may end there.
func (p *partitionReader) flush(ctx context.Context, offset int64) error {
	if p.block == nil {
		return nil
	}
	state := p.ahead
	state.Offset = offset
	return p.push(ctx, item{state: state})
}

// deliver hands over the rows that wait, or tells how far the partition came
// where records were dropped.
func (p *partitionReader) deliver(ctx context.Context) error {
	if p.block == nil && p.delivered == p.ahead.Offset {
		return nil
	}
	return p.push(ctx, item{state: p.ahead})
}

func (p *partitionReader) push(ctx context.Context, it item) error {
	if it.cut == nil && it.change == nil && p.block != nil {
		p.extent.Note(p.block)
		it.block, it.version, p.block = p.block, p.ahead.Schema, nil
	}
	p.delivered = it.state.Offset
	select {
	case p.items <- it:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case p.wake <- struct{}{}:
	default: // the reader will look
	}
	return nil
}
