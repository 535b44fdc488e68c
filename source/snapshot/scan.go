package snapshot

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// Scan reads one table range by range while it is written to, each range as it is
// at a moment of its own. It is of use only together with the stream of what is
// written.
type Scan struct {
	*Snapshot
	Described Described
	ledger    *ledger
}

// CanScan tells whether the server says which transactions a statement may see.
// Without GTIDs MySQL does not.
func CanScan(ctx context.Context, s *session.Session) (bool, error) {
	if s.Version().MariaDB {
		return true, nil
	}
	r, err := s.Query(ctx, "SELECT @@global.gtid_mode")
	if err != nil {
		return false, fmt.Errorf("reading gtid_mode: %w", err)
	}
	mode, _ := r.GetString(0, 0)
	return mode == "ON", nil
}

// OpenScan opens a scan of what rest names of the table; nil: there is no such
// table. Close must follow.
func OpenScan(ctx context.Context, cfg Config, id schema.TableID, rest []schema.Range) (*Scan, error) {
	s := &Scan{Snapshot: &Snapshot{cfg: cfg, readers: make([]*session.Session, cfg.Connections)}}
	if err := s.open(ctx, id, rest); err != nil {
		s.Close()
		return nil, err
	}
	if s.ledger == nil {
		s.Close()
		return nil, nil //nolint:nilnil // as said
	}
	return s, nil
}

func (s *Scan) open(ctx context.Context, id schema.TableID, rest []schema.Range) (err error) {
	if err := s.connect(ctx); err != nil {
		return err
	}
	if s.described, err = s.cfg.Describe(ctx, s.control, &id); err != nil || len(s.described) != 1 {
		return err
	}
	s.Described, s.Time = s.described[0], time.Now()
	s.Tables = []*schema.Table{s.Described.Table}
	s.progress = newProgress(s.described)
	s.paces = map[schema.TableID]*pace{id: newPace(s.cfg.ChunkTime, s.cfg.ChunkRows, s.Described.RowBytes)}
	s.ledger = &ledger{progress: schema.Progress{Table: s.Described.Table}}
	for _, r := range rest {
		c := Whole(s.Described.Table)
		if err := c.decode(r); err != nil {
			return fmt.Errorf("continuing the load of table %s: %w", id, err)
		}
		s.ledger.rest = append(s.ledger.rest, &c)
	}
	return nil
}

// Rest cuts what is left into chunks.
func (s *Scan) Rest(ctx context.Context) iter.Seq2[*Chunk, error] {
	return func(yield func(*Chunk, error) bool) {
		for _, from := range append([]*Chunk(nil), s.ledger.rest...) {
			for c, err := range s.cut(ctx, *from) {
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(s.ledger.split(from, c), nil) {
					return
				}
			}
		}
	}
}

// Done notes that a chunk was sent, and returns what is left.
func (s *Scan) Done(c *Chunk) ([]schema.Range, error) {
	p, err := s.ledger.done(c)
	return p.Rest, err
}

// Read reads a chunk as it is at a moment at which the server shows everything that
// stood in its binlog when Read was called. It returns a position that holds all
// that the rows may show. An altered table is ErrTableChanged.
//
// A transaction stands in the binlog, and may have been streamed, before other
// sessions see it: at semi-synchronous replication by the whole time that a
// replica takes to acknowledge it. A row read in between would be older than its change.
func (s *Scan) Read(ctx context.Context, reader int, c *Chunk, emit func(*schema.Block) error) (schema.Position, error) {
	r := s.readers[reader]
	begin := s.beginRead
	if r.Version().MariaDB {
		begin = s.beginReadMariaDB
	}
	seen, err := begin(ctx, r)
	if err == nil {
		err = s.pin(ctx, r)
	}
	if err == nil {
		start := time.Now()
		err = s.Snapshot.Read(ctx, reader, *c, emit)
		s.paces[c.Table.ID].note(c.rows, time.Since(start))
	}
	if err != nil {
		return seen, explainChange(c.Table.ID, err)
	}
	if _, err := r.Query(ctx, "COMMIT"); err != nil {
		return seen, fmt.Errorf("ending the reading of table %s: %w", c.Table.ID, err)
	}
	if r.Version().MariaDB {
		return seen, nil // of the transaction, exactly
	}
	if err := s.awaitOwned(ctx, r); err != nil {
		return seen, err
	}
	seen, _, err = ReadPosition(ctx, r)
	return seen, err
}

// beginRead waits until what is being committed can be seen. Each statement of the
// transaction sees the newest state: it is there only to keep ALTER away.
func (s *Scan) beginRead(ctx context.Context, r *session.Session) (seen schema.Position, err error) {
	if err := s.awaitOwned(ctx, r); err != nil {
		return seen, err
	}
	for _, sql := range []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ ONLY"} {
		if _, err := r.Query(ctx, sql); err != nil {
			return seen, fmt.Errorf("opening a transaction: %w", err)
		}
	}
	return seen, nil
}

// awaitOwned waits until every transaction has ended that has its GTID now: it has
// one before it comes into the binlog.
func (s *Scan) awaitOwned(ctx context.Context, r *session.Session) error {
	before, err := readOwned(ctx, r)
	if err != nil {
		return err
	}
	for left := before; !left.IsEmpty(); {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(ownedPoll):
		}
		now, err := readOwned(ctx, r)
		if err != nil {
			return err
		}
		left = both(before, now)
	}
	return nil
}

// ownedPoll is short: a commit takes some milliseconds.
const ownedPoll = 2 * time.Millisecond

// beginReadMariaDB opens transactions until one sees what was in the binlog. What it
// sees is one place there, and the server says which.
func (s *Scan) beginReadMariaDB(ctx context.Context, r *session.Session) (seen schema.Position, err error) {
	logged, _, err := ReadPosition(ctx, r)
	if err != nil {
		return seen, err
	}
	for {
		if _, err := r.Query(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); err != nil {
			return seen, fmt.Errorf("opening a consistent snapshot: %w", err)
		}
		if seen, err = seenBy(ctx, r); err != nil || seen.GTIDs.ContainsSet(logged.GTIDs) {
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, context.Cause(ctx)
		case <-time.After(ownedPoll):
		}
	}
}

// pin keeps the table's shape until the transaction ends, and makes sure that it is
// the one that the scan was opened with.
func (s *Scan) pin(ctx context.Context, r *session.Session) error {
	id := s.Described.Table.ID
	if _, err := r.Query(ctx, FilterProbe(id, "TRUE")); err != nil {
		return err
	}
	now, err := s.cfg.Describe(ctx, r, &id)
	if err != nil {
		return fmt.Errorf("looking at table %s again: %w", id, err)
	}
	if len(now) != 1 || now[0].Version != s.Described.Version || !schema.DiffTables(s.Described.Table, now[0].Table).IsEmpty() {
		return fmt.Errorf("loading table %s: %w", id, ErrTableChanged)
	}
	return nil
}
