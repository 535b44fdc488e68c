package binlog

import (
	"context"

	"github.com/beluga-cdc/beluga/schema"
)

// A run that was killed may have sent changes of tables to a log, and rows under them,
// which the next run comes to again. Then it may not ask the server about a statement,
// which tells what the table is by now: the changes come again at the same places and as
// they were, until there are no more of them. What a statement says of names, and what a
// table map shows, is the same in every run.

// again announces what an earlier run announced of the table at the transaction that is
// at work. known: there are such changes, of this or a later one.
//
// A table map may have shown the first rows under a change whose statement could not be
// followed; it bears the name of that statement. Here it comes with the statement, and
// the table has no rows between the two.
func (r *run) again(ctx context.Context, t *table) (known bool, err error) {
	if len(t.again) == 0 {
		return false, nil
	}
	for err == nil && len(t.again) > 0 && t.again[0].Cause.At == r.txn.id() {
		c := t.again[0]
		t.altered.shown(c.Table)
		err = r.announce(ctx, t, c)
	}
	return true, err
}

// againEmpty is the same for a table that was made and had no rows yet, which the run
// cannot know if it began behind the CREATE: each change voids it.
func (r *run) againEmpty(ctx context.Context, t *table) (known bool, err error) {
	if len(t.again) == 0 || !t.again[0].Reset {
		return false, nil
	}
	return r.again(ctx, t)
}

// againAs returns the change that an earlier run announced next, if it leads to the
// shape; nil: it does not, or there is none.
func (t *table) againAs(shape *schema.Table) *schema.SchemaChange {
	if len(t.again) == 0 || !SameVersion(t.again[0].Table, shape) {
		return nil
	}
	return &t.again[0]
}

// passed strikes a change off those that were announced before. Behind a void nothing
// that an earlier run sent counts, and a shape that is the same is no change.
func (t *table) passed(c schema.SchemaChange) {
	switch {
	case len(t.again) == 0:
	case c.Reset, c.Dropped, c.Lane:
		t.again = nil
	case t.againAs(c.Table) != nil:
		t.again = t.again[1:]
	}
}
