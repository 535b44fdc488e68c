package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// ErrTableChanged says that a table was altered, or another was put in its
// place, while it was being read.
var ErrTableChanged = errors.New("the table was altered or exchanged during the load; start again, and keep DDL away from it until the load is complete")

// Sender takes events. It is the Send of a pipeline.Writer: the blocks of a
// load come from several goroutines.
type Sender interface {
	Send(ctx context.Context, e schema.Event) error
}

// Load sends everything in the snapshot: the shape of each table, which voids
// what was there before, the rows of all tables, and one Commit; but no Commit
// where there is an Overlap: the first position beyond it is where the load ends.
// Of a load that is continued it sends what is missing, and voids nothing.
func (s *Snapshot) Load(ctx context.Context, out Sender) error {
	if err := s.refuseOverlap(); err != nil {
		return err
	}
	// Before any row: what it may show is part of the progress that is told.
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.span()
	if err := s.begin(ctx, out); err != nil {
		return err
	}
	if err := s.loadRows(ctx, out); err != nil || !s.Overlap.IsZero() {
		return err
	}
	return out.Send(ctx, schema.Commit{Position: s.Position, Time: s.Time})
}

// refuseOverlap refuses a load whose replay would put rows a second time: only a
// key makes a row that was put twice one row.
func (s *Snapshot) refuseOverlap() error {
	if s.Exact() {
		return nil
	}
	for _, t := range s.Tables {
		if t.Keyless() && !s.complete[t.ID] && !s.ledgers[t.ID].begun {
			return fmt.Errorf("table %s has no key, and the server paused at no moment in which the load could be opened without a lock: rows might come twice; "+
				"remedy: load at a quieter time, or let the user lock (GRANT LOCK TABLES ON %s.*) and choose --snapshot-locking auto, or give the table a key, or leave it out with --tables", t.ID, session.Quote(t.ID.Database))
		}
	}
	return nil
}

// Define is Load without the rows.
func (s *Snapshot) Define(ctx context.Context, out Sender) error {
	s.span()
	if err := s.begin(ctx, out); err != nil {
		return err
	}
	return out.Send(ctx, schema.Commit{Position: s.Position, Time: s.Time})
}

func (s *Snapshot) begin(ctx context.Context, out Sender) error {
	if !s.continued {
		if err := out.Send(ctx, schema.Anew{History: s.Position.History}); err != nil {
			return err
		}
	}
	for _, t := range s.Tables {
		if s.complete[t.ID] {
			continue
		}
		l := s.ledgers[t.ID]
		change := schema.SchemaChange{Table: t, Reset: !l.begun, Continued: l.begun && len(l.rest) > 0, Overlap: l.progress.Overlap, History: s.Position.History}
		if err := out.Send(ctx, change); err != nil {
			return err
		}
	}
	return nil
}

// loadRows lets every reader take the next chunk as soon as it is free: the
// queue is one for all tables, big tables first, so that none is left alone with
// a big one at the end.
func (s *Snapshot) loadRows(ctx context.Context, out Sender) error {
	g, ctx := errgroup.WithContext(ctx)
	chunks := make(chan *Chunk, len(s.readers)) // few, for what is cut ahead has the size of before
	finished := make(chan Described, len(s.described))
	byID := make(map[schema.TableID]Described, len(s.described))
	for _, d := range s.described {
		byID[d.Table.ID] = d
		s.progress.byID[d.Table.ID].open.Store(1)
	}
	closeOne := func(id schema.TableID) {
		if p := s.progress.byID[id]; p.open.Add(-1) == 0 {
			p.done.Store(true)
			s.tell(id)
			finished <- byID[id]
		}
	}
	g.Go(func() error {
		if err := s.plan(ctx, chunks, closeOne); err != nil {
			return err
		}
		return s.verifyUnchanged(ctx, finished)
	})
	for i := range s.readers {
		g.Go(func() error {
			for c := range chunks {
				if err := s.gate.pass(ctx); err != nil {
					return err
				}
				if err := s.loadChunk(ctx, i, c, out); err != nil {
					return explainChange(c.Table.ID, err)
				}
				closeOne(c.Table.ID)
			}
			return nil
		})
	}
	return g.Wait()
}

// tell says how far a table is. Of one that an earlier load has brought there is
// nothing to tell.
func (s *Snapshot) tell(id schema.TableID) {
	if s.cfg.Scan != nil && !s.complete[id] {
		s.cfg.Scan(s.progress.byID[id].now())
	}
}

// loadChunk sends the rows of a chunk, and then that they were sent. Of two
// readers the one that is done later may tell it first: then the other tells of
// too much that is left, which does no harm.
func (s *Snapshot) loadChunk(ctx context.Context, reader int, c *Chunk, out Sender) error {
	start := time.Now()
	if err := s.Read(ctx, reader, *c, func(b *schema.Block) error { return out.Send(ctx, b) }); err != nil {
		return err
	}
	took := time.Since(start)
	s.paces[c.Table.ID].note(c.rows, took)
	s.cfg.Log.Debug("chunk read", "table", c.Table.ID, "rows_planned", c.rows, "took", took)
	p, err := s.ledgers[c.Table.ID].done(c)
	if err != nil {
		return fmt.Errorf("noting the progress of table %s: %w", c.Table.ID, err)
	}
	return out.Send(ctx, p)
}

func (s *Snapshot) plan(ctx context.Context, chunks chan<- *Chunk, closeOne func(schema.TableID)) error {
	defer close(chunks)
	order := slices.Clone(s.described)
	slices.SortStableFunc(order, func(a, b Described) int { return int(min(max(b.Rows-a.Rows, -1), 1)) })
	for _, d := range order {
		if !s.complete[d.Table.ID] {
			s.tell(d.Table.ID)
			if err := s.planTable(ctx, d.Table.ID, chunks); err != nil {
				return explainChange(d.Table.ID, err)
			}
		}
		closeOne(d.Table.ID)
	}
	return nil
}

// planTable cuts what is to be read of a table.
func (s *Snapshot) planTable(ctx context.Context, id schema.TableID, chunks chan<- *Chunk) error {
	l := s.ledgers[id]
	for _, from := range slices.Clone(l.rest) {
		for c, err := range s.cut(ctx, *from) {
			if err != nil {
				return err
			}
			s.progress.byID[id].open.Add(1)
			select {
			case chunks <- l.split(from, c):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// verifyUnchanged looks at each table again once it is read. InnoDB itself
// refuses to show a rebuilt table to an older transaction; but a table that was
// swapped in (gh-ost, pt-online-schema-change) and existed when the snapshot was
// opened is shown half filled, without a word.
func (s *Snapshot) verifyUnchanged(ctx context.Context, finished <-chan Described) error {
	for range s.described {
		var d Described
		select {
		case d = <-finished:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		now, err := s.cfg.Describe(ctx, s.control, &d.Table.ID)
		if err != nil {
			return fmt.Errorf("looking at table %s again: %w", d.Table.ID, err)
		}
		if len(now) != 1 || now[0].Version != d.Version || !schema.DiffTables(d.Table, now[0].Table).IsEmpty() {
			return fmt.Errorf("loading table %s: %w", d.Table.ID, ErrTableChanged)
		}
	}
	return nil
}

// explainChange recognises what the server says when a table is no longer the
// one of the snapshot.
func explainChange(id schema.TableID, err error) error {
	switch session.Number(err) {
	case session.ErrTableDefChanged, session.ErrNoSuchTable, session.ErrUnknownColumn:
		return fmt.Errorf("loading table %s: %w: %w", id, ErrTableChanged, err)
	}
	return err
}
