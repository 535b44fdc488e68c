package kafkalog

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/schema"
)

// recordsPerRow is room for the records of one row within the ordinals of a
// transaction: a change of key has three.
const recordsPerRow = 4

// rowEncoder encodes for one caller at a time; a table's are pooled.
type rowEncoder struct {
	*debezium.Encoder
	record  protocol.Record
	headers []recordbatch.Header
}

// encodeAs lets the rows of a table that is in the log be written in a shape.
func (w *Writer) encodeAs(t *writerTable, shape *schema.Table) (err error) {
	cfg := debezium.Config{Name: w.cfg.TopicPrefix, Version: w.cfg.Version, Now: time.Now, Modes: w.cfg.Modes, Topic: t.entry.Topic, KeyField: t.entry.KeyField, KeyValue: t.entry.KeyValue}
	if err := cfg.Modes.Check(shape); err != nil {
		return err
	}
	if cfg.Key, err = w.cfg.MessageKeys.Columns(shape, len(t.parts)); err != nil {
		return err
	}
	t.shape, t.key = shape, cfg.Key
	t.encoders = &sync.Pool{New: func() any { return &rowEncoder{Encoder: debezium.NewEncoder(shape, cfg)} }}
	return nil
}

// sameKeys tells whether the records of a table have the keys that they have under
// those columns and that form: with others a row comes to another partition.
func (w *Writer) sameKeys(t *writerTable, key []int, form int64) bool {
	return slices.Equal(t.key, key) && w.cfg.Modes.Code() == form
}

// encode appends the rows of a block, each to the partition of its key, and gives
// the block away.
func (w *Writer) encode(t rowTarget, b *schema.Block, load bool) error {
	e := t.encoders.Get().(*rowEncoder)
	defer t.encoders.Put(e)
	// Only the one goroutine that sends the stream looks at what is recovered. Rows of a
	// load are never there before; neither are changes behind a reset, and those that
	// waited for the rows of a lane come from another goroutine.
	recovering := !load && !t.reset && !w.recovery.Drained()
	var lent *loan
	if !recovering {
		lent = w.lend(t, b)
	}
	if lent != nil {
		defer lent.back(1)
	} else {
		defer b.Release()
	}
	origin, next := &schema.Origin{}, 0
	form := w.cfg.Modes.Code()
	e.record = protocol.Record{Kind: protocol.Row, Version: t.version, Form: form}
	for row := range b.Rows() {
		if next < len(b.Origins) && b.Origins[next].Row <= row {
			origin = &b.Origins[next]
			next++
			e.record = protocol.Record{Kind: protocol.Row, Version: t.version, Time: origin.Time, Form: form}
			if !load {
				e.record.Txn = txnOf(origin)
			}
			if recovering {
				if w.recovery.Renamed(e.record.Txn, origin.Time) {
					return renamedError(e.record.Txn)
				}
				w.seen = append(w.seen, e.record.Txn)
			}
		}
		records, err := e.Row(b, row, origin)
		if err != nil {
			return err
		}
		if err := w.append(t, e, records, origin, row, lent, recovering); err != nil {
			return err
		}
	}
	return nil
}

// append appends the records of one row. Those in one partition stand together in
// one batch, so that a row passes by the broker whole or not at all.
func (w *Writer) append(t rowTarget, e *rowEncoder, records []debezium.Record, origin *schema.Origin, row int, lent *loan, recovering bool) error {
	var p *partitionWriter
	defer func() {
		if p != nil {
			p.mu.Unlock()
		}
	}()
	first := ordinalOf(origin, row)
	for i := range records {
		if records[i].Value == nil && w.cfg.NoTombstones {
			continue // the others keep their ordinals: a restart under another choice knows them again
		}
		to := t.parts[partitionOf(records[i].Key, len(t.parts))]
		if recovering && w.recovery.Has(to.number, e.record.Txn, first+int64(i)) {
			continue
		}
		if p != to {
			if p != nil {
				p.endRow(lent, row, t.version)
				p.mu.Unlock()
			}
			p = to
			p.mu.Lock()
		}
		e.record.Ordinal = first + int64(i)
		e.headers = e.headers[:0]
		for _, h := range records[i].Headers {
			e.headers = append(e.headers, recordbatch.Header(h))
		}
		if err := p.append(w.ctx, &e.record, origin.Time/1000, records[i].Key, records[i].Value, e.headers); err != nil {
			return err
		}
	}
	if p != nil {
		p.endRow(lent, row, t.version)
	}
	return nil
}

// lend makes a loan of a block for the reader of this process, where there is one
// and all rows stand in one partition: a block that was dealt out to several would
// have to be copied apart, which is what decoding does anyway.
func (w *Writer) lend(t rowTarget, b *schema.Block) *loan {
	if len(t.parts) != 1 || !w.transport.reading.Load() {
		return nil
	}
	return t.parts[0].relay.lend(w.ctx, b, t.parts[0].flush)
}

func renamedError(t protocol.Txn) error {
	name := t.GTID.String()
	if t.GTID.IsZero() {
		name = fmt.Sprintf("%s:%d", t.File, t.Pos)
	}
	return fmt.Errorf("the log holds rows of another transaction %s than the server does: the server has lost its last ones, as in a crash with sync_binlog = 0, and given their names to others; remedy: load all tables again: run once with --snapshot-mode always", name)
}

func txnOf(o *schema.Origin) protocol.Txn {
	if !o.GTID.IsZero() {
		return protocol.Txn{GTID: o.GTID}
	}
	return protocol.Txn{File: o.File, Pos: o.Pos}
}

// ordinalOf numbers the row's first record within what txnOf names.
func ordinalOf(o *schema.Origin, row int) int64 {
	n := o.EventRow
	if !o.GTID.IsZero() {
		n = o.TxnRow
	}
	return int64(n+row-o.Row) * recordsPerRow
}
