package binlog

import (
	"context"
	"fmt"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// dummyTable is the number of a rows event without rows, which ends a
// statement.
const dummyTable = 0x00ff_ffff

// onRows decodes a rows event straight into the block of its table.
func (r *run) onRows(ctx context.Context, h *header, body []byte) error {
	c := cursor{b: body}
	number := c.number(6)
	c.take(2) // flags
	if number == dummyTable {
		return c.err()
	}
	v := r.maps[number]
	if v == nil {
		return fmt.Errorf("rows of table number %d without a table map: %w", number, errEvent)
	}
	if v.table == nil || r.txn.passed {
		return nil
	}
	if h.typ == evPartialUpdate {
		return fmt.Errorf("table %s: the binlog holds a partial JSON update, which cannot be replicated; remedy: SET PERSIST binlog_row_value_options='' (sessions that are open keep the old value), then load the table again", v.table.id)
	}
	if h.typ >= evWriteRows2 {
		c.take(int(c.number(2)) - 2) // extra data, with its length
	}
	op := rowsOp(h.typ)
	if n := c.packed(); n != len(v.cols) {
		return fmt.Errorf("table %s: a rows event has %d columns and its table map %d: %w", v.table.id, n, len(v.cols), errEvent)
	}
	full := fullBitmap(c.take((len(v.cols)+7)/8), len(v.cols))
	if op == schema.OpUpdate {
		full = fullBitmap(c.take((len(v.cols)+7)/8), len(v.cols)) && full
	}
	if c.bad {
		return errEvent
	}
	if !full {
		return fmt.Errorf("table %s: the binlog holds row images without all columns; remedy: %s (sessions that are open keep the old value), then load the table again", v.table.id, r.persist("binlog_row_image", "FULL"))
	}
	return r.decodeRows(ctx, h, v, op, c.b)
}

func rowsOp(typ byte) schema.Op {
	switch typ {
	case evUpdateRows1, evUpdateRows2:
		return schema.OpUpdate
	case evDeleteRows1, evDeleteRows2:
		return schema.OpDelete
	}
	return schema.OpInsert
}

func fullBitmap(b []byte, n int) bool {
	for i := range n {
		if i/8 >= len(b) || b[i/8]&(1<<(i%8)) == 0 {
			return false
		}
	}
	return true
}

// decodeRows appends the rows that are wanted, and counts all: the number of a
// row within its transaction must be the same in every run.
func (r *run) decodeRows(ctx context.Context, h *header, v *version, op schema.Op, images []byte) error {
	o := r.origin(h)
	// Events of a compressed transaction, and of one that was prepared before, stand
	// at one place: their rows are numbered through.
	if r.txn.place != r.start {
		r.txn.place, r.txn.placeRow = r.start, r.txn.rows
	}
	o.EventRow = r.txn.rows - r.txn.placeRow
	covered := v.table.passes(&o)
	r.txn.captured = v.table
	total := len(images)
	for len(images) > 0 && (covered || r.txn.rows < r.txn.skip) {
		n, err := passRow(v.cols, op, images)
		if err != nil {
			return v.fault(h, total-len(images), err)
		}
		images = images[n:]
		r.txn.rows++
		o.EventRow++
	}
	if len(images) == 0 {
		return nil
	}
	if err := r.adopt(ctx, v); err != nil {
		if err := r.incompatible(ctx, v.table, err); err != nil {
			return err
		}
		return r.decodeRows(ctx, h, v, op, images) // which passes over the rest
	}
	b := r.blockOf(v.table)
	o.Row, o.TxnRow = b.Rows(), r.txn.rows
	b.Origins = append(b.Origins, o)
	if op != schema.OpInsert {
		b.NeedOld(r.cfg.OldImages == IdentityOnly)
	}
	before := b.Rows()
	size := len(images)
	for len(images) > 0 {
		n, err := r.row(b, v, op, images)
		if err != nil {
			return v.fault(h, total-len(images), err)
		}
		images = images[n:]
	}
	n := b.Rows() - before
	r.txn.rows += n
	r.rows += n
	r.bytes += size + originSize
	return nil
}

// originSize is what an origin weighs beside its rows.
const originSize = 128

func (v *version) fault(h *header, at int, err error) error {
	return fmt.Errorf("decoding row images of %s (event that ends at %d, byte %d): %w", v.table.id, h.end, at, err)
}

// row decodes one row change.
func (r *run) row(b *schema.Block, v *version, op schema.Op, images []byte) (int, error) {
	pos := 0
	if op == schema.OpInsert {
		v.fillOld(b.Old, r.cfg.OldImages == IdentityOnly)
	} else {
		n, err := v.image(b.Old, r.cfg.OldImages == IdentityOnly, images)
		if err != nil {
			return 0, err
		}
		pos = n
	}
	if op == schema.OpDelete {
		for i := range b.New {
			b.New[i].AppendZero()
		}
	} else {
		n, err := v.image(b.New, false, images[pos:])
		if err != nil {
			return 0, err
		}
		pos += n
	}
	b.Ops = append(b.Ops, op)
	return pos, nil
}

// fillOld appends the fillers of a row without an old image, where the block
// has old images at all.
func (v *version) fillOld(old []schema.Vec, identityOnly bool) {
	for i := range old {
		if !identityOnly || v.identity[i] {
			old[i].AppendZero()
		}
	}
}

// image decodes a row image, and passes over the columns that are not wanted.
func (v *version) image(dst []schema.Vec, identityOnly bool, b []byte) (int, error) {
	pos := (len(v.cols) + 7) / 8
	if len(b) < pos {
		return 0, value.ErrShort
	}
	nulls := b[:pos]
	for i := range v.cols {
		c := &v.cols[i]
		wanted := c.to >= 0 && (c.identity || !identityOnly)
		if nulls[i>>3]&(1<<(i&7)) != 0 {
			switch {
			case !wanted:
			case c.null != nil:
				c.null(&dst[c.to])
			default:
				dst[c.to].AppendNull()
			}
			continue
		}
		var n int
		var err error
		if wanted {
			n, err = c.decode(&dst[c.to], b[pos:])
		} else {
			n, err = c.width.Skip(b[pos:])
		}
		if err != nil {
			return 0, err
		}
		pos += n
	}
	return pos, nil
}

// passRow returns the length of a row change.
func passRow(cols []column, op schema.Op, images []byte) (int, error) {
	n, err := passImage(cols, images)
	if err == nil && op == schema.OpUpdate {
		var second int
		second, err = passImage(cols, images[n:])
		n += second
	}
	return n, err
}

// passImage returns the length of an image.
func passImage(cols []column, b []byte) (int, error) {
	pos := (len(cols) + 7) / 8
	if len(b) < pos {
		return 0, value.ErrShort
	}
	nulls := b[:pos]
	for i := range cols {
		if nulls[i>>3]&(1<<(i&7)) != 0 {
			continue
		}
		n, err := cols[i].width.Skip(b[pos:])
		if err != nil {
			return 0, err
		}
		pos += n
	}
	return pos, nil
}
