package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// batcher turns the events of a reader into calls of a sink: it folds the
// changes of each table and cuts batches, always at a Commit.
type batcher struct {
	limits  Limits
	jobs    *jobs
	stats   *Stats
	folds   map[schema.TableID]*fold
	loading map[schema.TableID]bool            // since a Reset, until the next Commit
	ahead   map[schema.TableID]schema.Position // tables whose own position lies beyond the cut we resumed at

	rows, bytes int       // in the folds
	first       time.Time // when the first change of this batch arrived
	dirty       bool      // something was handed on, or is in a fold, since the last cut
	boundary    *schema.Commit
	published   schema.Position
	lanes       map[schema.TableID]bool // in lanes at the last cut
	lastCut     time.Time
	open        bool // changes arrived since the last Commit
	changed     bool // the source committed changes that no cut holds

	told         map[schema.TableID]schema.Progress // what of a load is not durable yet
	checkpointed time.Time
}

// span is the rows from first up to and without end.
type span struct{ first, end int }

// idleCut is how often a cut is published when no captured table changes but
// the source moves on. Without it a quiet pipeline's position would stand still
// until its binlog is purged.
const idleCut = time.Minute

func newBatcher(limits Limits, resume Resume, jobs *jobs, stats *Stats) *batcher {
	b := &batcher{limits: limits, jobs: jobs, stats: stats, folds: map[schema.TableID]*fold{}, loading: map[schema.TableID]bool{},
		ahead: map[schema.TableID]schema.Position{}, published: resume.Position, lastCut: time.Now(),
		lanes: map[schema.TableID]bool{}, told: map[schema.TableID]schema.Progress{}, checkpointed: time.Now()}
	for id, s := range resume.Tables {
		if !resume.Position.Contains(s.Position) {
			b.ahead[id] = s.Position
		}
	}
	for id := range resume.Lanes {
		b.lanes[id] = true
	}
	for id, l := range resume.Loads {
		b.loading[id], b.ahead[id] = true, l.Position
	}
	if resume.Unfinished() {
		b.touch() // its end is to be published even if nothing more comes of it
	}
	return b
}

// run reads until the end of the reader, or until ctx ends.
func (b *batcher) run(ctx context.Context, r Reader) error {
	events := make(chan schema.Event)
	failed := make(chan error, 1)
	done := make(chan struct{})
	defer func() { <-done }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(done)
		for {
			e, err := r.Next(ctx)
			if err != nil {
				failed <- err
				return
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	timer := time.NewTicker(max(min(b.limits.Interval, time.Second)/4, 5*time.Millisecond))
	defer timer.Stop()
	for {
		select {
		case e := <-events:
			if err := b.event(ctx, e); err != nil {
				return err
			}
		case <-timer.C:
			if err := b.cutIfDue(ctx); err != nil {
				return err
			}
			if err := b.checkpointIfDue(ctx); err != nil {
				return err
			}
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return b.finish(ctx)
			}
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (b *batcher) event(ctx context.Context, e schema.Event) error {
	switch e := e.(type) {
	case *schema.Block:
		return b.block(ctx, e)
	case schema.SchemaChange:
		return b.schemaChange(ctx, e)
	case schema.Anew:
		// What is complete ends the history before: a table that the load does not
		// bring stays so. Behind this the last Commit is no place to cut at any more,
		// as tables are void.
		clear(b.told)
		if err := b.finish(ctx); err != nil {
			return err
		}
		b.touch()
		return nil
	case schema.Progress:
		b.told[e.Table.ID] = e
		return b.checkpointIfDue(ctx)
	case schema.Commit:
		for id, p := range b.ahead {
			if e.Position.Contains(p) {
				delete(b.ahead, id)
			}
		}
		clear(b.loading)
		clear(b.told)
		b.boundary, b.open = &e, false
		if b.endsLane(e) {
			b.touchLane() // to be shown, even if nothing else comes
		}
		if b.changed {
			b.stats.read(e)
		}
		return b.cutIfDue(ctx)
	}
	return fmt.Errorf("event of unknown type %T", e)
}

func (b *batcher) schemaChange(ctx context.Context, c schema.SchemaChange) error {
	id := c.Table.ID
	b.touch()
	if c.Reset {
		// Whatever the table holds is void, and with it the position that it was
		// complete at; so are changes that wait in its fold.
		// Of a table that stays the same only the rows before here are void, and a cut
		// still has to come up to its position.
		if !c.Same || c.Lane {
			delete(b.ahead, id)
		}
		delete(b.told, id)
		b.loading[id] = !c.Lane
		b.drop(id)
	} else if err := b.flush(ctx, id); err != nil {
		return err
	}
	b.loading[id] = !c.Dropped && (b.loading[id] || c.Continued && !c.Lane)
	delete(b.folds, id)
	return b.jobs.send(ctx, job{define: &c})
}

func (b *batcher) block(ctx context.Context, blk *schema.Block) error {
	id := blk.Table.ID
	b.stats.block(blk)
	if blk.Rows() == 0 {
		blk.Release()
		return nil
	}
	if b.loading[id] && blk.Ops[0] == schema.OpRead {
		b.touch()
		return b.jobs.send(ctx, job{write: &TableChanges{Table: blk.Table, Blocks: []*schema.Block{blk}, Load: true}})
	}
	spans, rows := b.news(blk)
	if rows == 0 {
		blk.Release()
		return nil
	}
	if err := b.endCheckpoints(ctx); err != nil {
		return err
	}
	lane := blk.Ops[0] == schema.OpRead
	if lane && !blk.Table.Keyless() {
		b.touchLane()
	} else {
		b.touch()
	}
	f := b.folds[id]
	if f == nil || f.table != blk.Table {
		// Two versions of a table that the lake cannot tell apart come without a
		// SchemaChange between them, yet their ordinals need not be the same.
		if err := b.flush(ctx, id); err != nil {
			return err
		}
		f = newFold(blk.Table)
		b.folds[id] = f
	}
	before := f.bytes
	f.add(blk, spans)
	f.changes += rows
	b.rows += rows
	b.bytes += f.bytes - before
	if lane {
		// They go to files as they come: the others' cuts must not wait for a heap of
		// them, and who reads the table sends more once these are out of memory.
		return b.flush(ctx, id)
	}
	if b.bytes > 2*b.limits.Bytes {
		// A transaction larger than a batch: its rows go to files as they come.
		return b.spill(ctx)
	}
	return nil
}

// news returns the rows of a block that its table does not have yet.
func (b *batcher) news(blk *schema.Block) ([]span, int) {
	p, ok := b.ahead[blk.Table.ID]
	if !ok {
		return []span{{0, blk.Rows()}}, blk.Rows()
	}
	var spans []span
	rows := 0
	for i := range blk.Origins {
		s := span{blk.Origins[i].Row, blk.Rows()}
		if i+1 < len(blk.Origins) {
			s.end = blk.Origins[i+1].Row
		}
		if !p.Covers(&blk.Origins[i]) {
			spans = append(spans, s)
			rows += s.end - s.first
		}
	}
	return spans, rows
}

func (b *batcher) touch() {
	b.touchLane()
	b.open, b.changed = true, true
}

// touchLane is touch for the rows of a lane. They may become durable with a Commit
// that came before them: they belong to no transaction, and are read again unless a
// later Commit says that they were; or a log brings them again, behind that Commit.
// Only a key bears that.
func (b *batcher) touchLane() {
	if !b.dirty {
		b.dirty, b.first = true, time.Now()
	}
}

// endsLane tells whether a table was in a lane at the last cut, and is in none any more.
func (b *batcher) endsLane(c schema.Commit) bool {
	left := len(b.lanes)
	for _, p := range c.Loading {
		if b.lanes[p.Table.ID] {
			left--
		}
	}
	return left > 0
}

// cutIfDue ends the batch if one of the limits is reached and no transaction is
// under way.
func (b *batcher) cutIfDue(ctx context.Context) error {
	if b.open || b.boundary == nil || len(b.ahead) > 0 {
		// A table that is ahead would stand in this cut with rows of later
		// transactions; the first cut after a crash is the one that all have reached.
		return nil
	}
	if b.dirty {
		if b.rows < b.limits.Rows && b.bytes < b.limits.Bytes && time.Since(b.first) < b.limits.Interval {
			return nil
		}
	} else if time.Since(b.lastCut) < max(idleCut, b.limits.Interval) {
		return nil
	}
	return b.cut(ctx)
}

func (b *batcher) cut(ctx context.Context) error {
	c := b.boundary
	b.boundary = nil
	if !b.dirty && b.published.Contains(c.Position) {
		return nil
	}
	for id := range b.folds {
		if err := b.flush(ctx, id); err != nil {
			return err
		}
	}
	b.dirty, b.changed, b.published, b.lastCut = false, false, c.Position, time.Now()
	clear(b.lanes)
	for _, p := range c.Loading {
		b.lanes[p.Table.ID] = true
	}
	return b.jobs.send(ctx, job{commit: c})
}

// finish commits what is complete. Changes after the last Commit belong to a
// transaction whose end did not arrive: if they stand in folds together with
// complete ones, or were handed to the sink, the batch is left uncommitted, and
// the next run reads it again.
func (b *batcher) finish(ctx context.Context) error {
	if len(b.told) > 0 {
		return b.checkpoint(ctx)
	}
	if b.open || b.boundary == nil || len(b.ahead) > 0 {
		b.stats.left.Store(b.dirty)
		return nil
	}
	return b.cut(ctx)
}

// checkpointIfDue makes durable what has come of a load, as often as was asked for.
func (b *batcher) checkpointIfDue(ctx context.Context) error {
	if len(b.told) == 0 || time.Since(b.checkpointed) < b.limits.Checkpoint {
		return nil
	}
	return b.checkpoint(ctx)
}

func (b *batcher) checkpoint(ctx context.Context) error {
	loads := slices.Collect(maps.Values(b.told))
	clear(b.told)
	b.checkpointed = time.Now()
	return b.jobs.send(ctx, job{checkpoint: loads})
}

// endCheckpoints is called when changes of the stream follow a load: rows without
// a key must not be durable together with changes that a restart sends again.
func (b *batcher) endCheckpoints(ctx context.Context) error {
	err := b.checkpointIfDue(ctx)
	clear(b.told)
	return err
}

// spill hands the changes of the largest table to the sink without ending the
// batch.
func (b *batcher) spill(ctx context.Context) error {
	var largest schema.TableID
	most := -1
	for id, f := range b.folds {
		if f.bytes > most {
			largest, most = id, f.bytes
		}
	}
	return b.flush(ctx, largest)
}

func (b *batcher) flush(ctx context.Context, id schema.TableID) error {
	f := b.folds[id]
	if f == nil || f.empty() {
		return nil
	}
	b.rows, b.bytes = b.rows-f.changes, b.bytes-f.bytes
	c := f.take()
	return b.jobs.send(ctx, job{write: &c})
}

func (b *batcher) drop(id schema.TableID) {
	if f := b.folds[id]; f != nil {
		b.rows, b.bytes = b.rows-f.changes, b.bytes-f.bytes
		for _, blk := range f.blocks {
			blk.Release()
		}
	}
}
