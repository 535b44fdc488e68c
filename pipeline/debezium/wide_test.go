package debezium_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

type typed struct {
	name string
	typ  schema.Type
	one  any // the value in the recording's row 1
}

func wideColumns() []typed {
	n := func(k schema.Kind) schema.Type { return schema.Type{Kind: k} }
	u := func(k schema.Kind) schema.Type { return schema.Type{Kind: k, Unsigned: true} }
	frac := func(k schema.Kind, digits int) schema.Type { return schema.Type{Kind: k, Scale: digits} }
	number := func(p, s int) schema.Type { return schema.Type{Kind: schema.Decimal, Precision: p, Scale: s} }
	length := func(k schema.Kind, l int) schema.Type { return schema.Type{Kind: k, Length: l} }
	utc := "2024-02-29 12:34:56"
	return []typed{
		{"id", n(schema.Int), 1}, {"ti", n(schema.TinyInt), -128}, {"ti1", length(schema.TinyInt, 1), 1}, {"tiu", u(schema.TinyInt), 255},
		{"si", n(schema.SmallInt), -32768}, {"siu", u(schema.SmallInt), 65535}, {"mi", n(schema.MediumInt), -8388608},
		{"miu", u(schema.MediumInt), 16777215}, {"i", n(schema.Int), -2147483648}, {"iu", u(schema.Int), 4294967295},
		{"bi", n(schema.BigInt), -9223372036854775808}, {"biu", u(schema.BigInt), uint64(18446744073709551615)},
		{"f", n(schema.Float), float32(1.5)}, {"d", n(schema.Double), 3.141592653589793},
		{"de", number(38, 10), dec("1234567890123456789012345678.0123456789")}, {"de0", number(20, 0), dec("12345678901234567890")},
		{"num", number(10, 2), dec("-12345678.90")},
		{"b1", length(schema.Bit, 1), true}, {"b8", length(schema.Bit, 8), raw{0xAA}},
		{"b64", length(schema.Bit, 64), raw{0x80, 0, 0, 0, 0, 0, 0, 1}}, {"bo", length(schema.TinyInt, 1), 1},
		{"dt", n(schema.Date), 19782}, {"dt0", n(schema.Date), nil}, {"dtm", n(schema.DateTime), utc},
		{"dtm3", frac(schema.DateTime, 3), utc + ".789"}, {"dtm6", frac(schema.DateTime, 6), utc + ".789012"}, {"dtm00", n(schema.DateTime), nil},
		{"ts", n(schema.Timestamp), utc}, {"ts3", frac(schema.Timestamp, 3), utc + ".789"}, {"ts6", frac(schema.Timestamp, 6), utc + ".789012"},
		{"t", n(schema.Time), -(12*time.Hour + 34*time.Minute + 56*time.Second)},
		{"t6", frac(schema.Time, 6), -(838*time.Hour + 59*time.Minute + 58*time.Second + 999999*time.Microsecond)}, {"y", n(schema.Year), 2024},
		{"c", length(schema.Char, 10), "chär"}, {"vc", length(schema.VarChar, 50), "日本語😀"}, {"vl", length(schema.VarChar, 50), "café"},
		{"tx", n(schema.Text), "text"}, {"ltx", n(schema.Text), "long text"},
		{"bin4", length(schema.Binary, 4), raw{1, 2, 0, 0}}, {"vb", length(schema.VarBinary, 20), raw{0xDE, 0xAD, 0xBE, 0xEF}},
		{"bl", n(schema.Blob), raw{0, 0xFF, 0x10}}, {"lbl", n(schema.Blob), raw{0xCA, 0xFE, 0xBA, 0xBE}},
		{"en", n(schema.Enum), "c,d"}, {"se", n(schema.Set), "x,z"},
		{"js", n(schema.JSON), `{"a": 1, "b": [true, null, 1.5, "x"], "é": "ü"}`},
		{"nn", length(schema.VarChar, 10), "nn"}, {"dn", n(schema.Int), 8}, {"dd", number(10, 2), dec("2.25")},
		{"dts", n(schema.Timestamp), "2024-01-02 03:04:05"},
	}
}

func wideTable(t *testing.T, without ...string) *schema.Table {
	var cols []schema.Column
next:
	for _, c := range wideColumns() {
		for _, w := range without {
			if w == c.name {
				continue next
			}
		}
		cols = append(cols, column(c.name, c.typ))
	}
	return table(t, "wide", []int{0}, cols...)
}

// wideRow returns row 1 with some values replaced; with only, all others are
// null.
func wideRow(only bool, replace map[string]any) []any {
	var row []any
	for _, c := range wideColumns() {
		v, ok := replace[c.name]
		if !ok && !only {
			v = c.one
		}
		row = append(row, v)
	}
	return row
}

// difference is a value that Debezium writes in another way on purpose of ours.
type difference struct{ debezium, ours string }

const (
	blanks  = `"{\"a\": 1, \"b\": [true, null, 1.5, \"x\"], \"é\": \"ü\"}"`
	compact = `"{\"a\":1,\"b\":[true,null,1.5,\"x\"],\"é\":\"ü\"}"`
)

// Of the columns that the lake has no type for yet, a row has nothing.
var notSupported = map[string]bool{"g": true, "p": true, "ls": true}

// TestRecordedTypes compares every value of every type in the recording. The
// differences are exactly the ones that doc.go lists.
func TestRecordedTypes(t *testing.T) {
	def := map[string]any{"nn": "dflt", "dn": 7, "dd": dec("1.50"), "dts": "2026-11-23 01:30:52"}
	with := func(m map[string]any) map[string]any {
		for k, v := range def {
			if _, ok := m[k]; !ok {
				m[k] = v
			}
		}
		return m
	}
	later := "2026-11-23 01:32:47"
	hours := 838*time.Hour + 59*time.Minute + 59*time.Second
	inStream := map[string]difference{"en": {`"c\\,d"`, `"c,d"`}, "js": {compact, blanks}}
	tests := []struct {
		row   change
		image string
		diff  map[string]difference
	}{
		{change{schema.OpRead, nil, wideRow(false, nil), loaded()}, "after", map[string]difference{
			"t": {"45296000000", "-45296000000"}, "t6": {"-2861998340000", "-3020398999999"}}},
		{change{schema.OpRead, nil, wideRow(true, with(map[string]any{"id": 2})), loaded()}, "after", nil},
		{change{schema.OpInsert, nil, wideRow(false, map[string]any{"id": 3}), streamed(19, 9358, 1795397567130149)}, "after", inStream},
		{change{schema.OpInsert, nil, wideRow(true, with(map[string]any{"id": 4, "t6": hours, "de": dec("-0.0000000001"), "num": dec("0"),
			"y": 1901, "ts6": "1970-01-01 00:00:01.000001", "dtm6": "1000-01-01 00:00:00", "b8": raw{0}, "en": "", "se": "", "js": `"s"`,
			"dts": later})), streamed(20, 10401, 1795397567131258)}, "after", nil},
		{change{schema.OpInsert, nil, wideRow(true, with(map[string]any{"id": 5, "t6": time.Microsecond,
			"de": dec("-9999999999999999999999999999.9999999999"), "num": dec("99999999.99"), "y": 0, "ts6": "2038-01-19 03:14:07.999999",
			"dtm6": "9999-12-31 23:59:59.999999", "b8": raw{0xFF}, "en": "a", "se": "x,y,z", "js": "[]", "dts": later})),
			streamed(20, 10401, 1795397567131258)}, "after", map[string]difference{"y": {"1900", "0"}}},
		{change{schema.OpUpdate, wideRow(false, nil), wideRow(false, map[string]any{"vc": "updated", "de": dec("-0.5"),
			"t6": -1500 * time.Millisecond, "ts6": "2025-01-01 00:00:00.000001", "js": `{"n": 1e3, "t": "2020-01-01"}`}),
			streamed(21, 11209, 1795397567133739)}, "after",
			map[string]difference{"en": inStream["en"], "js": {`"{\"n\":1000.0,\"t\":\"2020-01-01\"}"`, `"{\"n\": 1e3, \"t\": \"2020-01-01\"}"`}}},
		{change{schema.OpDelete, wideRow(true, with(map[string]any{"id": 2})), nil, streamed(26, 14235, 1795397567139733)}, "before", nil},
	}
	want := readRecorded(t, "plain.tsv", "wide")
	tab := wideTable(t)
	e := debezium.NewEncoder(tab, recordingConfig())
	for i, tt := range tests {
		b := blockOf(t, tab, tt.row)
		recs, err := e.Row(b, 0, &b.Origins[0])
		require.NoError(t, err)
		var theirs []jsonField
		for _, f := range fieldsIn(t, part(t, want[i].value, tt.image)) {
			if d, ok := tt.diff[f.name]; ok {
				require.Equal(t, d.debezium, f.text, "event %d, column %s: no such difference in the recording", i, f.name)
				f.text = d.ours
			}
			if !notSupported[f.name] {
				theirs = append(theirs, f)
			}
		}
		require.Equal(t, theirs, fieldsIn(t, part(t, recs[0].Value, tt.image)), "event %d", i)
	}
}

// TestDecodeRecorded decodes what the real Debezium wrote, with and without
// schemas, and encodes it again: the texts of all values are the same.
func TestDecodeRecorded(t *testing.T) {
	k1, k2, v := column("k1", typeInt), column("k2", typeVarchar), column("v", typeVarchar)
	tests := []struct {
		file string
		from int // of the table's records: later ones were written under another version
		to   int
		tab  *schema.Table
	}{
		{"plain.tsv", 0, 8, wideTable(t, "t", "t6")},
		{"plain.tsv", 0, 9, table(t, "cpk", []int{0, 1}, k1, k2, v)},
		{"schema.tsv", 0, 9, table(t, "cpk", []int{0, 1}, k1, k2, v)},
		{"schema.tsv", 9, 10, table(t, "cpk", []int{0, 1}, k1, k2, v, column("extra", schema.Type{Kind: schema.Decimal, Precision: 12, Scale: 3}))},
		{"plain.tsv", 0, 5, table(t, "nopk", nil, column("a", typeInt), column("b", typeVarchar))},
	}
	for _, tt := range tests {
		d := debezium.NewDecoder(tt.tab, debezium.Modes{})
		e := debezium.NewEncoder(tt.tab, recordingConfig())
		for _, r := range readRecorded(t, tt.file, tt.tab.ID.Name)[tt.from:tt.to] {
			b := schema.NewBlock(tt.tab)
			require.NoError(t, d.Append(b, r.key, r.value))
			if r.value == nil {
				require.Zero(t, b.Rows(), "rows of a tombstone")
				continue
			}
			require.Equal(t, 1, b.Rows())
			image := part(t, r.value, "after")
			again := schema.Block{Table: tt.tab, Ops: []schema.Op{schema.OpInsert}, New: b.New}
			if b.Ops[0] == schema.OpDelete {
				image = part(t, r.value, "before")
				again.New = b.Old
				if len(tt.tab.Key) > 0 { // only the key was kept: fill up with nulls
					if image = r.key; tt.file == "schema.tsv" {
						image = part(t, r.key, "payload")
					}
					again.New = withNulls(tt.tab, b.Old)
				}
			}
			recs, err := e.Row(&again, 0, &schema.Origin{})
			require.NoError(t, err)
			got := part(t, recs[0].Value, "after")
			if b.Ops[0] == schema.OpDelete && len(tt.tab.Key) > 0 {
				got = recs[0].Key
			}
			require.Equal(t, known(tt.tab, fieldsIn(t, image)), fieldsIn(t, got))
		}
	}
}

func known(t *schema.Table, fs []jsonField) (k []jsonField) {
	for _, f := range fs {
		if t.Column(f.name) >= 0 {
			k = append(k, f)
		}
	}
	return k
}

func withNulls(t *schema.Table, keys []schema.Vec) []schema.Vec {
	b := schema.NewBlock(t)
	for i := range b.New {
		if t.IsKey(i) {
			b.New[i].AppendFrom(&keys[i], 0)
		} else {
			b.New[i].AppendNull()
		}
	}
	return b.New
}
