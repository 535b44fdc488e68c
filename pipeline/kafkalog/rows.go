package kafkalog

import (
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

func (w *Writer) encoderPool(t *schema.Table) *sync.Pool {
	cfg := debezium.Config{Name: w.cfg.TopicPrefix, Version: w.cfg.Version, Now: time.Now}
	return &sync.Pool{New: func() any { return &rowEncoder{Encoder: debezium.NewEncoder(t, cfg)} }}
}

// encode appends the rows of a block, each to the partition of its key.
func (w *Writer) encode(t rowTarget, b *schema.Block, load bool) error {
	e := t.encoders.Get().(*rowEncoder)
	defer t.encoders.Put(e)
	// Only the one goroutine that sends the stream looks at what is recovered;
	// rows of a load are never there before.
	recovering := !load && !w.recovery.Drained()
	origin, next := &schema.Origin{}, 0
	e.record = protocol.Record{Kind: protocol.Row, Version: t.version}
	for row := range b.Rows() {
		if next < len(b.Origins) && b.Origins[next].Row <= row {
			origin = &b.Origins[next]
			next++
			e.record = protocol.Record{Kind: protocol.Row, Version: t.version, Time: origin.Time}
			if !load {
				e.record.Txn = txnOf(origin)
			}
			if recovering {
				w.seen = append(w.seen, e.record.Txn)
			}
		}
		records, err := e.Row(b, row, origin)
		if err != nil {
			return err
		}
		first := ordinalOf(origin, row)
		for i := range records {
			p := t.parts[partitionOf(records[i].Key, len(t.parts))]
			if recovering && w.recovery.Has(p.number, e.record.Txn, first+int64(i)) {
				continue
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
	}
	return nil
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
