package binlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// table is a captured table.
type table struct {
	id schema.TableID
	// shape is the version that was announced last; nil: none, as the table was
	// created while the stream ran.
	shape *schema.Table
	// covered is the table's own position in the lake: rows before it are there.
	covered schema.Position
	block   *schema.Block // rows that were not sent yet
	extent  schema.Extent // of its blocks
	// empty: created while the stream ran and no row seen since. Its shape may be
	// announced again at will.
	empty bool
	// passedOver: a lane of it is to begin, which sees what is passed over until then.
	passedOver bool
	altered    altered
	cause      schema.Cause          // of altered
	since      string                // see pipeline.TableState
	recalled   bool                  // altered has what was said before this run, too
	again      []schema.SchemaChange // that an earlier run has announced
}

// version decodes the row images that stand behind one table map.
type version struct {
	body  []byte // the whole TABLE_MAP event body
	table *table // nil: not captured
	shape *schema.Table
	cols  []column // in the map's order
	// identity tells, by ordinal in the shape, what identifies a row.
	identity []bool
	err      error // why rows of it cannot be decoded, once there are some
	nameless bool  // the map does not name all: it is asked about again after an ALTER
	unnamed  bool  // the map has no names of columns: the shape is information_schema's
}

type column struct {
	decode   value.Decode
	width    value.Width
	to       int                   // ordinal in the shape; -1: left out
	identity bool                  // part of what identifies a row
	null     func(dst *schema.Vec) // not nil: what stands for a null
}

// onTableMap finds or makes the version of a table map. The server sends one
// before every statement's rows, so the common case is one map look-up and one
// comparison of bytes. The number of the table does not do as the key alone: it
// changes with the server's table cache and begins anew when it restarts.
func (r *run) onTableMap(ctx context.Context, body []byte) error {
	if len(body) < 8 {
		return errEvent
	}
	id := tableNumber(body)
	if v := r.maps[id]; v != nil && bytes.Equal(v.body, body) {
		return nil
	}
	shape := body[6:]
	v := r.versions[string(shape)]
	if v == nil {
		var err error
		if v, err = r.newVersion(ctx, body); err != nil {
			return err
		}
		if len(r.versions) >= maxVersions {
			clear(r.versions)
			clear(r.maps)
		}
		r.versions[string(shape)] = v
	}
	if !bytes.Equal(v.body, body) { // the same shape under another number
		v.body = slices.Clone(body)
	}
	r.maps[id] = v
	return nil
}

// maxVersions bounds the cache where tables come and go without end.
const maxVersions = 20_000

func tableNumber(body []byte) uint64 {
	c := cursor{b: body}
	return c.number(6)
}

func (r *run) newVersion(ctx context.Context, body []byte) (*version, error) {
	v := &version{body: slices.Clone(body)}
	id, _, err := tableMapID(body)
	if err != nil {
		return nil, err
	}
	captured := r.cfg.Captures(id)
	if !captured && id != r.watched.id {
		return v, nil
	}
	m, err := parseTableMap(v.body)
	if err != nil {
		return nil, err
	}
	if isSequence(m.names) {
		return v, nil
	}
	if v.table = r.watched; captured {
		v.table = r.tableOf(id)
	}
	v.unnamed = !m.hasNames()
	v.nameless = v.unnamed || r.cfg.MariaDB // whose maps have names, but do not name every type
	// What is wrong with a table matters only if it has rows that are wanted.
	v.shape, v.err = r.shapeOf(ctx, v.table, m)
	if v.err == nil {
		if v.cols, v.err = columnsOf(m, v.shape, r.cfg.Stats); v.err != nil && v.unnamed {
			v.err = fmt.Errorf("%w as the table is now, and the binlog has no column names; %w", v.err, errNames)
		}
		for i := range v.shape.Columns {
			v.identity = append(v.identity, v.shape.Identifies(i))
		}
	}
	if v.cols == nil {
		v.cols, err = widthsOf(m)
	}
	return v, err
}

// forgetNameless is called where a table is altered: columns that change names or
// places may leave a map without names as it was, and the shape must be asked for
// again.
func (r *run) forgetNameless(t *table) {
	stale := func(v *version) bool { return v.table == t && v.nameless }
	maps.DeleteFunc(r.versions, func(_ string, v *version) bool { return stale(v) })
	maps.DeleteFunc(r.maps, func(_ uint64, v *version) bool { return stale(v) })
}

const remedyNames = "remedy: SET PERSIST binlog_row_metadata=FULL, then load the table again"

// errNames is ErrIncompatible where the log had told more with other settings.
var errNames = errors.New(remedyNames + ": run with --on-incompatible reload")

// shapeOf returns the shape that a map describes: from the map itself, with
// binlog_row_metadata=FULL, or else from information_schema, which shows the
// table as it is now and therefore must agree in the number and types of columns.
func (r *run) shapeOf(ctx context.Context, t *table, m *tableMap) (*schema.Table, error) {
	if m.hasNames() {
		shape, err := m.table(r.cfg.Collations, r.cfg.Choose)
		if err == nil && r.cfg.MariaDB {
			err = r.nameTypes(ctx, shape)
		}
		if err != nil {
			return nil, err
		}
		return shape, r.chooseForms(ctx, t, shape)
	}
	if r.cfg.MariaDB {
		return nil, fmt.Errorf("table %s: the binlog has no column names; remedy: SET GLOBAL binlog_row_metadata = FULL, and the same in the server's configuration, then load the table again", m.id)
	}
	now, err := r.cfg.Describe(ctx, m.id)
	if err != nil {
		return nil, fmt.Errorf("reading the columns of %s: %w", m.id, err)
	}
	if now == nil {
		return nil, fmt.Errorf("table %s has rows in the binlog and is gone now, and the binlog has no column names; %w", m.id, errNames)
	}
	if len(now.LeftOut) > 0 {
		return nil, fmt.Errorf("table %s has columns that are left out, and the binlog has no column names to know them by; %s", m.id, remedyNames)
	}
	if len(now.Columns) != len(m.types) {
		return nil, fmt.Errorf("table %s has %d columns in the binlog and %d now, and the binlog has no column names; %w", m.id, len(m.types), len(now.Columns), errNames)
	}
	numeric := 0
	for i, typ := range m.types {
		if value.LabelsAreShown(now.Columns[i].Type) {
			return nil, fmt.Errorf("table %s, column %s: its labels may hold characters beyond the BMP, which information_schema shows as question marks, and the binlog has no labels; %s", m.id, now.Columns[i].Name, remedyNames)
		}
		if real, _ := value.RealType(typ, m.metas[i]); isNumeric(real) {
			if isInteger(now.Columns[i].Type.Kind) && now.Columns[i].Type.Unsigned != bit(m.signed, numeric) {
				return nil, fmt.Errorf("table %s, column %s: UNSIGNED differs between the binlog and now; %w", m.id, now.Columns[i].Name, errNames)
			}
			numeric++
		}
	}
	return now, nil
}

// chooseForms gives the columns of a map the forms that were chosen for them, and
// chooses those of new ones. Whether a new TINYINT is a TINYINT(1) only
// information_schema tells; of a table that is gone by now it does not matter.
func (r *run) chooseForms(ctx context.Context, t *table, shape *schema.Table) error {
	ask := false
	for i := range shape.Columns {
		c := &shape.Columns[i]
		c.Type.Form = r.cfg.Types.Form(c.Type, "")
		ask = ask || c.Type.Kind == schema.TinyInt && r.cfg.Types.TinyInt1 != "" && (t.shape == nil || t.shape.Column(c.Name) < 0)
	}
	if ask {
		now, err := r.cfg.Describe(ctx, shape.ID)
		if err != nil {
			return fmt.Errorf("reading the columns of %s: %w", shape.ID, err)
		}
		if now != nil {
			shape.KeepForms(now)
		}
	}
	if t.shape != nil {
		shape.KeepForms(t.shape)
	}
	return shape.Prepare()
}

func isInteger(k schema.Kind) bool { return k >= schema.TinyInt && k <= schema.BigInt }

func columnsOf(m *tableMap, t *schema.Table, stats *value.Stats) ([]column, error) {
	cols, err := widthsOf(m)
	if err != nil {
		return nil, err
	}
	mappers, err := value.NewAll(t, stats)
	if err != nil {
		return nil, err
	}
	for i := range cols {
		c := &cols[i]
		if c.to = i; m.hasNames() {
			c.to = t.Column(string(m.names[i]))
		}
		if c.to < 0 {
			continue
		}
		mapper := mappers[c.to]
		if c.decode, err = mapper.Image(m.types[i], m.metas[i]); err != nil {
			return nil, err
		}
		if mapper.Treated() {
			c.null = mapper.Null
		}
		c.identity = t.Identifies(c.to)
	}
	return cols, nil
}

// widthsOf returns columns that can only be passed over: rows must be counted
// even where they are not wanted, or where they are in the lake already.
func widthsOf(m *tableMap) ([]column, error) {
	cols := make([]column, len(m.types))
	for i := range cols {
		var err error
		if cols[i].width, err = value.WidthOf(m.types[i], m.metas[i]); err != nil {
			return nil, fmt.Errorf("table %s: %w", m.id, err)
		}
	}
	return cols, nil
}

// adopt makes v the version under which the table's next rows stand, and
// announces it where it is another than the last.
func (r *run) adopt(ctx context.Context, v *version) error {
	t := v.table
	if v.err != nil {
		return v.err
	}
	if t.shape == v.shape {
		return nil
	}
	if t == r.watched {
		return r.announce(ctx, t, schema.SchemaChange{Table: v.shape, Reset: true, History: r.history})
	}
	if v.shape.Keyless() && r.cfg.Keyless != nil {
		return r.cfg.Keyless(t.id)
	}
	switch {
	case t.shape == nil && !t.empty:
		return fmt.Errorf("table %s has new rows in the binlog, but was never loaded; remedy: leave it out with --tables, or load all tables again: run with an empty lake (--to another folder)", t.id)
	case t.shape != nil && SameVersion(t.shape, v.shape):
		// The announced one knows more (defaults, comments); rows decode alike.
		v.shape = t.shape
		t.empty = false
		return nil
	case t.empty:
		t.empty, t.altered = false, altered{}
		return r.announce(ctx, t, schema.SchemaChange{Table: v.shape, Reset: true, History: r.history})
	}
	if c := t.againAs(v.shape); c != nil {
		v.shape = c.Table
		t.altered.shown(c.Table)
		return r.announce(ctx, t, *c)
	}
	inherit(v.shape, t.shape)
	d, err := r.judgeOrSetApart(ctx, t, v.shape)
	if err == nil {
		err = judgeMap(t.shape, v.shape, d, v.unnamed)
	}
	if err == nil {
		err = r.followable(t, v.shape, d)
	}
	if err == nil {
		err = r.recall(ctx, t, v.shape, d.Added)
	}
	if err != nil {
		return err
	}
	t.altered.describe(v.shape, d.Added)
	return r.evolve(ctx, t, v.shape, d)
}

// evolve announces a version that was judged.
func (r *run) evolve(ctx context.Context, t *table, to *schema.Table, d schema.Diff) error {
	change := schema.SchemaChange{Table: to}
	a := &t.altered
	if filled := a.missing(to, d.Added); len(filled) > 0 {
		var err error
		if change.Fill, err = r.cfg.Fill(ctx, to, filled); err != nil {
			return fmt.Errorf("table %s, %s: %w", t.id, d.Describe(t.shape, to), err)
		}
	}
	a.shown(to)
	return r.announce(ctx, t, change)
}

// describe gives new columns of a shape that a table map shows the comments and the
// defaults that statements gave them. to is not in use yet.
func (a *altered) describe(to *schema.Table, added []int) {
	for _, i := range added {
		if k := find(a.added, to.Columns[i].Name); k >= 0 {
			to.Columns[i].Comment = a.added[k].comment()
			if d := a.added[k].value; d.Kind == NumberDefault || d.Kind == TextDefault {
				to.Columns[i].Default = &d.Text
			}
		}
	}
}

// shown strikes off what a shape shows that is announced.
func (a *altered) shown(to *schema.Table) {
	a.added = slices.DeleteFunc(a.added, func(d definition) bool { return to.Column(d.name) >= 0 })
	a.defined, a.moved, a.keys, a.unkeyed, a.said = nil, false, nil, false, false
}

// SameVersion tells whether rows of both shapes decode alike and the lake
// would see no difference.
func SameVersion(a, b *schema.Table) bool {
	if len(a.Columns) != len(b.Columns) || !slices.Equal(a.Key, b.Key) || !slices.Equal(a.LeftOut, b.LeftOut) {
		return false
	}
	for i := range a.Columns {
		x, y := &a.Columns[i], &b.Columns[i]
		if x.Name != y.Name || x.Nullable != y.Nullable || !sameType(x.Type, y.Type) {
			return false
		}
	}
	return true
}

// sameType compares what a table map tells. It knows no UNSIGNED that would matter
// outside integers.
func sameType(x, y schema.Type) bool {
	if x.Kind != y.Kind || x.Form != y.Form || isInteger(x.Kind) && x.Unsigned != y.Unsigned {
		return false
	}
	switch x.Kind {
	case schema.Decimal:
		return x.Precision == y.Precision && x.Scale == y.Scale
	case schema.Time, schema.DateTime, schema.Timestamp:
		return x.Scale == y.Scale
	case schema.Bit, schema.Binary, schema.VarBinary, schema.Blob:
		return x.Length == y.Length
	case schema.Char, schema.VarChar, schema.Text:
		return x.Length == y.Length && x.Charset == y.Charset
	case schema.Enum, schema.Set:
		return x.Charset == y.Charset && value.SameLabels(x.Labels, y.Labels)
	}
	return true
}

// inherit takes over what a table map does not tell from the version before.
// now is not in use yet.
func inherit(now, old *schema.Table) {
	now.Comment = old.Comment
	for i := range now.Columns {
		c := &now.Columns[i]
		if j := old.Column(c.Name); j >= 0 {
			o := &old.Columns[j]
			c.Default, c.Generated, c.Comment = o.Default, o.Generated, o.Comment
			if c.Type.Length == 0 && c.Type.Kind == o.Type.Kind {
				c.Type.Length = o.Type.Length
			}
		}
	}
}
