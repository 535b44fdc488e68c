package kafkalog_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/schema"
)

func TestMain(m *testing.M) { servers.Main(m) }

// broker starts an in-process broker.
func broker(t testing.TB) string { return cluster(t).ListenAddrs()[0] }

func cluster(t testing.TB) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func config(addr string) kafkalog.Config {
	return kafkalog.Config{Brokers: []string{addr}, Name: "test", TopicPrefix: "p", Partitions: 3, Codec: recordbatch.Snappy,
		CutInterval: 20 * time.Millisecond, CheckpointInterval: 50 * time.Millisecond, Version: "test"}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// table makes a table (id BIGINT PRIMARY KEY, v VARCHAR …) with more columns.
func table(t testing.TB, name string, more ...string) *schema.Table {
	t.Helper()
	s := &schema.Table{ID: schema.TableID{Database: "shop", Name: name}, Key: []int{0}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.BigInt}},
		{Name: "v", Type: schema.Type{Kind: schema.VarChar, Length: 100, Charset: "utf8mb4"}, Nullable: true},
	}}
	for _, c := range more {
		s.Columns = append(s.Columns, schema.Column{Name: c, Type: schema.Type{Kind: schema.Int}, Nullable: true})
	}
	require.NoError(t, s.Prepare())
	return s
}

// change is one row change of a test.
type change struct {
	op      schema.Op
	id, old int64 // old: the key before an update
	v       string
}

var uuid = [16]byte{1, 2, 3}

// block makes the block of one transaction's changes of a table.
func block(s *schema.Table, txn int64, first int, changes ...change) *schema.Block {
	b := schema.NewBlock(s)
	b.Origins = append(b.Origins, schema.Origin{GTID: schema.GTID{UUID: uuid, N: txn}, File: "binlog.000001", Pos: uint64(txn * 1000), TxnRow: first, Time: txn * 1e6})
	if txn == 0 {
		b.Origins[0] = schema.Origin{}
	}
	for _, c := range changes {
		if c.op == schema.OpUpdate || c.op == schema.OpDelete {
			b.NeedOld(false)
		}
	}
	put := func(vs []schema.Vec, id int64, v string) {
		for i := range vs {
			switch i {
			case 0:
				vs[i].AppendInt64(id)
			case 1:
				vs[i].AppendBytes([]byte(v))
			default:
				vs[i].AppendInt32(int32(id))
			}
		}
	}
	for _, c := range changes {
		b.Ops = append(b.Ops, c.op)
		put(b.New, c.id, c.v)
		if len(b.Old) > 0 {
			put(b.Old, c.old, "old")
		}
	}
	return b
}

func commit(txn int64) schema.Commit {
	set, err := schema.ParseGTIDSet(fmt.Sprintf("01020300-0000-0000-0000-000000000000:1-%d", txn))
	if err != nil {
		panic(err)
	}
	return schema.Commit{Position: schema.Position{GTIDs: set, File: "binlog.000001", Offset: uint64(txn*1000 + 999)}, Time: time.UnixMicro(txn * 1e6)}
}

// lake applies what a reader delivers, as a sink would, and counts.
type lake struct {
	t       testing.TB
	resume  pipeline.Resume
	rows    map[schema.TableID]map[int64]string // published
	open    map[schema.TableID]map[int64]string // since the last Commit
	shapes  map[schema.TableID]*schema.Table
	applied map[string]int // "table txn value" → times
	commits []schema.Commit
	check   func(schema.Commit)
	anew    func(schema.Anew)
}

func newLake(t testing.TB) *lake {
	return &lake{t: t, rows: map[schema.TableID]map[int64]string{}, open: map[schema.TableID]map[int64]string{},
		shapes: map[schema.TableID]*schema.Table{}, applied: map[string]int{}}
}

func (l *lake) apply(e schema.Event) {
	switch e := e.(type) {
	case schema.SchemaChange:
		l.shapes[e.Table.ID] = e.Table
		if e.Reset || l.open[e.Table.ID] == nil {
			l.open[e.Table.ID] = map[int64]string{}
			maps.DeleteFunc(l.applied, func(k string, _ int) bool { return strings.HasPrefix(k, e.Table.ID.String()+" ") })
		}
	case *schema.Block:
		require.Same(l.t, l.shapes[e.Table.ID], e.Table, "rows under a shape that was not announced")
		l.block(e)
	case schema.Anew:
		if l.anew != nil {
			l.anew(e)
		}
	case schema.Commit:
		for id, rows := range l.open {
			l.rows[id] = maps.Clone(rows)
		}
		l.commits = append(l.commits, e)
		l.resume = pipeline.Resume{Position: e.Position, Tables: map[schema.TableID]pipeline.TableState{}}
		for id, s := range l.shapes {
			l.resume.Tables[id] = pipeline.TableState{Table: s, Position: e.Position}
		}
		if l.check != nil {
			l.check(e)
		}
	}
}

func (l *lake) block(b *schema.Block) {
	rows := l.open[b.Table.ID]
	next, origin := 0, schema.Origin{}
	for i, op := range b.Ops {
		if next < len(b.Origins) && b.Origins[next].Row <= i {
			origin = b.Origins[next]
			next++
		}
		if op == schema.OpUpdate || op == schema.OpDelete {
			delete(rows, b.Old[0].I64[i])
		}
		id := b.New[0].I64[i]
		if op != schema.OpDelete {
			rows[id] = string(b.New[1].Bytes(i))
		}
		if origin.GTID.N > 0 && op != schema.OpDelete { // values are unique, deletions have none
			l.applied[fmt.Sprintf("%s %d %s", b.Table.ID, origin.GTID.N, rows[id])]++
		}
	}
	b.Release()
}

// restart drops what was not committed, as a process that is killed does.
func (l *lake) restart() {
	for id := range l.open {
		l.open[id] = maps.Clone(l.rows[id])
	}
	l.shapes = map[schema.TableID]*schema.Table{}
	for id, s := range l.resume.Tables {
		l.shapes[id] = s.Table
	}
	l.applied = map[string]int{}
}

// drain reads until the end of a closed writer.
func drain(t testing.TB, r pipeline.Reader, l *lake) {
	t.Helper()
	for {
		e, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		l.apply(e)
		if c, ok := e.(schema.Commit); ok {
			require.NoError(t, r.Done(t.Context(), c.Position))
		}
	}
}

func send(t testing.TB, w pipeline.Writer, events ...schema.Event) {
	t.Helper()
	for _, e := range events {
		require.NoError(t, w.Send(t.Context(), e))
	}
}

func open(t testing.TB, cfg kafkalog.Config, l *lake) (*kafkalog.Transport, pipeline.Writer, pipeline.Reader) {
	t.Helper()
	tr := kafkalog.New(cfg, quiet())
	t.Cleanup(func() { tr.Close() })
	w, err := tr.Writer(t.Context(), l.resume)
	require.NoError(t, err)
	r, err := tr.Reader(t.Context(), l.resume)
	require.NoError(t, err)
	return tr, w, r
}

func TestLoadThenStream(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("", func(t *testing.T) { loadThenStream(t, broker(t)) })
}

func TestLoadThenStreamOnKafka(t *testing.T) { loadThenStream(t, servers.Kafka(t).Addr) }

func loadThenStream(t *testing.T, addr string) {
	for _, codec := range []recordbatch.Codec{recordbatch.Snappy, recordbatch.None, recordbatch.Gzip, recordbatch.LZ4, recordbatch.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			cfg := config(addr)
			// A broker given by address keeps what an earlier run left.
			cfg.Codec, cfg.Name, cfg.TopicPrefix = codec, rand.Text(), rand.Text()
			l := newLake(t)
			tr, w, r := open(t, cfg, l)
			a, b := table(t, "a"), table(t, "b")
			send(t, w, schema.SchemaChange{Table: a, Reset: true}, schema.SchemaChange{Table: b, Reset: true})
			for i := int64(0); i < 100; i++ {
				send(t, w, block(a, 0, 0, change{op: schema.OpRead, id: 2 * i, v: "a"}, change{op: schema.OpRead, id: 2*i + 1, v: "b"}))
			}
			send(t, w, block(b, 0, 0, change{op: schema.OpRead, id: 7, v: "seven"}), commit(1),
				block(a, 2, 0, change{op: schema.OpUpdate, id: 5, old: 5, v: "five"}, change{op: schema.OpUpdate, id: 1006, old: 6, v: "moved"}),
				block(b, 2, 2, change{op: schema.OpDelete, old: 7}), commit(2),
				block(b, 3, 0, change{op: schema.OpInsert, id: 7, v: "again"}), commit(3))
			require.NoError(t, w.Close(t.Context()))
			drain(t, r, l)
			require.NoError(t, tr.Close())
			require.Len(t, l.rows[a.ID], 200)
			require.Equal(t, "five", l.rows[a.ID][5])
			require.Equal(t, "moved", l.rows[a.ID][1006])
			require.NotContains(t, l.rows[a.ID], int64(6))
			require.Equal(t, map[int64]string{7: "again"}, l.rows[b.ID])
			require.True(t, l.resume.Position.Contains(commit(3).Position))
			require.Len(t, l.resume.Position.Log, 6)
		})
	}
}

// TestManyTables reads a log of more tables than are announced at once.
func TestManyTables(t *testing.T) {
	cfg := config(broker(t))
	cfg.Partitions = 1
	const tables = 50
	l := newLake(t)
	tr, w, r := open(t, cfg, l)
	for i := range tables {
		s := table(t, fmt.Sprintf("t%d", i))
		send(t, w, schema.SchemaChange{Table: s, Reset: true}, block(s, 0, 0, change{op: schema.OpRead, id: 1, v: "one"}))
	}
	send(t, w, commit(1))
	require.NoError(t, w.Close(t.Context()))
	drain(t, r, l)
	require.NoError(t, tr.Close())
	require.Len(t, l.rows, tables)

	again := newLake(t)
	tr = kafkalog.New(cfg, quiet())
	defer tr.Close()
	r, err := tr.Reader(t.Context(), again.resume)
	require.NoError(t, err)
	for len(again.commits) == 0 {
		e, err := r.Next(t.Context())
		require.NoError(t, err)
		again.apply(e)
	}
	require.Equal(t, l.rows, again.rows)
}
