package kafkalog_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
)

// TestConcurrentLoad: the workers of a load send blocks of several tables at the
// same time, of any size and in any order.
func TestConcurrentLoad(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { concurrentLoad(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func concurrentLoad(t *testing.T, r *rand.Rand) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer c.Close()
	cfg := config(c.ListenAddrs()[0])
	cfg.BatchBytes = 1 << (7 + r.IntN(8))
	const workers, rows = 4, 3000 // rows of each table
	tables := []*schema.Table{table(t, "a"), table(t, "b")}
	tr, w, rd := open(t, cfg, newLake(t))
	for _, s := range tables {
		send(t, w, schema.SchemaChange{Table: s, Reset: true})
	}
	jobs := make(chan *schema.Block, 1)
	var g errgroup.Group
	for range workers {
		g.Go(func() error {
			var err error
			for b := range jobs {
				if err == nil {
					err = w.Send(t.Context(), b)
				}
			}
			return err
		})
	}
	g.Go(func() error {
		defer close(jobs)
		var next [2]int64
		for next[0] < rows || next[1] < rows {
			i := r.IntN(len(tables))
			var changes []change
			for n := r.IntN(200); n > 0 && next[i] < rows; n-- {
				changes = append(changes, change{op: schema.OpRead, id: next[i], v: fmt.Sprint(next[i])})
				next[i]++
			}
			jobs <- block(tables[i], 0, 0, changes...)
		}
		return nil
	})
	done := make(chan error, 1)
	go func() {
		err := g.Wait()
		if err == nil {
			err = w.Send(t.Context(), commit(1))
		}
		done <- errors.Join(err, w.Close(t.Context()))
	}()
	got := map[schema.TableID]map[int64]int{}
	committed := false
	for {
		e, err := rd.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch e := e.(type) {
		case schema.SchemaChange:
			got[e.Table.ID] = map[int64]int{}
		case *schema.Block:
			require.False(t, committed)
			for i := range e.Ops {
				id := e.New[0].I64[i]
				require.Equal(t, fmt.Sprint(id), string(e.New[1].Bytes(i)))
				got[e.Table.ID][id]++
			}
			e.Release()
		case schema.Commit:
			committed = true
		}
	}
	require.NoError(t, <-done)
	require.NoError(t, tr.Close())
	require.True(t, committed)
	for _, s := range tables {
		require.Len(t, got[s.ID], rows)
		for id, n := range got[s.ID] {
			require.Equal(t, 1, n, "row %d of table %s", id, s.ID)
		}
	}
}
