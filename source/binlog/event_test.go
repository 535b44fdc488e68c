package binlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/klauspost/compress/zstd"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// sysbenchMap is the table map of sysbench's table: id INT, k INT, c CHAR(120),
// pad CHAR(60), in utf8mb4.
func sysbenchMap(number byte) []byte {
	b := []byte{number, 0, 0, 0, 0, 0, 1, 0, 2, 'd', 'b', 0, 2, 's', '0' + number, 0, 4, 3, 3, 254, 254, 4, 0xee, 0xe0, 0xfe, 0xf0, 0}
	b = append(b, 1, 1, 0)                                              // signed
	b = append(b, 2, 1, 255)                                            // collation utf8mb4_0900_ai_ci has number 255
	b = append(b, 4, 11, 2, 'i', 'd', 1, 'k', 1, 'c', 3, 'p', 'a', 'd') // names
	return append(b, 8, 1, 0)                                           // key
}

func sysbenchRow(b []byte, id int) []byte {
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(id))
	b = binary.LittleEndian.AppendUint32(b, uint32(id*7))
	b = append(b, 119, 0)
	b = append(b, strings.Repeat("68487932199-", 10)[:119]...)
	b = append(b, 59)
	return append(b, strings.Repeat("22195207048-", 5)[:59]...)
}

func rowsBody(typ, number byte, rows ...[]byte) []byte {
	b := []byte{number, 0, 0, 0, 0, 0, 1, 0, 2, 0, 4, 0xff}
	if typ == evUpdateRows2 {
		b = append(b, 0xff)
	}
	for _, r := range rows {
		b = append(b, r...)
	}
	return b
}

func gtidBody(n int) []byte {
	b := append([]byte{1}, "0123456789abcdef"...)
	b = binary.LittleEndian.AppendUint64(b, uint64(n))
	b = append(b, 2)
	b = append(b, make([]byte, 16)...)
	return append(b, 1, 2, 3, 4, 5, 6, 0, 200, 0, 0, 0, 0)
}

func beginBody() []byte {
	b := []byte{9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 'd', 'b', 0}
	return append(b, "BEGIN"...)
}

type event struct {
	typ  byte
	body []byte
}

// oltpTransaction is sysbench's oltp_write_only: two updates, a delete and an
// insert, in tables of their own statements: eleven events, four rows.
func oltpTransaction(n int) []event {
	row := sysbenchRow(nil, n)
	return []event{
		{evGTID, gtidBody(n)}, {evQuery, beginBody()},
		{evTableMap, sysbenchMap(1)}, {evUpdateRows2, rowsBody(evUpdateRows2, 1, row, row)},
		{evTableMap, sysbenchMap(2)}, {evUpdateRows2, rowsBody(evUpdateRows2, 2, row, row)},
		{evTableMap, sysbenchMap(3)}, {evDeleteRows2, rowsBody(evDeleteRows2, 3, row)},
		{evTableMap, sysbenchMap(3)}, {evWriteRows2, rowsBody(evWriteRows2, 3, row)},
		{evXID, make([]byte, 8)},
	}
}

type discard struct{ rows int }

func (d *discard) Send(_ context.Context, e schema.Event) error {
	if b, ok := e.(*schema.Block); ok {
		d.rows += b.Rows()
		b.Release()
	}
	return nil
}

func newTestRun(out Sender) *run {
	cfg := Config{
		Captures:   func(schema.TableID) bool { return true },
		Collations: map[uint64]string{255: "utf8mb4", 63: "binary", 8: "latin1"},
		Describe:   func(context.Context, schema.TableID) (*schema.Table, error) { return nil, nil },
		Fill:       func(context.Context, *schema.Table, []Added) (*schema.Block, error) { return nil, nil },
		Keyless:    func(id schema.TableID) error { return fmt.Errorf("%s has no key", id) },
	}
	from := pipeline.Resume{Position: schema.Position{File: "binlog.000001", Offset: 4}, Tables: map[schema.TableID]pipeline.TableState{}}
	for n := range byte(3) {
		m, err := parseTableMap(sysbenchMap(n + 1))
		if err != nil {
			panic(err)
		}
		t, err := m.table(cfg.Collations, nil)
		if err != nil {
			panic(err)
		}
		from.Tables[t.ID] = pipeline.TableState{Table: t}
	}
	return newRun(cfg, from, out)
}

func TestOLTPTransaction(t *testing.T) {
	var d discard
	r := newTestRun(&d)
	for _, e := range oltpTransaction(1) {
		if err := r.onEvent(t.Context(), &header{typ: e.typ, flags: 0}, e.body); err != nil {
			t.Fatal(e.typ, err)
		}
	}
	if err := r.commit(t.Context()); err != nil || d.rows != 4 {
		t.Fatal(d.rows, err)
	}
}

// TestAlarmingEvents: what may hide changes stops the stream; what says of
// itself that it may be ignored does not.
func TestAlarmingEvents(t *testing.T) {
	for _, c := range []struct {
		h    header
		body []byte
		want string
	}{
		{header{typ: evIncident}, nil, "logged an incident"},
		{header{typ: 99}, nil, "an event of type 99"},
		{header{typ: 99, flags: flagIgnorable}, nil, ""},
		{header{typ: evWriteRows2}, rowsBody(evWriteRows2, 9), "without a table map"},
		{header{typ: evXAPrepare}, []byte{0}, "contradicts itself"},
		{header{typ: evQuery}, append(beginBody()[:16:16], "ROLLBACK"...), "rolled back but its rows are in the binlog"},
		{header{typ: evRotate, end: 100}, make([]byte, 9), "with neither commit nor rollback"},
	} {
		r := newTestRun(new(discard))
		for _, e := range oltpTransaction(1)[:4] {
			if err := r.onEvent(t.Context(), &header{typ: e.typ}, e.body); err != nil {
				t.Fatal(err)
			}
		}
		err := r.onEvent(t.Context(), &c.h, c.body)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("type %d: %v, want %q", c.h.typ, err, c.want)
		}
	}
}

// TestRowsOfOnePlaceAreNumberedThrough: a log tells rows by their place, where
// there are no GTIDs. Events of a compressed transaction share one.
func TestRowsOfOnePlaceAreNumberedThrough(t *testing.T) {
	row := sysbenchRow(nil, 1)
	var inner []byte
	for _, e := range []event{{evQuery, beginBody()}, {evTableMap, sysbenchMap(1)}, {evWriteRows2, rowsBody(evWriteRows2, 1, row, row)},
		{evTableMap, sysbenchMap(2)}, {evWriteRows2, rowsBody(evWriteRows2, 2, row)}, {evXID, make([]byte, 8)}} {
		inner = append(inner, rawEvent(e.typ, e.body)...)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	payload := z.EncodeAll(inner, []byte{2, 1, 0, 0})
	var d origins
	r := newTestRun(&d)
	for n, e := range []event{{evAnonymousGTID, gtidBody(0)}, {evPayload, payload}} {
		h := header{typ: e.typ, size: 100, end: uint32(104 + 100*n)}
		if err := r.onEvent(t.Context(), &h, e.body); err != nil {
			t.Fatal(e.typ, err)
		}
	}
	if err := r.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(d) != 2 || d[0].Pos != d[1].Pos || d[0].EventRow != 0 || d[1].EventRow != 2 {
		t.Fatalf("%+v", d)
	}
}

type origins []schema.Origin

func (o *origins) Send(_ context.Context, e schema.Event) error {
	if b, ok := e.(*schema.Block); ok {
		*o = append(*o, b.Origins...)
	}
	return nil
}

// TestEndsBeyond4GiB: headers have 32 bits of a place; the rest is counted.
func TestEndsBeyond4GiB(t *testing.T) {
	r := newTestRun(new(discard))
	const step = 1 << 30
	for n := uint64(1); n <= 10; n++ {
		want := 4 + n*step
		h := header{typ: evTableMap, size: step, end: uint32(want)}
		if r.advance(&h); r.offset != want || r.start != want-step {
			t.Fatalf("event %d: from %d to %d, want it to end at %d", n, r.start, r.offset, want)
		}
	}
	before := r.offset
	for _, h := range []header{{typ: evHeartbeat, end: 500}, {typ: evHeartbeat2, end: 500}, {typ: evFormat, size: 100}, {typ: evRotate, end: 7, flags: flagArtificial}} {
		if r.advance(&h); r.offset != before {
			t.Fatalf("type %d, which is in no file, moved the place to %d", h.typ, r.offset)
		}
	}
}

func TestChecksum(t *testing.T) {
	raw := rawEvent(evXID, make([]byte, 8+checksumLength))
	n := len(raw) - checksumLength
	binary.LittleEndian.PutUint32(raw[n:], crc32.ChecksumIEEE(raw[:n]))
	d := dump{checksum: true}
	if _, body, err := d.event(raw); err != nil || len(body) != 8 {
		t.Fatal(body, err)
	}
	raw[headerSize] ^= 1
	if _, _, err := d.event(raw); !errors.Is(err, errChecksum) {
		t.Fatal(err)
	}
}

// FuzzEvent: no bytes make the parser panic or read beyond them, be they an
// event by themselves or within a transaction.
func FuzzEvent(f *testing.F) {
	for _, e := range oltpTransaction(1) {
		f.Add(e.typ, e.body)
	}
	f.Add(evPayload, []byte{2, 1, 0, 0, 0x28, 0xb5, 0x2f, 0xfd})
	f.Add(evTaggedGTID, []byte{2, 0, 0, 0})
	f.Add(evQuery, append([]byte{9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 'd', 'b', 0}, "ALTER TABLE s1 ADD (x INT, y INT), RENAME TO `z`"...))
	f.Add(evQuery, append([]byte{9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 'd', 'b', 0}, "/*!40000 DROP */ TABLE `a`.b, 'c"...))
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		var d discard
		r := newTestRun(&d)
		for _, e := range oltpTransaction(1)[:5] {
			if err := r.onEvent(t.Context(), &header{typ: e.typ}, e.body); err != nil {
				t.Fatal(err)
			}
		}
		// The error is not the point: any is right, a panic is not.
		_ = r.onEvent(t.Context(), &header{typ: typ}, body[:len(body):len(body)])
		_ = r.onEvent(t.Context(), &header{typ: evUpdateRows2}, rowsBody(evUpdateRows2, 1, body))
	})
}

// FuzzTableMap: a map that parses has a shape or an error, and its columns pass
// over any bytes without reading beyond them.
func FuzzTableMap(f *testing.F) {
	f.Add(sysbenchMap(1), sysbenchRow(nil, 1))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1, 'd', 0, 1, 't', 0, 2, 3, 247, 2, 0xf7, 1, 2, 1, 1, 0x80, 6, 4, 1, 1, 'a', 0}, []byte{0, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, body, image []byte) {
		m, err := parseTableMap(body)
		if err != nil {
			return
		}
		if len(m.metas) != len(m.types) || len(m.nullable) != (len(m.types)+7)/8 {
			t.Fatalf("%d types, %d metas, %d bytes of nullable", len(m.types), len(m.metas), len(m.nullable))
		}
		if cols, err := widthsOf(m); err == nil {
			if n, err := passImage(cols, image); err == nil && n > len(image) {
				t.Fatalf("an image of %d bytes takes %d", len(image), n)
			}
		}
		if m.hasNames() {
			if s, err := m.table(map[uint64]string{255: "utf8mb4", 63: "binary"}, nil); err == nil {
				_, _ = columnsOf(m, s, new(value.Stats)) // any answer but a panic
			}
		}
	})
}

// BenchmarkOLTP is the work on a transaction of eleven events and four rows,
// after the packets were read: ours, and the library's own decoding of the same.
func BenchmarkOLTP(b *testing.B) { benchmarkDecoding(b, oltpTransaction(1), 4) }

// BenchmarkBulk is a rows event of 42 rows.
func BenchmarkBulk(b *testing.B) {
	var rows [][]byte
	for i := range 42 {
		rows = append(rows, sysbenchRow(nil, i))
	}
	benchmarkDecoding(b, []event{{evGTID, gtidBody(1)}, {evQuery, beginBody()}, {evTableMap, sysbenchMap(1)}, {evWriteRows2, rowsBody(evWriteRows2, 1, rows...)}, {evXID, make([]byte, 8)}}, 42)
}

func benchmarkDecoding(b *testing.B, events []event, rows int) {
	for _, decoder := range []struct {
		name string
		make func(testing.TB, []event) func()
	}{{"typed", typedDecoding}, {"library", libraryDecoding}} {
		b.Run(decoder.name, func(b *testing.B) {
			decode := decoder.make(b, events)
			b.ReportAllocs()
			start := ProcessorTime()
			for b.Loop() {
				decode()
			}
			// On a machine that is busy with other things time that passes says nothing.
			perRow := float64((ProcessorTime() - start).Nanoseconds()) / float64(rows*b.N)
			b.ReportMetric(perRow, "cpu-ns/row")
			b.ReportMetric(1e3/perRow, "Mrows/s/core")
		})
	}
}

// typedDecoding returns a function that decodes the events into blocks.
func typedDecoding(t testing.TB, events []event) func() {
	var d discard
	r := newTestRun(&d)
	return func() {
		for _, e := range events {
			h := header{typ: e.typ}
			if err := r.onEvent(t.Context(), &h, e.body); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// libraryDecoding returns a function by which go-mysql decodes them.
func libraryDecoding(t testing.TB, events []event) func() {
	p := replication.NewBinlogParser()
	if _, err := p.Parse(rawEvent(evFormat, formatBody())); err != nil {
		t.Fatal(err)
	}
	var raw [][]byte
	for _, e := range events {
		raw = append(raw, rawEvent(e.typ, e.body))
	}
	return func() {
		for _, e := range raw {
			if _, err := p.Parse(e); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDecodingAllocatesLittle: in a transaction of four rows the library makes some
// hundred objects, and we none but those that blocks are made of.
func TestDecodingAllocatesLittle(t *testing.T) {
	events := oltpTransaction(1)
	ours, library := testing.AllocsPerRun(1000, typedDecoding(t, events)), testing.AllocsPerRun(1000, libraryDecoding(t, events))
	if ours > 1 || library < 50*ours {
		t.Fatalf("%v allocations in a transaction, the library makes %v", ours, library)
	}
}

// rawEvent adds the header.
func rawEvent(typ byte, body []byte) []byte {
	b := make([]byte, headerSize, headerSize+len(body))
	b[4] = typ
	binary.LittleEndian.PutUint32(b[9:], uint32(headerSize+len(body)))
	return append(b, body...)
}

// formatBody is a format description of a server with the version 2 of rows
// events and no checksums.
func formatBody() []byte {
	b := make([]byte, 2+50+4+1)
	b[0] = 4
	copy(b[2:], "9.7.4")
	b[56] = headerSize
	lengths := make([]byte, 42)
	for i := range lengths {
		lengths[i] = 10
	}
	lengths[evTableMap-1] = 8
	b = append(b, lengths...)
	b = append(b, 0)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(nil))
}
