package snapshot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// Locking is how all connections of a snapshot come to see the same state.
type Locking string

// The ways. The empty one is Auto.
const (
	Auto   Locking = "auto"   // the first of the others that the server grants
	Global Locking = "global" // FLUSH TABLES WITH READ LOCK, for some milliseconds
	Tables Locking = "tables" // LOCK TABLES … READ, for some milliseconds
	None   Locking = "none"   // no lock: what they see differently is replayed
)

// freeze opens all transactions, and reads the position and the tables' shapes
// that belong to them.
func (s *Snapshot) freeze(ctx context.Context) error {
	ways := []struct {
		locking Locking
		freeze  func(context.Context) error
	}{{Global, s.freezeServer}, {Tables, s.freezeTables}, {None, s.freezeNothing}}
	wanted, why := s.cfg.Locking, error(nil)
	for _, w := range ways {
		if wanted != w.locking && wanted != Auto && wanted != "" {
			continue
		}
		s.cfg.Locking = w.locking
		if why != nil {
			s.cfg.Log.Info("the lock is refused, trying another way", "locking", w.locking, "because", why)
		}
		err := w.freeze(ctx)
		var refused refusedError
		if err == nil || wanted == w.locking || !errors.As(err, &refused) {
			return err
		}
		why = err
	}
	return why
}

// freezeServer holds up all writes of the server.
func (s *Snapshot) freezeServer(ctx context.Context) error {
	return s.freezeUnder(ctx, "the global read lock", "FLUSH TABLES WITH READ LOCK")
}

// freezeTables holds up writes to the captured tables. The position may contain
// transactions on others that come after the transactions here were opened;
// whoever writes to a captured table too waits for the lock before it commits.
func (s *Snapshot) freezeTables(ctx context.Context) error {
	return s.untilUnchanged(ctx, func(tables []Described) error {
		var list []string
		for _, d := range tables {
			list = append(list, tableName(d.Table.ID)+" READ")
		}
		if len(list) == 0 {
			return s.open(ctx)
		}
		return s.freezeUnder(ctx, "the read lock of the tables", "LOCK TABLES "+strings.Join(list, ", "))
	})
}

// freezeUnder freezes under a lock. Statements are few and each is short: nothing
// is committed meanwhile.
func (s *Snapshot) freezeUnder(ctx context.Context, what, lock string) error {
	if err := s.take(ctx, what, lock); err != nil {
		return err
	}
	start := time.Now()
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.unlock(ctx, start)
}

// open opens the transactions, and looks at what belongs to them.
func (s *Snapshot) open(ctx context.Context) error {
	if err := s.openTransactions(ctx); err != nil {
		return err
	}
	return s.look(ctx)
}

// freezeNothing opens the transactions one after the other while the server is
// written to. The position is read first: what is in gtid_executed was visible
// before it came there, so each transaction sees at least the position. A place in
// a file would not do, which runs ahead of what is visible.
func (s *Snapshot) freezeNothing(ctx context.Context) error {
	if s.control.Version().MariaDB {
		return s.freezeMariaDB(ctx)
	}
	r, err := s.control.Query(ctx, "SELECT @@global.gtid_mode")
	if err != nil {
		return fmt.Errorf("reading gtid_mode: %w", err)
	}
	if mode, _ := r.GetString(0, 0); mode != "ON" {
		return fmt.Errorf("opening a consistent snapshot without a lock: gtid_mode is %s, and without GTIDs nothing tells where to begin; remedy: SET PERSIST gtid_mode = ON, or let the user lock (GRANT RELOAD ON *.*, or LOCK TABLES on the databases)", mode)
	}
	return s.freezeByChance(ctx, func() (err error) {
		if s.Position, s.Time, err = ReadPosition(ctx, s.control); err != nil {
			return err
		}
		if err := s.openTransactions(ctx); err != nil {
			return err
		}
		// In this order: what leaves the one set is in the other by then.
		if s.owned, err = readOwned(ctx, s.control); err != nil {
			return err
		}
		s.seen, s.Time, err = ReadPosition(ctx, s.control)
		return err
	})
}

// freezeByChance opens the transactions while the server is written to. Rows
// without a key bear no overlap; so with such tables it is done again until there
// is none: the server needs to commit nothing for as long as a few statements
// take. One connection needs fewer of them.
func (s *Snapshot) freezeByChance(ctx context.Context, open func() error) error {
	return s.untilUnchanged(ctx, func(tables []Described) error {
		keyless := slices.ContainsFunc(tables, func(d Described) bool { return d.Table.Keyless() })
		for start := time.Now(); ; {
			if err := open(); err != nil {
				return err
			}
			waited := time.Since(start)
			if !keyless || s.Exact() || waited > s.cfg.LockWait {
				break
			}
			if waited > s.cfg.LockWait/2 && len(s.readers) > 1 {
				s.cfg.Log.Info("the server never pauses while several connections are opened, loading over one", "waited", waited.Round(time.Millisecond))
				s.keepOne()
			}
		}
		return s.describe(ctx)
	})
}

// keepOne closes all readers but one.
func (s *Snapshot) keepOne() {
	for _, r := range s.readers[1:] {
		r.Close()
	}
	s.readers = s.readers[:1]
}

// Exact tells whether the connections see Position and nothing else.
func (s *Snapshot) Exact() bool {
	return s.cfg.Locking != None || s.owned.IsEmpty() && s.Position.Contains(s.seen)
}

// untilUnchanged freezes again where tables came, went or were altered since they
// were listed.
func (s *Snapshot) untilUnchanged(ctx context.Context, freeze func([]Described) error) error {
	const attempts = 5
	for range attempts {
		before, err := s.cfg.Describe(ctx, s.control, nil)
		if err != nil {
			return fmt.Errorf("reading the shapes of the tables: %w", err)
		}
		if err := freeze(before); err != nil {
			return err
		}
		if slices.EqualFunc(before, s.described, func(a, b Described) bool {
			return a.Table.ID == b.Table.ID && a.Version == b.Version && schema.DiffTables(a.Table, b.Table).IsEmpty()
		}) {
			return nil
		}
	}
	return fmt.Errorf("opening a consistent snapshot: %w", ErrTableChanged)
}

func (s *Snapshot) openTransactions(ctx context.Context) error {
	for _, r := range s.readers {
		if _, err := r.Query(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); err != nil {
			return fmt.Errorf("opening a consistent snapshot: %w", err)
		}
	}
	return nil
}

// look reads the position, and then the shapes: a table that comes between the
// two is among them, and what creates it is passed once more.
func (s *Snapshot) look(ctx context.Context) (err error) {
	if s.Position, s.Time, err = ReadPosition(ctx, s.control); err != nil {
		return err
	}
	return s.describe(ctx)
}

func (s *Snapshot) describe(ctx context.Context) (err error) {
	if s.described, err = s.cfg.Describe(ctx, s.control, nil); err != nil {
		return fmt.Errorf("reading the shapes of the tables: %w", err)
	}
	return nil
}

func (s *Snapshot) unlock(ctx context.Context, since time.Time) error {
	if _, err := s.control.Query(ctx, "UNLOCK TABLES"); err != nil {
		return fmt.Errorf("releasing the lock: %w", err)
	}
	s.LockHeld = time.Since(since)
	return nil
}

// settle finds what the connections may have seen of transactions that were being
// committed when the snapshot was opened: such a one shows its rows before it is
// in gtid_executed. One that was given up never comes there.
func (s *Snapshot) settle(ctx context.Context) error {
	if s.Exact() {
		return nil
	}
	if s.control.Version().MariaDB { // what they see is known
		s.Overlap = schema.Position{GTIDs: s.seen.GTIDs.Clone()}
		return nil
	}
	told := time.Now()
	for {
		owned, err := readOwned(ctx, s.control)
		if err != nil {
			return err
		}
		left := both(s.owned, owned)
		if left.IsEmpty() {
			break
		}
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			s.cfg.Log.Warn("waiting for transactions to end that may show in the load", "gtids", left)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	now, _, err := ReadPosition(ctx, s.control)
	if err != nil {
		return err
	}
	s.Overlap = schema.Position{GTIDs: s.seen.GTIDs.Clone()}
	s.Overlap.GTIDs.AddSet(both(s.owned, now.GTIDs))
	if s.Position.GTIDs.IsEmpty() {
		s.Position.File, s.Position.Offset = "", 0 // before the first transaction; the file runs ahead
	}
	return nil
}

func both(a, b schema.GTIDSet) schema.GTIDSet { return a.Subtract(a.Subtract(b)) }

// owner is how gtid_owned tells the thread of a transaction.
var owner = regexp.MustCompile(`#\d+`)

func readOwned(ctx context.Context, s *session.Session) (schema.GTIDSet, error) {
	r, err := s.Query(ctx, "SELECT @@global.gtid_owned")
	if err != nil {
		return schema.GTIDSet{}, fmt.Errorf("reading gtid_owned: %w", err)
	}
	text, _ := r.GetString(0, 0)
	set, err := schema.ParseGTIDSet(owner.ReplaceAllString(text, ""))
	if err != nil {
		return schema.GTIDSet{}, fmt.Errorf("reading gtid_owned: %w", err)
	}
	return set, nil
}
