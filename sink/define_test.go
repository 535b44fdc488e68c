package sink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// fieldIDs returns the columns of the lake's table in order, with their ids.
func (w *world) fieldIDs(name string) (ids []string) {
	at := w.cfg.Names.Table(schema.TableID{Database: "shop", Name: name})
	it, err := w.somebody().LoadTable(context.Background(), table.Identifier{at.Namespace, at.Name})
	require.NoError(w, err)
	for _, f := range it.Schema().Fields() {
		ids = append(ids, fmt.Sprintf("%s=%d %v", f.Name, f.ID, f.Required))
	}
	return ids
}

func TestAddColumn(t *testing.T) {
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyComposite), keyComposite, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 300))
	require.NoError(t, w.commit())
	require.Equal(t, []string{"a=1 true", "v=2 false", "b=3 true", "s=4 false", "amt=5 false", "at=6 false"}, w.fieldIDs("orders"))

	// Rows of the old shape, two new columns in two steps, rows of each: one batch.
	require.NoError(t, w.write("orders", w.randomChanges(400, 50)))
	shape := shapeOf(t, "orders", keyComposite, "note")
	w.define(shape, keyComposite, schema.SchemaChange{})
	r := w.record()
	r.more = map[string]string{"note": "one"}
	require.NoError(t, w.write("orders", changes{1: &r, 1000: &r}))
	shape = shapeOf(t, "orders", keyComposite, "note", "tag")
	// The last one stands in the middle, as with ADD COLUMN … AFTER.
	shape.Columns = append(shape.Columns[:2:2], append([]schema.Column{shape.Columns[7]}, shape.Columns[2:7]...)...)
	shape.Key = []int{3, 0}
	require.NoError(t, shape.Prepare())
	w.define(shape, keyComposite, schema.SchemaChange{})
	s := w.record()
	s.more = map[string]string{"note": "two", "tag": "x"}
	require.NoError(t, w.write("orders", changes{2: &s, 1001: &s, 1000: nil}))
	require.NoError(t, w.commit())
	w.check("orders")
	require.Equal(t, []string{"a=1 true", "v=2 false", "tag=8 false", "b=3 true", "s=4 false", "amt=5 false", "at=6 false", "note=7 false"}, w.fieldIDs("orders"))

	r2 := w.restart()
	require.True(t, schema.DiffTables(shape, r2.Tables[shape.ID].Table).IsEmpty())
	require.NoError(t, w.write("orders", w.randomChanges(400, 50)))
	require.NoError(t, w.commit())
	w.check("orders")
}

// reshaped returns the columns of a shape that are named, in that order, "new=old"
// under another name.
func reshaped(t *testing.T, shape *schema.Table, columns ...string) schema.SchemaChange {
	c := schema.SchemaChange{Table: &schema.Table{ID: shape.ID}}
	for _, text := range columns {
		name, from, renamed := strings.Cut(text, "=")
		if !renamed {
			from = name
		} else {
			c.Renamed = append(c.Renamed, schema.Rename{From: from, To: name})
		}
		col := shape.Columns[shape.Column(from)]
		col.Name = name
		c.Table.Columns = append(c.Table.Columns, col)
	}
	for _, k := range shape.Key {
		for i, text := range columns {
			name, from, renamed := strings.Cut(text, "=")
			if !renamed {
				from = name
			}
			if from == shape.Columns[k].Name {
				c.Table.Key = append(c.Table.Key, i)
			}
		}
	}
	require.NoError(t, c.Table.Prepare())
	return c
}

// rename gives the further columns of all rows other names at once.
func (w *world) rename(name string, renames map[string]string) {
	for k, r := range w.rows[name] {
		more := map[string]string{}
		for column, v := range r.more {
			if to, ok := renames[column]; ok {
				column = to
			}
			if column != "" {
				more[column] = v
			}
		}
		r.more = more
		w.rows[name][k] = r
	}
}

// TestColumnsDroppedAndRenamed: changes one after the other, between rows of one
// batch and with none between, keep the field ids of columns that stay; an id that
// was used is never another column's, also when its column lived for one batch.
func TestColumnsDroppedAndRenamed(t *testing.T) {
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Readers: readers})
			w.define(shapeOf(t, "orders", keyString, "x", "y"), keyString, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 300))
			more := func(columns ...string) *record {
				r := w.record()
				r.more = map[string]string{}
				for _, c := range columns {
					r.more[c] = c + keyText(w.rnd.IntN(1000))
				}
				return &r
			}
			require.NoError(t, w.write("orders", changes{1: more("x", "y"), 2: more("x", "y"), 3: more("x", "y")}))
			require.NoError(t, w.commit())
			before := w.info("orders")
			then, ids := w.want("orders"), w.fieldIDs("orders")
			require.Equal(t, []string{"id=1 true", "v=2 false", "s=3 false", "amt=4 false", "at=5 false", "x=6 false", "y=7 false"}, ids)

			change := func(columns ...string) {
				c := reshaped(t, w.shapes["orders"], columns...)
				w.define(c.Table, keyString, c)
			}
			require.NoError(t, w.write("orders", changes{1: more("x", "y"), 4: more("x", "y")}))
			change("id", "v", "s", "amt", "at", "y=x", "x=y") // a swap
			w.rename("orders", map[string]string{"x": "y", "y": "x"})
			require.NoError(t, w.write("orders", changes{1: more("x"), 5: more("y")}))
			change("id", "v", "s", "amt", "at", "y", "z=x")
			change("id", "z", "amt", "at", "v", "s") // without y
			w.rename("orders", map[string]string{"x": "z", "y": ""})
			require.NoError(t, w.write("orders", changes{2: more("z"), 6: more("z")}))
			wider := *w.shapes["orders"]
			wider.Columns = append(slices.Clone(wider.Columns), schema.Column{Name: "y", Type: schema.Type{Kind: schema.VarChar, Charset: "utf8mb4"}, Nullable: true})
			require.NoError(t, wider.Prepare())
			w.define(&wider, keyString, schema.SchemaChange{})
			require.NoError(t, w.write("orders", changes{3: more("z", "y"), 7: more("y")}))
			change("id", "z", "amt", "at", "v", "s")
			w.rename("orders", map[string]string{"y": ""})
			require.NoError(t, w.commit())
			w.check("orders")
			require.Equal(t, []string{"id=1 true", "z=7 false", "amt=4 false", "at=5 false", "v=2 false", "s=3 false"}, w.fieldIDs("orders"))
			old, err := w.readAs(before, 0)
			require.NoError(t, err)
			require.Equal(t, then, old, "a reader that looked before")

			w.restart()
			w.define(&wider, keyString, schema.SchemaChange{})
			require.NoError(t, w.write("orders", changes{3: more("y"), 8: more("z", "y")}))
			require.NoError(t, w.commit())
			w.check("orders")
			require.Equal(t, "y=9 false", w.fieldIDs("orders")[6], "8 is in a file of the batch before")
			w.restart()
			require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
			require.NoError(t, w.commit())
			w.check("orders")
		})
	}
}

// TestKeyRenamed: the key's column keeps its field id, and rows are found by it,
// before and after the index is built anew.
func TestKeyRenamed(t *testing.T) {
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyComposite), keyComposite, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 300))
	require.NoError(t, w.commit())
	c := reshaped(t, w.shapes["orders"], "v", "b=a", "a=b", "s", "amt", "at")
	for i := range c.Table.Columns { // so that the model goes on to fill both
		if col := &c.Table.Columns[i]; col.Name == "a" || col.Name == "b" {
			require.True(t, c.Table.IsKey(i))
		}
	}
	require.NoError(t, w.lake.Define(context.Background(), c))
	require.NoError(t, w.commit())
	require.Equal(t, []string{"v=2 false", "b=1 true", "a=3 true", "s=4 false", "amt=5 false", "at=6 false"}, w.fieldIDs("orders"))
	w.restart()
	back := reshaped(t, c.Table, "a=b", "v", "b=a", "s", "amt", "at")
	w.define(back.Table, keyComposite, back)
	require.NoError(t, w.write("orders", w.randomChanges(400, 100)))
	require.NoError(t, w.commit())
	w.check("orders")
	require.Equal(t, []string{"a=1 true", "v=2 false", "b=3 true", "s=4 false", "amt=5 false", "at=6 false"}, w.fieldIDs("orders"))
}

// A load during which the table changes: all of it is the table's first commit.
// A run that ends before it leaves an empty table, which the next one takes up.
func TestAddColumnBeforeTheFirstCommit(t *testing.T) {
	w := newWorld(t, Config{})
	w.define(shapeOf(t, "orders", keyComposite), keyComposite, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 100))
	r := w.restart()
	require.Empty(t, r.Tables)
	w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 300))
	w.define(shapeOf(t, "orders", keyInteger, "note"), keyInteger, schema.SchemaChange{})
	require.NoError(t, w.write("orders", w.randomChanges(400, 50)))
	require.NoError(t, w.commit())
	w.check("orders")
	w.restart()
	w.check("orders")
}

// Old rows show MySQL's default in a column that was added with one: those in
// committed files, those of the running batch, and none that is deleted.
func TestAddColumnWithFill(t *testing.T) {
	for name, c := range map[string]Config{
		"positions":                {Defaults: InitialDefaults},
		"vectors":                  {Readers: encodings["deletion-vectors"]},
		"vectors initial defaults": {Readers: []string{"duckdb", "PyIceberg"}, Defaults: InitialDefaults},
		"vectors other reader":     {Readers: []string{"duckdb", "polars"}, Defaults: InitialDefaults},
		"null":                     {Defaults: ShowNull},
	} {
		t.Run(name, func(t *testing.T) {
			c.TargetFileBytes = 60_000
			w := newWorld(t, c)
			w.define(shapeOf(t, "orders", keyString), keyString, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 3000))
			require.NoError(t, w.commit())
			require.NoError(t, w.write("orders", w.randomChanges(3500, 300)))
			require.NoError(t, w.commit())
			require.NoError(t, w.write("orders", w.randomChanges(3500, 300)))

			shape := shapeOf(t, "orders", keyString, "status", "note")
			fill := schema.NewBlock(shape)
			for i := range fill.New {
				if shape.Columns[i].Name == "status" {
					fill.New[i].AppendBytes([]byte("open"))
				} else {
					fill.New[i].AppendNull()
				}
			}
			fill.Ops = append(fill.Ops, schema.OpInsert)
			for k, r := range w.rows["orders"] {
				if c.Defaults != ShowNull {
					r.more = map[string]string{"status": "open"}
				}
				w.rows["orders"][k] = r
			}
			w.define(shape, keyString, schema.SchemaChange{Fill: fill})
			r := w.record()
			r.more = map[string]string{"status": "shut"}
			require.NoError(t, w.write("orders", changes{3: &r, 4: nil, 9000: &r}))
			require.NoError(t, w.commit())
			w.check("orders")
			status, ok := w.lake.tables[shape.ID].head.t.Schema().FindFieldByName("status")
			require.True(t, ok)
			require.Equal(t, name == "vectors initial defaults", status.InitialDefault == "open", "%v", status.InitialDefault)
			require.Equal(t, status.InitialDefault, status.WriteDefault)
			require.NoError(t, w.write("orders", w.randomChanges(3500, 300)))
			require.NoError(t, w.commit())
			w.check("orders")
			w.restart()
			require.NoError(t, w.write("orders", w.randomChanges(3500, 300)))
			require.NoError(t, w.commit())
			w.check("orders")
		})
	}
}

func TestReset(t *testing.T) {
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Readers: readers})
			w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 300))
			require.NoError(t, w.commit())
			for range 3 {
				require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
				require.NoError(t, w.commit())
			}
			w.restart()
			require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
			w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 100, 200))
			require.NoError(t, w.commit())
			w.check("orders")
			require.EqualValues(t, 1, w.info("orders").DataFiles)
			require.Zero(t, w.info("orders").DeleteFiles)

			// Another key, other columns: a load may follow any change.
			w.define(shapeOf(t, "orders", keyComposite, "note"), keyComposite, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 50))
			require.NoError(t, w.commit())
			w.check("orders")
			require.NoError(t, w.write("orders", w.randomChanges(100, 60)))
			require.NoError(t, w.commit())
			w.restart()
			w.check("orders")

			// Emptied, and no row after it.
			w.define(shapeOf(t, "orders", keyComposite, "note"), keyComposite, schema.SchemaChange{Reset: true})
			require.NoError(t, w.commit())
			w.check("orders")
		})
	}
}

// TestTruncated: the rows of before are gone with the next commit, which is one
// snapshot with the rows behind; the columns keep their field ids, also those that
// changed in the same batch; and the old rows are there in the snapshots of before.
func TestTruncated(t *testing.T) {
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Readers: readers})
			shape := shapeOf(t, "orders", keyInteger)
			w.define(shape, keyInteger, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 300))
			require.NoError(t, w.commit())
			require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
			require.NoError(t, w.commit())
			before, rows, ids := w.info("orders"), w.want("orders"), w.fieldIDs("orders")

			w.restart()
			require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
			altered := reshaped(t, shape, "id", "w=v", "s", "amt", "at")
			require.NoError(t, w.lake.Define(t.Context(), altered))
			w.define(altered.Table, keyInteger, schema.SchemaChange{Reset: true, Same: true})
			require.NoError(t, w.load("orders", 100, 150))
			require.NoError(t, w.write("orders", w.randomChanges(300, 60)))
			require.NoError(t, w.commit())
			w.check("orders")
			ids[1] = "w=2 false"
			require.Equal(t, ids, w.fieldIDs("orders"))
			require.Equal(t, before.SnapshotID, *w.lake.tables[shape.ID].head.t.CurrentSnapshot().ParentSnapshotID)
			was, err := w.readAs(before, before.SnapshotID)
			require.NoError(t, err)
			require.Equal(t, rows, was)

			w.define(altered.Table, keyInteger, schema.SchemaChange{Reset: true, Same: true})
			require.NoError(t, w.commit())
			w.restart()
			w.check("orders")
			require.Equal(t, ids, w.fieldIDs("orders"))
		})
	}
}

// TestDropped: at whatever step the process dies, a table that was dropped is there and
// marked, or gone, once the cut is published; before that the next process is told of it,
// and of where it stands.
func TestDropped(t *testing.T) {
	for _, remove := range []bool{false, true} {
		for _, step := range []string{"", stepTableCommitted, stepBeforeCut, stepCutPublished} {
			t.Run(fmt.Sprintf("%v/%s", remove, step), func(t *testing.T) {
				w := newWorld(t, Config{RemoveDropped: remove})
				shape := shapeOf(t, "orders", keyInteger)
				for _, s := range []*schema.Table{shape, shapeOf(t, "others", keyInteger)} {
					w.define(s, keyInteger, schema.SchemaChange{Reset: true})
					require.NoError(t, w.load(s.ID.Name, 0, 100))
				}
				require.NoError(t, w.commit())
				require.NoError(t, w.write("orders", w.randomChanges(100, 20)))
				rows := w.want("orders")
				if step != "" {
					failAt(t, step, 1)
				}
				require.NoError(t, w.lake.Define(t.Context(), schema.SchemaChange{Table: shape, Dropped: true}))
				require.Equal(t, step != "", w.commit() != nil)
				r := w.restart()
				if at, told := r.Tables[shape.ID]; !r.Position.Contains(position(t, w.next)) {
					require.True(t, told && at.Dropped && at.Position.Contains(position(t, w.next)))
					require.NoError(t, w.lake.Commit(t.Context(), schema.Commit{Position: position(t, w.next)}))
					r = w.restart()
				}
				require.NotContains(t, r.Tables, shape.ID)
				cuts, err := w.lake.Cuts(t.Context(), 1)
				require.NoError(t, err)
				require.Equal(t, []string{"shop.others"}, slices.Collect(maps.Keys(cuts[0].Snapshots)))
				if !remove {
					require.Equal(t, position(t, w.next).String(), w.info("orders").Dropped)
					require.Equal(t, rows, w.read("orders", 0))
				}
				_, err = os.Stat(filepath.Join(w.cfg.Dir, "shop", "orders"))
				require.Equal(t, remove, errors.Is(err, fs.ErrNotExist))

				// Made again, and dropped within one batch.
				w.define(shape, keyInteger, schema.SchemaChange{Reset: true})
				require.NoError(t, w.write("orders", changes{1: w.noted("")}))
				require.NoError(t, w.lake.Define(t.Context(), schema.SchemaChange{Table: shape, Dropped: true}))
				w.define(shape, keyInteger, schema.SchemaChange{Reset: true})
				require.NoError(t, w.write("orders", changes{2: w.noted("")}))
				require.NoError(t, w.commit())
				w.check("orders")
				require.Empty(t, w.info("orders").Dropped)
				require.Contains(t, w.restart().Tables, shape.ID)
			})
		}
	}
}

func TestRefusedChanges(t *testing.T) {
	for want, change := range map[string]func(*schema.Table){
		"column v changed from int to":   func(s *schema.Table) { s.Columns[1].Type.Kind = schema.Double },
		"column id changed from long to": func(s *schema.Table) { s.Columns[0].Type.Kind = schema.Int },
	} {
		t.Run(want, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.define(shapeOf(t, "orders", keyInteger), keyInteger, schema.SchemaChange{Reset: true})
			require.NoError(t, w.commit())
			shape := shapeOf(t, "orders", keyInteger)
			change(shape)
			require.NoError(t, shape.Prepare())
			require.NoError(t, w.lake.Define(context.Background(), schema.SchemaChange{Table: shape}))
			err := w.commit()
			require.ErrorContains(t, err, want)
			require.ErrorContains(t, err, "table shop.orders")
			require.ErrorContains(t, err, "drop the table in the lake")
		})
	}
}

// TestColumnsWidened: columns become wider in place, those of the key too, between
// the rows of a batch and before the index is built anew. Files that hold the
// narrower types stay as they are.
func TestColumnsWidened(t *testing.T) {
	integer, long := schema.Type{Kind: schema.Int}, schema.Type{Kind: schema.BigInt}
	number := func(precision int) schema.Type {
		return schema.Type{Kind: schema.Decimal, Precision: precision, Scale: 2}
	}
	for _, c := range []struct {
		name      string
		key       keyKind
		old, now  map[string]schema.Type
		keepsFast bool // the index is not built anew
	}{
		{"values", keyString, map[string]schema.Type{"v": integer, "amt": number(12)}, map[string]schema.Type{"v": long, "amt": number(30)}, true},
		{"integer key", keyInteger, map[string]schema.Type{"id": integer}, map[string]schema.Type{"id": long}, true},
		{"key of a small decimal", keyInteger, map[string]schema.Type{"id": {Kind: schema.Decimal, Precision: 9}}, map[string]schema.Type{"id": {Kind: schema.Decimal, Precision: 18}}, true},
		{"key of a large decimal", keyInteger, map[string]schema.Type{"id": {Kind: schema.Decimal, Precision: 9}}, map[string]schema.Type{"id": {Kind: schema.Decimal, Precision: 38}}, false},
		{"key of two columns", keyComposite, map[string]schema.Type{"a": integer}, map[string]schema.Type{"a": long}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Config{TargetFileBytes: 20_000})
			shape := func(types map[string]schema.Type) *schema.Table {
				s := shapeOf(t, "orders", c.key)
				for name, typ := range types {
					s.Columns[s.Column(name)].Type = typ
				}
				require.NoError(t, s.Prepare())
				return s
			}
			w.define(shape(c.old), c.key, schema.SchemaChange{Reset: true})
			require.NoError(t, w.load("orders", 0, 1000))
			require.NoError(t, w.commit())
			before, then, ids := w.info("orders"), w.want("orders"), w.fieldIDs("orders")
			require.NoError(t, w.write("orders", w.randomChanges(1200, 200)))
			w.define(shape(c.now), c.key, schema.SchemaChange{})
			lt := w.lake.tables[w.shapes["orders"].ID]
			require.NoError(t, lt.apply(t.Context()))
			require.Equal(t, c.keepsFast, lt.index != nil)
			require.NoError(t, w.write("orders", w.randomChanges(1200, 200)))
			require.NoError(t, w.commit())
			w.check("orders")
			require.Equal(t, ids, w.fieldIDs("orders"))
			old, err := w.readAs(before, 0)
			require.NoError(t, err)
			require.Equal(t, then, old, "a reader that looked before")
			w.restart()
			require.NoError(t, w.write("orders", w.randomChanges(1200, 200)))
			require.NoError(t, w.commit())
			w.check("orders")
		})
	}
}

// TestKeyChanges: rows that are there are found by another key, between the rows of a
// batch and before the index is built anew. Columns stay what they are.
func TestKeyChanges(t *testing.T) {
	w := newWorld(t, Config{TargetFileBytes: 20_000})
	shape := func(key ...int) *schema.Table {
		s := shapeOf(t, "orders", keyComposite)
		s.Key = key
		return s
	}
	required := func() (names []string) {
		for _, id := range w.fieldIDs("orders") {
			if name, _, _ := strings.Cut(id, "="); strings.HasSuffix(id, "true") {
				names = append(names, name)
			}
		}
		return names
	}
	w.define(shape(0, 2), keyComposite, schema.SchemaChange{Reset: true})
	require.NoError(t, w.load("orders", 0, 1000))
	require.NoError(t, w.commit())
	before, then := w.info("orders"), w.want("orders")
	for _, c := range []struct {
		key      []int
		required []string
	}{
		{[]int{2}, []string{"b"}},
		{[]int{2, 0}, []string{"a", "b"}}, // another order
		{nil, nil},
		{[]int{2, 5}, []string{"b", "at"}},
		{[]int{2}, []string{"b"}},
	} {
		change := func() {
			if key := w.shapes["orders"].Key; len(key) > 0 && !slices.Contains(key, 5) { // the model deletes by what it makes of a number
				require.NoError(t, w.write("orders", w.randomChanges(1200, 100)))
			}
		}
		change()
		w.define(shape(c.key...), keyComposite, schema.SchemaChange{})
		change()
		require.NoError(t, w.commit())
		w.check("orders")
		require.Equal(t, c.required, required())
		if len(c.key) < 2 {
			w.restart()
		}
	}
	old, err := w.readAs(before, 0)
	require.NoError(t, err)
	require.Equal(t, then, old, "a reader that looked before")
}

// TestKeyThatTellsNoRowsApart: what is a key in MySQL, and in the lake is none.
func TestKeyThatTellsNoRowsApart(t *testing.T) {
	for column, want := range map[int]string{0: "have the same values in the lake in 293 of 300 rows", 1: "has no value in column v"} {
		w := newWorld(t, Config{})
		w.define(shapeOf(t, "orders", keyComposite), keyComposite, schema.SchemaChange{Reset: true})
		require.NoError(t, w.load("orders", 0, 300))
		require.NoError(t, w.commit())
		shape := shapeOf(t, "orders", keyComposite)
		shape.Key = []int{column}
		require.NoError(t, w.lake.Define(t.Context(), schema.SchemaChange{Table: shape}))
		err := w.commit()
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "table shop.orders")
		require.ErrorContains(t, err, "drop the table in the lake")
	}
}

// TestKeyOfFloats: such a key is the table's, and not Iceberg's.
func TestKeyOfFloats(t *testing.T) {
	for kind, identifiers := range map[schema.Kind]int{schema.Int: 2, schema.Float: 0, schema.Double: 0} {
		shape := &schema.Table{ID: schema.TableID{Database: "shop", Name: "t"}, Key: []int{0, 1}, Columns: []schema.Column{
			{Name: "a", Type: schema.Type{Kind: schema.Int}}, {Name: "b", Type: schema.Type{Kind: kind}}}}
		require.NoError(t, shape.Prepare())
		s, err := buildSchema(shape, nil, nil, true, 0, 0)
		require.NoError(t, err)
		require.Len(t, s.IdentifierFieldIDs, identifiers, kind)
		for _, f := range s.Fields() {
			require.True(t, f.Required, f.Name)
		}
	}
}
