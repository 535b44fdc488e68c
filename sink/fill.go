package sink

import (
	"context"
	"fmt"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/keyindex"
	"github.com/beluga-cdc/beluga/sink/parquetfile"
)

// fill writes the live rows anew with the values that they show in columns that are
// new, in the same commit; see Defaults.
func (t *lakeTable) fill(ctx context.Context, row *schema.Block) error {
	if err := t.list(ctx); err != nil {
		return err
	}
	old := slices.Clone(t.files)
	rows := int64(0)
	for _, f := range old {
		if f != nil {
			f.settle()
			rows += f.live()
		}
	}
	t.index = t.newIndex(int(rows))
	r := newRefill(t, row)
	for _, f := range old {
		if f == nil {
			continue
		}
		if err := r.file(ctx, f); err != nil {
			return fmt.Errorf("writing %s anew with the new columns' defaults: %w", f.path, err)
		}
		if err := t.replace(f); err != nil {
			return err
		}
	}
	for _, s := range t.shared {
		t.removeFile(s.file)
	}
	t.shared = nil
	if len(r.columns) > len(t.columns) {
		return t.closeFile() // other rows have not its columns
	}
	return nil
}

// refill copies live rows into new files, with constants in some columns.
type refill struct {
	t         *lakeTable
	row       *schema.Block
	columns   []parquetfile.Column // of the files: the table's, and those that were set apart
	want      []parquetfile.Column // to be read
	ordinals  []int                // of those
	constants []schema.Vec         // by ordinal; Kind 0: read from the file
	image     []schema.Vec
	rows      []uint32
}

func newRefill(t *lakeTable, row *schema.Block) *refill {
	columns := slices.Concat(t.columns, columnsApart(t.currentSchema()))
	r := &refill{t: t, row: row, columns: columns, constants: make([]schema.Vec, len(columns)), image: make([]schema.Vec, len(columns))}
	for i, c := range columns {
		if i >= len(t.columns) || row.New[i].IsNull(0) {
			r.want = append(r.want, c)
			r.ordinals = append(r.ordinals, i)
		} else {
			r.constants[i].Reset(t.shape.Lake(i).Vec())
		}
	}
	return r
}

func (r *refill) file(ctx context.Context, f *dataFile) error {
	return f.scan(ctx, r.t.head.fs, r.want, func(vecs []schema.Vec, first int64, n int) error {
		r.rows = r.rows[:0]
		for i := range uint32(n) {
			if !f.dead.Contains(uint32(first) + i) {
				r.rows = append(r.rows, i)
			}
		}
		if len(r.rows) == 0 {
			return nil
		}
		return r.batch(vecs, n)
	})
}

func (r *refill) batch(vecs []schema.Vec, n int) error {
	for i, o := range r.ordinals {
		r.image[o] = vecs[i]
	}
	for i := range r.image {
		if c := &r.constants[i]; c.Kind != 0 {
			for c.N < n {
				c.AppendFrom(&r.row.New[i], 0)
			}
			r.image[i] = *c
		}
	}
	o, err := r.t.openFileOf(r.columns)
	if err != nil {
		return err
	}
	base := uint32(o.writer.Rows())
	if err := o.writer.Append(pointers(r.image), r.rows, n); err != nil {
		return err
	}
	if r.t.onlyAppends() {
		return r.t.appended()
	}
	for i, row := range r.rows {
		r.t.index.Put(r.t.keyer.Key(r.image[:len(r.t.columns)], int(row)), keyindex.Location(o.number, base+uint32(i)))
	}
	return r.t.appended()
}
