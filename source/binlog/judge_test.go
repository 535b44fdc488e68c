package binlog

import (
	"strings"
	"testing"

	"github.com/beluga-cdc/beluga/schema"
)

// TestAltersThatChangeValues: what the lake cannot tell apart by type, and MySQL
// shows otherwise afterwards, is refused; what only makes room is not.
func TestAltersThatChangeValues(t *testing.T) {
	text := func(k schema.Kind, length int) schema.Type {
		return schema.Type{Kind: k, Length: length, Charset: "utf8mb4"}
	}
	kind := func(k schema.Kind) schema.Type { return schema.Type{Kind: k} }
	unsigned := func(k schema.Kind) schema.Type { return schema.Type{Kind: k, Unsigned: true} }
	sized := func(k schema.Kind, length int) schema.Type { return schema.Type{Kind: k, Length: length} }
	number := func(precision, scale int) schema.Type {
		return schema.Type{Kind: schema.Decimal, Precision: precision, Scale: scale}
	}
	labels := func(k schema.Kind, l ...string) schema.Type {
		return schema.Type{Kind: k, Charset: "utf8mb4", Labels: l}
	}
	shown := func(scale int) schema.Type {
		return schema.Type{Kind: schema.Time, Scale: scale, Form: schema.FormString}
	}
	micros := schema.Type{Kind: schema.Time, Form: schema.FormLong}
	latin := schema.Type{Kind: schema.VarChar, Length: 9, Charset: "latin1"}
	in := func(charset string) schema.Type {
		return schema.Type{Kind: schema.VarChar, Length: 9, Charset: charset}
	}
	long := func(charset string, length int) schema.Type {
		return schema.Type{Kind: schema.Text, Length: length, Charset: charset}
	}
	for _, c := range []struct {
		old, now schema.Type
		changes  bool
	}{
		{text(schema.VarChar, 9), text(schema.VarChar, 8), true},
		{text(schema.VarChar, 9), text(schema.VarChar, 9), false},
		{text(schema.VarChar, 9), text(schema.Text, 0), false},
		{text(schema.VarChar, 9), text(schema.Char, 9), true}, // blanks at the end
		{text(schema.Text, 0), text(schema.Char, 255), true},
		{text(schema.Text, 0), text(schema.VarChar, 9), true},
		{text(schema.Char, 9), text(schema.Char, 10), false},
		{text(schema.Char, 9), text(schema.Char, 8), true},
		{text(schema.Char, 9), text(schema.VarChar, 9), false},
		{text(schema.VarChar, 9), latin, true},
		{latin, text(schema.VarChar, 9), false},
		{latin, in("utf8mb3"), false},
		{latin, in("latin2"), true},
		{in("utf8mb3"), in("ucs2"), false},
		{in("utf8mb4"), in("utf8mb3"), true},
		{in("utf8mb4"), in("utf32"), false},
		{in("gb18030"), in("utf16"), false},
		{in("gb18030"), in("ucs2"), true},
		{text(schema.VarChar, 63), text(schema.Text, 1), false},
		{text(schema.VarChar, 64), text(schema.Text, 1), true}, // of four bytes each
		{text(schema.Text, 1), text(schema.Text, 2), false},
		{text(schema.Text, 2), text(schema.Text, 1), true},
		{text(schema.Text, 4), text(schema.Text, 3), true},
		{text(schema.Text, 2), text(schema.Text, 2), false},
		{long("latin1", 2), text(schema.Text, 2), true},
		{long("latin1", 2), text(schema.Text, 3), false},
		{long("latin1", 4), text(schema.Text, 4), false},
		{long("utf8mb3", 2), text(schema.Text, 2), false},
		{long("ascii", 2), long("ucs2", 2), true},
		{labels(schema.Enum, "a", strings.Repeat("x", 64)), text(schema.Text, 1), true},
		{kind(schema.JSON), text(schema.Text, 4), false},
		{kind(schema.JSON), text(schema.Text, 3), true},
		{kind(schema.JSON), long("latin1", 4), true},
		{schema.Type{Kind: schema.Text, Charset: "ascii"}, kind(schema.JSON), true}, // blanks within
		{labels(schema.Enum, "a", "long"), text(schema.VarChar, 4), false},
		{labels(schema.Enum, "a", "long"), text(schema.VarChar, 3), true},
		{labels(schema.Set, "a", "bc"), text(schema.VarChar, 4), false},
		{labels(schema.Set, "a", "bc"), text(schema.VarChar, 3), true},
		{labels(schema.Enum, "a"), labels(schema.Enum, "a", "b"), false},
		{labels(schema.Enum, "a", "b"), labels(schema.Enum, "b", "a"), true},
		{labels(schema.Enum, "a"), labels(schema.Set, "a"), true},
		{kind(schema.Int), kind(schema.SmallInt), true},
		{kind(schema.SmallInt), kind(schema.Int), false},
		{unsigned(schema.TinyInt), kind(schema.TinyInt), true},
		{unsigned(schema.TinyInt), kind(schema.SmallInt), false},
		{kind(schema.TinyInt), unsigned(schema.SmallInt), true},
		{unsigned(schema.SmallInt), unsigned(schema.MediumInt), false},
		{kind(schema.Int), kind(schema.Year), true}, // 5 becomes 2005
		{kind(schema.Year), kind(schema.Int), false},
		{kind(schema.Year), kind(schema.TinyInt), true},
		{micros, kind(schema.BigInt), true}, // 10:00:00 becomes 100000
		{kind(schema.BigInt), micros, true},
		{number(50, 2), number(50, 2), false},
		{number(50, 2), number(51, 2), false},
		{number(50, 2), number(52, 4), true}, // 1.00 becomes 1.0000
		{number(50, 2), number(49, 2), true},
		{text(schema.VarChar, 60), number(50, 2), true},
		{unsigned(schema.BigInt), number(20, 0), false},
		{number(20, 0), unsigned(schema.BigInt), true},
		{sized(schema.Bit, 9), sized(schema.Bit, 16), false},
		{sized(schema.Bit, 8), sized(schema.Bit, 9), true}, // two bytes
		{sized(schema.Bit, 9), sized(schema.Bit, 8), true},
		{sized(schema.Bit, 1), schema.Type{Kind: schema.TinyInt, Form: schema.FormBoolean}, false},
		{schema.Type{Kind: schema.TinyInt, Form: schema.FormBoolean}, sized(schema.Bit, 1), false},
		{kind(schema.Blob), sized(schema.Bit, 64), true},
		{sized(schema.Bit, 64), kind(schema.Blob), true},
		{shown(0), shown(0), false},
		{shown(0), shown(3), true}, // 10:00:00 becomes 10:00:00.000
		{schema.Type{Kind: schema.DateTime, Scale: 0}, schema.Type{Kind: schema.DateTime, Scale: 6}, false},
		{schema.Type{Kind: schema.DateTime, Scale: 6}, schema.Type{Kind: schema.DateTime, Scale: 0}, true},
		{sized(schema.VarBinary, 9), sized(schema.VarBinary, 8), true},
		{sized(schema.VarBinary, 9), sized(schema.Binary, 9), true}, // zero bytes at the end
		{sized(schema.Binary, 9), sized(schema.VarBinary, 9), false},
		{kind(schema.Blob), sized(schema.VarBinary, 9), true},
		{sized(schema.VarBinary, 9), sized(schema.Blob, 1), false},
		{sized(schema.VarBinary, 256), sized(schema.Blob, 1), true},
		{sized(schema.Blob, 1), sized(schema.Blob, 4), false},
		{sized(schema.Blob, 3), sized(schema.Blob, 2), true},
		{kind(schema.Geometry), kind(schema.Blob), true}, // MySQL's own bytes instead of WKB
		{kind(schema.Blob), kind(schema.Geometry), true},
		{kind(schema.Geometry), kind(schema.Geometry), false},
		{kind(schema.Double), kind(schema.Double), false},
		{kind(schema.Float), kind(schema.Double), false},
		{kind(schema.Double), kind(schema.Float), true},
		{kind(schema.Float), unsigned(schema.Double), true},
		{unsigned(schema.Float), kind(schema.Double), false},
		{kind(schema.Date), kind(schema.Date), false},
	} {
		if got := valuesMayChange(c.old, c.now); got != c.changes {
			t.Errorf("from %+v to %+v: %t", c.old, c.now, got)
		}
	}
}
