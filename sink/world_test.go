package sink

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

func TestMain(m *testing.M) { servers.Main(m) }

// record is a row of the tests' tables, apart from its key: nil values are NULL.
type record struct {
	v    *int32
	s    *string
	amt  int64 // cents
	at   int64 // µs
	more map[string]string
}

// keyKind is how the number of a row becomes its key.
type keyKind string

const (
	keyInteger   keyKind = "integer"
	keyString    keyKind = "string"
	keyComposite keyKind = "composite"
)

// shapeOf returns a table with a key of the kind, and extra text columns.
func shapeOf(t testing.TB, name string, kind keyKind, extra ...string) *schema.Table {
	s := &schema.Table{ID: schema.TableID{Database: "shop", Name: name}}
	add := func(name string, typ schema.Type, null bool) {
		s.Columns = append(s.Columns, schema.Column{Name: name, Type: typ, Nullable: null})
	}
	text := schema.Type{Kind: schema.VarChar, Length: 200, Charset: "utf8mb4"}
	switch kind {
	case keyInteger:
		add("id", schema.Type{Kind: schema.BigInt}, false)
	case keyString:
		add("id", text, false)
	case keyComposite:
		add("a", schema.Type{Kind: schema.Int}, false)
	}
	add("v", schema.Type{Kind: schema.Int}, true)
	if kind == keyComposite {
		add("b", text, false)
		s.Key = []int{2, 0}
	} else {
		s.Key = []int{0}
	}
	add("s", text, true)
	add("amt", schema.Type{Kind: schema.Decimal, Precision: 20, Scale: 2}, false)
	add("at", schema.Type{Kind: schema.DateTime, Scale: 6}, false)
	for _, c := range extra {
		add(c, text, true)
	}
	require.NoError(t, s.Prepare())
	return s
}

func keyText(k int) string { return fmt.Sprintf("key-%06d", k) }

// appendRow adds row k to the block.
func appendRow(b *schema.Block, k int, r record) {
	b.Ops = append(b.Ops, schema.OpInsert)
	for i, c := range b.Table.Columns {
		v := &b.New[i]
		switch c.Name {
		case "id":
			if v.Kind == schema.VecBytes {
				v.AppendBytes([]byte(keyText(k)))
			} else {
				appendInteger(v, int64(k))
			}
		case "a":
			appendInteger(v, int64(k%7))
		case "b":
			v.AppendBytes([]byte(keyText(k)))
		case "v":
			if r.v == nil {
				v.AppendNull()
			} else {
				appendInteger(v, int64(*r.v))
			}
		case "s":
			if r.s == nil {
				v.AppendNull()
			} else {
				v.AppendBytes([]byte(*r.s))
			}
		case "amt":
			appendInteger(v, r.amt)
		case "at":
			v.AppendInt64(r.at)
		default:
			if x, ok := r.more[c.Name]; ok {
				v.AppendBytes([]byte(x))
			} else {
				v.AppendNull()
			}
		}
	}
}

// appendInteger appends to a vector of whatever holds integers.
func appendInteger(v *schema.Vec, x int64) {
	switch v.Kind {
	case schema.VecInt32:
		v.AppendInt32(int32(x))
	case schema.VecDec128:
		v.AppendDec128(x>>63, uint64(x))
	default:
		v.AppendInt64(x)
	}
}

// world is a lake under test and what it should hold.
type world struct {
	testing.TB
	cfg    Config
	lake   *Lake
	shapes map[string]*schema.Table
	kinds  map[string]keyKind
	rows   map[string]map[int]record
	next   int64 // transaction number
	rnd    *rand.Rand
}

func newWorld(t testing.TB, cfg Config) *world {
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "lake")
	}
	if cfg.Pipeline == "" {
		cfg.Pipeline = "p1"
	}
	w := &world{TB: t, cfg: cfg, shapes: map[string]*schema.Table{}, kinds: map[string]keyKind{}, rows: map[string]map[int]record{}, next: 1, rnd: rand.New(rand.NewPCG(1, 2))}
	w.open()
	t.Cleanup(func() { _ = w.lake.Close() })
	return w
}

func (w *world) open() {
	w.Helper()
	l, err := Open(context.Background(), w.cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	require.NoError(w, err)
	w.lake = l
}

// restart drops the lake as a crash would, but for the lock, and opens it anew.
func (w *world) restart() pipeline.Resume {
	w.Helper()
	_ = w.lake.Close()
	w.open()
	r, err := w.lake.Resume(context.Background())
	require.NoError(w, err)
	return r
}

func (w *world) define(shape *schema.Table, kind keyKind, c schema.SchemaChange) {
	w.Helper()
	w.shapes[shape.ID.Name], w.kinds[shape.ID.Name] = shape, kind
	if w.rows[shape.ID.Name] == nil || c.Reset {
		w.rows[shape.ID.Name] = map[int]record{}
	}
	c.Table = shape
	require.NoError(w, w.lake.Define(context.Background(), c))
}

func (w *world) load(name string, from, to int) error {
	for from < to {
		b := schema.NewBlock(w.shapes[name])
		for ; from < to && b.Rows() < 1000; from++ {
			r := w.record()
			appendRow(b, from, r)
			w.rows[name][from] = r
		}
		if err := w.lake.Write(context.Background(), pipeline.TableChanges{Table: w.shapes[name], Blocks: []*schema.Block{b}, Load: true}); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) record() record {
	r := record{amt: w.rnd.Int64N(2e9) - 1e9, at: w.rnd.Int64N(2e15)}
	if w.rnd.IntN(4) > 0 {
		v := int32(w.rnd.Int32())
		r.v = &v
	}
	if w.rnd.IntN(4) > 0 {
		s := strings.Repeat("é", w.rnd.IntN(5)) + fmt.Sprint(w.rnd.IntN(1000))
		r.s = &s
	}
	return r
}

// changes are the changes of one batch: nil records are deletions.
type changes map[int]*record

func (w *world) randomChanges(keys, n int) changes {
	c := changes{}
	for range n {
		k := w.rnd.IntN(keys)
		if w.rnd.IntN(3) == 0 {
			c[k] = nil
		} else {
			r := w.record()
			c[k] = &r
		}
	}
	return c
}

// write hands changes to the sink, spread over two blocks.
func (w *world) write(name string, c changes) error { return w.writeAs(name, c, false) }

// writeAs writes rows, as read by a lane or as changes of the stream.
func (w *world) writeAs(name string, c changes, lane bool) error {
	shape := w.shapes[name]
	tc := pipeline.TableChanges{Table: shape, Lane: lane, Blocks: []*schema.Block{schema.NewBlock(shape), schema.NewBlock(shape)}}
	keyer := schema.NewKeyer(shape)
	probe := schema.NewBlock(shape)
	defer probe.Release()
	for i, k := range slices.Sorted(maps.Keys(c)) {
		r := c[k]
		if r == nil {
			appendRow(probe, k, record{})
			tc.Deletes = append(tc.Deletes, keyer.Key(probe.New, probe.Rows()-1))
			delete(w.rows[name], k)
			continue
		}
		b := uint32(i % 2)
		blk := tc.Blocks[b]
		appendRow(blk, k, *r)
		tc.Rows = append(tc.Rows, pipeline.RowRef{Block: b, Row: uint32(blk.Rows() - 1)})
		tc.Keys = append(tc.Keys, keyer.Key(blk.New, blk.Rows()-1))
		w.rows[name][k] = *r
	}
	return w.lake.Write(context.Background(), tc)
}

const uuid = "3E11FA47-71CA-11E1-9E33-C80AA9429562"

func position(t testing.TB, n int64) schema.Position {
	g, err := schema.ParseGTIDSet(fmt.Sprintf("%s:1-%d", uuid, n))
	require.NoError(t, err)
	return schema.Position{GTIDs: g}
}

func (w *world) commit() error {
	w.next++
	return w.lake.Commit(context.Background(), schema.Commit{Position: position(w, w.next), Time: time.Unix(1_700_000_000+w.next, 0)})
}

// want returns the rows that a table should have, as text, sorted.
func (w *world) want(name string) []string {
	shape := w.shapes[name]
	b := schema.NewBlock(shape)
	for k, r := range w.rows[name] {
		appendRow(b, k, r)
	}
	lines := textOf(b)
	slices.Sort(lines)
	return lines
}

// read returns the rows that a table has, as text, sorted.
func (w *world) read(name string, snapshot int64) []string {
	w.Helper()
	lines, err := w.readAs(w.info(name), snapshot)
	require.NoError(w, err)
	return lines
}

// readAs is read of a table as it was when it was told of.
func (w *world) readAs(info TableInfo, snapshot int64) ([]string, error) {
	lines := []string{}
	err := w.lake.Read(context.Background(), info, snapshot, func(b *schema.Block) error {
		lines = append(lines, textOf(b)...)
		return nil
	})
	slices.Sort(lines)
	return lines, err
}

func (w *world) check(name string) {
	w.Helper()
	require.Equal(w, w.want(name), w.read(name, 0), "table %s", name)
}

// textOf writes the rows of a block the way checks compare them.
func textOf(b *schema.Block) []string {
	lines := []string{}
	for r := range b.Rows() {
		var f []string
		for i := range b.New {
			f = append(f, textOfValue(&b.New[i], r))
		}
		lines = append(lines, strings.Join(f, "|"))
	}
	return lines
}

func textOfValue(v *schema.Vec, r int) string {
	if v.IsNull(r) {
		return "null"
	}
	switch v.Kind {
	case schema.VecInt32:
		return fmt.Sprint(v.I32[r])
	case schema.VecInt64:
		return fmt.Sprint(v.I64[r])
	case schema.VecFloat64: // by its bits
		return fmt.Sprintf("%x", uint64(v.I64[r]))
	case schema.VecDec128:
		x := int64(0)
		for _, b := range v.Dec128(r)[8:] {
			x = x<<8 | int64(b)
		}
		return fmt.Sprint(x)
	default:
		return string(v.Bytes(r))
	}
}
