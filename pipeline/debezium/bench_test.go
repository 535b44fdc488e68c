package debezium_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

// sysbenchTable is the table of the measured figures: id, k, c char(120), pad
// char(60).
func sysbenchTable(tb testing.TB) *schema.Table {
	t := &schema.Table{
		ID: schema.TableID{Database: "sbtest", Name: "sbtest1"},
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Kind: schema.Int}},
			{Name: "k", Type: schema.Type{Kind: schema.Int}},
			{Name: "c", Type: schema.Type{Kind: schema.Char, Length: 120, Charset: "utf8mb4"}},
			{Name: "pad", Type: schema.Type{Kind: schema.Char, Length: 60, Charset: "utf8mb4"}},
		},
		Key: []int{0},
	}
	if err := t.Prepare(); err != nil {
		tb.Fatal(err)
	}
	return t
}

func sysbenchBlock(tb testing.TB, op schema.Op, rows int) *schema.Block {
	b := schema.NewBlock(sysbenchTable(tb))
	if op == schema.OpUpdate || op == schema.OpDelete {
		b.NeedOld(false)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(n int) []byte {
		s := make([]byte, n)
		for i := range s {
			if s[i] = '0' + byte(rnd.IntN(10)); i%12 == 11 {
				s[i] = '-'
			}
		}
		return s
	}
	for i := range rows {
		for _, image := range [][]schema.Vec{b.Old, b.New} {
			if len(image) == 0 {
				continue
			}
			image[0].AppendInt32(int32(1_000_000 + i))
			image[1].AppendInt32(rnd.Int32N(1_000_000))
			image[2].AppendBytes(text(119))
			image[3].AppendBytes(text(59))
		}
		b.Ops = append(b.Ops, op)
	}
	uuid, err := schema.ParseUUID("e4c931ab-e6d9-11f1-97b0-02fc00000001")
	if err != nil {
		tb.Fatal(err)
	}
	b.Origins = append(b.Origins, schema.Origin{GTID: schema.GTID{UUID: uuid, N: 22}, File: "binlog.000002", Pos: 12320,
		Time: 1795397567136252, ServerID: 13611, Thread: 74})
	return b
}

func config() debezium.Config {
	return debezium.Config{Name: "shop", Version: "1.0", Now: func() time.Time { return time.Unix(1795397567, 182197332) }}
}

var benchOps = []schema.Op{schema.OpInsert, schema.OpUpdate, schema.OpDelete}

func BenchmarkEncode(b *testing.B) {
	for _, op := range benchOps {
		b.Run(string(op), func(b *testing.B) {
			block := sysbenchBlock(b, op, 1000)
			e := debezium.NewEncoder(block.Table, config())
			bytes := 0
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				recs, err := e.Row(block, i%1000, &block.Origins[0])
				if err != nil {
					b.Fatal(err)
				}
				bytes = len(recs[0].Key) + len(recs[0].Value)
			}
			b.ReportMetric(float64(bytes), "bytes/row")
		})
	}
}

// BenchmarkEncodeTransactions has a row in each origin, as many small
// transactions have.
func BenchmarkEncodeTransactions(b *testing.B) {
	block := sysbenchBlock(b, schema.OpUpdate, 1000)
	e := debezium.NewEncoder(block.Table, config())
	o := block.Origins[0]
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o.GTID.N++
		o.Row, o.Pos = i%1000, o.Pos+300
		if _, err := e.Row(block, i%1000, &o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, op := range benchOps {
		b.Run(string(op), func(b *testing.B) {
			values := encodeAll(b, sysbenchBlock(b, op, 1000))
			t := sysbenchTable(b)
			d := debezium.NewDecoder(t, debezium.Modes{})
			block := schema.NewBlock(t)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%1000 == 0 {
					block.Release()
					block = schema.NewBlock(t)
				}
				r := values[i%1000]
				if err := d.Append(block, r.Key, r.Value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// encodeAll returns copies of all records but the tombstones.
func encodeAll(tb testing.TB, block *schema.Block) []debezium.Record {
	tb.Helper()
	return encodeIn(tb, block, config())
}

func encodeIn(tb testing.TB, block *schema.Block, cfg debezium.Config) []debezium.Record {
	tb.Helper()
	e := debezium.NewEncoder(block.Table, cfg)
	var all []debezium.Record
	o := 0
	for row := range block.Rows() {
		for o+1 < len(block.Origins) && block.Origins[o+1].Row <= row {
			o++
		}
		recs, err := e.Row(block, row, &block.Origins[o])
		if err != nil {
			tb.Fatal(fmt.Errorf("row %d: %w", row, err))
		}
		for _, r := range recs {
			if r.Value != nil {
				all = append(all, debezium.Record{Key: append([]byte(nil), r.Key...), Value: append([]byte(nil), r.Value...)})
			}
		}
	}
	return all
}
