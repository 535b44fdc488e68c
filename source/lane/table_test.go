package lane

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// model is a server whose statements show any state since the window was opened, and
// a lake that takes what is sent.
type model struct {
	pipeline.Writer
	mu     sync.Mutex
	server map[int64]int32
	lake   map[int64]int32
}

func (m *model) Send(_ context.Context, e schema.Event) error {
	b, ok := e.(*schema.Block)
	if !ok {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, op := range b.Ops {
		if op == schema.OpUpdate || op == schema.OpDelete {
			delete(m.lake, b.Old[0].I64[i])
		}
		if op != schema.OpDelete {
			m.lake[b.New[0].I64[i]] = b.New[1].I32[i]
		}
	}
	b.Release()
	return nil
}

// change changes the server, and returns the change as the stream brings it.
func (m *model) change(t *schema.Table, rng *rand.Rand, keys int64) *schema.Block {
	key, to, v := rng.Int64N(keys), rng.Int64N(keys), int32(rng.IntN(1_000_000))
	_, there := m.server[key]
	_, taken := m.server[to]
	b := schema.NewBlock(t)
	b.Origins = append(b.Origins, schema.Origin{})
	b.NeedOld(true)
	op := schema.OpInsert
	switch {
	case there && rng.IntN(3) == 0:
		op = schema.OpDelete
		delete(m.server, key)
	case there && !taken:
		op = schema.OpUpdate
		delete(m.server, key)
		m.server[to] = v
	case there:
		op, to = schema.OpUpdate, key
		m.server[key] = v
	default:
		to = key
		m.server[key] = v
	}
	b.Ops = append(b.Ops, op)
	b.Old[0].AppendInt64(key)
	b.New[0].AppendInt64(to)
	b.New[1].AppendInt32(v)
	return b
}

// TestRowsOfKeysThatChange: rows of any state since the window was opened are sent at
// any time behind it, and the lake ends equal.
func TestRowsOfKeysThatChange(t *testing.T) {
	shape := &schema.Table{ID: schema.TableID{Database: "shop", Name: "a"}, Key: []int{0}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.BigInt}}, {Name: "v", Type: schema.Type{Kind: schema.Int}}}}
	require.NoError(t, shape.Prepare())
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := &model{server: map[int64]int32{}, lake: map[int64]int32{}}
		l := New(Config{Window: 1 << 20, Held: 1 << 20, Log: slog.New(slog.DiscardHandler)})
		l.Take(pipeline.Resume{Lanes: map[schema.TableID]schema.Progress{}}, true, schema.Position{})
		out := l.Writer(m)
		const keys = 20
		var waiting []*schema.Block // in the stream, and not sent yet
		step := func() {
			switch {
			case rng.IntN(2) == 0:
				waiting = append(waiting, m.change(shape, rng, keys))
			case len(waiting) > 0:
				require.NoError(t, out.Send(t.Context(), waiting[0]))
				waiting = waiting[1:]
			}
		}
		for range 30 {
			step()
		}
		for range waiting { // the lane begins somewhere
			require.NoError(t, m.Send(t.Context(), waiting[0]))
			waiting = waiting[1:]
		}
		require.NoError(t, out.Send(t.Context(), schema.SchemaChange{Table: shape, Reset: true, Lane: true}))
		clear(m.lake)
		table := l.find(shape.ID)
		for lower := int64(0); lower < keys; lower += 5 {
			w, err := table.openWindow(0)
			require.NoError(t, err)
			for range rng.IntN(10) {
				step()
			}
			state := maps.Clone(m.server)
			for range rng.IntN(10) {
				step()
			}
			b := schema.NewBlock(shape)
			b.Origins = append(b.Origins, schema.Origin{})
			for k, v := range state {
				if k >= lower && k < lower+5 {
					b.Ops = append(b.Ops, schema.OpRead)
					b.New[0].AppendInt64(k)
					b.New[1].AppendInt32(v)
				}
			}
			released := false
			require.NoError(t, table.put(t.Context(), out.(*writer).Writer, 0, w, b, func() { released = true }))
			require.True(t, released)
			table.closeWindow(w)
		}
		for _, b := range waiting {
			require.NoError(t, out.Send(t.Context(), b))
		}
		require.Equal(t, m.server, m.lake, "seed %d", seed)
	}
}

// TestTakenElsewhere: a lane with rows to be read begins anew on another server, and one
// that is read does not.
func TestTakenElsewhere(t *testing.T) {
	shape := &schema.Table{ID: schema.TableID{Database: "shop", Name: "a"}, Key: []int{0}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.BigInt}}}}
	require.NoError(t, shape.Prepare())
	for _, c := range []struct {
		server string
		rest   []schema.Range
		anew   bool
	}{{"one", []schema.Range{{Lower: "7"}}, false}, {"another", []schema.Range{{Lower: "7"}}, true}, {"another", nil, false}} {
		l := New(Config{Log: slog.New(slog.DiscardHandler)})
		at := schema.Position{Server: "one"}
		l.Take(pipeline.Resume{Position: at, Tables: map[schema.TableID]pipeline.TableState{shape.ID: {Table: shape, Position: at}},
			Lanes: map[schema.TableID]schema.Progress{shape.ID: {Table: shape, Load: schema.Load{Rest: c.rest}}}}, true, schema.Position{Server: c.server})
		require.Equal(t, c.anew, len(l.Due()) == 1, "%+v", c)
		require.Equal(t, c.anew, l.Voided(shape.ID))
	}
}

// TestConditionWaits: rows of a condition are put among those that stay only once the
// stream is where the server was at the start; a log may hold a later shape of them.
func TestConditionWaits(t *testing.T) {
	id := schema.TableID{Database: "shop", Name: "a"}
	l := New(Config{Log: slog.New(slog.DiscardHandler)})
	place := func(n uint64) schema.Position {
		return schema.Position{Server: "one", File: "binlog.000001", Offset: n}
	}
	l.Take(pipeline.Resume{Position: place(4), Lanes: map[schema.TableID]schema.Progress{}}, true, place(9))
	require.NoError(t, l.want(map[schema.TableID]wish{id: {condition: "id = 1"}}))
	require.Empty(t, l.Due())
	require.NoError(t, l.Writer(&model{}).Send(t.Context(), schema.Commit{Position: place(9)}))
	require.Len(t, l.Due(), 1)
}

// TestWindow: rows wait to be sent while as many are under way as may be, and those of
// one block go on however large it is.
func TestWindow(t *testing.T) {
	shape := &schema.Table{ID: schema.TableID{Database: "shop", Name: "a"}, Key: []int{0}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.BigInt}}}}
	require.NoError(t, shape.Prepare())
	block := func(rows int) *schema.Block {
		b := schema.NewBlock(shape)
		b.Origins = append(b.Origins, schema.Origin{})
		for i := range rows {
			b.Ops = append(b.Ops, schema.OpRead)
			b.New[0].AppendInt64(int64(i))
		}
		return b
	}
	l := New(Config{Window: 2 * block(10).Size(), Log: slog.New(slog.DiscardHandler)})
	table := l.newTable(schema.SchemaChange{Table: shape}, wish{})
	lake := &keeper{}
	send := func(ctx context.Context, rows int) error { return l.send(ctx, lake, table, 0, nil, block(rows)) }
	ended, end := context.WithCancel(t.Context())
	end()

	require.NoError(t, send(t.Context(), 10))
	require.NoError(t, send(t.Context(), 10))
	require.ErrorIs(t, send(ended, 1), context.Canceled, "there is no room")
	lake.kept[0].Release()
	require.NoError(t, send(t.Context(), 10))
	require.Len(t, lake.kept, 3)
	lake.kept[1].Release()
	require.ErrorIs(t, send(ended, 100), context.Canceled, "it waits until nothing is under way")
	lake.kept[2].Release()
	require.NoError(t, send(t.Context(), 100))
}

// keeper is a lake that has not written what it was sent.
type keeper struct {
	pipeline.Writer
	kept []*schema.Block
}

func (k *keeper) Send(_ context.Context, e schema.Event) error {
	k.kept = append(k.kept, e.(*schema.Block))
	return nil
}
