package debezium_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beluga-cdc/beluga/pipeline/debezium"
	"github.com/beluga-cdc/beluga/schema"
)

func genType(t *rapid.T) schema.Type {
	k := schema.Kind(rapid.IntRange(int(schema.TinyInt), int(schema.VectorFloat)).Draw(t, "kind"))
	typ := schema.Type{Kind: k}
	switch k {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt:
		typ.Unsigned = rapid.Bool().Draw(t, "unsigned")
		if k == schema.TinyInt {
			typ.Form = rapid.SampledFrom([]schema.Form{"", schema.FormBoolean}).Draw(t, "form")
		}
	case schema.Decimal:
		typ.Precision = rapid.IntRange(1, 65).Draw(t, "precision")
		typ.Scale = rapid.IntRange(0, min(30, typ.Precision)).Draw(t, "scale")
	case schema.Bit:
		typ.Length = rapid.IntRange(1, 64).Draw(t, "bits")
	case schema.Time, schema.DateTime, schema.Timestamp:
		typ.Scale = rapid.IntRange(0, 6).Draw(t, "digits")
		if k == schema.Time {
			typ.Form = rapid.SampledFrom([]schema.Form{"", schema.FormLong, schema.FormString}).Draw(t, "form")
		}
	}
	return typ
}

// genModes draws the words of the modes.
func genModes(t *rapid.T) (m debezium.Modes, words [4]string) {
	for i, of := range [][]string{debezium.DecimalModes, debezium.UnsignedModes, debezium.BinaryModes, debezium.TimeModes} {
		words[i] = rapid.SampledFrom(of).Draw(t, "mode")
	}
	m, err := debezium.ParseModes(words[0], words[1], words[2], words[3])
	if err != nil {
		t.Fatal(err)
	}
	return m, words
}

// fitting makes a type one that the modes can carry.
func fitting(typ schema.Type, words [4]string) schema.Type {
	switch {
	case typ.Kind == schema.Decimal && words[0] == "double":
		typ.Precision = (typ.Precision-1)%15 + 1
		typ.Scale = min(typ.Scale, typ.Precision)
	case typ.Kind == schema.DateTime && words[3] == "nanoseconds":
		typ.Kind = schema.Timestamp
	case (typ.Kind == schema.DateTime || typ.Kind == schema.Time) && words[3] == "connect":
		typ.Scale = min(typ.Scale, 3)
	}
	return typ
}

func genTable(t *rapid.T, words [4]string) *schema.Table {
	names := rapid.SliceOfNDistinct(rapid.StringN(1, 8, -1), 1, 10, rapid.ID[string]).Draw(t, "names")
	tab := &schema.Table{ID: schema.TableID{Database: rapid.String().Draw(t, "db"), Name: rapid.String().Draw(t, "table")}}
	for i, n := range names {
		tab.Columns = append(tab.Columns, schema.Column{Name: n, Type: fitting(genType(t), words), Nullable: true})
		if rapid.IntRange(0, 3).Draw(t, "in key") == 0 {
			tab.Key = append(tab.Key, i)
		}
	}
	if len(tab.Key) > 1 && rapid.Bool().Draw(t, "key order") {
		slices.Reverse(tab.Key)
	}
	if err := tab.Prepare(); err != nil {
		t.Fatal(err)
	}
	return tab
}

// genValue appends a value that the type can hold.
func genValue(t *rapid.T, typ schema.Type, v *schema.Vec) {
	if rapid.IntRange(0, 7).Draw(t, "null") == 0 {
		v.AppendNull()
		return
	}
	switch v.Kind {
	case schema.VecBool:
		v.AppendBool(rapid.Bool().Draw(t, "bool"))
	case schema.VecInt32:
		if typ.Kind == schema.Date { // the years 0 to 9999
			v.AppendInt32(rapid.Int32Range(-719_528, 2_932_896).Draw(t, "date"))
			return
		}
		v.AppendInt32(rapid.Int32().Draw(t, "int"))
	case schema.VecInt64:
		v.AppendInt64(genInt64(t, typ))
	case schema.VecFloat32:
		v.AppendInt32(int32(finite(rapid.Uint64().Draw(t, "float")>>32, 0x7F800000)))
	case schema.VecFloat64:
		v.AppendInt64(int64(finite(rapid.Uint64().Draw(t, "double"), 0x7FF<<52)))
	case schema.VecDec128:
		if typ.Kind == schema.BigInt {
			v.AppendDec128(0, rapid.Uint64().Draw(t, "unsigned bigint"))
			return
		}
		if err := appendDec(v, genDecimal(t, typ), 0); err != nil {
			t.Fatal(err)
		}
	default:
		v.AppendBytes(genBytes(t, typ))
	}
}

// finite clears a bit of the exponent where all of them are set.
func finite(bits, exponent uint64) uint64 {
	if bits&exponent == exponent {
		return bits &^ (exponent & -exponent)
	}
	return bits
}

func genInt64(t *rapid.T, typ schema.Type) int64 {
	unit := int64(math.Pow10(6 - typ.Scale))
	switch typ.Kind {
	case schema.Time:
		if typ.Form == schema.FormLong {
			return rapid.Int64Range(-3_020_399_999_999/unit, 3_020_399_999_999/unit).Draw(t, "long time") * unit
		}
		return rapid.Int64Range(0, 86_400_000_000/unit-1).Draw(t, "time") * unit
	case schema.DateTime, schema.Timestamp: // the years 0 to 9999
		return rapid.Int64Range(-62167219200_000000/unit, 253402300799_999999/unit).Draw(t, "instant") * unit
	case schema.Decimal:
		x, _ := new(big.Int).SetString(genDecimal(t, typ), 10)
		return x.Int64()
	}
	return rapid.Int64().Draw(t, "bigint")
}

// genDecimal returns an unscaled value of up to the type's digits.
func genDecimal(t *rapid.T, typ schema.Type) string {
	digits := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), 1, typ.Precision, -1).Draw(t, "digits")
	x, _ := new(big.Int).SetString(digits, 10)
	if rapid.Bool().Draw(t, "negative") {
		x.Neg(x)
	}
	return x.String()
}

func genBytes(t *rapid.T, typ schema.Type) []byte {
	switch typ.Kind {
	case schema.Decimal: // too long for a number: the text that MySQL prints
		text, sign := strings.CutPrefix(genDecimal(t, typ), "-")
		if len(text) <= typ.Scale {
			text = strings.Repeat("0", typ.Scale+1-len(text)) + text
		}
		if typ.Scale > 0 {
			text = text[:len(text)-typ.Scale] + "." + text[len(text)-typ.Scale:]
		}
		if sign {
			text = "-" + text
		}
		return []byte(text)
	case schema.Bit:
		n := (typ.Length + 7) / 8
		return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bits")
	case schema.Geometry:
		head := []byte{1, rapid.ByteRange(1, 7).Draw(t, "geometry"), 0, 0, 0}
		if srid := rapid.Uint32().Draw(t, "srid"); srid != 0 {
			head[4] = schema.EWKBHasSRID >> 24
			head = binary.LittleEndian.AppendUint32(head, srid)
		}
		return append(head, rapid.SliceOf(rapid.Byte()).Draw(t, "coordinates")...)
	case schema.VectorFloat:
		var b []byte
		for _, x := range rapid.SliceOfN(rapid.Uint64(), 0, 6).Draw(t, "vector") {
			b = binary.LittleEndian.AppendUint32(b, uint32(finite(x>>32, 0x7F800000)))
		}
		return b
	case schema.Binary, schema.VarBinary, schema.Blob:
		return rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
	}
	return []byte(rapid.String().Draw(t, "text"))
}

func genBlock(t *rapid.T, tab *schema.Table) *schema.Block {
	b := schema.NewBlock(tab)
	b.NeedOld(false)
	row := func(image []schema.Vec, filler bool) {
		for i := range image {
			if filler {
				image[i].AppendZero()
			} else {
				genValue(t, tab.Columns[i].Type, &image[i])
			}
		}
	}
	for n := range rapid.IntRange(1, 5).Draw(t, "rows") {
		op := rapid.SampledFrom([]schema.Op{schema.OpRead, schema.OpInsert, schema.OpUpdate, schema.OpDelete}).Draw(t, "op")
		row(b.New, op == schema.OpDelete)
		row(b.Old, op == schema.OpRead || op == schema.OpInsert)
		if op == schema.OpUpdate && rapid.Bool().Draw(t, "same key") {
			for _, k := range tab.Key {
				b.Old[k].Truncate(n)
				b.Old[k].AppendFrom(&b.New[k], n)
			}
		}
		b.Ops = append(b.Ops, op)
	}
	b.Origins = append(b.Origins, schema.Origin{File: "binlog.000001", Time: rapid.Int64Range(0, 1<<53).Draw(t, "time")})
	return b
}

// detours are ways to write the same event that only the general way reads.
var detours = map[string]func([]byte) []byte{
	"as written":       func(p []byte) []byte { return p },
	"with white space": func(p []byte) []byte { return append([]byte("{\n "), p[1:]...) },
	"with a schema": func(p []byte) []byte {
		return append(append([]byte(`{"schema":{"type":"struct"},"payload":`), p...), '}')
	},
}

// TestRoundTrip: whatever rows a table has and in whatever modes, what was encoded
// decodes to the same values, on the short way and on the general one.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		modes, words := genModes(t)
		schemas := rapid.Bool().Draw(t, "schemas")
		if schemas {
			modes = modes.WithSchemas()
		}
		b := genBlock(t, genTable(t, words))
		if err := modes.Check(b.Table); err != nil {
			t.Fatal(err)
		}
		if same, err := debezium.ModesOf(modes.Code()); err != nil || same != modes {
			t.Fatalf("modes %v became %v, %v", modes, same, err)
		}
		cfg := config()
		cfg.Modes, cfg.Topic = modes, "shop.t"
		e := debezium.NewEncoder(b.Table, cfg)
		d := debezium.NewDecoder(b.Table, modes)
		for name, detour := range detours {
			if schemas && name == "with a schema" {
				continue // it has one
			}
			got := schema.NewBlock(b.Table)
			for row := range b.Rows() {
				recs, err := e.Row(b, row, &b.Origins[0])
				if err != nil {
					t.Fatal(err)
				}
				n := got.Rows()
				for _, r := range recs {
					if r.Value != nil {
						r.Value = detour(bytes.Clone(r.Value))
					}
					if err := d.Append(got, r.Key, r.Value); err != nil {
						t.Fatalf("%s: %v\n%s", name, err, r.Value)
					}
				}
				if err := sameRow(b, row, got, n, got.Rows()); err != nil {
					t.Fatalf("%s: row %d: %v", name, row, err)
				}
			}
		}
	})
}

// sameRow compares a row with the rows from first to end-1 that its records gave.
func sameRow(b *schema.Block, row int, got *schema.Block, first, end int) error {
	ops := string(got.Ops[first:end])
	if want := string(b.Ops[row]); ops != want && (want != "u" || ops != "dc") {
		return fmt.Errorf("%q became %q", want, ops)
	}
	op := b.Ops[row]
	for i, c := range b.Table.Columns {
		if op != schema.OpDelete && !sameValue(&b.New[i], row, &got.New[i], end-1) {
			return fmt.Errorf("the new value of column %q (%s) differs", c.Name, c.Type.Kind)
		}
		kept := len(b.Table.Key) == 0 || b.Table.IsKey(i)
		if (op == schema.OpUpdate || op == schema.OpDelete) && kept && !sameValue(&b.Old[i], row, &got.Old[i], first) {
			return fmt.Errorf("the old value of column %q (%s) differs", c.Name, c.Type.Kind)
		}
		if n := got.New[i].N; n != end {
			return fmt.Errorf("column %q has %d new values for %d rows", c.Name, n, end)
		}
		if len(got.Old) > 0 && kept && got.Old[i].N != end {
			return fmt.Errorf("column %q has %d old values for %d rows", c.Name, got.Old[i].N, end)
		}
	}
	return nil
}

// TestSourceRow: the number of a row within its rows event goes on from the
// origin's, and a load has none.
func TestSourceRow(t *testing.T) {
	b := sysbenchBlock(t, schema.OpInsert, 3)
	b.Origins[0].Row, b.Origins[0].EventRow = 0, 40
	b.Origins = append(b.Origins, schema.Origin{Row: 2, EventRow: 7})
	for i, r := range encodeAll(t, b) {
		require.Contains(t, string(r.Value), []string{`"row":40,`, `"row":41,`, `"row":7,`}[i])
	}
	b.Ops = []schema.Op{schema.OpRead, schema.OpRead, schema.OpRead}
	for _, r := range encodeAll(t, b) {
		require.Contains(t, string(r.Value), `"row":0,"thread":null,`)
	}
}

func TestAllocations(t *testing.T) {
	for _, op := range []schema.Op{schema.OpRead, schema.OpInsert, schema.OpUpdate, schema.OpDelete} {
		for _, modes := range []debezium.Modes{{}, debezium.Modes{}.WithSchemas()} {
			allocations(t, op, modes)
		}
	}
}

func allocations(t *testing.T, op schema.Op, modes debezium.Modes) {
	b := sysbenchBlock(t, op, 100)
	cfg := config()
	cfg.Modes = modes
	e, row := debezium.NewEncoder(b.Table, cfg), 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if _, err := e.Row(b, row%100, &b.Origins[0]); err != nil {
			t.Fatal(err)
		}
		row++
	}), "allocations for each encoded row, op %q", op)
	events := encodeIn(t, b, cfg)
	d, got := debezium.NewDecoder(b.Table, modes), schema.NewBlock(b.Table)
	row = 0
	require.NoError(t, d.Append(got, events[0].Key, events[0].Value)) // what stands before all of them
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if err := d.Append(got, events[row%100].Key, events[row%100].Value); err != nil {
			t.Fatal(err)
		}
		row++
	}), "allocations for each decoded row, op %q", op)
}
