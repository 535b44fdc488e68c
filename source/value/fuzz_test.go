package value

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

// fuzzColumns are columns of every kind with the type and metadata that a table
// map has for them.
var fuzzColumns = []struct {
	typ  schema.Type
	code byte
	meta uint16
}{
	{schema.Type{Kind: schema.TinyInt}, mysql.MYSQL_TYPE_TINY, 0},
	{schema.Type{Kind: schema.MediumInt}, mysql.MYSQL_TYPE_INT24, 0},
	{schema.Type{Kind: schema.BigInt, Unsigned: true}, mysql.MYSQL_TYPE_LONGLONG, 0},
	{schema.Type{Kind: schema.Decimal, Precision: 38, Scale: 10}, mysql.MYSQL_TYPE_NEWDECIMAL, 38<<8 | 10},
	{schema.Type{Kind: schema.Decimal, Precision: 65, Scale: 30}, mysql.MYSQL_TYPE_NEWDECIMAL, 65<<8 | 30},
	{schema.Type{Kind: schema.Decimal, Precision: 30, Scale: 30}, mysql.MYSQL_TYPE_NEWDECIMAL, 30<<8 | 30},
	{schema.Type{Kind: schema.Double}, mysql.MYSQL_TYPE_DOUBLE, 8},
	{schema.Type{Kind: schema.Bit, Length: 13}, mysql.MYSQL_TYPE_BIT, 1<<8 | 5},
	{schema.Type{Kind: schema.Date}, mysql.MYSQL_TYPE_DATE, 0},
	{schema.Type{Kind: schema.Time, Scale: 5}, mysql.MYSQL_TYPE_TIME2, 5},
	{schema.Type{Kind: schema.DateTime, Scale: 6}, mysql.MYSQL_TYPE_DATETIME2, 6},
	{schema.Type{Kind: schema.Timestamp, Scale: 3}, mysql.MYSQL_TYPE_TIMESTAMP2, 3},
	{schema.Type{Kind: schema.VarChar, Charset: "utf8mb4"}, mysql.MYSQL_TYPE_VARCHAR, 400},
	{schema.Type{Kind: schema.Text, Charset: "latin1"}, mysql.MYSQL_TYPE_BLOB, 4},
	{schema.Type{Kind: schema.Binary}, mysql.MYSQL_TYPE_STRING, 0xfe<<8 | 16},
	{schema.Type{Kind: schema.Enum, Charset: "utf8mb4", Labels: []string{"a", "b"}}, mysql.MYSQL_TYPE_STRING, 247<<8 | 1},
	{schema.Type{Kind: schema.Set, Charset: "utf8mb4", Labels: []string{"a", "b"}}, mysql.MYSQL_TYPE_STRING, 248<<8 | 1},
	{schema.Type{Kind: schema.JSON}, mysql.MYSQL_TYPE_JSON, 4},
	{schema.Type{Kind: schema.Geometry}, mysql.MYSQL_TYPE_GEOMETRY, 4},
	{schema.Type{Kind: schema.Bit, Length: 64}, mysql.MYSQL_TYPE_BIT, 8 << 8},
	{schema.Type{Kind: schema.Char, Charset: "gb18030", Length: 9}, mysql.MYSQL_TYPE_STRING, 0xfe<<8 | 36},
	{schema.Type{Kind: schema.TinyInt, Form: schema.FormBoolean}, mysql.MYSQL_TYPE_TINY, 0},
	{schema.Type{Kind: schema.Time, Scale: 6, Form: schema.FormLong}, mysql.MYSQL_TYPE_TIME2, 6},
	{schema.Type{Kind: schema.Time, Scale: 3, Form: schema.FormString}, mysql.MYSQL_TYPE_TIME2, 3},
	{schema.Type{Kind: schema.DateTime, Form: schema.FormEpoch}, mysql.MYSQL_TYPE_DATETIME2, 0},
}

// FuzzText: whatever a server sends as the text of a value, it is one value of
// the column's kind, or an error that leaves none.
func FuzzText(f *testing.F) {
	for i := range fuzzColumns {
		for _, s := range []string{"-838:59:59.999999", "2024-02-29 12:34:56.000001", "0000-00-00", "-12345678901234567890.123456789", "\x00\xff", ""} {
			f.Add(i, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		if which < 0 {
			return
		}
		table := &schema.Table{Columns: []schema.Column{{Name: "c", Type: fuzzColumns[which%len(fuzzColumns)].typ}}}
		if err := table.Prepare(); err != nil {
			t.Fatal(err)
		}
		m, err := New(table, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		var vec schema.Vec
		vec.Reset(table.Lake(0).Vec())
		v := mysql.NewFieldValue(mysql.FieldValueTypeString, 0, b[:len(b):len(b)])
		if err := m.FromStored(&vec, &v); err != nil && vec.N != 0 || err == nil && vec.N != 1 {
			t.Fatalf("%d values, and the error %v", vec.N, err)
		}
	})
}

// FuzzImage: whatever the bytes, a decoder returns an error or a length within
// them and appends exactly one value; and passing over a value takes as many
// bytes as decoding it.
func FuzzImage(f *testing.F) {
	for i := range fuzzColumns {
		f.Add(i, []byte{0x80, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
	}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		if which < 0 {
			return
		}
		c := fuzzColumns[which%len(fuzzColumns)]
		table := &schema.Table{Columns: []schema.Column{{Name: "c", Type: c.typ}}}
		if err := table.Prepare(); err != nil {
			t.Fatal(err)
		}
		m, err := New(table, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		decode, err := m.Image(c.code, c.meta)
		if err != nil {
			t.Fatal(err)
		}
		width, err := WidthOf(c.code, c.meta)
		if err != nil {
			t.Fatal(err)
		}
		var vec schema.Vec
		vec.Reset(table.Lake(0).Vec())
		n, err := decode(&vec, b[:len(b):len(b)])
		if err != nil {
			if vec.N != 0 {
				t.Fatalf("%v, but a value was appended", err)
			}
			return
		}
		passed, err := width.Skip(b)
		if n < 1 || n > len(b) || vec.N != 1 || err != nil || passed != n {
			t.Fatalf("decoded %d of %d bytes, %d values; passed over %d (%v)", n, len(b), vec.N, passed, err)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte{0, 1, 0, 15, 0, 11, 0, 1, 0, 5, 1, 0, 'a'})
	f.Add([]byte{2, 2, 0, 12, 0, 5, 1, 0, 4, 1, 0})
	f.Add([]byte{15, 246, 5, 3, 2, 0x80, 1, 50})
	f.Add([]byte{11, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		r := jsonRenderer{budget: len(b)}
		if err := r.value(b[0], b[1:len(b):len(b)], 0); err == nil && len(r.out) == 0 {
			t.Fatal("a document became nothing")
		}
		if len(r.out) > 64+32*len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(r.out))
		}
	})
}

// TestSharedJSON: a damaged document whose values, or keys, all point at one place
// says as much as the square of its length.
func TestSharedJSON(t *testing.T) {
	const count, length = 5000, 10_000
	le := binary.LittleEndian
	header := func(typ byte, size int) []byte {
		b := le.AppendUint32([]byte{typ}, count)
		return le.AppendUint32(b, uint32(size))
	}
	text := append([]byte{length&0x7f | 0x80, length >> 7}, bytes.Repeat([]byte{'x'}, length)...)
	values := 8 + 5*count
	for name, typ := range map[string]byte{"strings": jsonString, "opaque values": jsonOpaque} {
		doc := header(jsonLargeArray, values+len(text)+1)
		for range count {
			doc = le.AppendUint32(append(doc, typ), uint32(values))
		}
		if typ == jsonOpaque {
			doc = append(doc, mysql.MYSQL_TYPE_BLOB)
		}
		doc = append(append(doc, text...), 0)
		r := jsonRenderer{budget: len(doc)}
		if err := r.value(doc[0], doc[1:], 0); !errors.Is(err, errJSONImage) || len(r.out) > 32*len(doc) {
			t.Errorf("%s: %d bytes became %d (%v)", name, len(doc), len(r.out), err)
		}
	}
	keys := 8 + 11*count
	doc := header(jsonLargeObject, keys+length)
	for range count {
		doc = le.AppendUint16(le.AppendUint32(doc, uint32(keys)), length)
	}
	for range count {
		doc = append(doc, jsonLiteral, 0, 0, 0, 0)
	}
	doc = append(doc, text[2:]...)
	r := jsonRenderer{budget: len(doc)}
	if err := r.value(doc[0], doc[1:], 0); !errors.Is(err, errJSONImage) || len(r.out) > 32*len(doc) {
		t.Errorf("keys: %d bytes became %d (%v)", len(doc), len(r.out), err)
	}
}
