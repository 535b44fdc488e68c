package schema

import (
	"sync"
	"time"
)

// Op is what happened to a row. The letters are Debezium's.
type Op byte

// The operations.
const (
	OpRead   Op = 'r' // a row read by a load
	OpInsert Op = 'c'
	OpUpdate Op = 'u'
	OpDelete Op = 'd'
)

// Origin says where in the source's log the rows of a block come from. One
// holds from its Row up to the next origin's.
type Origin struct {
	Row      int    // first row of the block that it describes
	GTID     GTID   // zero where GTIDs are off, and in a load
	File     string // binlog file
	Pos      uint64 // where in File the rows event starts
	EventRow int    // number of the first row within its rows event
	TxnRow   int    // number of the first row within its transaction, over all captured tables; the same on every server and in every run
	Time     int64  // when the source committed, µs since 1970; in a load, when it was read
	ServerID uint32
	Thread   uint32

	// Where the rows stand in the log, set by a transport that has one.
	Partition string // "topic/partition"
	Offset    int64
}

// Block is a run of row changes of one table version, by column. It is the one
// shape in which rows travel, from the decoder to the file writer.
//
// Row i has its new image at i of every vector of New and its old image at i of
// every vector of Old. Where a row has no such image (Old of an insert, New of
// a delete) there is a filler without meaning. Old is empty as a whole when no
// row of the block has an old image; within Old, a vector with N = 0 was not
// asked for (a sink needs of old images only what identifies the row).
type Block struct {
	Table   *Table
	Ops     []Op
	New     []Vec
	Old     []Vec
	Origins []Origin

	released func()
}

var blockPool = sync.Pool{New: func() any { return new(Block) }}

// NewBlock returns an empty block for the table, from memory that was used
// before where there is some.
func NewBlock(t *Table) *Block {
	b := blockPool.Get().(*Block)
	b.Table = t
	b.Ops, b.Origins = b.Ops[:0], b.Origins[:0]
	b.New = resetVecs(b.New, t)
	b.Old = b.Old[:0]
	return b
}

func resetVecs(vs []Vec, t *Table) []Vec {
	if cap(vs) < len(t.Columns) {
		vs = append(vs[:cap(vs)], make([]Vec, len(t.Columns)-cap(vs))...)
	}
	vs = vs[:len(t.Columns)]
	for i := range vs {
		vs[i].Reset(t.Lake(i).Vec())
	}
	return vs
}

// NeedOld makes room for old images, whole ones or only the columns that
// identify a row: rows that are in the block already get fillers.
func (b *Block) NeedOld(identityOnly bool) {
	if len(b.Old) > 0 {
		return
	}
	b.Old = resetVecs(b.Old, b.Table)
	for i := range b.Old {
		if identityOnly && !b.Table.Identifies(i) {
			continue
		}
		for range b.Ops {
			b.Old[i].AppendZero()
		}
	}
}

// Release gives the block's memory back. Nothing of it may be used after.
func (b *Block) Release() {
	if b == nil {
		return
	}
	b.Table = nil
	if f := b.released; f != nil {
		b.released = nil
		f()
	}
	blockPool.Put(b)
}

// OnRelease has f called when the block's memory is given back: so whoever made it
// learns that what it held has gone on.
func (b *Block) OnRelease(f func()) { b.released = f }

// Copy returns a new block with some of the rows, for a table of the same shape.
func (b *Block) Copy(t *Table, from, to int) *Block {
	c := NewBlock(t)
	c.Ops = append(c.Ops, b.Ops[from:to]...)
	if len(b.Old) > 0 {
		c.Old = resetVecs(c.Old, t)
	}
	for i := range b.New {
		for row := from; row < to; row++ {
			c.New[i].AppendFrom(&b.New[i], row)
		}
	}
	for i := range b.Old {
		for row := from; row < to && b.Old[i].N > 0; row++ {
			c.Old[i].AppendFrom(&b.Old[i], row)
		}
	}
	for i, o := range b.Origins {
		end := b.Rows()
		if i+1 < len(b.Origins) {
			end = b.Origins[i+1].Row
		}
		if o.Row >= to || end <= from {
			continue
		}
		skip := max(from-o.Row, 0)
		o.Row, o.EventRow, o.TxnRow = o.Row+skip-from, o.EventRow+skip, o.TxnRow+skip
		c.Origins = append(c.Origins, o)
	}
	return c
}

// Rows returns the number of rows.
func (b *Block) Rows() int { return len(b.Ops) }

// Size returns the bytes that the block holds, about.
func (b *Block) Size() int {
	n := len(b.Ops) + 120*len(b.Origins)
	for i := range b.New {
		n += b.New[i].Size()
	}
	for i := range b.Old {
		n += b.Old[i].Size()
	}
	return n
}

// Event is what travels from a source to a sink: a *Block, a Commit, a
// SchemaChange, Anew or Progress.
type Event interface{ event() }

func (*Block) event()       {}
func (Commit) event()       {}
func (SchemaChange) event() {}
func (Anew) event()         {}

// Anew begins a load of all tables, which ends with the next Commit. Positions
// from then on are of the history with this number, and what is remembered of
// transactions before means nothing any more: their names may come again for
// others. A table that the load does not bring stays as it is.
type Anew struct{ History int64 }

// Commit ends a transaction, or several: every block sent before it is complete
// with it. Only a Commit carries a position, so nobody can resume inside a
// transaction.
type Commit struct {
	Position Position
	Time     time.Time // when the source committed the last of them
	// Loading are the tables in lanes, each with how far its load has come by now. Of
	// a table that is among them the Commit completes nothing that may be shown: the
	// first Commit without it does.
	Loading []Progress
}

// SchemaChange says under which shape the following blocks of a table stand.
// One precedes the first block of every table version.
type SchemaChange struct {
	Table *Table
	// Reset: all earlier rows of the table are void. A load begins with it.
	Reset bool
	// Same: the table that a Reset voids stays what it is, only without its rows, as
	// after TRUNCATE. Its columns keep their field ids.
	Same bool
	// Dropped: the table is gone in the source. Nothing follows of it, unless one of
	// the name is made again, with a Reset. Its rows stay, unless the change is a Reset
	// itself.
	Dropped bool
	// Renamed are the columns that have other names than in the version before.
	Renamed []Rename
	// Apart are columns of the version before that are not among Table's: what rows
	// hold in them stays in the lake, under another name.
	Apart []string
	// Continued: the load of the table, which an earlier run began, goes on. Rows of
	// it that follow may be there, and come in their place.
	Continued bool
	// Overlap is up to where rows of the load may have been read that follow a Reset,
	// or the mark that the load goes on; see Load.
	Overlap Position
	// History is the one that the table belongs to from a Reset on.
	History int64
	// Lane: the table is loaded beside the stream, in rows that come among its
	// changes, and stays hidden as long as Commits name it in Loading. Without Reset
	// the rows that are there stay, but for those in whose place others come.
	Lane bool
	// Request and Condition are the lane's; see Load.
	Request, Condition string
	// Fill holds, by column name, the value that rows which are there already
	// show in a column that is new (ADD COLUMN … DEFAULT): one row of Table's
	// shape with the other columns null; nil: they show NULL.
	Fill  *Block
	Cause Cause
}
