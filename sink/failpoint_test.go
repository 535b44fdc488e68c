package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

var errInjected = errors.New("injected")

// failAt makes the n-th pass of a step fail, once.
func failAt(t testing.TB, step string, n int64) (passed *atomic.Int64) {
	passed = new(atomic.Int64) // tables commit in parallel
	old := failpoint
	failpoint = func(s string) error {
		if s != step {
			return nil
		}
		if passed.Add(1) == n {
			return errInjected
		}
		return nil
	}
	t.Cleanup(func() { failpoint = old })
	return passed
}

// clone keeps what the model was before a batch.
func (w *world) clone() map[string]map[int]record {
	c := map[string]map[int]record{}
	for name, rows := range w.rows {
		c[name] = maps.Clone(rows)
	}
	return c
}

// The process dies at each step of a batch over two tables, and the next one
// goes on from what the lake says: the tables that are ahead are left out of the
// batch that is sent again, with its change of shape, as source and pipeline do.
func TestFailpoints(t *testing.T) {
	steps := map[string]int64{stepDataFileClosed: 2, stepDeleteFileClosed: 2, stepTableCommitted: 2, stepSchemaApplied: 2, stepBeforeCut: 1, stepCutPublished: 1}
	for step, times := range steps {
		for n := int64(1); n <= times; n++ {
			t.Run(fmt.Sprintf("%s/%d", step, n), func(t *testing.T) {
				w := newWorld(t, Config{})
				names := []string{"customers", "orders"}
				for _, name := range names {
					w.define(shapeOf(t, name, keyInteger, "x"), keyInteger, schema.SchemaChange{Reset: true})
					require.NoError(t, w.load(name, 0, 500))
					require.NoError(t, w.write(name, changes{1: w.noted("x"), 2: w.noted("x")}))
				}
				require.NoError(t, w.commit())
				batch := map[string]changes{"customers": w.randomChanges(600, 80), "orders": w.randomChanges(600, 80)}
				altered := map[string]schema.SchemaChange{}
				for _, name := range names {
					batch[name][3], batch[name][1000] = w.noted("note"), w.noted("note")
					altered[name] = reshaped(t, w.shapes[name], "id", "note=x", "v", "amt", "at") // without s
				}
				before, published := w.clone(), w.next

				passed := failAt(t, step, n)
				err := w.send(names, altered, batch)
				require.GreaterOrEqual(t, passed.Load(), n)
				require.ErrorIs(t, err, errInjected)
				require.Error(t, w.commit(), "a lake that failed must not go on")

				w.next = published + 1
				r := w.restart()
				done := r.Position.Contains(position(t, w.next))
				require.True(t, done || r.Position.Contains(position(t, published)))
				require.Equal(t, step == stepCutPublished, done)
				if !done {
					after := w.rows
					w.rows = before
					var behind []string
					for _, name := range names {
						if r.Tables[w.shapes[name].ID].Position.Contains(position(t, w.next)) {
							w.rows[name] = after[name] // the fold drops what it has
						} else {
							behind = append(behind, name)
						}
					}
					w.next = published
					require.NoError(t, w.send(behind, altered, batch))
				}
				for _, name := range names {
					w.check(name)
				}
				cuts, err := w.lake.Cuts(context.Background(), 1)
				require.NoError(t, err)
				require.Equal(t, position(t, published+1).String(), cuts[0].Position)
				for _, name := range names {
					require.Equal(t, w.want(name), w.read(name, cuts[0].Snapshots["shop."+name]))
				}
			})
		}
	}
}

// noted is a record with a text in the column.
func (w *world) noted(column string) *record {
	r := w.record()
	r.more = map[string]string{column: keyText(w.rnd.IntN(1000))}
	return &r
}

// send sends the batch: those named get their new shape, then their changes.
func (w *world) send(names []string, altered map[string]schema.SchemaChange, batch map[string]changes) error {
	for _, name := range names {
		if err := w.lake.Define(context.Background(), altered[name]); err != nil {
			return err
		}
		w.shapes[name] = altered[name].Table
		w.rename(name, map[string]string{"x": "note"})
	}
	for _, name := range names {
		if err := w.write(name, batch[name]); err != nil {
			return err
		}
	}
	return w.commit()
}

// An error of the catalog decides nothing: whether the commit was lost before it
// arrived or only its reply was, the batch is there once.
func TestLostReply(t *testing.T) {
	for _, step := range []string{stepCommitSent, stepCommitLanded} {
		for n := int64(1); n <= 3; n++ { // two tables, then the table of cuts
			t.Run(fmt.Sprintf("%s/%d", step, n), func(t *testing.T) {
				w := newWorld(t, Config{})
				for _, name := range []string{"customers", "orders"} {
					w.define(shapeOf(t, name, keyInteger), keyInteger, schema.SchemaChange{Reset: true})
					require.NoError(t, w.load(name, 0, 500))
				}
				require.NoError(t, w.commit())
				for _, name := range []string{"customers", "orders"} {
					require.NoError(t, w.write(name, w.randomChanges(600, 80)))
				}
				passed := failAt(t, step, n)
				require.NoError(t, w.commit())
				require.GreaterOrEqual(t, passed.Load(), n)
				require.NoError(t, w.write("orders", w.randomChanges(600, 80)))
				require.NoError(t, w.commit(), "the batch after it")
				r := w.restart()
				require.Equal(t, position(t, w.next), r.Position)
				w.check("customers")
				w.check("orders")
			})
		}
	}
}
