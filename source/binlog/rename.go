package binlog

import (
	"context"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
)

// onRename follows RENAME TABLE. The lake goes by names: a name that is gone has ended,
// and one that shows another table than before is loaded again, in a lane. It keeps its
// Iceberg table, whose columns keep their field ids: so that who reads a table by its
// name goes on reading it when a tool has put an altered copy in its place.
func (r *run) onRename(ctx context.Context, s *statement, q *query, o *schema.Origin) error {
	shown, gone := renamed(s.tables, s.targets)
	for _, id := range shown {
		switch {
		case !r.cfg.Captures(id) || r.tableOf(id).passes(o):
			continue
		case r.tableOf(id).shape == nil:
			if err := r.leaveOr(ctx, r.tableOf(id), refuse(id, q, "gives its name to a table that was not loaded")); err != nil {
				return err
			}
		default:
			if err := r.reload(ctx, r.tableOf(id), refuse(id, q, "gives its name to another table")); err != nil {
				return err
			}
		}
	}
	return r.onDrops(ctx, gone, q, o)
}

// renamed returns the names under which another table stands after a statement has
// given names to tables, one after the other, and those under which none does.
func renamed(from, to []schema.TableID) (shown, gone []schema.TableID) {
	now := map[schema.TableID]schema.TableID{} // what was called so before
	var names []schema.TableID
	note := func(name, was schema.TableID) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		now[name] = was
	}
	for i := range from {
		was, moved := now[from[i]]
		if !moved {
			was = from[i]
		}
		note(from[i], schema.TableID{})
		note(to[i], was)
	}
	for _, name := range names {
		switch now[name] {
		case name:
		case schema.TableID{}:
			gone = append(gone, name)
		default:
			shown = append(shown, name)
		}
	}
	return shown, gone
}

// onPartition takes a clause of ALTER TABLE that removes or exchanges rows without row
// events: the tables that it is about are loaded again.
func (r *run) onPartition(ctx context.Context, s *statement, q *query, o *schema.Origin) error {
	for i, id := range slices.Concat(s.tables, s.targets) {
		t := r.tables[id]
		if t == nil || t.shape == nil && !t.empty || t.passes(o) {
			continue
		}
		r.forgetNameless(t)
		why := "has " + s.removes + ", which changes rows without row events"
		if i > 0 {
			why = "exchanges its rows without row events"
		}
		load := r.leaveOr
		if s.partition {
			load = r.reload
		}
		if err := load(ctx, t, refuse(id, q, why)); err != nil {
			return err
		}
	}
	return nil
}
