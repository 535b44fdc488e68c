package debezium_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

func faultTable(t testing.TB) *schema.Table {
	return table(t, "faults", []int{0},
		column("id", schema.Type{Kind: schema.Int}), column("n", schema.Type{Kind: schema.Decimal, Precision: 4, Scale: 2}),
		column("s", schema.Type{Kind: schema.Text}), column("f", schema.Type{Kind: schema.Float}),
		column("t", schema.Type{Kind: schema.Time}), column("at", schema.Type{Kind: schema.Timestamp}),
		column("b", schema.Type{Kind: schema.Bit, Length: 9}), column("raw", schema.Type{Kind: schema.Blob}), column("v", schema.Type{Kind: schema.VectorFloat}))
}

// row returns an insert of the table with one field replaced.
func faultyRow(name, text string) string {
	fields := []string{"id", "1", "n", "null", "s", "null", "f", "null", "t", "null", "at", "null", "b", "null", "raw", "null", "v", "null"}
	var s strings.Builder
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == name {
			fields[i+1] = text
		}
		s.WriteString(`,"` + fields[i] + `":` + fields[i+1])
	}
	return `{"before":null,"after":{` + s.String()[1:] + `},"source":{},"transaction":null,"op":"c",` +
		`"ts_ms":1795397474904,"ts_us":1795397474904468,"ts_ns":1795397474904468722}`
}

// TestFaultyEvents: each message names the table, the column and the text, and
// the block is as it was.
func TestFaultyEvents(t *testing.T) {
	long := `"` + strings.Repeat("x", 1<<20) + `\ud800"`
	tests := []struct{ key, value, want string }{
		{``, `{`, `table rec.faults: "{" is no JSON object`},
		{``, `[1]`, `no JSON object`},
		{``, `{"id":1}`, `it has no op`},
		{``, `{"op":"t","before":null,"after":null}`, `its op is "t", and only r, c, u and d`},
		{``, `{"op":"truncate"}`, `its op is "truncate"`},
		{``, `{"op":"c","after":null}`, `its op is "c", but it has no after image`},
		{``, `{"op":"c","after":3}`, `"3" is no JSON object`},
		{``, `{"op":"d"}`, `neither a before image nor a key`},
		{`{`, `{"op":"d"}`, `key: "{" is no JSON object`},
		{`{"no":1}`, `{"op":"d"}`, `column id is not in the row`},
		{``, `{"op":"c","after":{"id":1}}`, `column n is not in the row`},
		{``, faultyRow("id", `"1"`), `table rec.faults: column id (int): "\"1\"" is not what an event holds`},
		{``, faultyRow("id", `1.5`), `column id (int): "1.5" is not what`},
		{``, faultyRow("id", `2147483648`), `column id (int): "2147483648" is out of the type's range`},
		{``, faultyRow("id", `99999999999999999999`), `is out of the type's range`},
		{``, faultyRow("id", `true`), `column id (int): "true" is not`},
		{``, faultyRow("n", `12.5`), `column n (decimal): "12.5" is not`},
		{``, faultyRow("n", `"JxA="`), `column n (decimal): "\"JxA=\"" is out of the type's range`}, // 100.00 in four digits with two after the point
		{``, faultyRow("n", `"?"`), `is no base64`},
		{``, faultyRow("n", `""`), `column n (decimal): "\"\"" is not`},
		{``, faultyRow("s", `"\ud83d"`), `column s (text): "\"\\ud83d\"" is no valid JSON string`},
		{``, faultyRow("s", "\"\xff\""), `is no valid JSON string in UTF-8`},
		{``, faultyRow("s", long), `… (1048584 bytes) is no valid JSON string`},
		{``, faultyRow("f", `1e39`), `column f (float): "1e39" is out of the type's range`},
		{``, faultyRow("f", `"NaN"`), `column f (float): "\"NaN\"" is not`},
		{``, faultyRow("t", `-1`), `column t (time): "-1" is no time of a day`},
		{``, faultyRow("t", `86400000000`), `is no time of a day`},
		{``, faultyRow("at", `"2023-02-29T00:00:00Z"`), `column at (timestamp): "\"2023-02-29T00:00:00Z\"" is not`},
		{``, faultyRow("b", `"AQID"`), `column b (bit): "\"AQID\"" is out of the type's range`},
		{``, faultyRow("raw", `"AB=="`), `column raw (blob): "\"AB==\"" is no base64`},
		{``, faultyRow("raw", `{"x":1}`), `column raw (blob): "{\"x\":1}" is not`},
		{``, faultyRow("raw", `[1]`), `column raw (blob): "[1]" is not`},
		{``, faultyRow("v", `[1,null]`), `column v (vector): "[1,null]" is not`},
		{``, faultyRow("v", `[1,[2]]`), `column v (vector): "[1,[2]]" is not`},
		{``, faultyRow("v", `[1,1e39]`), `column v (vector): "[1,1e39]" is out of the type's range`},
		{``, faultyRow("v", `"[1]"`), `column v (vector): "\"[1]\"" is not`},
	}
	tab := faultTable(t)
	d := debezium.NewDecoder(tab, debezium.Modes{})
	for _, tt := range tests {
		b := schema.NewBlock(tab)
		require.NoError(t, d.Append(b, nil, []byte(faultyRow("", ""))))
		err := d.Append(b, []byte(tt.key), []byte(tt.value))
		require.ErrorContains(t, err, tt.want)
		require.Less(t, len(err.Error()), 400)
		require.Equal(t, 1, b.Rows())
		for i := range b.New {
			require.Equal(t, 1, b.New[i].N)
		}
		for i := range b.Old {
			require.Contains(t, []int{0, 1}, b.Old[i].N)
		}
		require.NoError(t, d.Append(b, nil, []byte(faultyRow("id", "7"))), "after a faulty event")
		require.EqualValues(t, 7, b.New[0].I32[1])
	}
}

// TestOldFromKey: where an event has no before image, its key says which row.
func TestOldFromKey(t *testing.T) {
	tab := faultTable(t)
	b := schema.NewBlock(tab)
	require.NoError(t, debezium.NewDecoder(tab, debezium.Modes{}).Append(b, []byte(`{"id":5}`), []byte(`{"op":"d","before":null}`)))
	require.EqualValues(t, 5, b.Old[0].I32[0])
}

// TestFaultyRows: what has no event is refused with the column's name.
func TestFaultyRows(t *testing.T) {
	insert := func(typ schema.Type, values ...any) *schema.Block {
		return blockOf(t, table(t, "faults", nil, column("x", typ)), change{schema.OpInsert, nil, values, schema.Origin{}})
	}
	keyOnly := blockOf(t, faultTable(t), change{schema.OpInsert, nil, []any{1, nil, nil, nil, nil, nil, nil, nil, nil}, schema.Origin{}})
	keyOnly.Ops[0] = schema.OpUpdate
	noOld := blockOf(t, faultTable(t), change{schema.OpInsert, nil, []any{1, nil, nil, nil, nil, nil, nil, nil, nil}, schema.Origin{}})
	noOld.Ops[0] = schema.OpDelete
	keyOnly.NeedOld(true)
	inf := insert(schema.Type{Kind: schema.Double}, 0.0)
	inf.New[0].I64[0] = 0x7FF << 52
	fraction := insert(schema.Type{Kind: schema.DateTime, Scale: 3}, "2024-01-01 00:00:00.0001")
	year := insert(schema.Type{Kind: schema.Timestamp}, "2024-01-01 00:00:00")
	year.New[0].I64[0] = 1 << 62
	op := insert(schema.Type{Kind: schema.Int}, 1)
	op.Ops[0] = 'x'
	negative := insert(schema.Type{Kind: schema.BigInt, Unsigned: true}, uint64(1))
	negative.New[0].Data[0] = 0xFF
	tests := []struct {
		b    *schema.Block
		want string
	}{
		{insert(schema.Type{Kind: schema.VectorFloat}, raw{1, 2, 3}), "column x: value is no vector: it ends within a number"},
		{insert(schema.Type{Kind: schema.Text}, "a\xff"), `table rec.faults: column x: value "a\xff" is not valid UTF-8`},
		{insert(schema.Type{Kind: schema.Decimal, Precision: 40, Scale: 2}, "1.5"), `column x: value has the text "1.5"`},
		{inf, "column x: value is not a finite number"},
		{fraction, "column x: value has more digits"},
		{year, "column x: value lies outside of the years"},
		{negative, "column x: value is negative or above"},
		{op, `operation 'x' is none of`},
		{keyOnly, "column n has no old image, and an event needs all of it: set binlog_row_image=FULL"},
		{noOld, "column id has no old image"},
	}
	for _, tt := range tests {
		_, err := debezium.NewEncoder(tt.b.Table, config()).Row(tt.b, 0, &schema.Origin{})
		require.ErrorContains(t, err, tt.want)
	}
}

// FuzzDecoder: whatever stands in a record, the decoder appends a whole row or
// nothing, and what it appended it can encode.
func FuzzDecoder(f *testing.F) {
	tab := faultTable(f)
	f.Add([]byte(`{"id":1}`), []byte(faultyRow("s", `"x\n\ud83d\ude00"`)))
	f.Add([]byte(`{"id":1}`), []byte(`{"op":"d","before":null}`))
	f.Add([]byte(nil), []byte(strings.Replace(faultyRow("v", `[1.5,-0.0,1e-45]`), `"raw":null`, `"raw":"AA=="`, 1)))
	f.Add([]byte(`{"schema":{},"payload":{"id":1}}`), []byte(`{"schema":{},"payload":{"op":"u","after":{}}}`))
	f.Add([]byte(nil), []byte(strings.Replace(strings.Replace(faultyRow("n", `"AQ=="`), `"before":null`, `"before":{"id":1,"s":"\\"}`, 1), `"op":"c"`, `"op":"u"`, 1)))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		b := schema.NewBlock(tab)
		err := debezium.NewDecoder(tab, debezium.Modes{}).Append(b, key, value)
		if err != nil && b.Rows() != 0 || b.Rows() > 1 {
			t.Fatalf("%d rows, error %v", b.Rows(), err)
		}
		for i := range b.New {
			if b.New[i].N != b.Rows() {
				t.Fatalf("column %d has %d values in %d rows", i, b.New[i].N, b.Rows())
			}
		}
		if b.Rows() == 0 || b.Ops[0] == schema.OpDelete {
			return
		}
		b.Ops[0] = schema.OpInsert
		if _, err := debezium.NewEncoder(tab, config()).Row(b, 0, &schema.Origin{}); err != nil && !strings.Contains(err.Error(), "fraction") {
			t.Fatalf("encoding what was decoded: %v", err)
		}
	})
}
