package snapshot

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/value"
)

// Config is what a snapshot needs. All of it must be set, but for Busy, ChunkTime
// and Scan.
type Config struct {
	// Open opens a session with the server.
	Open func(context.Context) (*session.Session, error)
	// Describe reads the tables to load, or only the named one of them.
	Describe func(ctx context.Context, s *session.Session, only *schema.TableID) ([]Described, error)
	// Connections is how many read at the same time.
	Connections int
	// ChunkRows is how many rows a chunk has, about, at the most.
	ChunkRows int
	// BlockBytes is how large a block of rows becomes; 0: as large as suits a load that
	// has everything for itself.
	BlockBytes int
	// ChunkTime is how long reading one shall take, about; 0: as long as it takes.
	ChunkTime time.Duration
	// Busy tells why the readers have to wait before they read on; "": they need not.
	// nil: they never have to.
	Busy func(context.Context, *session.Session) (why string, err error)
	// Locking is how all connections come to see the same state.
	Locking Locking
	// LockWait bounds the last wait for a lock; those before it are shorter.
	LockWait time.Duration
	// Scan is told of each table when Load begins to read it, and when it has; nil:
	// nobody is.
	Scan  func(TableProgress)
	Stats *value.Stats
	Log   *slog.Logger
}

// Described is a table as the server's dictionary has it.
type Described struct {
	Table *schema.Table
	// Version differs once the table was altered, or another stands in its place.
	Version string
	// Rows and RowBytes are the server's estimates of their number and their mean size;
	// 0: it has none.
	Rows     int64
	RowBytes int64
	// KeyIndex is the index of the table's key; "": it has none.
	KeyIndex string
	// Filter is a condition in SQL that rows must meet to be loaded; "": all are.
	Filter string
}

// LoadVersion tells rows that were read of the table from those that would be read
// of another one, or by another filter.
func (d Described) LoadVersion() string {
	if d.Filter == "" {
		return d.Version
	}
	return d.Version + " WHERE " + d.Filter
}

// Snapshot is a state of the server that stays readable until Close.
type Snapshot struct {
	Position schema.Position
	Time     time.Time // by the server's clock
	Tables   []*schema.Table
	// LockHeld is how long writes, to the server or to the tables, stood still.
	LockHeld time.Duration
	// Overlap is zero where Position is exactly what the connections see. Else they
	// may see more, each something else: what lies between Position and Overlap has
	// to be replayed before the rows mean anything. Load fills it.
	Overlap schema.Position
	// Begin is where the changes to be applied over the rows of Load begin: Position,
	// or an earlier one of a load that is continued.
	Begin schema.Position

	cfg       Config
	control   *session.Session   // outside the snapshot: plans, and looks at the dictionary
	readers   []*session.Session // each in its transaction
	described []Described
	progress  *Progress
	seen      schema.Position // where the server stood once all transactions were open
	owned     schema.GTIDSet  // transactions that were being committed then

	gate      gate
	ledgers   map[schema.TableID]*ledger
	paces     map[schema.TableID]*pace
	continued bool                    // a load that was begun before
	complete  map[schema.TableID]bool // tables that it has brought
	others    []schema.Load           // what it read in other snapshots
}

// Open makes a snapshot. Close must follow. The sessions are opened before the
// lock is taken, so that a slow handshake never holds up the server's writers.
func Open(ctx context.Context, cfg Config) (*Snapshot, error) {
	s := &Snapshot{cfg: cfg, readers: make([]*session.Session, cfg.Connections)}
	if err := s.connect(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if err := s.freeze(ctx); err != nil {
		s.Close() // the lock ends with the control session
		return nil, err
	}
	s.ledgers, s.complete, s.paces = map[schema.TableID]*ledger{}, map[schema.TableID]bool{}, map[schema.TableID]*pace{}
	for _, d := range s.described {
		s.Tables = append(s.Tables, d.Table)
		s.paces[d.Table.ID] = newPace(cfg.ChunkTime, cfg.ChunkRows, d.RowBytes)
		whole := Whole(d.Table)
		s.ledgers[d.Table.ID] = &ledger{rest: []*Chunk{&whole}, progress: schema.Progress{Table: d.Table, Load: schema.Load{Version: d.LoadVersion()}}}
	}
	s.progress = newProgress(s.described)
	cfg.Log.Info("snapshot opened", "position", s.Position, "file", s.Position.File, "offset", s.Position.Offset,
		"tables", len(s.Tables), "connections", len(s.readers), "locking", s.cfg.Locking, "lock_held", s.LockHeld.Round(time.Microsecond))
	return s, nil
}

func (s *Snapshot) connect(ctx context.Context) (err error) {
	if s.control, err = s.cfg.Open(ctx); err != nil {
		return err
	}
	s.gate.snapshot = s
	if s.cfg.Busy != nil {
		if s.gate.session, err = s.cfg.Open(ctx); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for i := range s.readers {
		g.Go(func() (err error) {
			s.readers[i], err = s.cfg.Open(ctx)
			return err
		})
	}
	return g.Wait()
}

// Close ends the snapshot.
func (s *Snapshot) Close() {
	s.control.Close()
	s.gate.session.Close()
	for _, r := range s.readers {
		r.Close()
	}
}

// Connections returns how many readers there are: Read takes their numbers,
// from 0.
func (s *Snapshot) Connections() int { return len(s.readers) }

// Described returns the tables as the server's dictionary has them.
func (s *Snapshot) Described() []Described { return s.described }

// Progress returns the counters of Load and Read.
func (s *Snapshot) Progress() *Progress { return s.progress }

// ReadPosition reads where the server stands now: everything that is committed
// and nothing else. The executed set comes from the variable itself: SHOW
// VARIABLES cuts it off at 1,024 bytes, and file and offset run ahead of what
// is committed where a replica's acknowledgement is waited for.
func ReadPosition(ctx context.Context, s *session.Session) (schema.Position, time.Time, error) {
	if s.Version().MariaDB {
		return readMariaDBPosition(ctx, s)
	}
	fail := func(err error) (schema.Position, time.Time, error) {
		return schema.Position{}, time.Time{}, fmt.Errorf("reading the server's position: %w", err)
	}
	r, err := s.Query(ctx, "SELECT @@global.gtid_executed, @@server_uuid, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)")
	if err != nil {
		return fail(err)
	}
	text, _ := r.GetString(0, 0)
	uuid, _ := r.GetString(0, 1)
	micros, _ := r.GetInt(0, 2)
	gtids, err := schema.ParseGTIDSet(text)
	if err != nil {
		return fail(err)
	}
	if r, err = s.Query(ctx, s.Version().LogStatus()); err != nil {
		return fail(err)
	}
	p := schema.Position{GTIDs: gtids, Server: uuid}
	if r.RowNumber() > 0 { // none where the binary log is off
		p.File, _ = r.GetString(0, 0)
		p.Offset, _ = r.GetUint(0, 1)
	}
	return p, time.UnixMicro(micros).UTC(), nil
}
