package sink

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// kinds is how many different rows the tests' table without a key has.
const kinds = 60

func keylessShape(t testing.TB, extra ...string) *schema.Table {
	s := shapeOf(t, "log", keyInteger, extra...)
	s.Key = nil
	s.Columns = append(s.Columns[1:], schema.Column{Name: "f", Type: schema.Type{Kind: schema.Double}, Nullable: true})
	require.NoError(t, s.Prepare())
	return s
}

// appendKind adds a row of the given kind.
func appendKind(b *schema.Block, kind int, more map[string]string) {
	v, s := int32(kind%5), fmt.Sprint("text ", kind)
	r := record{amt: int64(kind % 3), at: int64(kind % 7), more: more}
	if kind%2 == 0 {
		r.v = &v
	}
	if kind%11 > 0 {
		r.s = &s
	}
	last := &b.New[len(b.New)-1]
	n := last.N
	appendRow(b, kind, r)
	last.Truncate(n)
	switch kind % 4 {
	case 0:
		last.AppendNull()
	case 1:
		last.AppendFloat64(math.Copysign(0, -1))
	default:
		last.AppendFloat64(float64(kind%4) / 3)
	}
}

// keyless is a table without a key and how many rows of each kind it should hold.
type keyless struct {
	*world
	counts map[int]int
	more   map[string]string // values of added columns, in all rows
	shape  *schema.Table
}

func (w *keyless) put(c schema.SchemaChange) {
	w.Helper()
	c.Table = w.shape
	require.NoError(w, w.lake.Define(context.Background(), c))
}

// load appends rows of all kinds, most of them many times.
func (w *keyless) load(rows int) {
	w.Helper()
	for range rows / 500 {
		b := schema.NewBlock(w.shape)
		for range 500 {
			kind := w.rnd.IntN(1 + w.rnd.IntN(kinds))
			appendKind(b, kind, w.more)
			w.counts[kind]++
		}
		require.NoError(w, w.lake.Write(context.Background(), pipeline.TableChanges{Table: w.shape, Blocks: []*schema.Block{b}, Load: true}))
	}
}

// change writes the net change of some kinds of rows.
func (w *keyless) change(most int) error {
	b, keyer := schema.NewBlock(w.shape), schema.NewKeyer(w.shape)
	probe := schema.NewBlock(w.shape)
	defer probe.Release()
	c := pipeline.TableChanges{Table: w.shape, Blocks: []*schema.Block{b}}
	for _, kind := range w.rnd.Perm(kinds)[:kinds/3] {
		n := w.rnd.IntN(most)
		if w.rnd.IntN(2) == 0 {
			appendKind(probe, kind, w.more)
			for range min(n, w.counts[kind]) {
				c.Deletes = append(c.Deletes, keyer.Key(probe.New, probe.Rows()-1))
				w.counts[kind]--
			}
			continue
		}
		for range n {
			appendKind(b, kind, w.more)
			c.Rows = append(c.Rows, pipeline.RowRef{Row: uint32(b.Rows() - 1)})
			c.Keys = append(c.Keys, keyer.Key(b.New, b.Rows()-1))
			w.counts[kind]++
		}
	}
	return w.lake.Write(context.Background(), c)
}

func (w *keyless) check() {
	w.Helper()
	b, lines := schema.NewBlock(w.shape), []string{}
	for kind, n := range w.counts {
		for range n {
			appendKind(b, kind, w.more)
		}
	}
	lines = append(lines, textOf(b)...)
	slices.Sort(lines)
	w.shapes["log"] = w.shape
	require.Equal(w, lines, w.read("log", 0))
}

// A table of few kinds of rows, each many times: after every commit the lake has
// exactly as many of each as the model, with restarts, added columns and a reset.
func TestKeylessAgainstModel(t *testing.T) {
	for name, readers := range encodings {
		t.Run(name, func(t *testing.T) {
			w := &keyless{world: newWorld(t, Config{Readers: readers, TargetFileBytes: 30_000}), counts: map[int]int{}, shape: keylessShape(t)}
			w.put(schema.SchemaChange{Reset: true})
			w.load(4000)
			require.NoError(t, w.commit())
			w.check()
			rounds := func(n int) {
				for i := range n {
					for range 1 + w.rnd.IntN(3) { // a row may die in the batch that wrote it
						require.NoError(t, w.change(60))
					}
					require.NoError(t, w.commit())
					w.check()
					if i%4 == 3 {
						require.Equal(t, position(t, w.next), w.restart().Position)
					}
				}
			}
			rounds(10)

			// Added columns, with a default and without, in the middle of a batch.
			require.NoError(t, w.change(30))
			w.shape = keylessShape(t, "note")
			w.put(schema.SchemaChange{})
			require.NoError(t, w.change(30))
			rounds(2)
			w.shape, w.more = keylessShape(t, "note", "status"), map[string]string{"status": "open"}
			fill := schema.NewBlock(w.shape)
			for i := range fill.New {
				if w.shape.Columns[i].Name == "status" {
					fill.New[i].AppendBytes([]byte("open"))
				} else {
					fill.New[i].AppendNull()
				}
			}
			fill.Ops = append(fill.Ops, schema.OpInsert)
			w.put(schema.SchemaChange{Fill: fill})
			require.NoError(t, w.change(30))
			rounds(3)

			// Loaded anew, and then as a table with a key.
			w.put(schema.SchemaChange{Reset: true})
			clear(w.counts)
			w.load(1000)
			rounds(2)
			w.define(shapeOf(t, "log", keyString), keyString, schema.SchemaChange{Reset: true})
			require.NoError(t, w.world.load("log", 0, 500))
			require.NoError(t, w.commit())
			require.NoError(t, w.write("log", w.randomChanges(600, 200)))
			require.NoError(t, w.commit())
			w.world.check("log")
		})
	}
}

// A deletion of a row that is not there is a change that came twice or was lost:
// it must not pass.
func TestKeylessRowThatIsNotThere(t *testing.T) {
	w := &keyless{world: newWorld(t, Config{}), counts: map[int]int{}, shape: keylessShape(t)}
	w.put(schema.SchemaChange{Reset: true})
	w.load(500)
	require.NoError(t, w.commit())
	b := schema.NewBlock(w.shape)
	appendKind(b, kinds+1, nil)
	gone := schema.NewKeyer(w.shape).Key(b.New, 0)
	require.ErrorIs(t, w.lake.Write(t.Context(), pipeline.TableChanges{Table: w.shape, Deletes: []schema.Key{gone}}), errNoSuchRow)
	require.ErrorContains(t, w.lake.Commit(t.Context(), schema.Commit{Position: position(t, 9), Time: time.Now()}), "not usable")
	w.restart()
	w.check()
}
