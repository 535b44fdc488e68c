package kafkalog

import (
	"context"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// tenure is what has come of a loan.
type tenure struct {
	loan     *loan
	from, to int
	places   []place
}

// place says in which batch rows stand.
type place struct {
	row  int // the first of them
	base int64
}

// pass takes a batch that came past the broker, under the rule for records that
// did not.
func (p *partitionReader) pass(ctx context.Context, m *passage) error {
	if p.block != nil {
		if err := p.deliver(ctx); err != nil {
			return err
		}
	}
	rows := m.last - m.first + 1
	if m.mark != nil {
		rows--
	}
	if rows > 0 {
		verdict, err := protocol.FoldRun(&p.ahead, m.base+rows, m.epoch, m.first, m.first+rows-1)
		if err != nil {
			return err
		}
		if verdict != protocol.Accepted {
			m.drop()
			m.pieces = nil
		}
	}
	for _, piece := range m.pieces {
		if err := p.current(piece.version, m.base); err != nil {
			return err
		}
		if err := p.borrow(ctx, piece, m.base); err != nil {
			return err
		}
	}
	if m.mark == nil {
		return nil
	}
	p.record = *m.mark
	verdict, err := protocol.Fold(&p.ahead, m.next-1, &p.record)
	if err != nil || verdict != protocol.Accepted {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	return p.mark(ctx, m.next-1)
}

// borrow joins a piece to what came before of its block, and delivers the block
// once it is complete.
func (p *partitionReader) borrow(ctx context.Context, piece piece, base int64) error {
	at := -1
	for i := range p.loans {
		if t := &p.loans[i]; t.loan == piece.loan && t.to == piece.from {
			at = i
		}
	}
	if at < 0 {
		at = len(p.loans)
		p.loans = append(p.loans, tenure{loan: piece.loan, from: piece.from})
	}
	t := &p.loans[at]
	t.to, t.places = piece.to, append(t.places, place{piece.from, base})
	if t.to < t.loan.rows {
		return nil
	}
	done := *t
	p.loans = append(p.loans[:at], p.loans[at+1:]...)
	return p.hand(ctx, done)
}

// settle delivers what has come of blocks, before anything that stands behind
// it in the partition and is not part of them.
func (p *partitionReader) settle(ctx context.Context) error {
	for _, t := range p.loans {
		if err := p.hand(ctx, t); err != nil {
			return err
		}
	}
	p.loans = p.loans[:0]
	return nil
}

// hand delivers the rows of a loan: its block, or a copy of the part.
func (p *partitionReader) hand(ctx context.Context, t tenure) error {
	if n := t.to - t.from; n == t.loan.rows {
		p.block = t.loan.whole()
		p.block.Table = p.shape // the same, and the one that others of this reader have
	} else {
		p.block = t.loan.block.Copy(p.shape, t.from, t.to)
		t.loan.back(n)
	}
	p.locate(p.block.Origins, t)
	return p.push(ctx, item{state: p.ahead})
}

// locate says where in the log rows stand: by their batch, as no position parts
// one.
func (p *partitionReader) locate(origins []schema.Origin, t tenure) {
	next := 0
	for i := range origins {
		for next+1 < len(t.places) && t.places[next+1].row <= origins[i].Row+t.from {
			next++
		}
		origins[i].Partition, origins[i].Offset = p.key, t.places[next].base
	}
}
