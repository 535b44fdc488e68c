package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/beluga-cdc/beluga/schema"
)

var errShortPage = errors.New("a page has fewer values than it says")

// conversion is how values of a file become values of a vector: unchanged, or
// widened by one of Iceberg's type promotions.
type conversion struct {
	from  parquet.Kind
	to    schema.VecKind
	width int // bytes of a value, where all have the same
}

// conversionOf says how a column of the file is read as the wanted one.
func conversionOf(leaf *parquet.Column, want Column) (conversion, error) {
	no := fmt.Errorf("the file has %s there, which cannot be read as %s", leaf, want.Type)
	if !leaf.Leaf() || leaf.MaxRepetitionLevel() > 0 || leaf.MaxDefinitionLevel() > 1 {
		return conversion{}, no
	}
	kind := leaf.Type().Kind()
	if !readable(kind, leaf.Type().LogicalType(), want.Type) {
		return conversion{}, no
	}
	c := conversion{from: kind, to: want.Type.Vec()}
	switch kind {
	case parquet.Int32, parquet.Float:
		c.width = 4
	case parquet.Int64, parquet.Double:
		c.width = 8
	case parquet.FixedLenByteArray:
		c.width = leaf.Type().Length()
	}
	return c, nil
}

// readable tells whether Iceberg reads the physical and logical type as t.
func readable(kind parquet.Kind, logical *format.LogicalType, t schema.LakeType) bool {
	var value format.LogicalTypeValue
	if logical != nil {
		value = logical.Value
	}
	switch t.Kind {
	case schema.LakeBoolean:
		return kind == parquet.Boolean
	case schema.LakeInt:
		return kind == parquet.Int32 && isInteger(value)
	case schema.LakeLong:
		return (kind == parquet.Int32 || kind == parquet.Int64) && isInteger(value)
	case schema.LakeFloat:
		return kind == parquet.Float
	case schema.LakeDouble:
		return kind == parquet.Float || kind == parquet.Double
	case schema.LakeDecimal:
		d, ok := value.(*format.DecimalType)
		return ok && int(d.Scale) == t.Scale && int(d.Precision) <= t.Precision &&
			(kind == parquet.Int32 || kind == parquet.Int64 || kind == parquet.FixedLenByteArray || kind == parquet.ByteArray)
	case schema.LakeDate:
		_, ok := value.(*format.DateType)
		return ok && kind == parquet.Int32
	case schema.LakeTime:
		l, ok := value.(*format.TimeType)
		return ok && kind == parquet.Int64 && isMicros(l.Unit)
	case schema.LakeTimestamp, schema.LakeTimestampTZ:
		l, ok := value.(*format.TimestampType)
		return ok && kind == parquet.Int64 && isMicros(l.Unit) && l.IsAdjustedToUTC == (t.Kind == schema.LakeTimestampTZ)
	case schema.LakeString, schema.LakeBinary:
		return kind == parquet.ByteArray
	}
	return false
}

func isInteger(v format.LogicalTypeValue) bool {
	if v == nil {
		return true
	}
	i, ok := v.(*format.IntType)
	return ok && i.IsSigned
}

func isMicros(u format.TimeUnit) bool {
	_, ok := u.Value.(*format.MicroSeconds)
	return ok
}

func le32At(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

// append appends n values from the first on. values are as they stand in a
// PLAIN page, except that byte arrays have their offsets apart.
func (c conversion) append(v *schema.Vec, values []byte, ends []uint32, first, n int) error {
	if n == 0 {
		return nil
	}
	switch c.from {
	case parquet.Boolean:
		if len(values)*8 < first+n {
			return errShortPage
		}
		for i := first; i < first+n; i++ {
			v.AppendBool(values[i>>3]&(1<<(i&7)) != 0)
		}
		return nil
	case parquet.ByteArray:
		if len(ends) <= first+n {
			return errShortPage
		}
		return c.appendBytes(v, values, ends[first:first+n+1])
	}
	width := c.width
	if len(values) < (first+n)*width {
		return errShortPage
	}
	values = values[first*width : (first+n)*width]
	switch c.from {
	case parquet.Int32:
		c.appendInt32(v, values)
	case parquet.Int64:
		c.appendInt64(v, values)
	case parquet.Float:
		c.appendFloat(v, values)
	case parquet.Double:
		for ; len(values) > 0; values = values[8:] {
			v.AppendInt64(int64(binary.LittleEndian.Uint64(values)))
		}
	default:
		for ; len(values) > 0; values = values[width:] {
			if err := appendDecimal(v, values[:width]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c conversion) appendInt32(v *schema.Vec, b []byte) {
	switch c.to {
	case schema.VecInt32:
		for ; len(b) > 0; b = b[4:] {
			v.AppendInt32(int32(binary.LittleEndian.Uint32(b)))
		}
	case schema.VecInt64:
		for ; len(b) > 0; b = b[4:] {
			v.AppendInt64(int64(int32(binary.LittleEndian.Uint32(b))))
		}
	default:
		for ; len(b) > 0; b = b[4:] {
			x := int64(int32(binary.LittleEndian.Uint32(b)))
			v.AppendDec128(x>>63, uint64(x))
		}
	}
}

func (c conversion) appendInt64(v *schema.Vec, b []byte) {
	for ; len(b) > 0; b = b[8:] {
		x := int64(binary.LittleEndian.Uint64(b))
		if c.to == schema.VecInt64 {
			v.AppendInt64(x)
		} else {
			v.AppendDec128(x>>63, uint64(x))
		}
	}
}

func (c conversion) appendFloat(v *schema.Vec, b []byte) {
	for ; len(b) > 0; b = b[4:] {
		x := binary.LittleEndian.Uint32(b)
		if c.to == schema.VecFloat32 {
			v.AppendInt32(int32(x)) // the bits: a signalling NaN stays what it is
		} else {
			v.AppendFloat64(float64(math.Float32frombits(x)))
		}
	}
}

func (c conversion) appendBytes(v *schema.Vec, values []byte, ends []uint32) error {
	if int(ends[len(ends)-1]) > len(values) {
		return errShortPage
	}
	if c.to == schema.VecBytes {
		base := uint32(len(v.Data)) - ends[0]
		v.Data = append(v.Data, values[ends[0]:ends[len(ends)-1]]...)
		for _, e := range ends[1:] {
			v.Off = append(v.Off, base+e)
		}
		v.N += len(ends) - 1
		return nil
	}
	for i := range len(ends) - 1 {
		if err := appendDecimal(v, values[ends[i]:ends[i+1]]); err != nil {
			return err
		}
	}
	return nil
}

// appendDecimal appends a big-endian two's complement of any length.
func appendDecimal(v *schema.Vec, b []byte) error {
	var w [16]byte
	switch {
	case len(b) == 0:
		return errors.New("a decimal of no bytes")
	case len(b) > 16 && !shortens(b, 16):
		return fmt.Errorf("unscaled value 0x%x has more than 38 digits", b)
	case len(b) > 16:
		b = b[len(b)-16:]
	}
	if b[0]&0x80 != 0 {
		for i := range w {
			w[i] = 0xff
		}
	}
	copy(w[16-len(b):], b)
	hi, lo := int64(binary.BigEndian.Uint64(w[:])), binary.BigEndian.Uint64(w[8:])
	if v.Kind == schema.VecDec128 {
		v.AppendDec128(hi, lo)
		return nil
	}
	if hi != int64(lo)>>63 {
		return fmt.Errorf("unscaled value 0x%x does not fit 18 digits", b)
	}
	v.AppendInt64(int64(lo))
	return nil
}
