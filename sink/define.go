package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/snapshot"
)

// Define creates the table, or notes the shape that its next rows have. An
// empty table is there at once; everything else is with the next Commit.
func (l *Lake) Define(ctx context.Context, c schema.SchemaChange) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	return l.leave(l.define(ctx, c))
}

func (l *Lake) define(ctx context.Context, c schema.SchemaChange) error {
	id := c.Table.ID
	t := l.tables[id]
	if t == nil {
		if c.Dropped {
			return nil // it has been removed
		}
		var err error
		if t, err = l.create(ctx, c.Table); err != nil {
			return fmt.Errorf("creating table %s in the lake: %w", id, err)
		}
		l.tables[id], t.history = t, c.History
		t.note(c.Cause)
		return nil
	}
	t.stream = true
	if c.Dropped && !c.Reset {
		t.pending = append(t.pending, c)
		return nil
	}
	if c.Reset || t.orphan {
		t.history = c.History
		c.Same = c.Same && !t.orphan
		c.Reset, t.orphan = true, false
		if !c.Same {
			t.pending = nil // what waits before it is void
		}
	}
	t.pending = append(t.pending, c)
	return nil
}

// create makes an empty table. Data files can be written only after it: the
// catalog has the last word on field ids and location.
func (l *Lake) create(ctx context.Context, shape *schema.Table) (*lakeTable, error) {
	id := shape.ID
	name := l.cfg.Names.Table(id)
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := l.checkFree(id, name); err != nil {
		return nil, err
	}
	s, err := buildSchema(shape, l.cfg.Names, nil, l.takesDefaults(l.enc.formatVersion()), 0, 0)
	if err != nil {
		return nil, err
	}
	props := iceberg.Properties{propPipeline: l.cfg.Pipeline}
	if props[propShape], err = encodeShape(shape); err != nil {
		return nil, err
	}
	if shape.Comment != "" {
		props[propComment] = shape.Comment
	}
	names, err := l.cfg.Names.Encode()
	if err != nil {
		return nil, err
	}
	if names != "" {
		props[propNames] = names
	}
	it, err := l.createTable(ctx, table.Identifier{name.Namespace, name.Name}, s, l.enc.formatVersion(), props)
	if err != nil {
		return nil, err
	}
	t, err := l.adopt(ctx, it)
	if err != nil {
		return nil, err
	}
	t.listed, t.dirty, t.index, t.orphan = true, true, t.newIndex(0), false
	t.reshape = true // its history is to come with the first commit
	return t, nil
}

func (l *Lake) createTable(ctx context.Context, id table.Identifier, s *iceberg.Schema, version int, props iceberg.Properties) (*table.Table, error) {
	if err := l.dir.Catalog.CreateNamespace(ctx, id[:1], nil); err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		return nil, err
	}
	props["format-version"] = fmt.Sprint(version)
	props["write.metadata.delete-after-commit.enabled"] = "true" // otherwise the log in the metadata grows
	props["write.metadata.previous-versions-max"] = "20"
	return l.dir.Catalog.CreateTable(ctx, id, s, catalog.WithLocation(l.dir.Location(id[0], id[1])), catalog.WithProperties(props))
}

// apply carries out the changes of shape that wait. They wait until rows of the
// new shape come, or a commit. A change comes once: what led to the shape that a
// table has lies before its own position, even if that is ahead of the last cut.
func (t *lakeTable) apply(ctx context.Context) error {
	pending := t.pending
	t.pending = nil
	for _, c := range pending {
		if err := t.evolve(ctx, c); err != nil {
			return fmt.Errorf("table %s: %w", t.shape.ID, err)
		}
		if c.Lane && c.Cause.Statement == "" {
			c.Cause = t.laneCause // of an earlier run
		}
		t.note(c.Cause)
		if err := failpoint(stepSchemaApplied); err != nil {
			return err
		}
	}
	return nil
}

func (t *lakeTable) evolve(ctx context.Context, c schema.SchemaChange) error {
	d := schema.DiffTables(t.shape, c.Table, c.Renamed...)
	t.known = nil
	if t.dropped = c.Dropped; c.Dropped && !c.Reset {
		t.dirty = true
		return nil
	}
	// A transport that keeps what was loaded brings it again, with what was read
	// twice: keys are not new any more, also where this process read all of it.
	t.continued = t.continued || c.Continued
	switch {
	case c.Reset:
		return t.renew(ctx, &c, d)
	case d.IsEmpty():
		return t.redescribe(c.Table)
	case !d.InPlace():
		return fmt.Errorf("%s: this version follows columns that are added, dropped, renamed, moved or of a wider type, and other keys, no other change; undo it in MySQL, or drop the table in the lake and start Beluga again, which loads it anew",
			d.Describe(t.shape, c.Table))
	}
	return t.follow(ctx, &c, d)
}

// renew begins the table anew, without a row.
func (t *lakeTable) renew(ctx context.Context, c *schema.SchemaChange, d schema.Diff) error {
	if err := t.reset(ctx); err != nil {
		return err
	}
	if !c.Same || c.Lane {
		delete(t.lake.ahead, t.shape.ID)
	}
	t.reshape, t.dirty = true, true
	if d.IsEmpty() {
		t.shape, t.laneCause = c.Table, c.Cause
		return nil
	}
	var kept *predecessor
	if c.Same {
		var err error
		if kept, err = t.kept(c.Table); err != nil {
			return err
		}
	}
	// Else another table, in effect: its columns get new field ids, and the old
	// snapshots are still read under their own schema.
	return t.reschema(c.Table, kept)
}

// redescribe takes a shape under which rows are what they were.
func (t *lakeTable) redescribe(now *schema.Table) error {
	old := t.shape
	// What was left out is known even if no row comes: later it cannot be told.
	t.dirty = t.dirty || !slices.Equal(old.LeftOut, now.LeftOut)
	t.shape, t.reshape = now, true
	if t.showsAlike(old, now) {
		return nil
	}
	t.dirty = true
	return t.reschema(now, &predecessor{shape: old, names: t.names, schema: t.currentSchema()})
}

// follow takes a change that the rows that are there can follow.
func (t *lakeTable) follow(ctx context.Context, c *schema.SchemaChange, d schema.Diff) error {
	old := t.shape
	if err := t.closeFile(); err != nil {
		return err
	}
	initial, rewrite := t.defaults(c)
	if err := t.reschema(c.Table, &predecessor{shape: old, names: t.names, schema: t.currentSchema(), renamed: c.Renamed, initial: initial, apart: c.Apart}); err != nil {
		return err
	}
	t.reshape, t.dirty = true, true
	if d.KeyChanged || !sameHashes(old, t.shape) {
		t.index = nil
	}
	if rewrite {
		if err := t.fill(ctx, c.Fill); err != nil {
			return err
		}
	}
	if d.KeyChanged && !t.shape.Keyless() {
		return t.checkKey(ctx)
	}
	return nil
}

// checkKey makes sure that the columns of a new key tell the rows apart that are
// there. In MySQL they do; in the lake they would not where a value of MySQL has no
// other place than NULL, or one that another has too.
func (t *lakeTable) checkKey(ctx context.Context) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	rows := int64(0)
	for _, f := range t.files {
		if f != nil {
			rows += f.live()
		}
	}
	if int64(t.index.Len()) != rows {
		return fmt.Errorf("the columns of its new key have the same values in the lake in %d of %d rows; drop the table in the lake and start Beluga again, which loads it anew", rows-int64(t.index.Len()), rows)
	}
	return nil
}

// kept returns what columns of a table that is loaded again keep: those of the same
// name have the same field id, unless what the lake has in older files could not be
// read as the new column.
func (t *lakeTable) kept(now *schema.Table) (*predecessor, error) {
	was := &schema.Table{ID: t.shape.ID}
	var fields []iceberg.NestedField
	names := t.names.Columns(t.shape)
	for _, f := range t.currentSchema().Fields() {
		if i := columnOf(names, f.Name); i >= 0 {
			j := now.Column(t.shape.Columns[i].Name)
			if j < 0 || now.IsKey(j) && !t.shape.IsKey(i) {
				continue
			}
			if from, to := t.shape.Lake(i), now.Lake(j); from != to && !from.PromotesTo(to) {
				continue
			}
			was.Columns = append(was.Columns, t.shape.Columns[i])
		} // else it is of another writer
		fields = append(fields, f)
	}
	if len(was.Columns) == 0 {
		return nil, nil
	}
	return &predecessor{shape: was, names: t.names, schema: iceberg.NewSchema(0, fields...)}, was.Prepare()
}

func (t *lakeTable) currentSchema() *iceberg.Schema {
	if t.schema != nil {
		return t.schema
	}
	return t.head.t.Schema()
}

// reschema makes shape the table's, with the field ids of what was before. The
// changes of one batch make a chain of schemas, of which the last is shown. All of
// them go into the catalog: a column that was added and dropped again within the
// batch may stand in its files, and nothing else keeps its field id from being
// given to another.
func (t *lakeTable) reschema(shape *schema.Table, old *predecessor) error {
	md := t.head.t.Metadata()
	last, id := md.LastColumnID(), 0
	known := slices.Concat(md.Schemas(), t.passed)
	if t.schema != nil {
		known = append(known, t.schema)
	}
	for _, s := range known {
		last, id = max(last, s.HighestFieldID()), max(id, s.ID+1)
	}
	s, err := buildSchema(shape, t.names, old, t.lake.takesDefaults(md.Version()), id, last)
	if err != nil {
		return err
	}
	for _, was := range known {
		if was.Equals(s) {
			s = was // the catalog would find it too, and know it only by its old number
		}
	}
	if t.columns, err = fileColumns(shape, t.names, s); err != nil {
		return err
	}
	if t.schema != nil {
		t.passed = append(t.passed, t.schema)
	}
	t.schema, t.shape, t.keyer = s, shape, schema.NewKeyer(shape)
	return nil
}

// showsAlike compares what the lake's schema has of comments and defaults.
func (t *lakeTable) showsAlike(old, now *schema.Table) bool {
	defaults := t.lake.takesDefaults(t.head.t.Metadata().Version())
	return old.Comment == now.Comment && slices.EqualFunc(old.Columns, now.Columns, func(x, y schema.Column) bool {
		return x.Comment == y.Comment && (!defaults || sameText(x.Default, y.Default))
	})
}

// sameHashes tells whether rows have the keys in the index that they had under the
// shape before. A row without a key has another hash with a column more, and a
// key of several columns with one that is wider. An integer stays the same.
func sameHashes(old, now *schema.Table) bool {
	switch {
	case now.Keyless():
		return false
	case schema.NewKeyer(old).Exact() && schema.NewKeyer(now).Exact():
		return true
	}
	return slices.EqualFunc(old.Key, now.Key, func(i, j int) bool { return old.Lake(i).Vec() == now.Lake(j).Vec() })
}

// reset voids all rows of the table. They go with the next commit.
func (t *lakeTable) reset(ctx context.Context) error {
	if err := t.abort(); err != nil {
		return err
	}
	if err := t.list(ctx); err != nil {
		return err
	}
	for _, f := range t.files {
		if f == nil {
			continue
		}
		if err := t.replace(f); err != nil {
			return err
		}
	}
	for _, s := range t.shared {
		t.removeFile(s.file)
	}
	t.files, t.shared, t.index, t.continued = nil, nil, nil, false
	return nil
}

// replace takes a data file out of the table, with the delete files that are
// about it alone.
func (t *lakeTable) replace(f *dataFile) error {
	if !f.committed {
		return t.discard(f)
	}
	t.files[f.number] = nil
	t.removeFile(f.file)
	for _, d := range f.scoped {
		t.removeFile(d)
	}
	return nil
}

func (t *lakeTable) removeFile(f iceberg.DataFile) {
	t.remove[snapshot.Key(f)] = true
	t.gone = append(t.gone, f.FilePath())
}
