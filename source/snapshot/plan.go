package snapshot

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// Chunks cuts a table into ranges of about ChunkRows rows, and gives each as
// soon as it is known. It uses the control session, so one table is planned at a
// time. The bounds need not belong to the snapshot: any cuts through the key
// space cover it, as the first range has no lower bound and the last no upper.
func (s *Snapshot) Chunks(ctx context.Context, t *schema.Table) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		bounds := s.steps
		cols := splitColumns(t)
		switch {
		case len(cols) == 0:
			yield(Whole(t), nil)
			return
		case len(t.Key) == 1 && isInteger(t.Columns[t.Key[0]].Type.Kind):
			bounds = s.bisections
		}
		rest := Whole(t)
		for at, err := range bounds(ctx, t, cols) {
			if err != nil {
				yield(Chunk{}, fmt.Errorf("cutting table %s into chunks: %w", t.ID, err))
				return
			}
			c := rest
			c.upper = at
			rest.lower = at
			if !yield(c, nil) {
				return
			}
		}
		yield(rest, nil)
	}
}

func isInteger(k schema.Kind) bool {
	switch k {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt:
		return true
	}
	return false
}

// steps finds bounds by walking the index: the key that stands ChunkRows after
// the last one. Each step reads only its own part of the index, so all of them
// together read it once; an OFFSET from the table's start would read it again
// for each.
func (s *Snapshot) steps(ctx context.Context, t *schema.Table, cols []int) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		var at []any
		for {
			next, err := s.keyAfter(ctx, t, cols, at, ">=", s.cfg.ChunkRows)
			if err == nil && next != nil && at != nil && equalKey(at, next) {
				// More than a chunk of rows share the leading columns: they stay together.
				next, err = s.keyAfter(ctx, t, cols, at, ">", 0)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if next == nil || !yield(next, nil) {
				return
			}
			at = next
		}
	}
}

// keyAfter returns the key that stands offset rows after the first one which
// compares with from; nil where there is none.
func (s *Snapshot) keyAfter(ctx context.Context, t *schema.Table, cols []int, from []any, op string, offset int) ([]any, error) {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = session.Quote(t.Columns[c].Name)
	}
	list := strings.Join(names, ", ")
	where, args := "", []any(nil)
	if from != nil {
		cond, a := compareKey(t, cols, ">", op, from)
		where, args = "WHERE "+cond, a
	}
	sql := fmt.Sprintf("SELECT %s FROM %s FORCE INDEX (PRIMARY) %s ORDER BY %s LIMIT 1 OFFSET %d", list, tableName(t.ID), where, list, offset)
	var key []any
	err := s.control.Stream(ctx, sql, args, func(row []mysql.FieldValue) error {
		for i := range row {
			key = append(key, argument(t.Columns[cols[i]].Type.Kind, &row[i]))
		}
		return nil
	})
	return key, err
}

func equalKey(a, b []any) bool {
	for i := range a {
		if fmt.Sprint(a[i]) != fmt.Sprint(b[i]) {
			return false
		}
	}
	return true
}

// bisections finds bounds of an integer key by halving the span between least
// and greatest key until the index says that about a chunk of rows is inside.
// That costs a few lookups a chunk, whatever holes and outliers there are, where
// steps would read the whole index.
func (s *Snapshot) bisections(ctx context.Context, t *schema.Table, cols []int) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		k := integerKey{name: session.Quote(t.Columns[cols[0]].Name), table: tableName(t.ID), unsigned: t.Columns[cols[0]].Type.Unsigned}
		low, high, ok, err := k.span(ctx, s.control)
		if err != nil {
			yield(nil, err)
			return
		}
		if !ok {
			return
		}
		b := bisection{ctx: ctx, session: s.control, key: k, rows: int64(s.cfg.ChunkRows), yield: yield}
		b.split(low, high)
	}
}

// integerKey maps the values of an integer column to uint64 in their order.
type integerKey struct {
	name, table string
	unsigned    bool
}

const signBit = 1 << 63

func (k integerKey) argument(v uint64) any {
	if k.unsigned {
		return v
	}
	return int64(v ^ signBit)
}

func (k integerKey) span(ctx context.Context, s *session.Session) (low, high uint64, ok bool, err error) {
	r, err := s.Query(ctx, fmt.Sprintf("SELECT MIN(%s), MAX(%s) FROM %s", k.name, k.name, k.table))
	if err != nil {
		return 0, 0, false, err
	}
	if null, err := r.IsNull(0, 0); err != nil || null {
		return 0, 0, false, err
	}
	if k.unsigned {
		low, _ = r.GetUint(0, 0)
		high, _ = r.GetUint(0, 1)
		return low, high, true, nil
	}
	l, _ := r.GetInt(0, 0)
	h, _ := r.GetInt(0, 1)
	return uint64(l) ^ signBit, uint64(h) ^ signBit, true, nil
}

// estimate returns how many rows lie from low to high, both included, as the
// optimizer's dive into the index tells.
func (k integerKey) estimate(ctx context.Context, s *session.Session, low, high uint64) (int64, error) {
	r, err := s.Query(ctx, fmt.Sprintf("EXPLAIN FORMAT=TRADITIONAL SELECT %s FROM %s FORCE INDEX (PRIMARY) WHERE %s BETWEEN %d AND %d",
		k.name, k.table, k.name, k.argument(low), k.argument(high)))
	if err != nil {
		return 0, err
	}
	if null, err := r.IsNullByName(0, "rows"); err != nil || null { // no row can match
		return 0, err
	}
	return r.GetIntByName(0, "rows")
}

// bisection collects neighbouring parts until they make a chunk.
type bisection struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call of Chunks
	session *session.Session
	key     integerKey
	rows    int64
	yield   func([]any, error) bool

	open    int64 // rows since the last bound
	stopped bool
}

func (b *bisection) split(low, high uint64) {
	if b.stopped {
		return
	}
	n, err := b.key.estimate(b.ctx, b.session, low, high)
	if err != nil {
		b.stopped = true
		b.yield(nil, err)
		return
	}
	// Where fewer keys are possible than a chunk has rows the estimate is wrong.
	if n > b.rows && high-low >= uint64(b.rows) {
		middle := low + (high-low)/2
		b.split(low, middle)
		b.split(middle+1, high)
		return
	}
	if b.open > 0 && b.open+n > 2*b.rows || b.open >= b.rows {
		b.stopped = !b.yield([]any{b.key.argument(low)}, nil)
		b.open = 0
	}
	b.open += n
}
