package parquetfile

import (
	"fmt"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/beluga-cdc/beluga/schema"
)

// layout is how the values of a column stand in a page.
type layout uint8

const (
	layoutBool  layout = iota + 1 // bits
	layoutInt32                   // also dates
	layoutInt64                   // also times, timestamps and decimals up to 18 digits
	layoutDec32                   // decimals up to 9 digits: int64 in vectors, INT32 in files
	layoutFloat32
	layoutFloat64
	layoutFixed // longer decimals: big-endian, of the shortest length that holds the precision
	layoutBytes // length before bytes
	layoutLists // elements one behind the other; levels say where a list begins
)

// layoutOf follows the table "Parquet" of Iceberg's appendix A.
func layoutOf(t schema.LakeType) (l layout, width int) {
	switch t.Kind {
	case schema.LakeBoolean:
		return layoutBool, 0
	case schema.LakeInt, schema.LakeDate:
		return layoutInt32, 4
	case schema.LakeLong, schema.LakeTime, schema.LakeTimestamp, schema.LakeTimestampTZ:
		return layoutInt64, 8
	case schema.LakeFloat:
		return layoutFloat32, 4
	case schema.LakeDouble:
		return layoutFloat64, 8
	case schema.LakeDecimal:
		switch {
		case t.Precision <= 9:
			return layoutDec32, 4
		case t.Precision <= 18:
			return layoutInt64, 8
		}
		return layoutFixed, decimalLength(t.Precision)
	case schema.LakeFloatList:
		return layoutLists, elementWidth
	}
	return layoutBytes, 0
}

// powerOfTen returns 10^n.
func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// decimalLength returns the bytes that a two's complement of so many decimal
// digits needs.
func decimalLength(precision int) int { return powerOfTen(precision).BitLen()/8 + 1 }

var physicalTypes = [...]format.Type{
	layoutBool: format.Boolean, layoutInt32: format.Int32, layoutInt64: format.Int64, layoutDec32: format.Int32,
	layoutFloat32: format.Float, layoutFloat64: format.Double, layoutFixed: format.FixedLenByteArray, layoutBytes: format.ByteArray,
	layoutLists: format.Float,
}

// elements describes a column in the footer.
func elements(c Column, name string) []format.SchemaElement {
	if c.Type.Kind == schema.LakeFloatList {
		return listElements(c, name)
	}
	return []format.SchemaElement{element(c, name)}
}

// element describes a column that is no list. The converted type repeats the
// logical one for readers older than the latter; TIMESTAMP without time zone
// has none there, because the old one always means UTC.
func element(c Column, name string) format.SchemaElement {
	l, width := layoutOf(c.Type)
	e := format.SchemaElement{Name: name, FieldID: int32(c.ID), Type: thrift.New(physicalTypes[l]), RepetitionType: thrift.New(format.Optional)}
	if c.Required {
		e.RepetitionType = thrift.New(format.Required)
	}
	if l == layoutFixed {
		e.TypeLength = thrift.New(int32(width))
	}
	micros := format.TimeUnit{Value: &format.MicroSeconds{}}
	switch c.Type.Kind {
	case schema.LakeDate:
		e.LogicalType.Value, e.ConvertedType = &format.DateType{}, thrift.New(deprecated.Date)
	case schema.LakeTime:
		e.LogicalType.Value = &format.TimeType{Unit: micros}
	case schema.LakeTimestamp:
		e.LogicalType.Value = &format.TimestampType{Unit: micros}
	case schema.LakeTimestampTZ:
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
	case schema.LakeString:
		e.LogicalType.Value, e.ConvertedType = &format.StringType{}, thrift.New(deprecated.UTF8)
	case schema.LakeDecimal:
		p, s := int32(c.Type.Precision), int32(c.Type.Scale)
		e.LogicalType.Value, e.ConvertedType = &format.DecimalType{Scale: s, Precision: p}, thrift.New(deprecated.Decimal)
		e.Scale, e.Precision = thrift.New(s), thrift.New(p)
	}
	return e
}

// fieldNames returns the names of the columns in the file. Iceberg's own
// writers put names there that are valid in Avro, and some readers without a
// catalog choke on others. Two columns whose names become the same by that
// are told apart by the field id, which is what Iceberg readers go by anyway.
func fieldNames(cols []Column) []string {
	names, taken := make([]string, len(cols)), make(map[string]bool, len(cols))
	for i, c := range cols {
		n := fieldName(c.Name)
		for taken[n] {
			n = fmt.Sprintf("%s_%d", n, c.ID)
		}
		names[i], taken[n] = n, true
	}
	return names
}

// fieldName works on UTF-16 code units because Iceberg's Java code does.
func fieldName(name string) string {
	var b strings.Builder
	for i, u := range utf16.Encode([]rune(name)) {
		r := rune(u)
		switch {
		case unicode.IsLetter(r) || r == '_', unicode.IsDigit(r) && i > 0:
			b.WriteRune(r)
		case unicode.IsDigit(r):
			b.WriteRune('_')
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "_x%X", u)
		}
	}
	return b.String()
}
