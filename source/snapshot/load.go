package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
func (s *Snapshot) Load(ctx context.Context, out Sender) error {
	if err := s.refuseOverlap(); err != nil {
		return err
	}
	if err := s.begin(ctx, out); err != nil {
		return err
	}
	if err := s.loadRows(ctx, out); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil || !s.Overlap.IsZero() {
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
		if t.Keyless() {
			return fmt.Errorf("table %s has no key, and while the load without a lock was opened the server was written to: rows might come twice; "+
				"remedy: let the user lock (GRANT LOCK TABLES ON %s.*) and choose --snapshot-locking auto, or give the table a key, or leave it out with --tables", t.ID, session.Quote(t.ID.Database))
		}
	}
	return nil
}

// Define is Load without the rows.
func (s *Snapshot) Define(ctx context.Context, out Sender) error {
	if err := s.begin(ctx, out); err != nil {
		return err
	}
	return out.Send(ctx, schema.Commit{Position: s.Position, Time: s.Time})
}

func (s *Snapshot) begin(ctx context.Context, out Sender) error {
	if err := out.Send(ctx, schema.Anew{History: s.Position.History}); err != nil {
		return err
	}
	for _, t := range s.Tables {
		if err := out.Send(ctx, schema.SchemaChange{Table: t, Reset: true, History: s.Position.History}); err != nil {
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
	chunks := make(chan Chunk, 2*len(s.readers))
	finished := make(chan Described, len(s.described))
	byID := make(map[schema.TableID]Described, len(s.described))
	for _, d := range s.described {
		byID[d.Table.ID] = d
		s.progress.byID[d.Table.ID].open.Store(1)
	}
	closeOne := func(id schema.TableID) {
		if p := s.progress.byID[id]; p.open.Add(-1) == 0 {
			p.done.Store(true)
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
				err := s.Read(ctx, i, c, func(b *schema.Block) error { return out.Send(ctx, b) })
				if err != nil {
					return explainChange(c.Table.ID, err)
				}
				closeOne(c.Table.ID)
			}
			return nil
		})
	}
	return g.Wait()
}

func (s *Snapshot) plan(ctx context.Context, chunks chan<- Chunk, closeOne func(schema.TableID)) error {
	defer close(chunks)
	order := slices.Clone(s.described)
	slices.SortStableFunc(order, func(a, b Described) int { return int(min(max(b.Rows-a.Rows, -1), 1)) })
	for _, d := range order {
		for c, err := range s.Chunks(ctx, d.Table) {
			if err != nil {
				return explainChange(d.Table.ID, err)
			}
			s.progress.byID[d.Table.ID].open.Add(1)
			select {
			case chunks <- c:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		closeOne(d.Table.ID)
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
