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
	return s.cut(ctx, Whole(t))
}

// cut is Chunks of a range. One that has an upper bound was made by a cut before,
// and stays as it is.
func (s *Snapshot) cut(ctx context.Context, rest Chunk) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		t := rest.Table
		rest.index, rest.filter = s.keyIndex(t.ID), s.filter(t.ID)
		if rest.upper != nil {
			yield(rest, nil)
			return
		}
		for at, err := range s.bounds(ctx, t, rest.lower) {
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

// bounds finds where to cut what lies behind a key; nil: the whole table.
func (s *Snapshot) bounds(ctx context.Context, t *schema.Table, behind []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		cols := splitColumns(t)
		if len(cols) == 0 || len(t.Columns) == len(t.Key) {
			// Of a table that is nothing but its key the server reads ranges by scanning the
			// whole index when its statistics lag behind a bulk load. One piece it is.
			return
		}
		if len(t.Key) == 1 && isInteger(t.Columns[t.Key[0]].Type.Kind) {
			list, ok, err := s.strides(ctx, t, behind, s.estimate(t.ID))
			if err != nil {
				yield(nil, err)
				return
			}
			if ok {
				for _, at := range list {
					if !yield(at, nil) {
						return
					}
				}
				return
			}
		}
		for at, err := range s.steps(ctx, t, cols, behind) {
			if !yield(at, err) {
				return
			}
		}
	}
}

// estimate returns the server's estimate of a table's rows, at least 1.
func (s *Snapshot) estimate(id schema.TableID) int64 {
	for _, d := range s.described {
		if d.Table.ID == id {
			return max(d.Rows, 1)
		}
	}
	return 1
}

func (s *Snapshot) keyIndex(id schema.TableID) string {
	for _, d := range s.described {
		if d.Table.ID == id {
			return d.KeyIndex
		}
	}
	return ""
}

func (s *Snapshot) filter(id schema.TableID) string {
	for _, d := range s.described {
		if d.Table.ID == id {
			return d.Filter
		}
	}
	return ""
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
func (s *Snapshot) steps(ctx context.Context, t *schema.Table, cols []int, at []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
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
	order := strings.Join(names, ", ")
	list := order + ", " + session.Quote(t.Columns[ballast(t)].Name)
	where, args := "", []any(nil)
	if from != nil {
		cond, a := compareKey(t, cols, ">", op, from)
		where, args = "WHERE "+cond, a
	}
	sql := fmt.Sprintf("SELECT %s FROM %s FORCE INDEX (%s) %s ORDER BY %s LIMIT 1 OFFSET %d", list, tableName(t.ID), session.Quote(s.keyIndex(t.ID)), where, order, offset)
	var key []any
	err := s.control.Stream(ctx, sql, args, func(row []mysql.FieldValue) error {
		for i := range cols {
			key = append(key, argument(t.Columns[cols[i]].Type.Kind, &row[i]))
		}
		return nil
	})
	return key, err
}

// ballast returns the narrowest column outside of the key. A statement that asks
// for it, too, reads a range of the table; one for the key alone may scan the
// index from its start.
func ballast(t *schema.Table) int {
	best := -1
	for i := range t.Columns {
		if t.IsKey(i) {
			continue
		}
		if t.Lake(i).Vec() != schema.VecBytes {
			return i
		}
		if best < 0 {
			best = i
		}
	}
	return best
}

func equalKey(a, b []any) bool {
	for i := range a {
		if fmt.Sprint(a[i]) != fmt.Sprint(b[i]) {
			return false
		}
	}
	return true
}

// strides finds bounds of an integer key without reading the index, by counting:
// a range of so many numbers has at most so many rows, whatever the statistics
// say. That serves keys that are dense, as those of AUTO_INCREMENT are; with
// many holes it would make many empty chunks, and ok is false.
func (s *Snapshot) strides(ctx context.Context, t *schema.Table, behind []any, rows int64) (bounds [][]any, ok bool, err error) {
	column := t.Columns[t.Key[0]]
	name := session.Quote(column.Name)
	r, err := s.control.Query(ctx, fmt.Sprintf("SELECT MIN(%s), MAX(%s) FROM %s", name, name, tableName(t.ID)))
	if err != nil {
		return nil, false, err
	}
	if empty, err := r.IsNull(0, 0); err != nil || empty {
		return nil, err == nil, err
	}
	// Both kinds of integers as uint64 in their order.
	var low, high, sign uint64
	if column.Type.Unsigned {
		low, _ = r.GetUint(0, 0)
		high, _ = r.GetUint(0, 1)
	} else {
		sign = 1 << 63
		l, _ := r.GetInt(0, 0)
		h, _ := r.GetInt(0, 1)
		low, high = uint64(l)^sign, uint64(h)^sign
	}
	if behind != nil {
		switch v := behind[0].(type) {
		case uint64:
			low = max(low, v)
		case int64:
			low = max(low, uint64(v)^sign)
		}
		if low >= high {
			return nil, true, nil
		}
	}
	const sparse = 4 // numbers for each row
	width := uint64(s.cfg.ChunkRows)
	if held := uint64(max(rows, 1)); high-low >= width && (high-low)/held >= sparse {
		return nil, false, nil
	} else if high-low > held {
		width = width * (high - low) / held
	}
	for at := low; high-at >= width; {
		at += width
		var bound any = at
		if !column.Type.Unsigned {
			bound = int64(at ^ sign)
		}
		bounds = append(bounds, []any{bound})
	}
	return bounds, true, nil
}
