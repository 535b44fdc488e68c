package pipeline

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// bags is a sink whose tables are multisets of rows of two columns.
type bags struct {
	t      *testing.T
	rows   map[[2]int64]int
	keys   map[schema.Key][2]int64 // of all rows that there may be
	writes int
}

func (*bags) Define(context.Context, schema.SchemaChange) error   { return nil }
func (*bags) Checkpoint(context.Context, []schema.Progress) error { return nil }
func (*bags) Commit(context.Context, schema.Commit) error         { return nil }

func (m *bags) Write(_ context.Context, c TableChanges) error {
	m.writes++
	comes, goes := map[schema.Key]bool{}, map[schema.Key]bool{}
	for i, ref := range c.Rows {
		v := c.Blocks[ref.Block].New
		row := [2]int64{v[0].I64[ref.Row], int64(v[1].I32[ref.Row])}
		require.Equal(m.t, row, m.keys[c.Keys[i]])
		m.rows[row]++
		comes[c.Keys[i]] = true
	}
	for _, k := range c.Deletes {
		row := m.keys[k]
		require.Positive(m.t, m.rows[row], "a row is deleted that is not there")
		m.rows[row]--
		goes[k] = true
	}
	for k := range comes {
		require.False(m.t, goes[k], "rows of a kind come and go in one batch")
	}
	for _, b := range c.Blocks {
		b.Release()
	}
	return nil
}

// TestFoldOfRowsAlike applies random changes of few kinds of rows to a multiset,
// and through folds that end in the middle of transactions too.
func TestFoldOfRowsAlike(t *testing.T) {
	tbl := table(t, "t")
	tbl.Key = nil
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 2))
		sink := &bags{t: t, rows: map[[2]int64]int{}, keys: allKeys(tbl)}
		model := map[[2]int64]int{}
		limits := Limits{Interval: time.Hour, Rows: 1 + rng.IntN(40), Bytes: 1 << (8 + rng.IntN(12))}
		err := run(t, sink, Resume{}, limits, func(_ context.Context, _ Resume, send func(schema.Event) error) error {
			for n := int64(1); n <= 80; n++ {
				for range 1 + rng.IntN(3) {
					if err := send(randomRowsAlike(tbl, n, rng, model)); err != nil {
						return err
					}
				}
				if err := send(schema.Commit{Position: position(n)}); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err)
		for row, n := range model {
			require.Equal(t, n, sink.rows[row], "seed %d, row %v", seed, row)
		}
		require.Greater(t, sink.writes, 1)
	}
}

func allKeys(tbl *schema.Table) map[schema.Key][2]int64 {
	keys, keyer, b := map[schema.Key][2]int64{}, schema.NewKeyer(tbl), schema.NewBlock(tbl)
	for i := range int64(12) {
		b.New[0].AppendInt64(i % 4)
		b.New[1].AppendInt32(int32(i / 4))
		keys[keyer.Key(b.New, int(i))] = [2]int64{i % 4, i / 4}
	}
	return keys
}

func randomRowsAlike(tbl *schema.Table, txn int64, rng *rand.Rand, model map[[2]int64]int) *schema.Block {
	b := schema.NewBlock(tbl)
	b.Origins = append(b.Origins, schema.Origin{GTID: gtid(txn)})
	b.NeedOld(true)
	add := func(image []schema.Vec, row [2]int64) {
		image[0].AppendInt64(row[0])
		image[1].AppendInt32(int32(row[1]))
	}
	random := func() [2]int64 { return [2]int64{rng.Int64N(4), rng.Int64N(3)} }
	for range 1 + rng.IntN(8) {
		var there [][2]int64
		for i := range int64(12) {
			if row := [2]int64{i % 4, i / 4}; model[row] > 0 {
				there = append(there, row)
			}
		}
		op, old, now := schema.OpInsert, [2]int64{}, random()
		if len(there) > 0 && rng.IntN(2) == 0 {
			op, old = schema.OpUpdate, there[rng.IntN(len(there))]
			if rng.IntN(2) == 0 {
				op, now = schema.OpDelete, [2]int64{}
			}
			model[old]--
		}
		if op != schema.OpDelete {
			model[now]++
		}
		b.Ops = append(b.Ops, op)
		add(b.Old, old)
		add(b.New, now)
	}
	return b
}
