package snapshot

import (
	"cmp"
	"context"
	"fmt"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// A block is handed on when it has one of these; less than blockBytes by Config.BlockBytes.
const (
	blockRows  = 32 << 10
	blockBytes = 4 << 20
)

// Read reads a chunk through one of the readers and hands on its rows in blocks;
// emit owns them. Each reader is used by one goroutine at a time.
func (s *Snapshot) Read(ctx context.Context, reader int, c Chunk, emit func(*schema.Block) error) error {
	sql, args := c.query()
	if err := s.read(ctx, reader, c.Table, sql, args, emit); err != nil {
		return fmt.Errorf("reading table %s: %w", c.Table.ID, err)
	}
	return nil
}

func (s *Snapshot) read(ctx context.Context, reader int, t *schema.Table, sql string, args []any, emit func(*schema.Block) error) error {
	mappers, err := value.NewAll(t, s.cfg.Stats)
	if err != nil {
		return err
	}
	b := builder{snapshot: s, table: t, mappers: mappers, emit: emit, progress: s.progress.byID[t.ID], bytes: cmp.Or(s.cfg.BlockBytes, blockBytes)}
	b.fixed, b.variable = rowWidth(t)
	err = s.readers[reader].Stream(ctx, sql, args, b.row)
	if err == nil {
		err = b.flush()
	}
	b.block.Release()
	return err
}

// rowWidth returns the bytes that the fixed parts of a row take, about, and the
// columns of varying length.
func rowWidth(t *schema.Table) (fixed int, variable []int) {
	for i := range t.Columns {
		switch t.Lake(i).Vec() {
		case schema.VecBytes:
			fixed += 4
			variable = append(variable, i)
		case schema.VecDec128:
			fixed += 16
		default:
			fixed += 8
		}
	}
	return fixed + 1, variable
}

// builder makes blocks of rows.
type builder struct {
	snapshot *Snapshot
	table    *schema.Table
	mappers  []*value.Mapper
	emit     func(*schema.Block) error
	progress *tableProgress
	bytes    int // of a block
	fixed    int
	variable []int
	block    *schema.Block
	extent   schema.Extent
}

func (b *builder) row(values []mysql.FieldValue) error {
	if b.block == nil {
		b.block = schema.NewBlock(b.table)
		b.extent.Reserve(b.block)
		b.block.Origins = append(b.block.Origins, schema.Origin{
			File: b.snapshot.Position.File,
			Pos:  b.snapshot.Position.Offset,
			Time: b.snapshot.Time.UnixMicro(),
		})
	}
	for i, m := range b.mappers {
		if err := m.FromStored(&b.block.New[i], &values[i]); err != nil {
			return err
		}
	}
	b.block.Ops = append(b.block.Ops, schema.OpRead)
	if n := len(b.block.Ops); n >= blockRows || b.size() >= b.bytes {
		return b.flush()
	}
	return nil
}

// size is Block.Size without a look at every vector, for it is asked after each
// row: one row may hold a LONGBLOB.
func (b *builder) size() int {
	n := b.fixed * len(b.block.Ops)
	for _, i := range b.variable {
		n += len(b.block.New[i].Data)
	}
	return n
}

func (b *builder) flush() error {
	if b.block == nil || b.block.Rows() == 0 {
		return nil
	}
	if b.progress != nil {
		b.progress.rows.Add(int64(b.block.Rows()))
		b.progress.bytes.Add(int64(b.size()))
	}
	block := b.block
	b.block = nil
	b.extent.Note(block)
	return b.emit(block)
}
