package debezium_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

var (
	origin       = raw("\x01\x01\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00")
	originAt4326 = raw("\x01\x01\x00\x00\x20\xe6\x10\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00")
)

const originWKB = `"AQEAAAAAAAAAAAAAAAAAAAAAAAAA"`

func places(t *testing.T) *schema.Table {
	return table(t, "places", []int{0}, column("id", schema.Type{Kind: schema.Int}), column("g", schema.Type{Kind: schema.Geometry}), column("after", schema.Type{Kind: schema.Int}))
}

// TestGeometry writes geometries as Debezium does, and reads them back where
// an old image that is passed over holds one, before a column named as the next
// part of the event.
func TestGeometry(t *testing.T) {
	tab := places(t)
	b := blockOf(t, tab, change{op: schema.OpUpdate, old: []any{1, originAt4326, 7}, now: []any{1, origin, 8}})
	records, err := debezium.NewEncoder(tab, config()).Row(b, 0, &b.Origins[0])
	require.NoError(t, err)
	value := string(records[0].Value)
	require.Contains(t, value, `{"before":{"id":1,"g":{"wkb":`+originWKB+`,"srid":4326},"after":7},"after":{"id":1,"g":{"wkb":`+originWKB+`,"srid":null},"after":8}`)

	back := schema.NewBlock(tab)
	require.NoError(t, debezium.NewDecoder(tab, debezium.Modes{}).Append(back, records[0].Key, records[0].Value))
	require.Equal(t, []byte(origin), back.New[1].Bytes(0))
	require.EqualValues(t, 8, back.New[2].I32[0])
}

func TestGeometryOfOthers(t *testing.T) {
	for text, want := range map[string]any{
		`{"x":0.0,"y":0.0,"wkb":` + originWKB + `,"srid":4326}`:          []byte(originAt4326),
		`{ "srid" : null , "wkb" : ` + originWKB + ` }`:                  []byte(origin),
		`{"wkb":` + originWKB + `,"srid":0}`:                             []byte(origin),
		`{"wkb":"","srid":null}`:                                         []byte{},
		`{"wkb":"AQEAACDmEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","srid":null}`: "is no WKB",
		`{"wkb":"AA==","srid":null}`:                                     "is no WKB",
		`{"wkb":"","srid":4326}`:                                         "is no WKB",
		`{"wkb":` + originWKB + `,"srid":4294967296}`:                    "out of the type's range",
		`{"srid":4326}`:        "is not what an event holds",
		`{"wkb":7}`:            "is not what an event holds",
		`{"wkb":{"a":"b"}}`:    "is not what an event holds",
		`"AQEAAAAAAAAAAAAA"`:   "is not what an event holds",
		`{"wkb":"*","srid":1}`: "is not what an event holds",
	} {
		tab := places(t)
		b := schema.NewBlock(tab)
		err := debezium.NewDecoder(tab, debezium.Modes{}).Append(b, []byte(`{"id":1}`), []byte(`{"before":null,"after":{"id":1,"g":`+text+`,"after":2},"source":{},"op":"c"}`))
		if message, faulty := want.(string); faulty {
			require.ErrorContains(t, err, message, text)
			require.ErrorContains(t, err, "column g (geometry)", text)
			require.Zero(t, b.Rows())
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want, append([]byte{}, b.New[1].Bytes(0)...), text)
	}
}
