package kafkalog_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/schema"
)

func sysbenchTable(t testing.TB) *schema.Table {
	char := func(name string, n int) schema.Column {
		return schema.Column{Name: name, Type: schema.Type{Kind: schema.Char, Length: n, Charset: "utf8mb4"}}
	}
	s := &schema.Table{ID: schema.TableID{Database: "sbtest", Name: "sbtest1"}, Key: []int{0}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int}}, {Name: "k", Type: schema.Type{Kind: schema.Int}}, char("c", 120), char("pad", 60)}}
	require.NoError(t, s.Prepare())
	return s
}

func sysbenchBlock(s *schema.Table, op schema.Op, first, rows int, text []byte) *schema.Block {
	b := schema.NewBlock(s)
	put := func(vs []schema.Vec, i int) {
		vs[0].AppendInt32(int32(first + i))
		vs[1].AppendInt32(int32(i))
		at := (i * 191) % (len(text) - 200)
		vs[2].AppendBytes(text[at : at+119])
		vs[3].AppendBytes(text[at+119 : at+178])
	}
	if op == schema.OpUpdate {
		b.NeedOld(false)
	}
	for i := range rows {
		b.Ops = append(b.Ops, op)
		put(b.New, i)
		if op == schema.OpUpdate {
			put(b.Old, i)
		}
	}
	return b
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTransport carries sysbench rows from one end to the other through an
// in-process broker, whose work is in the figures. cpu-ns/row is what counts.
func BenchmarkTransport(b *testing.B) {
	for _, c := range []struct {
		name string
		op   schema.Op
		rows int // of a transaction
	}{{"load", schema.OpRead, 8192}, {"inserts", schema.OpInsert, 10_000}, {"updates", schema.OpUpdate, 4}} {
		b.Run(c.name, func(b *testing.B) { benchTransport(b, c.op, c.rows) })
	}
}

func benchTransport(b *testing.B, op schema.Op, rows int) {
	cfg := config(broker(b))
	cfg.CutInterval, cfg.CheckpointInterval = 250*time.Millisecond, 10*time.Second
	s := sysbenchTable(b)
	text := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range text {
		text[i] = "0123456789-"[r.IntN(11)]
	}
	tr := kafkalog.New(cfg, quiet())
	defer tr.Close()
	w, err := tr.Writer(b.Context(), newLake(b).resume)
	require.NoError(b, err)
	rd, err := tr.Reader(b.Context(), newLake(b).resume)
	require.NoError(b, err)
	total := max(b.N, 300_000) / rows * rows
	b.ResetTimer()
	before := cpu()
	go func() {
		_ = w.Send(b.Context(), schema.SchemaChange{Table: s, Reset: true})
		for n := 0; n < total; n += rows {
			blk := sysbenchBlock(s, op, n, rows, text)
			txn := int64(n/rows) + 1
			if op != schema.OpRead {
				blk.Origins = append(blk.Origins, schema.Origin{GTID: schema.GTID{UUID: uuid, N: txn}, File: "binlog.000001", Pos: uint64(n), Time: txn * 1000})
			}
			if err := w.Send(b.Context(), blk); err != nil {
				panic(err)
			}
			if op != schema.OpRead {
				_ = w.Send(b.Context(), schema.Commit{Position: schema.Position{File: "binlog.000001", Offset: uint64(n + rows)}})
			}
		}
		_ = w.Send(b.Context(), schema.Commit{Position: schema.Position{File: "binlog.000001", Offset: uint64(total + 1)}})
		if err := w.Close(b.Context()); err != nil {
			panic(err)
		}
	}()
	got := 0
	for {
		e, err := rd.Next(b.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(b, err)
		if blk, ok := e.(*schema.Block); ok {
			got += blk.Rows()
			blk.Release()
		}
	}
	require.Equal(b, total, got)
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(total), "cpu-ns/row")
}
