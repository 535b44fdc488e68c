package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
)

// loadState is what a table durably knows of its unfinished load.
type loadState struct {
	Format   int         `json:"format"` // of this record
	Pipeline string      `json:"pipeline"`
	Writer   string      `json:"writer"`
	Table    string      `json:"table"`
	Number   int64       `json:"number"` // of the writer's checkpoint
	Load     schema.Load `json:"load"`
	Rows     int64       `json:"rows"`
	Lane     *laneState  `json:"lane,omitempty"` // nil: of a load of all tables
	Versions []version   `json:"versions"`       // the table's history with what main does not show yet
}

// Checkpoint commits what has come of a load to a branch of each of its tables. A
// crash may leave some of them behind the others: each says for itself how far
// it is.
func (l *Lake) Checkpoint(ctx context.Context, loads []schema.Progress) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	return l.leave(l.checkpoint(ctx, loads))
}

func (l *Lake) checkpoint(ctx context.Context, loads []schema.Progress) error {
	l.checkpoints++
	for _, p := range loads {
		t := l.tables[p.Table.ID]
		if t == nil {
			return fmt.Errorf("a load of table %s, which was not defined", p.Table.ID)
		}
		if err := t.apply(ctx); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelCommits)
	for _, p := range loads {
		g.Go(func() error {
			if err := l.tables[p.Table.ID].stage(ctx, loadState{Number: l.checkpoints, Load: p.Load}); err != nil {
				return fmt.Errorf("committing what was loaded of table %s: %w", p.Table.ID, err)
			}
			return failpoint(stepLoadCheckpointed)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	rows := int64(0)
	for _, p := range loads {
		rows += l.tables[p.Table.ID].staged.Rows
	}
	l.log.Info("what has come of the load is durable", "tables", len(loads), "rows", rows)
	return nil
}

// stage makes the rows that have come a snapshot of the load's branch.
func (t *lakeTable) stage(ctx context.Context, next loadState) error {
	c, rows, err := t.change(ctx)
	if err != nil {
		return err
	}
	c.Staging = true
	next.Format, next.Pipeline, next.Writer, next.Rows, next.Versions = stateFormat, t.lake.cfg.Pipeline, t.lake.writer, rows, t.versions
	next.Table = t.head.t.Metadata().TableUUID().String()
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := t.putShape(c.Properties, propLoadShape); err != nil {
		return err
	}
	if err := t.head.commit(ctx, c, string(text), t.obsolete()); err != nil {
		return err
	}
	t.settled()
	t.staged = &next
	return nil
}

// adoptLoad takes up a load that an earlier process began: the table goes on from
// its branch, and from the shape that is there.
func (t *lakeTable) adoptLoad() error {
	it := t.head.t
	state, err := decodeLoad(it)
	switch {
	case err != nil:
		return err
	case state.Table != it.Metadata().TableUUID().String():
		return errors.New("the table is a copy, made while it was loaded; drop it in the lake and load it again")
	}
	shape, err := decodeShape(it.Properties()[propLoadShape])
	if err != nil {
		return err
	}
	head := it.SnapshotByName(loadBranch)
	if head.SchemaID != nil && *head.SchemaID != it.Schema().ID {
		for _, s := range it.Metadata().Schemas() {
			if s.ID == *head.SchemaID {
				t.schema = s
			}
		}
	}
	if err := t.lake.sameNames(it, shape); err != nil {
		return err
	}
	if t.columns, err = fileColumns(shape, t.names, t.currentSchema()); err != nil {
		return err
	}
	t.shown, t.shape, t.keyer = t.shape, shape, schema.NewKeyer(shape)
	t.staged, t.reshape, t.continued, t.versions = &state, true, true, state.Versions
	t.history = state.Load.Position.History
	if state.Lane != nil {
		t.history, t.laneCause = state.Lane.Position.History, state.Lane.Cause
	}
	return nil
}

func decodeLoad(t *table.Table) (s loadState, err error) {
	if err := json.Unmarshal([]byte(t.Properties()[propLoad]), &s); err != nil {
		return s, fmt.Errorf("decoding %s: %w", propLoad, err)
	}
	if s.Format != stateFormat {
		return s, fmt.Errorf("decoding %s: format %d was written by another version of Beluga", propLoad, s.Format)
	}
	return s, nil
}

// giveUp takes the table up again as main shows it, without what a load has left
// on its branch.
func (l *Lake) giveUp(ctx context.Context, t *lakeTable) (*lakeTable, error) {
	id := t.shape.ID
	if t.staged != nil {
		if err := t.head.abandon(ctx); err != nil {
			return nil, fmt.Errorf("table %s: %w", id, err)
		}
		l.log.Info("an unfinished load of a table was given up", "table", id)
	}
	was, err := l.adopt(ctx, t.head.t)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", id, err)
	}
	l.tables[id] = was
	return was, nil
}

// hasLoad tells whether the table has a load that is not complete.
func hasLoad(t *table.Table) bool { return branchID(t) != 0 && t.Properties()[propLoad] != "" }
