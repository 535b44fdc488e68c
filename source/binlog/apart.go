package binlog

import (
	"context"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
)

// A column whose values were changed without a trace can begin anew: for the lake it is
// one that was dropped and another that was added under its name, in which the rows that
// are there show NULL. What they held stays beside it; see schema.SchemaChange.Apart.
// All that runs between the two, or between the statement and the table's next row, have
// to know is what they have to know of a DROP and an ADD COLUMN.

// maySetApart tells whether the columns may begin anew. What tells rows apart may not;
// and a table that is being read is read again, which shows what is there now.
func (r *run) maySetApart(t *table, columns []string) bool {
	switch {
	case !r.cfg.SetApart, len(columns) == 0, t == r.watched, t.shape.Keyless(), len(columns) == len(t.shape.Columns):
		return false
	case r.cfg.Lanes != nil && r.cfg.Lanes.Has(t.id):
		return false
	}
	return !slices.ContainsFunc(columns, func(name string) bool { return t.shape.IsKey(t.shape.Column(name)) })
}

// setApart announces the table without the columns, and notes that they are added.
func (r *run) setApart(ctx context.Context, t *table, columns []string) error {
	old := t.shape
	to := &schema.Table{ID: old.ID, Comment: old.Comment, LeftOut: old.LeftOut}
	ordinals := make([]int, len(old.Columns))
	for i, c := range old.Columns {
		if ordinals[i] = len(to.Columns); !containsName(columns, c.Name) {
			to.Columns = append(to.Columns, c)
		}
	}
	for _, k := range old.Key {
		to.Key = append(to.Key, ordinals[k])
	}
	if err := to.Prepare(); err != nil {
		return err
	}
	if err := r.announce(ctx, t, schema.SchemaChange{Table: to, Apart: columns}); err != nil {
		return err
	}
	a := &t.altered
	for _, name := range columns {
		d := definition{name: name}
		if i := find(a.defined, name); i >= 0 {
			d = a.defined[i]
			a.defined = slices.Delete(a.defined, i, i+1)
		}
		a.added = append(a.added, d.setApart())
	}
	return nil
}

// setApart returns the definition as that of a column that begins anew.
func (d definition) setApart() definition {
	d.value, d.apart = Default{Kind: NullDefault}, true
	return d
}

// changedColumns returns the columns of a version that do not go with the values of
// the one before.
func changedColumns(old, now *schema.Table) (names []string) {
	for j, c := range now.Columns {
		i := old.Column(c.Name)
		if i < 0 {
			continue
		}
		if from, to := old.Lake(i), now.Lake(j); from != to && !from.PromotesTo(to) || valuesMayChange(old.Columns[i].Type, c.Type) {
			names = append(names, old.Columns[i].Name)
		}
	}
	return names
}

// judgeOrSetApart is judge, but for columns that may begin anew.
func (r *run) judgeOrSetApart(ctx context.Context, t *table, now *schema.Table) (schema.Diff, error) {
	d, err := judge(t.shape, now)
	if err == nil {
		return d, nil
	}
	columns := changedColumns(t.shape, now)
	if !r.maySetApart(t, columns) {
		return d, err
	}
	if err := r.setApart(ctx, t, columns); err != nil {
		return d, err
	}
	return judge(t.shape, now)
}

// recallApart notes of a statement before this run which columns began anew with it:
// those that it defines, and the lake has without them.
func (r *run) recallApart(before *table, s *statement) {
	for _, d := range s.defined {
		if _, wanted := r.choose(before.id, d.name); r.cfg.SetApart && wanted && before.shape.Column(d.name) < 0 && find(before.altered.added, d.name) < 0 {
			before.altered.added = append(before.altered.added, d.setApart())
		}
	}
}
