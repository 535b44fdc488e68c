package debezium_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

func modesOf(t *testing.T, decimal, unsigned, binary, times string) debezium.Modes {
	t.Helper()
	m, err := debezium.ParseModes(decimal, unsigned, binary, times)
	require.NoError(t, err)
	return m
}

// TestRecordedModes: what Debezium wrote in other modes decodes to the values that
// it wrote in its defaults, and is written as it was.
func TestRecordedModes(t *testing.T) {
	tab := wideTable(t, "t", "t6") // as TIME values outside of a day are null in the one recording
	modes := modesOf(t, "string", "long", "hex", "isostring")
	usual, chosen := readRecorded(t, "plain.tsv", "wide"), readRecorded(t, "modes.tsv", "wide")
	cfg := recordingConfig()
	cfg.Modes = modes
	e := debezium.NewEncoder(tab, cfg)
	// The row of the recording's DELETE is the last, and its old image was kept as far as the key.
	for i := range chosen[:6] {
		want, got := schema.NewBlock(tab), schema.NewBlock(tab)
		require.NoError(t, debezium.NewDecoder(tab, debezium.Modes{}).Append(want, usual[i].key, usual[i].value))
		require.NoError(t, debezium.NewDecoder(tab, modes).Append(got, chosen[i].key, chosen[i].value))
		for c := range tab.Columns {
			if name := tab.Columns[c].Name; name != "dts" { // CURRENT_TIMESTAMP
				require.True(t, sameValue(&want.New[c], 0, &got.New[c], 0), "event %d, column %s", i, name)
			}
		}
		recs, err := e.Row(&schema.Block{Table: tab, Ops: []schema.Op{schema.OpInsert}, New: got.New}, 0, &schema.Origin{})
		require.NoError(t, err)
		require.Equal(t, known(tab, fieldsIn(t, part(t, chosen[i].value, "after"))), fieldsIn(t, part(t, recs[0].Value, "after")), "event %d", i)
	}
}

// TestModes has the spelling of each value in each mode; Debezium's documentation
// names the types that these texts follow from.
func TestModes(t *testing.T) {
	scaled := func(k schema.Kind, digits int) schema.Type { return schema.Type{Kind: k, Scale: digits} }
	tab := table(t, "modes", nil,
		column("de", schema.Type{Kind: schema.Decimal, Precision: 9, Scale: 4}), column("wide", schema.Type{Kind: schema.Decimal, Precision: 38, Scale: 20}),
		column("biu", schema.Type{Kind: schema.BigInt, Unsigned: true}), column("bin", schema.Type{Kind: schema.Blob}), column("d", scaled(schema.Date, 0)),
		column("t", scaled(schema.Time, 3)), column("dt", scaled(schema.DateTime, 3)), column("ts", scaled(schema.Timestamp, 3)))
	row := change{op: schema.OpInsert, now: []any{dec("-0.0500"), dec("-1.5"), uint64(1<<64 - 1), raw{0xFB, 0xFF, 0x0A}, 19782,
		12*time.Hour + 34*time.Minute + 56500*time.Millisecond, "2024-02-29 12:34:56.5", "2024-02-29 12:34:56.5"}}
	const ts, usualWide, days = `"2024-02-29T12:34:56.500Z"`, `"995U8rvraAAA"`, "19782"
	tests := []struct {
		modes [4]string
		want  []string
	}{
		{[4]string{}, []string{`"/gw="`, usualWide, "-1", `"+/8K"`, days, "45296500000", "1709210096500", ts}},
		{[4]string{"precise", "precise", "base64", "connect"}, []string{`"/gw="`, usualWide, `"AP//////////"`, `"+/8K"`, days, "45296500", "1709210096500", ts}},
		{[4]string{"string", "long", "base64-url-safe", "isostring"}, []string{`"-0.0500"`, `"-1.50000000000000000000"`, "-1", `"-_8K"`, `"2024-02-29Z"`, `"12:34:56.5Z"`,
			`"2024-02-29T12:34:56.5Z"`, ts}},
		{[4]string{"string", "long", "hex", "microseconds"}, []string{`"-0.0500"`, `"-1.50000000000000000000"`, "-1", `"fbff0a"`, days, "45296500000", "1709210096500000", ts}},
	}
	for _, tt := range tests {
		cfg := config()
		cfg.Modes = modesOf(t, tt.modes[0], tt.modes[1], tt.modes[2], tt.modes[3])
		recs, err := debezium.NewEncoder(tab, cfg).Row(blockOf(t, tab, row), 0, &schema.Origin{})
		require.NoError(t, err)
		var got []string
		for _, f := range fieldsIn(t, part(t, recs[0].Value, "after")) {
			got = append(got, f.text)
		}
		require.Equal(t, tt.want, got, "%v", tt.modes)
	}
}

// TestLossyModes: what a mode would lose is refused before a row is written.
func TestLossyModes(t *testing.T) {
	one := func(typ schema.Type) *schema.Table { return table(t, "lossy", nil, column("x", typ)) }
	tests := []struct {
		decimal, time string
		typ           schema.Type
		want          string
	}{
		{"double", "", schema.Type{Kind: schema.Decimal, Precision: 16, Scale: 2}, "table rec.lossy, column x (decimal): it has 16 digits"},
		{"double", "", schema.Type{Kind: schema.Decimal, Precision: 15, Scale: 2}, ""},
		{"", "connect", schema.Type{Kind: schema.DateTime, Scale: 4}, "remedy: --kafka-time-precision-mode adaptive_time_microseconds"},
		{"", "connect", schema.Type{Kind: schema.Time, Scale: 6}, "it has 6 digits of the second's fraction, of which time precision mode connect keeps 3"},
		{"", "connect", schema.Type{Kind: schema.Time, Scale: 6, Form: schema.FormLong}, ""},
		{"", "nanoseconds", schema.Type{Kind: schema.DateTime}, "1678 to 2261"},
		{"", "nanoseconds", schema.Type{Kind: schema.Time, Scale: 6}, ""},
	}
	for _, tt := range tests {
		err := modesOf(t, tt.decimal, "", "", tt.time).Check(one(tt.typ))
		if tt.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tt.want)
	}
}

// TestFaultyModes: a text that the mode would not have written is refused, not
// taken for something like it.
func TestFaultyModes(t *testing.T) {
	small, large := schema.Type{Kind: schema.Decimal, Precision: 4, Scale: 2}, schema.Type{Kind: schema.Decimal, Precision: 60, Scale: 2}
	modes := modesOf(t, "string", "precise", "hex", "isostring")
	double := modesOf(t, "double", "", "base64-url-safe", "connect")
	tests := []struct {
		modes debezium.Modes
		typ   schema.Type
		text  string
	}{
		{modes, small, `"1"`}, {modes, small, `"1.234"`}, {modes, small, `"100.00"`}, {modes, small, `".00"`}, {modes, small, `"1e2.00"`}, {modes, small, `""`},
		{modes, large, `"--1.00"`}, {modes, small, `1.25`}, {double, small, `1.255`}, {double, small, `100`}, {double, large, `1.25`}, {double, small, `"1.25"`},
		{modes, schema.Type{Kind: schema.BigInt, Unsigned: true}, `"/w=="`}, {modes, schema.Type{Kind: schema.BigInt, Unsigned: true}, `"AQAAAAAAAAAA"`},
		{modes, schema.Type{Kind: schema.Blob}, `"abc"`}, {modes, schema.Type{Kind: schema.Blob}, `"zz"`}, {double, schema.Type{Kind: schema.Blob}, `"+/8K"`},
		{modes, schema.Type{Kind: schema.Date}, `"2024-02-30Z"`}, {modes, schema.Type{Kind: schema.Date}, `"2024-02-29"`}, {modes, schema.Type{Kind: schema.Date}, `19782`},
		{modes, schema.Type{Kind: schema.Time}, `"24:00:00Z"`}, {double, schema.Type{Kind: schema.Time}, `86400000`}, {double, schema.Type{Kind: schema.Time}, `-1`},
		{modes, schema.Type{Kind: schema.DateTime}, `"2024-02-29 12:34:56Z"`}, {modes, schema.Type{Kind: schema.DateTime}, `1709210096500`},
	}
	for _, tt := range tests {
		tab := table(t, "faulty", nil, column("x", tt.typ))
		b := schema.NewBlock(tab)
		err := debezium.NewDecoder(tab, tt.modes).Append(b, nil, []byte(`{"before":null,"after":{"x":`+tt.text+`},"source":{},"op":"c"}`))
		require.ErrorContains(t, err, "column x", "%s of type %s", tt.text, tt.typ.Kind)
		require.Zero(t, b.New[0].N)
	}
	_, err := debezium.ParseModes("exact", "", "", "adaptive")
	require.ErrorContains(t, err, `"exact" is none of precise, string, double`)
	require.ErrorContains(t, err, `"adaptive" is none of`)
	_, err = debezium.ModesOf(7 << 5)
	require.ErrorContains(t, err, "which this program does not know")
}
