package snapshot

import (
	"context"
	"fmt"
	"iter"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// numbers are the keys of a table whose key is one integer.
type numbers struct {
	low, high uint64 // both kinds of integers in their order
	sign      uint64 // what makes the order of signed ones that of unsigned ones
	rows      uint64 // by the server's estimate
	chunk     uint64 // rows, at the most
	none      bool
}

// numbers looks at the ends of the key, behind a bound; nil: of all of it.
func (s *Snapshot) numbers(ctx context.Context, t *schema.Table, behind []any) (n numbers, err error) {
	column := t.Columns[t.Key[0]]
	name := session.Quote(column.Name)
	r, err := s.control.Query(ctx, fmt.Sprintf("SELECT MIN(%s), MAX(%s) FROM %s", name, name, tableName(t.ID)))
	if err != nil {
		return n, err
	}
	if n.none, err = r.IsNull(0, 0); err != nil || n.none {
		return n, err
	}
	n.rows, n.chunk = uint64(s.estimate(t.ID)), uint64(s.cfg.ChunkRows)
	if column.Type.Unsigned {
		n.low, _ = r.GetUint(0, 0)
		n.high, _ = r.GetUint(0, 1)
	} else {
		n.sign = 1 << 63
		l, _ := r.GetInt(0, 0)
		h, _ := r.GetInt(0, 1)
		n.low, n.high = uint64(l)^n.sign, uint64(h)^n.sign
	}
	if behind != nil {
		switch v := behind[0].(type) {
		case uint64:
			n.low = max(n.low, v)
		case int64:
			n.low = max(n.low, uint64(v)^n.sign)
		}
		n.none = n.low >= n.high
	}
	return n, nil
}

// dense tells whether there are few numbers without a row. With many holes strides
// would make many empty chunks.
func (n *numbers) dense() bool {
	const sparse = 4 // numbers for each row
	return n.none || n.high-n.low < n.chunk || (n.high-n.low)/n.rows < sparse
}

// strides finds bounds without reading the index, by counting: a range of so many
// numbers has at most so many rows, whatever the statistics say. That serves keys
// that are dense, as those of AUTO_INCREMENT are.
func (n *numbers) strides(chunk func() int) iter.Seq[bound] {
	return func(yield func(bound) bool) {
		for at := n.low; !n.none; {
			rows := chunk()
			if n.high-at < uint64(rows) {
				return
			}
			at += uint64(rows)
			var key any = at
			if n.sign != 0 {
				key = int64(at ^ n.sign)
			}
			if !yield(bound{[]any{key}, rows}) {
				return
			}
		}
	}
}
