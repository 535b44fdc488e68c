package sink

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestDefaultsInMetadata: what is written as a field's initial default is read as the
// same value, and stays the same through a program that takes numbers for floats.
func TestDefaultsInMetadata(t *testing.T) {
	value := func(l schema.LakeType, put func(*schema.Vec)) *schema.Vec {
		v := &schema.Vec{}
		v.Reset(l.Vec())
		put(v)
		return v
	}
	for name, c := range map[string]struct {
		kind  schema.LakeType
		put   func(*schema.Vec)
		json  string
		wrong string // of the same type, but no value
	}{
		"false":       {schema.LakeType{Kind: schema.LakeBoolean}, func(v *schema.Vec) { v.AppendBool(false) }, `false`, `"false"`},
		"int":         {schema.LakeType{Kind: schema.LakeInt}, func(v *schema.Vec) { v.AppendInt32(math.MinInt32) }, `-2147483648`, `true`},
		"zero":        {schema.LakeType{Kind: schema.LakeInt}, func(v *schema.Vec) { v.AppendInt32(0) }, `0`, `"0"`},
		"long":        {schema.LakeType{Kind: schema.LakeLong}, func(v *schema.Vec) { v.AppendInt64(-maxExact) }, `-9007199254740992`, `"1"`},
		"long beyond": {schema.LakeType{Kind: schema.LakeLong}, func(v *schema.Vec) { v.AppendInt64(maxExact + 1) }, ``, `{}`},
		"float":       {schema.LakeType{Kind: schema.LakeFloat}, func(v *schema.Vec) { v.AppendFloat32(0.1) }, `0.10000000149011612`, `"0.1"`},
		"double":      {schema.LakeType{Kind: schema.LakeDouble}, func(v *schema.Vec) { v.AppendFloat64(-1e300) }, `-1e+300`, `"x"`},
		"decimal":     {schema.LakeType{Kind: schema.LakeDecimal, Precision: 9, Scale: 3}, func(v *schema.Vec) { v.AppendInt64(-5) }, `"-0.005"`, `"1.5"`},
		"decimal wide": {schema.LakeType{Kind: schema.LakeDecimal, Precision: 38, Scale: 2}, func(v *schema.Vec) { v.AppendDec128(-5, 7) },
			`"-922337203685477580.73"`, `"1.x0"`},
		"date":        {schema.LakeType{Kind: schema.LakeDate}, func(v *schema.Vec) { v.AppendInt32(-719162) }, `"0001-01-01"`, `"0001-13-01"`},
		"time":        {schema.LakeType{Kind: schema.LakeTime}, func(v *schema.Vec) { v.AppendInt64(86_399_999_999) }, `"23:59:59.999999"`, `"24:00:00"`},
		"timestamp":   {schema.LakeType{Kind: schema.LakeTimestamp}, func(v *schema.Vec) { v.AppendInt64(-1) }, `"1969-12-31T23:59:59.999999"`, `"1969-12-31"`},
		"timestamptz": {schema.LakeType{Kind: schema.LakeTimestampTZ}, func(v *schema.Vec) { v.AppendInt64(1) }, `"1970-01-01T00:00:00.000001+00:00"`, `"1970-01-01T00:00:00"`},
		"string":      {schema.LakeType{Kind: schema.LakeString}, func(v *schema.Vec) { v.AppendBytes([]byte(`"ä`)) }, `"\"ä"`, `1`},
		"empty":       {schema.LakeType{Kind: schema.LakeString}, func(v *schema.Vec) { v.AppendBytes(nil) }, `""`, `[]`},
		"binary":      {schema.LakeType{Kind: schema.LakeBinary}, func(v *schema.Vec) { v.AppendBytes([]byte{0, 255}) }, `"00ff"`, `"0"`},
		"list":        {schema.LakeType{Kind: schema.LakeFloatList}, func(v *schema.Vec) { v.AppendBytes([]byte{0, 0, 0, 0}) }, ``, `"x"`},
	} {
		t.Run(name, func(t *testing.T) {
			want := value(c.kind, c.put)
			said := defaultOf(c.kind, want)
			if c.json == "" {
				require.Nil(t, said)
			} else {
				text, err := json.Marshal(said)
				require.NoError(t, err)
				require.Equal(t, c.json, string(text))
				var read any
				require.NoError(t, json.Unmarshal(text, &read))
				require.Equal(t, said, read)
				got, err := initialOf(c.kind, read)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			var wrong any
			require.NoError(t, json.Unmarshal([]byte(c.wrong), &wrong))
			_, err := initialOf(c.kind, wrong)
			require.ErrorContains(t, err, "reading the initial default")
		})
	}
	none, err := initialOf(schema.LakeType{Kind: schema.LakeInt}, nil)
	require.NoError(t, err)
	require.Nil(t, none)
}

// TestWriteDefault: what information_schema shows exactly becomes the default of the
// rows that are written from now on, and nothing else does.
func TestWriteDefault(t *testing.T) {
	for _, c := range []struct {
		typ   schema.Type
		text  string
		value any // nil: not known
	}{
		{schema.Type{Kind: schema.TinyInt}, "-5", -5.0},
		{schema.Type{Kind: schema.TinyInt, Form: schema.FormBoolean}, "1", true},
		{schema.Type{Kind: schema.Int, Unsigned: true}, "00007", 7.0},
		{schema.Type{Kind: schema.BigInt}, "9007199254740993", nil},
		{schema.Type{Kind: schema.BigInt, Unsigned: true}, "18446744073709551615", "18446744073709551615"},
		{schema.Type{Kind: schema.Decimal, Precision: 9, Scale: 3}, "1.500", "1.500"},
		{schema.Type{Kind: schema.Decimal, Precision: 50, Scale: 1}, "1.5", "1.5"},
		{schema.Type{Kind: schema.Double}, "0.1", 0.1},
		{schema.Type{Kind: schema.Float}, "0.1", nil}, // six digits of it
		{schema.Type{Kind: schema.Date}, "2024-02-29", "2024-02-29"},
		{schema.Type{Kind: schema.Date}, "0000-00-00", nil},
		{schema.Type{Kind: schema.DateTime, Scale: 3}, "2024-02-29 12:00:00.500", "2024-02-29T12:00:00.500000"},
		{schema.Type{Kind: schema.DateTime}, "CURRENT_TIMESTAMP", nil},
		{schema.Type{Kind: schema.Timestamp}, "2024-02-29 12:00:00", nil},
		{schema.Type{Kind: schema.Time}, "10:11:12", "10:11:12.000000"},
		{schema.Type{Kind: schema.Time}, "30:00:00", nil},
		{schema.Type{Kind: schema.Time, Form: schema.FormString}, "30:00:00", "30:00:00"},
		{schema.Type{Kind: schema.VarChar, Length: 9, Charset: "utf8mb4"}, "a b", "a b"},
		{schema.Type{Kind: schema.VarChar, Length: 9, Charset: "utf8mb4"}, "?", nil},
		{schema.Type{Kind: schema.Binary, Length: 2}, "a", nil},
	} {
		shape := &schema.Table{ID: schema.TableID{Database: "shop", Name: "t"}, Columns: []schema.Column{{Name: "c", Type: c.typ, Nullable: true, Default: &c.text}}}
		require.NoError(t, shape.Prepare())
		v, known := writeDefault(shape.Columns[0], shape.Lake(0))
		require.Equal(t, c.value, v, "%v %s", c.typ, c.text)
		require.Equal(t, c.value != nil, known)
	}
	none, known := writeDefault(schema.Column{Name: "c", Type: schema.Type{Kind: schema.Int}}, schema.LakeType{Kind: schema.LakeInt})
	require.True(t, known)
	require.Nil(t, none)
}
