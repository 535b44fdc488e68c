package pipeline

import (
	"context"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// Resume is where a run goes on: what the lake, or the log before it, holds
// durably.
type Resume struct {
	// Position is the last published cut: all tables together stand there. Zero:
	// nothing was published yet, a first load is due.
	Position schema.Position
	// Tables are the tables that exist there, each with its last shape and its own
	// position, which may be ahead of Position where a crash fell between the
	// commits of a cut.
	Tables map[schema.TableID]TableState
	// History is the number of the last load that was begun. If it is greater than
	// the Position's, that load was not finished, and Tables may hold parts of it.
	History int64
	// Loads are the tables of that load of which something is durable and which are
	// not complete. Those that are complete stand in Tables, with a position of its
	// history. Nil where that is not known: then the load begins again.
	Loads map[schema.TableID]schema.Progress
	// Lanes are the tables that were in lanes at their position in Tables, and how far
	// their loads had come. Nil: what lies between source and lake has no lanes.
	Lanes map[schema.TableID]schema.Progress
	// Sent contains Position and the transactions beyond it of which a log holds rows:
	// a server that lacks any of them cannot complete them. Zero without a log.
	Sent schema.Position
	// Changes are those beyond Position that a log holds of tables, in their order. Who
	// sends what comes behind Position announces these again, as they are, before others.
	Changes map[schema.TableID][]schema.SchemaChange
}

// Unfinished tells whether a load was begun after Position and did not end.
func (r Resume) Unfinished() bool { return r.History > r.Position.History }

// TableState is what the lake durably knows of one table.
type TableState struct {
	Table    *schema.Table
	Position schema.Position
	Dropped  bool // it is not in the source any more
	// Since is where the last change is, as its schema.Cause.At, that showed all of the
	// table's columns: what added others is not before it. "": that is not known.
	Since string
}

// Source produces events in commit order. Its implementation reads MySQL.
type Source interface {
	// Run sends events to out until ctx ends, or, if it was made to run once, until
	// all that the server had when it started is sent. It returns nil in both cases.
	Run(ctx context.Context, from Resume, out Writer) error
}

// Transport carries events from a source to a sink. Two exist: Direct hands
// them over in memory, kafkalog.Transport writes them to a log and reads them
// back.
type Transport interface {
	// Writer opens the source's end. lake is what the sink holds.
	Writer(ctx context.Context, lake Resume) (Writer, error)
	// Reader opens the sink's end, at lake's position.
	Reader(ctx context.Context, lake Resume) (Reader, error)
}

// Writer is the source's end of a transport.
type Writer interface {
	// Resume says from where the source has to send: not before that.
	Resume() Resume
	// Send hands over an event, and with it the ownership of a block. It blocks
	// while the transport is full. The workers of a load may call it at the same
	// time for its blocks and its progress; all other events come from one goroutine,
	// in order.
	Send(ctx context.Context, e schema.Event) error
	// Close says that nothing more will come, and returns once all that was sent has
	// safely arrived on the transport.
	Close(ctx context.Context) error
}

// Reader is the sink's end of a transport.
type Reader interface {
	// Next returns the next event; io.EOF after the last one of a writer that was
	// closed.
	Next(ctx context.Context) (schema.Event, error)
	// Done tells the transport that everything up to the position of an earlier
	// Commit is durable in the lake. What it does with it is its own affair: it is
	// never the source of truth.
	Done(ctx context.Context, p schema.Position) error
}

// Sink makes events durable. Its calls come from one goroutine.
type Sink interface {
	// Define creates the table, or brings it to the given shape; the change becomes
	// durable with the next Commit. Rows written later have that shape.
	Define(ctx context.Context, c schema.SchemaChange) error
	// Write takes changes of one table into the batch that the next Commit makes
	// durable. The sink owns the blocks and releases them.
	Write(ctx context.Context, c TableChanges) error
	// Checkpoint makes durable what has come of a load that goes on, without
	// showing it: the progress of each table, and its rows. If the load is
	// interrupted, the next one need not read them again.
	Checkpoint(ctx context.Context, loads []schema.Progress) error
	// Commit makes everything since the last one durable, table by table, and
	// publishes the cut.
	Commit(ctx context.Context, cut schema.Commit) error
}

// RowRef names a row of TableChanges: the block's number and the row's.
type RowRef struct{ Block, Row uint32 }

// TableChanges are the changes of one table within one batch, folded: at most
// one row and at most one deletion for each key. In a table without a key they
// are the net change of each kind of row: either rows or deletions of it, and as
// many of them as there are.
type TableChanges struct {
	Table  *schema.Table
	Blocks []*schema.Block
	// Load: all rows of Blocks are rows of a load, in no order, and no key comes
	// twice. Rows, Keys and Deletes are empty then.
	Load bool
	// Lane: all rows were read by a lane, and none comes from the stream. They belong
	// to no transaction.
	Lane bool
	// Rows are the rows to put, each in place of the row with the same key, if there
	// is one. Keys are their keys.
	Rows []RowRef
	Keys []schema.Key
	// Deletes are keys whose row, if there is one, is to go. Without a key there
	// must be one: each change comes once, in order.
	Deletes []schema.Key
}

// Limits say when a batch is cut. Whichever is reached first cuts it, at the
// next Commit.
type Limits struct {
	Interval time.Duration // since its first row
	Rows     int
	Bytes    int
	// Checkpoint is how often a load that goes on is made durable.
	Checkpoint time.Duration
}
