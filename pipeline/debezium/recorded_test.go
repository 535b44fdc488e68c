package debezium_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

// recorded is a record that Debezium wrote, as testdata/debezium keeps it.
type recorded struct {
	table, headers string
	key, value     []byte // nil: null
}

func readRecorded(t *testing.T, file, tableName string) (rs []recorded) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/debezium/" + file)
	require.NoError(t, err)
	orNull := func(s string) []byte {
		if s == "-" {
			return nil
		}
		return []byte(s)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 4 && f[0] == tableName {
			rs = append(rs, recorded{f[0], f[1], orNull(f[2]), orNull(f[3])})
		}
	}
	require.NotEmpty(t, rs, "events of table %s in %s", tableName, file)
	return rs
}

// normalise takes out what differs between any two runs, the times of
// processing, and the one word that a parallel load cannot know: which row is
// the first or the last.
func normalise(value []byte) string {
	s := regexp.MustCompile(`"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+}(}?)$`).ReplaceAllString(string(value), `"now"}$1`)
	return regexp.MustCompile(`"snapshot":"(first|last)[a-z_]*"`).ReplaceAllString(s, `"snapshot":"true"`)
}

func headersText(hs []debezium.Header) string {
	var s []string
	for _, h := range hs {
		s = append(s, h.Key+"="+string(h.Value))
	}
	if s == nil {
		return "-"
	}
	return strings.Join(s, ";")
}

func recordingConfig() debezium.Config {
	return debezium.Config{Name: "shop", Version: "3.6.1.Final", Now: time.Now}
}

var recordingUUID, _ = schema.ParseUUID("e4c931ab-e6d9-11f1-97b0-02fc00000001")

func streamed(gtid int64, pos uint64, micros int64) schema.Origin {
	return schema.Origin{GTID: schema.GTID{UUID: recordingUUID, N: gtid}, File: "binlog.000002", Pos: pos, Time: micros,
		ServerID: 13611, Thread: 74}
}

func loaded() schema.Origin {
	return schema.Origin{File: "binlog.000002", Pos: 8809, Time: 1795397474000000}
}

var (
	typeInt     = schema.Type{Kind: schema.Int}
	typeVarchar = schema.Type{Kind: schema.VarChar, Length: 20, Charset: "utf8mb4"}
)

// TestRecordedEvents builds the rows of the recording and compares all that is
// written for them with what Debezium wrote: keys, whole values, headers, order.
func TestRecordedEvents(t *testing.T) {
	k1, k2, v := column("k1", typeInt), column("k2", typeVarchar), column("v", typeVarchar)
	extra, id := column("extra", schema.Type{Kind: schema.Decimal, Precision: 12, Scale: 3}), column("id", schema.Type{Kind: schema.BigInt, Unsigned: true})
	k1.Nullable, k2.Nullable, id.Nullable, extra.Default = false, false, false, new("4.500")
	cpk := []int{0, 1}
	tests := []struct {
		name   string
		events int // of the recording, in order
		table  *schema.Table
		rows   []change
	}{
		{"cpk", 9, table(t, "cpk", cpk, k1, k2, v), []change{
			{schema.OpRead, nil, []any{1, "a", "v1"}, loaded()},
			{schema.OpRead, nil, []any{2, "b", "v2"}, loaded()},
			{schema.OpInsert, nil, []any{3, "c", "v3"}, streamed(22, 12320, 1795397567136252)},
			{schema.OpUpdate, []any{1, "a", "v1"}, []any{1, "a", "v1b"}, streamed(22, 12441, 1795397567136252)},
			{schema.OpDelete, []any{2, "b", "v2"}, nil, streamed(22, 12574, 1795397567136252)},
			{schema.OpUpdate, []any{1, "a", "v1b"}, []any{10, "a", "v1b"}, streamed(23, 12996, 1795397567138748)},
		}},
		{"cpk", 1, table(t, "cpk", cpk, k1, k2, v, extra, column("note", typeVarchar)), []change{
			{schema.OpInsert, nil, []any{4, "d", "v4", dec("9.125"), "nöte"}, streamed(28, 14861, 1795397567154726)},
		}},
		{"cpk", 1, table(t, "cpk", cpk, k1, k2, v, extra, column("remark", typeVarchar)), []change{
			{schema.OpUpdate, []any{4, "d", "v4", dec("9.125"), "nöte"}, []any{4, "d", "v4", dec("9.125"), "r"},
				streamed(30, 15444, 1795397567252775)},
		}},
		{"newt", 1, table(t, "newt", []int{0}, id, column("s", typeVarchar)), []change{
			{schema.OpInsert, nil, []any{uint64(1), "n1"}, streamed(32, 16028, 1795397567320194)},
		}},
		{"nopk", 5, table(t, "nopk", nil, column("a", typeInt), column("b", typeVarchar)), []change{
			{schema.OpRead, nil, []any{1, "x"}, loaded()},
			{schema.OpInsert, nil, []any{2, "y"}, streamed(22, 12685, 1795397567136252)},
			{schema.OpUpdate, []any{1, "x"}, []any{1, "z"}, streamed(24, 13313, 1795397567139045)},
			{schema.OpDelete, []any{2, "y"}, nil, streamed(25, 13613, 1795397567139174)},
		}},
	}
	withSchemas := recordingConfig()
	withSchemas.Name, withSchemas.Modes = "r1_default_defaults_schema", debezium.Modes{}.WithSchemas()
	done := map[string]int{}
	for _, tt := range tests {
		for file, cfg := range map[string]debezium.Config{"plain.tsv": recordingConfig(), "schema.tsv": withSchemas} {
			if file == "schema.tsv" && tt.name == "nopk" {
				continue // not among its tables
			}
			cfg.Topic = cfg.Name + "." + tt.table.ID.String()
			compareRecorded(t, cfg, tt.table, readRecorded(t, file, tt.name)[done[tt.name]:][:tt.events], tt.rows)
		}
		done[tt.name] += tt.events
	}
}

// compareRecorded compares all that is written for rows with what Debezium wrote.
func compareRecorded(t *testing.T, cfg debezium.Config, tab *schema.Table, want []recorded, rows []change) {
	t.Helper()
	b := blockOf(t, tab, rows...)
	e := debezium.NewEncoder(tab, cfg)
	n := 0
	for row := range rows {
		recs, err := e.Row(b, row, &b.Origins[row])
		require.NoError(t, err)
		for _, r := range recs {
			require.Equal(t, string(want[n].key), string(r.Key), "%s, record %d", tab.ID, n)
			require.Equal(t, want[n].key == nil, r.Key == nil)
			require.Equal(t, want[n].value == nil, r.Value == nil)
			require.Equal(t, normalise(want[n].value), normalise(r.Value))
			require.Equal(t, want[n].headers, headersText(r.Headers))
			n++
		}
	}
	require.Equal(t, len(want), n, "records of %s", tab.ID)
}

// TestRecordedSchema compares the schemas of all types with Debezium's.
func TestRecordedSchema(t *testing.T) {
	tab := wideTable(t)
	for name, change := range map[string]func(*schema.Column){
		"id": func(c *schema.Column) { c.Nullable = false },
		"nn": func(c *schema.Column) { c.Nullable, c.Default = false, new("dflt") },
		"dn": func(c *schema.Column) { c.Nullable, c.Default = false, new("7") },
		"dd": func(c *schema.Column) { c.Default = new("1.50") },
		"en": func(c *schema.Column) { c.Type.Labels = []string{"a", "b", "c,d"} },
		"se": func(c *schema.Column) { c.Type.Labels = []string{"x", "y", "z"} },
	} {
		change(&tab.Columns[tab.Column(name)])
	}
	cfg := recordingConfig()
	cfg.Topic, cfg.Modes = "r1_default_defaults_schema.rec.wide", debezium.Modes{}.WithSchemas()
	recs, err := debezium.NewEncoder(tab, cfg).Row(blockOf(t, tab, change{schema.OpRead, nil, wideRow(false, nil), loaded()}), 0, &schema.Origin{})
	require.NoError(t, err)
	want := readRecorded(t, "schema.tsv", "wide")[0]
	require.Equal(t, string(want.key), string(recs[0].Key))
	require.Equal(t, columnSchemas(t, want.value), columnSchemas(t, recs[0].Value))
}

// columnSchemas returns the schemas of an event's columns as they were written, but
// for types that a row of the recording has and ours not.
func columnSchemas(t *testing.T, value []byte) (list []string) {
	t.Helper()
	var event struct {
		Schema struct {
			Fields []struct{ Fields []json.RawMessage }
		}
	}
	require.NoError(t, json.Unmarshal(value, &event))
	for _, text := range event.Schema.Fields[1].Fields {
		var f struct{ Field string }
		require.NoError(t, json.Unmarshal(text, &f))
		if !notSupported[f.Field] {
			list = append(list, string(text))
		}
	}
	return list
}

type jsonField struct{ name, text string }

// fieldsIn returns the fields of a JSON object, in order, with their texts as
// they were written.
func fieldsIn(t *testing.T, object []byte) (fs []jsonField) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		name, err := d.Token()
		require.NoError(t, err)
		var text json.RawMessage
		require.NoError(t, d.Decode(&text))
		fs = append(fs, jsonField{name.(string), string(text)})
	}
	return fs
}

func part(t *testing.T, value []byte, name string) []byte {
	t.Helper()
	var o map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(value, &o))
	if p, ok := o["payload"]; ok && name != "payload" {
		return part(t, p, name)
	}
	return o[name]
}
