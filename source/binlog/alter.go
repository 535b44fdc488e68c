package binlog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// altered is what statements said of a table's columns and neither a table map nor
// information_schema has shown yet.
type altered struct {
	added   []definition
	defined []definition // of columns that are there
	moved   bool         // columns stand in another order
	keys    []keyColumns // that are unique since
	unkeyed bool         // a key or an index was dropped
	said    bool         // a comment or a default may be another
}

func (a *altered) isEmpty() bool {
	return len(a.added) == 0 && len(a.defined) == 0 && !a.moved && len(a.keys) == 0 && !a.unkeyed && !a.said
}

// followNames announces what a statement says for sure of columns that are there:
// which are gone, and which have another name. It must be told at the statement
// itself. A table map behind it cannot tell a column that was renamed from one that
// was dropped and another that was added, and neither can a run that begins
// between the two.
func (r *run) followNames(ctx context.Context, t *table, s *statement) error {
	t.altered.follow(s)
	to, renamed, err := r.withNames(t.shape, s)
	if err == nil && to != nil {
		err = r.followable(t, to, schema.DiffTables(t.shape, to, renamed...))
	}
	switch {
	case err != nil:
		return r.incompatible(ctx, t, err)
	case to == nil:
		return nil
	}
	return r.announce(ctx, t, schema.SchemaChange{Table: to, Renamed: renamed})
}

// withNames returns the shape without the columns that the statement drops, and
// with the names that it gives; nil where it does neither.
func (r *run) withNames(old *schema.Table, s *statement) (*schema.Table, []schema.Rename, error) {
	to := &schema.Table{ID: old.ID, Comment: old.Comment}
	var renamed []schema.Rename
	ordinals := make([]int, len(old.Columns)) // in to
	changed := false
	for i, c := range old.Columns {
		ordinals[i] = -1
		if containsName(s.dropped, c.Name) {
			changed = true
			continue
		}
		if name, ok := s.newName(c.Name); ok && name != c.Name {
			treatment, wanted := r.choose(old.ID, name)
			switch {
			case !wanted && old.IsKey(i):
				return nil, nil, fmt.Errorf("table %s: column %s of its key was renamed to %s, which is left out; remedy: choose the columns so that the key's are among them", old.ID, c.Name, name)
			case !wanted:
				to.LeftOut, changed = append(to.LeftOut, name), true
				continue
			case !treatment.Same(c.Treatment):
				return nil, nil, fmt.Errorf("table %s: column %s was renamed to %s, whose values are to leave the source in another form; %w", old.ID, c.Name, name, ErrIncompatible)
			}
			renamed = append(renamed, schema.Rename{From: c.Name, To: name})
			c.Name, c.Treatment, changed = name, treatment, true
		}
		ordinals[i] = len(to.Columns)
		to.Columns = append(to.Columns, c)
	}
	leftOut, err := r.unwanted(old, s)
	if err != nil || !changed && slices.Equal(leftOut, old.LeftOut) {
		return nil, nil, err
	}
	to.LeftOut = append(leftOut, to.LeftOut...)
	to.Key = s.keyLeft(to, old.Key, ordinals)
	if err := to.Prepare(); err != nil {
		return nil, nil, fmt.Errorf("%w once its columns are dropped; %w", err, ErrIncompatible)
	}
	return to, renamed, nil
}

// keyLeft returns the key of a shape without the columns that the statement drops. A
// key that loses a column is one of the rest, unless the statement drops the key too.
// Then another that it adds tells rows apart, or else all columns together do, until
// it is seen what MySQL takes for the key.
func (s *statement) keyLeft(to *schema.Table, old, ordinals []int) (key []int) {
	for _, k := range old {
		if ordinals[k] >= 0 {
			key = append(key, ordinals[k])
		}
	}
	if len(key) == len(old) || !s.unkeyed {
		return key
	}
	for _, columns := range s.keys {
		key = key[:0]
		for _, name := range columns {
			if i := to.Column(name); i >= 0 {
				key = append(key, i)
			}
		}
		if len(key) == len(columns) {
			return key
		}
	}
	return nil
}

// unwanted returns the columns of LeftOut that are left out still.
func (r *run) unwanted(old *schema.Table, s *statement) (names []string, _ error) {
	for _, name := range old.LeftOut {
		if containsName(s.dropped, name) {
			continue
		}
		now, renamed := s.newName(name)
		if _, wanted := r.choose(old.ID, now); renamed && wanted {
			return nil, fmt.Errorf("table %s: column %s was left out and has the name %s now, which is wanted: its values were never loaded; %w", old.ID, name, now, ErrIncompatible)
		}
		names = append(names, now)
	}
	return names, nil
}

// choose tells whether a column is wanted, and what is done to its values.
func (r *run) choose(id schema.TableID, column string) (*schema.Treatment, bool) {
	if r.cfg.Choose == nil {
		return nil, true
	}
	return r.cfg.Choose(id, column)
}

// newName returns the name that the statement gives the column.
func (s *statement) newName(column string) (string, bool) {
	for _, n := range s.renamed {
		if strings.EqualFold(n.From, column) {
			return n.To, true
		}
	}
	return column, false
}

func containsName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// follow gives columns that wait to be shown the names that a later statement
// gives them.
func (a *altered) follow(s *statement) {
	for _, list := range [...]*[]definition{&a.added, &a.defined} {
		*list = slices.DeleteFunc(*list, func(d definition) bool { return containsName(s.dropped, d.name) })
		for i := range *list {
			(*list)[i].name, _ = s.newName((*list)[i].name)
		}
	}
	for k, columns := range a.keys {
		a.keys[k] = slices.DeleteFunc(columns, func(name string) bool { return containsName(s.dropped, name) })
		for i, name := range a.keys[k] {
			a.keys[k][i], _ = s.newName(name)
		}
	}
}

// judgeNulls refuses a statement that may have given another value to rows that had
// none. No table map tells of that, nor does anything else in the binlog.
func judgeNulls(t *table, s *statement, q *query) error {
	if q.strict() && !s.ignore {
		return nil // it would have ended with an error
	}
	for _, d := range s.defined {
		if i := t.shape.Column(d.name); i >= 0 && t.shape.Columns[i].Nullable && d.forbidsNull() {
			return fmt.Errorf("table %s: column %s was made NOT NULL in a session without strict mode, which gives rows without a value another one, without a trace in the binlog; %w", t.id, d.name, ErrIncompatible)
		}
	}
	return nil
}

// note takes what a statement defines; leftOut: it adds a column that is not
// wanted.
func (r *run) note(t *table, s *statement, strict bool) (leftOut bool) {
	a := &t.altered
	for _, d := range s.added {
		if _, wanted := r.choose(t.id, d.name); !wanted {
			leftOut = true
		} else if t.shape.Column(d.name) < 0 && find(a.added, d.name) < 0 {
			d.value = d.initial()
			d.value.Strict = strict
			a.added = append(a.added, d)
		}
	}
	for _, d := range s.defined {
		a.moved = a.moved || d.places()
		if i := find(a.added, d.name); i >= 0 {
			d.value, d.apart = a.added[i].value, a.added[i].apart // another default is one of later rows
			a.added[i] = d
			continue
		}
		if i := find(a.defined, d.name); i >= 0 {
			a.defined = slices.Delete(a.defined, i, i+1)
		}
		if t.shape.Column(d.name) >= 0 {
			a.defined = append(a.defined, d)
		}
	}
	a.keys, a.unkeyed, a.said = append(a.keys, s.keys...), a.unkeyed || s.unkeyed, a.said || s.says
	for _, list := range [...][]definition{s.added, s.defined} {
		for _, d := range list {
			if d.isKey() {
				a.keys = append(a.keys, keyColumns{d.name})
			}
		}
	}
	return leftOut
}

// missing returns the columns of the shape that rows which were there show a value in,
// other than NULL as far as it is known. What the statements say decides: information_schema
// may not have the column any more, or with another default.
func (a *altered) missing(to *schema.Table, added []int) (list []Added) {
	for _, i := range added {
		c, n := &to.Columns[i], Added{Column: i}
		if k := find(a.added, c.Name); k >= 0 && a.added[k].apart {
			continue
		}
		if k := find(a.added, c.Name); k >= 0 && c.Type.Kind != schema.Timestamp { // which may have a default unsaid
			n.Default = a.added[k].value
		}
		if n.Default.Kind == NullDefault {
			if c.Nullable {
				continue
			}
			n.Default = Default{} // a later statement has put another value into it
		}
		list = append(list, n)
	}
	return list
}

func find(list []definition, name string) int {
	return slices.IndexFunc(list, func(d definition) bool { return strings.EqualFold(d.name, name) })
}

// followDefinitions announces what only the server's dictionary tells: new columns,
// other types and other places.
//
// information_schema may be newer than the statement, and rows under the shapes in
// between may still come. So its shape is announced only if it differs from the
// last one by nothing but what the statements up to here say; if it has more, then
// a statement further on will be the one, or a table map.
//
// lost is what judgeDefined says of the statement.
func (r *run) followDefinitions(ctx context.Context, t *table, q *query, lost error) error {
	if known, err := r.again(ctx, t); known {
		return err
	}
	if lost != nil {
		return r.incompatible(ctx, t, lost)
	}
	now, err := r.cfg.Describe(ctx, t.id)
	if err != nil {
		return fmt.Errorf("reading the columns of %s after %s: %w", t.id, excerpt(q.text), err)
	}
	if now == nil {
		return nil
	}
	if !t.altered.explains(t.shape, now, schema.DiffTables(t.shape, now)) {
		return nil // a later state of the table; its own table map will be judged
	}
	d, err := r.judgeOrSetApart(ctx, t, now)
	if err == nil {
		err = r.followable(t, now, d)
	}
	if err != nil {
		return r.incompatible(ctx, t, err)
	}
	if SameVersion(t.shape, now) && sameDescription(t.shape, now) {
		t.altered = altered{}
		return nil
	}
	if err := r.evolve(ctx, t, now, d); err != nil {
		return r.incompatible(ctx, t, err)
	}
	return nil
}

// sameDescription compares what information_schema tells beside the columns'
// types.
func sameDescription(a, b *schema.Table) bool {
	return a.Comment == b.Comment && slices.EqualFunc(a.Columns, b.Columns, func(x, y schema.Column) bool {
		same := x.Default == y.Default || x.Default != nil && y.Default != nil && *x.Default == *y.Default
		return same && x.Comment == y.Comment && x.Generated == y.Generated
	})
}

// explains tells whether the statements lead from a shape to another.
func (a *altered) explains(old, now *schema.Table, d schema.Diff) bool {
	if len(d.Dropped) > 0 || len(d.Renamed) > 0 || len(d.Added) != len(a.added) || d.Moved && !a.moved || d.KeyChanged && !a.explainsKey(now) {
		return false
	}
	for i := range now.Columns {
		c := &now.Columns[i]
		if k := find(a.added, c.Name); k >= 0 {
			if a.added[k].agreesWith(c.Type) == differs {
				return false
			}
			continue
		}
		j := old.Column(c.Name)
		k := find(a.defined, c.Name)
		switch {
		case j < 0:
			return false
		case k < 0 && !sameType(old.Columns[j].Type, c.Type):
			return false
		case k >= 0 && (a.defined[k].agreesWith(c.Type) != agrees || value.LabelsAreShown(c.Type)):
			return false // labels that the server does not show whole are compared with those of a table map
		}
	}
	return true
}

// explainsKey tells whether the rows that are there have the new key by now. One of a
// later statement may not tell them apart yet; all columns together always do.
func (a *altered) explainsKey(now *schema.Table) bool {
	if now.Keyless() {
		return a.unkeyed
	}
	return slices.ContainsFunc(a.keys, func(columns keyColumns) bool {
		return slices.EqualFunc(columns, now.Key, func(name string, i int) bool { return strings.EqualFold(name, now.Columns[i].Name) })
	})
}
