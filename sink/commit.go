package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/snapshot"
)

// parallelCommits bounds how many tables are at it at the same time. A commit
// waits for the disk most of the time; the catalog takes one at a time anyway.
const parallelCommits = 8

// Commit makes the batch durable, table by table, and publishes the cut.
func (l *Lake) Commit(ctx context.Context, cut schema.Commit) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	return l.leave(l.commit(ctx, cut))
}

func (l *Lake) commit(ctx context.Context, cut schema.Commit) error {
	l.cut++
	if cut.Position.History > l.cuts.state.Position.History {
		if err := l.leaveBehind(ctx, cut.Position.History); err != nil {
			return err
		}
	}
	lanes := lanesOf(&cut)
	var dirty []*lakeTable
	for id, t := range l.tables {
		if err := t.apply(ctx); err != nil {
			return err
		}
		if l.ahead[id] && !cut.Position.Contains(t.position()) {
			// The first cut after a crash is one that all tables have reached; at any
			// other, this one would hold later rows, and its state would go back.
			return fmt.Errorf("publishing a cut at %s: table %s stands beyond it, at %s", cut.Position, id, t.position())
		}
		if t.dirty || t.staged != nil {
			dirty = append(dirty, t)
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelCommits)
	for _, t := range dirty {
		g.Go(func() error {
			if err := l.commitTable(gctx, t, &cut, lanes); err != nil {
				return fmt.Errorf("committing table %s: %w", t.shape.ID, err)
			}
			return failpoint(stepTableCommitted)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := failpoint(stepBeforeCut); err != nil {
		return err
	}
	snapshots := map[string]int64{}
	for id, t := range l.tables { // under the names that readers know
		if _, loading := lanes[id]; loading || t.dropped || t.history < cut.Position.History {
			continue // half of it is there; or it was dropped, or no load brought it since: it is not on the server any more
		}
		if s := snapshotID(t.head.t); s != 0 {
			snapshots[t.identifier().String()] = s
		}
	}
	if err := l.cuts.publish(ctx, l, l.cut, cut, snapshots); err != nil {
		return fmt.Errorf("publishing cut %d: %w", l.cut, err)
	}
	clear(l.ahead)
	if err := failpoint(stepCutPublished); err != nil {
		return err
	}
	return l.removeDropped(ctx)
}

// commitTable makes the table's batch durable: for all to see, or on the branch of
// its lane.
func (l *Lake) commitTable(ctx context.Context, t *lakeTable, cut *schema.Commit, lanes map[schema.TableID]schema.Load) error {
	if load, ok := lanes[t.shape.ID]; ok {
		return t.commitLane(ctx, cut, load, l.cut)
	}
	return t.commit(ctx, state{Pipeline: l.cfg.Pipeline, Writer: l.writer, Cut: l.cut, Position: cut.Position, Time: cut.Time})
}

// leaveBehind gives up what the batch holds of tables that the load at its begin
// did not bring. It may be half a transaction, or half a load before this one.
func (l *Lake) leaveBehind(ctx context.Context, history int64) error {
	for _, t := range l.tables {
		if t.history >= history || !t.dirty && len(t.pending) == 0 && t.staged == nil {
			continue
		}
		if err := t.abort(); err != nil {
			return err
		}
		for _, f := range t.files {
			if f != nil && !f.committed {
				if err := t.discard(f); err != nil {
					return err
				}
			}
		}
		if _, err := l.giveUp(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// commit makes the table's batch one snapshot, which shows a load that is complete
// by it.
func (t *lakeTable) commit(ctx context.Context, next state) error {
	c, rows, err := t.change(ctx)
	if err != nil {
		return err
	}
	next.Rows = rows
	if t.staged != nil {
		c.Forget = []string{propLoad, propLoadShape}
	}
	if t.dropped {
		c.Properties[propDropped] = next.Position.String()
	} else if t.head.t.Properties()[propDropped] != "" {
		c.Forget = append(c.Forget, propDropped)
	}
	if err := t.describe(&c, &next); err != nil {
		return err
	}
	text, err := next.encode()
	if err != nil {
		return err
	}
	if err := t.head.commit(ctx, c, text, t.obsolete()); err != nil {
		return err
	}
	t.settled()
	t.state, t.shown = next, t.shape
	t.schema, t.passed, t.reshape, t.staged, t.continued = nil, nil, false, nil, false
	return nil
}

// change puts together what the batch does to the table's files. Their names are
// on disk by then. rows is how many there are with it.
func (t *lakeTable) change(ctx context.Context) (c snapshot.Change, rows int64, err error) {
	if err := t.list(ctx); err != nil {
		return c, 0, err
	}
	if err := t.closeFile(); err != nil {
		return c, 0, err
	}
	add, err := t.encodeDeletes()
	if err != nil {
		return c, 0, err
	}
	c = snapshot.Change{
		Add: add, Remove: t.remove, Schema: t.schema, Passed: t.passed, Operation: table.OpOverwrite, Summary: iceberg.Properties{}, Properties: iceberg.Properties{},
		Branch: loadBranch, KeepLast: t.lake.cfg.KeepSnapshots, KeepFor: t.lake.cfg.KeepFor,
	}
	if len(add) == 0 && len(t.remove) == 0 {
		c.Operation = table.OpAppend
	}
	for _, f := range t.files {
		if f == nil {
			continue
		}
		rows += f.live()
		if !f.committed {
			c.Add = append(c.Add, f.file)
		}
	}
	if len(c.Add) > 0 {
		err = t.head.fs.SyncFolder(t.head.t.Location() + "/data")
	}
	return c, rows, err
}

// describe fills in what the commit says beside the files.
func (t *lakeTable) describe(c *snapshot.Change, next *state) error {
	next.Table = t.head.t.Metadata().TableUUID().String()
	if t.reshape {
		if err := t.putShape(c.Properties, propShape); err != nil {
			return err
		}
		t.putComment(c)
		if err := t.putHistory(c.Properties, next.Position, next.Time); err != nil {
			return err
		}
	}
	c.Summary["beluga.position"] = next.Position.String()
	c.Summary["beluga.source-time"] = next.Time.UTC().Format(time.RFC3339Nano)
	return nil
}

// putComment says of the table what MySQL does, by the property that Spark and others show.
func (t *lakeTable) putComment(c *snapshot.Change) {
	switch was := t.head.t.Properties()[propComment]; {
	case t.shape.Comment == was:
	case t.shape.Comment == "":
		c.Forget = append(c.Forget, propComment)
	default:
		c.Properties[propComment] = t.shape.Comment
	}
}

// obsolete returns the files that only snapshots before this batch need. A
// Puffin file goes with the last of its vectors.
func (t *lakeTable) obsolete() []string {
	used := map[string]bool{}
	for _, f := range t.files {
		if f == nil {
			continue
		}
		for _, d := range f.scoped {
			used[d.FilePath()] = true
		}
	}
	var paths []string
	for _, p := range t.gone {
		if !used[p] {
			used[p] = true
			paths = append(paths, p)
		}
	}
	return paths
}

// settled begins the next batch.
func (t *lakeTable) settled() {
	for _, f := range t.files {
		if f != nil {
			f.committed = true
		}
	}
	t.remove, t.gone, t.dirty, t.stream = map[string]bool{}, nil, false, false
}
