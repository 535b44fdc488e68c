package binlog

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/lane"
	"github.com/beluga-cdc/beluga/source/value"
)

// ErrPositionLost says that the server no longer has all that comes after the
// position (errors 1236 and 1789 of the server, whose text follows it).
var ErrPositionLost = errors.New("the server no longer has the binlog after our position")

// OldImages says how much of the old images of updates and deletes blocks
// carry.
type OldImages uint8

// The choices.
const (
	IdentityOnly OldImages = iota // the columns that identify a row
	Full
)

// Config is what a Stream needs. Zero values of optional fields choose the
// defaults given.
type Config struct {
	// Login is asked before each connection: passwords and certificates change
	// while a stream runs.
	Login func() (Login, error)
	// Retry tells whether an error of a connection that neither the network nor the
	// server's state explains may be gone at the next attempt. nil: none may.
	Retry func(error) bool

	// ServerID is the replica id to register as. Zero: a random one of a range that
	// people do not use.
	ServerID uint32
	// MariaDB: the server is one. Its positions are GTIDs always.
	MariaDB bool
	// ServerUUID is @@server_uuid; positions without GTIDs name it.
	ServerUUID string
	// Heartbeat is how often the server says that it is there while nothing
	// happens; three missed ones are a lost connection. Zero: 10 s.
	Heartbeat time.Duration

	// GTIDs: a start without GTIDs is the one before all transactions, and not a
	// place in a file.
	GTIDs bool

	// Captures tells whether a table is wanted.
	Captures func(schema.TableID) bool
	// Watches is a table whose rows are wanted too, whatever becomes of its shape,
	// which nothing else depends on: each one that comes is announced as a Reset. It
	// counts only where Captures does not have the table.
	Watches schema.TableID
	// Choose tells whether a column is wanted, and what is done to its values. nil:
	// all are, as they are.
	Choose func(id schema.TableID, column string) (t *schema.Treatment, wanted bool)
	// Collations gives the character set of each collation id, from
	// information_schema.collations.
	Collations map[uint64]string
	// LowerNames: the server keeps names of databases and tables in lower case
	// (lower_case_table_names=1), whatever a statement calls them.
	LowerNames bool
	Types      value.Policy // forms of columns that come new
	OldImages  OldImages
	Stats      *value.Stats // nil: not counted

	// Describe reads a table's present shape from information_schema; nil when there
	// is no such table. It is called where a table map has no names
	// (binlog_row_metadata=MINIMAL), and after an ALTER or CREATE.
	Describe func(ctx context.Context, id schema.TableID) (*schema.Table, error)
	// Fill returns the value that old rows show in added columns, in the form of
	// SchemaChange.Fill; an error where rows may differ in it (AUTO_INCREMENT, an
	// expression, a generated column). Of defaults that are not said it asks the server.
	Fill func(ctx context.Context, t *schema.Table, added []Added) (*schema.Block, error)
	// Changed is told of each shape that is announced, and the one before; nil: nobody.
	// After a restart a change may be told of again.
	Changed func(old *schema.Table, c schema.SchemaChange)
	// Keyless is the error for a table without a key; nil: there may be such.
	Keyless func(schema.TableID) error
	// Check runs before every connect with the position that will be asked for;
	// it finds what the server would not tell. nil: no check.
	Check func(ctx context.Context, at schema.Position) error

	// LeftOut tells of a server whether the position says nothing of transactions that
	// were first committed there, and rows of them are passed over; KeepRows: they are
	// not. nil: of none. Ask, which goes with it, returns what a connection has to say
	// it has, and what of that nobody will send any more.
	LeftOut  func(server [16]byte) bool
	KeepRows bool
	Ask      func(ctx context.Context, at schema.GTIDSet) (asked, passed schema.GTIDSet, err error)
	// Lanes load single tables beside the stream; nil: what it cannot follow of a table
	// ends it.
	Lanes *lane.Lanes
	// Reload: a change that the rows in the lake cannot follow has the table loaded
	// again, in a lane, and does not end the stream.
	Reload bool
	// SetApart: where such a change is one of columns that tell no rows apart, what the
	// rows held in them is set apart instead.
	SetApart bool

	// Until ends the stream: Run returns nil after it sent the first Commit whose
	// position contains it. nil: never.
	Until *schema.Position

	Logger *slog.Logger // nil: silent
}

// Login is how a connection is made.
type Login struct {
	Addr     string // host:port
	User     string
	Password string
	TLS      *tls.Config // nil: plain
	// Dial opens network connections. nil: net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Sender takes events in order. It is the Send of a pipeline.Writer.
type Sender interface {
	Send(ctx context.Context, e schema.Event) error
}

// Stream reads the binlog and sends events in commit order.
type Stream struct{ cfg Config }

// New returns a stream. It does nothing until Run.
func New(cfg Config) *Stream {
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = 10 * time.Second
	}
	if cfg.Retry == nil {
		cfg.Retry = func(error) bool { return false }
	}
	if cfg.Stats == nil {
		cfg.Stats = new(value.Stats)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Stream{cfg: cfg}
}

// errReached ends a run that was asked to stop at a position.
var errReached = errors.New("the position was reached")

// Run streams from from.Position until ctx ends or Until is reached, and returns
// nil in both cases; at once, if Until lies before the start. A lost connection
// is made again. Rows that the position of their own table in from.Tables covers
// are left out. Events go to out from one goroutine at a time.
func (s *Stream) Run(ctx context.Context, from pipeline.Resume, out Sender) error {
	r := newRun(s.cfg, from, out)
	r.reached = s.cfg.Until != nil && from.Position.Contains(*s.cfg.Until)
	if r.reached && !r.lanesActive() {
		return nil
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.flushLoop(gctx) })
	g.Go(func() error { return r.follow(gctx) })
	err := g.Wait()
	for _, t := range r.pending {
		t.block.Release()
	}
	if errors.Is(err, errReached) || ctx.Err() != nil {
		return nil
	}
	return err
}

// run is the state of one Run. mu guards it: the event handler works under it,
// and so does the flusher.
type run struct {
	cfg Config
	out Sender

	mu       sync.Mutex
	tables   map[schema.TableID]*table
	watched  *table              // not among tables: no statement about it matters
	maps     map[uint64]*version // by table number
	versions map[string]*version // by the table map's body without the number
	ahead    []*table            // those whose covered position is not passed yet
	leftOut  map[[16]byte]bool   // what Config.LeftOut said
	prepared map[string]*held    // XA transactions that await their outcome, by identifier
	heldSize int                 // bytes of their events

	// Where the stream stands.
	history    int64 // of the positions
	gtidMode   bool
	gtids      schema.GTIDSet // all transactions that ended
	file       string
	start      uint64 // of the event
	offset     uint64 // behind the event
	boundary   uint64 // behind the last transaction's end
	lastTime   int64  // commit of that transaction, µs
	connecting bool
	ended      bool // no event is taken any more, and the last one perhaps in part
	events     uint64
	txn        transaction
	half       half
	ddl        schema.Cause // the statement that is at work; zero: none is

	// What waits to be published.
	pending    []*table // with a block, by first row
	rows       int
	bytes      int
	announced  bool
	dirty      bool
	dirtySince time.Time
	due        bool
	wake       chan struct{}

	until     *schema.Position
	reached   bool
	remaining schema.GTIDSet // what Until has and the start had not
	missing   int64          // how many of them did not come yet
	ends      []schema.GTID  // MariaDB: the last one of each domain that did not come yet, as numbers may be left out

	inflater *zstd.Decoder
	deflated deflated
}

func newRun(cfg Config, from pipeline.Resume, out Sender) *run {
	r := &run{
		cfg: cfg, out: out,
		watched:  &table{id: cfg.Watches},
		tables:   map[schema.TableID]*table{},
		maps:     map[uint64]*version{},
		versions: map[string]*version{},
		prepared: map[string]*held{},
		leftOut:  map[[16]byte]bool{},
		history:  from.Position.History,
		gtidMode: from.Position.UsesGTIDs() || cfg.GTIDs || cfg.MariaDB,
		gtids:    from.Position.GTIDs.Clone(),
		file:     from.Position.File,
		offset:   from.Position.Offset,
		boundary: from.Position.Offset,
		lastTime: time.Now().UnixMicro(),
		wake:     make(chan struct{}, 1),
		until:    cfg.Until,
	}
	for id, state := range from.Tables {
		t := &table{id: id, shape: state.Table, since: state.Since, again: from.Changes[id], passedOver: cfg.Lanes != nil && cfg.Lanes.Voided(id)}
		r.tables[id] = t
		if state.Dropped {
			t.shape = nil
		}
		if !from.Position.Contains(state.Position) {
			t.covered = state.Position
			r.ahead = append(r.ahead, t)
		}
	}
	if cfg.Until != nil {
		r.remaining = cfg.Until.GTIDs.Subtract(r.gtids)
		r.missing, r.ends = r.remaining.Count(), r.remaining.Last()
	}
	return r
}
