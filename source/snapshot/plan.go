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

// Chunks cuts a table into ranges of about ChunkRows rows, or of fewer where these
// took longer than ChunkTime to read, and gives each as soon as it is known. It uses the control session, so one table is planned at a
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
			c.upper, c.rows = at.key, at.rows
			rest.lower = at.key
			if !yield(c, nil) {
				return
			}
		}
		if rest.lower != nil {
			rest.rows = s.paces[t.ID].next()
		}
		yield(rest, nil)
	}
}

// bound is where a chunk ends.
type bound struct {
	key  []any
	rows int // that the chunk was to have
}

// bounds finds where to cut what lies behind a key; nil: the whole table. Each
// bound is looked for when it is wanted, for the size that chunks are to have then.
func (s *Snapshot) bounds(ctx context.Context, t *schema.Table, behind []any) iter.Seq2[bound, error] {
	return func(yield func(bound, error) bool) {
		cols := splitColumns(t)
		if len(cols) == 0 || len(t.Columns) == len(t.Key) {
			// Of a table that is nothing but its key the server reads ranges by scanning the
			// whole index when its statistics lag behind a bulk load. One piece it is.
			return
		}
		if len(t.Key) == 1 && isInteger(t.Columns[t.Key[0]].Type.Kind) {
			numbers, err := s.numbers(ctx, t, behind)
			if err != nil {
				yield(bound{}, err)
				return
			}
			if numbers.dense() {
				for at := range numbers.strides(s.paces[t.ID].next) {
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

// steps finds bounds by walking the index: the key that stands a chunk's rows after
// the last one. Each step reads only its own part of the index, so all of them
// together read it once; an OFFSET from the table's start would read it again
// for each.
func (s *Snapshot) steps(ctx context.Context, t *schema.Table, cols []int, at []any) iter.Seq2[bound, error] {
	return func(yield func(bound, error) bool) {
		for {
			rows := s.paces[t.ID].next()
			next, err := s.keyAfter(ctx, t, cols, at, ">=", rows)
			if err == nil && next != nil && at != nil && equalKey(at, next) {
				// More than a chunk of rows share the leading columns: they stay together.
				next, err = s.keyAfter(ctx, t, cols, at, ">", 0)
			}
			if err != nil {
				yield(bound{}, err)
				return
			}
			if next == nil || !yield(bound{next, rows}, nil) {
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
