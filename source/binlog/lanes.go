package binlog

import (
	"context"
	"errors"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/lane"
)

// passes tells whether the stream passes over changes of the table at a place: the
// lake has them already, or the lane that begins behind them will.
func (t *table) passes(o *schema.Origin) bool { return t.passedOver || t.covered.Covers(o) }

// leave leaves the table to a lane, because of what the stream cannot follow; false:
// there are no lanes, or it is of a table that is in none and was loaded.
func (r *run) leave(ctx context.Context, t *table, why error) bool {
	switch {
	case r.cfg.Lanes == nil, ctx.Err() != nil:
		return false
	case t.shape != nil && !r.cfg.Lanes.Has(t.id), !r.cfg.Lanes.Again(t.id, why):
		return false
	}
	t.passedOver, t.empty = true, false
	return true
}

// leaveOr is leave where the error is to be returned otherwise.
func (r *run) leaveOr(ctx context.Context, t *table, why error) error {
	if r.leave(ctx, t, why) {
		return nil
	}
	return why
}

// reload has a table loaded again, in a lane, where there are lanes. That begins at once,
// so that from the next Commit on the table is known as one that is being loaded; its
// rows are read only once the stream is behind the statement for sure.
func (r *run) reload(ctx context.Context, t *table, why error) error {
	if r.cfg.Lanes == nil || !r.cfg.Lanes.Enabled() {
		return why
	}
	cause := r.statementOf(t)
	t.cause = cause
	if t.shape != nil && !r.cfg.Lanes.Has(t.id) {
		if err := r.announce(ctx, t, schema.SchemaChange{Table: t.shape, Reset: true, Same: true, Lane: true, History: r.history}); err != nil {
			return err
		}
	}
	t.cause = cause // of the shape that the lane begins with
	return r.leaveOr(ctx, t, why)
}

// incompatible takes a change of the table that the rows in the lake cannot follow: all
// of it is loaded again, if that was chosen.
func (r *run) incompatible(ctx context.Context, t *table, why error) error {
	if r.cfg.Reload && t != r.watched && ctx.Err() == nil && (errors.Is(why, ErrIncompatible) || errors.Is(why, errNames)) {
		return r.reload(ctx, t, why)
	}
	return r.leaveOr(ctx, t, why)
}

func (r *run) lanesActive() bool { return r.cfg.Lanes != nil && r.cfg.Lanes.Active() }

// want makes the next tick one that commits, as lanes have asked for.
func (r *run) want() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirtyNow()
	r.announced = true
}

// beginLanes announces the tables whose lanes are due. It is called between two
// transactions, before their Commit: what the stream has passed over of them by then
// will be seen by whoever reads them, for they are read later.
func (r *run) beginLanes(ctx context.Context) error {
	if r.cfg.Lanes == nil {
		return nil
	}
	for _, b := range r.cfg.Lanes.Due() {
		if err := r.beginLane(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) beginLane(ctx context.Context, b lane.Begin) error {
	t := r.tableOf(b.Table)
	shape := t.shape
	if shape == nil || b.FromServer {
		now, err := r.cfg.Describe(ctx, t.id)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			t.passedOver = true
			r.cfg.Lanes.Refused(t.id, err)
			return nil
		case now == nil:
			return r.endLane(ctx, t)
		case shape == nil || !SameVersion(shape, now):
			shape = now
		}
	}
	if shape.Keyless() {
		var err error
		if b.Keep {
			err = errors.New("rows of a condition can only be put in place of others by a key, which the table does not have; remedy: load it without the condition")
		} else if r.cfg.Keyless != nil {
			err = r.cfg.Keyless(t.id)
		}
		if err != nil {
			r.cfg.Lanes.Refused(t.id, err)
			return nil
		}
	}
	reset := !b.Keep || t.shape == nil
	t.passedOver, t.empty, t.altered = false, false, altered{}
	r.forgetNameless(t)
	return r.announce(ctx, t, schema.SchemaChange{Table: shape, Reset: reset, Same: true, Lane: true, Request: b.Request, Condition: b.Condition, History: r.history})
}

// endLane is called for a table that is not on the server by now. What the lake has of
// it is half a load, over rows that were in doubt: nothing of that stays.
func (r *run) endLane(ctx context.Context, t *table) error {
	t.passedOver = false
	if t.shape != nil {
		if err := r.end(ctx, t, schema.SchemaChange{Table: t.shape, Reset: true, Dropped: true, History: r.history}); err != nil {
			return err
		}
	}
	r.cfg.Lanes.Gone(t.id)
	return nil
}
