package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/keyindex"
)

// refsAtOnce rows are written between two looks at the size of the file.
const refsAtOnce = 16 << 10

// Write takes changes into the batch. Rows go to data files at once, so that a
// batch, and a load above all, may be larger than memory.
func (l *Lake) Write(ctx context.Context, c pipeline.TableChanges) error {
	defer func() {
		for _, b := range c.Blocks {
			b.Release()
		}
	}()
	if err := l.enter(ctx); err != nil {
		return err
	}
	return l.leave(l.write(ctx, c))
}

func (l *Lake) write(ctx context.Context, c pipeline.TableChanges) error {
	t := l.tables[c.Table.ID]
	if t == nil {
		return fmt.Errorf("writing to table %s, which was not defined", c.Table.ID)
	}
	if err := t.apply(ctx); err != nil {
		return err
	}
	if t.known != c.Table {
		if d := schema.DiffTables(t.shape, c.Table); !d.IsEmpty() {
			return fmt.Errorf("writing to table %s: the rows have another shape than was defined: %s", c.Table.ID, d.Describe(t.shape, c.Table))
		}
		t.known = c.Table
	}
	if err := t.prepare(ctx); err != nil {
		return err
	}
	t.stream = t.stream || !c.Lane
	write := t.put
	if c.Load {
		write = t.load
	}
	if err := write(c); err != nil {
		return fmt.Errorf("writing to table %s: %w", c.Table.ID, err)
	}
	return l.limitMemory()
}

// load appends rows whose keys are all new, unless an earlier process began the
// load: of what that was at, a part may be there.
func (t *lakeTable) load(c pipeline.TableChanges) error {
	var keys []int64
	for _, b := range c.Blocks {
		o, err := t.openFile()
		if err != nil {
			return err
		}
		first, n := uint32(o.writer.Rows()), b.Rows()
		if err := o.writer.Append(pointers(b.New), nil, n); err != nil {
			return err
		}
		if t.onlyAppends() {
			// nothing to find again
		} else if t.keyer.Exact() && !t.continued {
			keys = integerKeys(keys[:0], &b.New[t.shape.Key[0]], n)
			t.index.PutRun(keys, keyindex.Location(o.number, first))
		} else {
			for i := range n {
				if loc, had := t.index.Put(t.keyer.Key(b.New, i), keyindex.Location(o.number, first+uint32(i))); had {
					t.kill(loc)
				}
			}
		}
		if err := t.appended(); err != nil {
			return err
		}
	}
	return nil
}

// put applies folded changes: where a key had a row, that row is deleted by its
// position, which may be in a file of this very batch.
func (t *lakeTable) put(c pipeline.TableChanges) error {
	appends := t.onlyAppends()
	if appends && len(c.Deletes) > 0 {
		return errOnlyAppends
	}
	for _, k := range c.Deletes {
		loc, had := t.index.Delete(k)
		switch {
		case had:
			t.kill(loc)
		case t.shape.Keyless():
			// A row that is not there twice is a change that was lost or came twice.
			return errNoSuchRow
		}
	}
	blocks := make([][]*schema.Vec, len(c.Blocks))
	for i, b := range c.Blocks {
		blocks[i] = pointers(b.New)
	}
	for start := 0; start < len(c.Rows); start += refsAtOnce {
		end := min(start+refsAtOnce, len(c.Rows))
		o, err := t.openFile()
		if err != nil {
			return err
		}
		first := uint32(o.writer.Rows())
		if err := o.writer.AppendRefs(blocks, c.Rows[start:end]); err != nil {
			return err
		}
		for i, k := range c.Keys[start:end] {
			if appends {
				break
			}
			if loc, had := t.index.Put(k, keyindex.Location(o.number, first+uint32(i))); had {
				t.kill(loc)
			}
		}
		if err := t.appended(); err != nil {
			return err
		}
	}
	return nil
}

// errNoSuchRow: MySQL deleted a row of a table without a key, and the lake's
// table has none with these values.
var errNoSuchRow = errors.New("a row was deleted or changed in MySQL that the lake's table does not have: its rows were changed by another writer; " +
	"drop the table in the lake and start Beluga again, which loads it anew")

var errOnlyAppends = errors.New("rows of it were deleted or changed in MySQL, which --keyless append does not follow; " +
	"start Beluga again with --keyless exact, which goes on from the last commit")

func (t *lakeTable) kill(loc uint64) {
	file, row := keyindex.Split(loc)
	f := t.files[file]
	f.fresh = append(f.fresh, row)
	t.dirty = true
}

func pointers(vecs []schema.Vec) []*schema.Vec {
	p := make([]*schema.Vec, len(vecs))
	for i := range vecs {
		p[i] = &vecs[i]
	}
	return p
}

// limitMemory closes open files, those not used for longest first, until what
// they may hold in memory fits. It matters to loads of many tables at a time.
func (l *Lake) limitMemory() error {
	for {
		var held int64
		var oldest *lakeTable
		for _, t := range l.tables {
			if t.open == nil {
				continue
			}
			held += min(t.open.writer.Size(), bufferedPerFile)
			if oldest == nil || t.open.used < oldest.open.used {
				oldest = t
			}
		}
		if held <= l.cfg.MemoryLimit || oldest == nil {
			return nil
		}
		if err := oldest.closeFile(); err != nil {
			return err
		}
	}
}

// bufferedPerFile is the most that a file writer holds: the compressed pages of
// one row group.
const bufferedPerFile = 128 << 20
