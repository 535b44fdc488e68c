package value

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

// ErrShort says that a row image ends within a value: the event is damaged, or
// the table map does not belong to it.
var ErrShort = errors.New("the row image ends within a value")

// Decode appends the value at the start of b, in the form of a row image of the
// binlog, to dst and returns how many bytes it took. It never looks beyond b.
type Decode func(dst *schema.Vec, b []byte) (int, error)

// Image returns the decoder of the column for the type and metadata that a
// table map gives. An error says how the binlog's type contradicts the column's.
func (m *Mapper) Image(typ byte, meta uint16) (Decode, error) {
	d, err := m.image(typ, meta)
	if err != nil || m.treat == nil {
		return d, err
	}
	return func(dst *schema.Vec, b []byte) (int, error) {
		n, err := d(dst, b)
		if err == nil {
			m.treat(dst)
		}
		return n, err
	}, nil
}

func (m *Mapper) image(typ byte, meta uint16) (Decode, error) {
	typ, meta = RealType(typ, meta)
	t := &m.column.Type
	var d Decode
	switch {
	case typ == integerTypes[t.Kind] && typ != 0:
		d = m.integerImage()
	case t.Kind == schema.Decimal && typ == mysql.MYSQL_TYPE_NEWDECIMAL && int(meta>>8) == t.Precision && int(meta&0xff) == t.Scale:
		return m.decimalImage()
	case t.Kind == schema.Float && typ == mysql.MYSQL_TYPE_FLOAT:
		d = m.fixed(4, func(dst *schema.Vec, b []byte) { dst.AppendInt32(int32(binary.LittleEndian.Uint32(b))) })
	case t.Kind == schema.Double && typ == mysql.MYSQL_TYPE_DOUBLE:
		d = m.fixed(8, func(dst *schema.Vec, b []byte) { dst.AppendInt64(int64(binary.LittleEndian.Uint64(b))) })
	case t.Kind == schema.Bit && typ == mysql.MYSQL_TYPE_BIT && int(meta>>8)*8+int(meta&0xff) == t.Length:
		d = m.fixedErr((t.Length+7)/8, m.putBit)
	case t.Kind == schema.Year && typ == mysql.MYSQL_TYPE_YEAR:
		d = m.fixed(1, func(dst *schema.Vec, b []byte) { dst.AppendInt32(year(b[0])) })
	case t.Kind == schema.Date && (typ == mysql.MYSQL_TYPE_DATE || typ == mysql.MYSQL_TYPE_NEWDATE):
		d = m.dateImage()
	case t.Kind == schema.Time && typ == mysql.MYSQL_TYPE_TIME2 && int(meta) == t.Scale:
		d = m.timeImage(t.Scale)
	case t.Kind == schema.DateTime && typ == mysql.MYSQL_TYPE_DATETIME2 && int(meta) == t.Scale:
		d = m.dateTimeImage(t.Scale)
	case t.Kind == schema.Timestamp && typ == mysql.MYSQL_TYPE_TIMESTAMP2 && int(meta) == t.Scale:
		d = m.timestampImage(t.Scale)
	case t.Kind == schema.Enum && typ == mysql.MYSQL_TYPE_ENUM && (meta == 1 || meta == 2):
		d = m.fixedErr(int(meta), func(dst *schema.Vec, b []byte) error { return m.putLabel(dst, int(little(b))) })
	case t.Kind == schema.Set && typ == mysql.MYSQL_TYPE_SET && meta >= 1 && meta <= 8:
		d = m.fixedErr(int(meta), func(dst *schema.Vec, b []byte) error { return m.putLabels(dst, little(b)) })
	default:
		if d = m.fixedText(typ, meta); d == nil {
			d = m.stringImage(typ, meta)
		}
		if d == nil {
			return nil, m.fault(fmt.Errorf("the binlog has type %d (metadata %#x) where %s is expected", typ, meta, t.Kind))
		}
	}
	return d, nil
}

var integerTypes = [...]byte{schema.TinyInt: mysql.MYSQL_TYPE_TINY, schema.SmallInt: mysql.MYSQL_TYPE_SHORT, schema.MediumInt: mysql.MYSQL_TYPE_INT24,
	schema.Int: mysql.MYSQL_TYPE_LONG, schema.BigInt: mysql.MYSQL_TYPE_LONGLONG, schema.INET4: 0}

// RealType undoes the packing of ENUM, SET and long CHAR columns, which stand
// as STRING in a table map. The metadata of a STRING that remains one is its
// length in bytes; of ENUM and SET, the bytes of a value.
func RealType(typ byte, meta uint16) (byte, uint16) {
	if typ != mysql.MYSQL_TYPE_STRING || meta < 256 {
		return typ, meta
	}
	hi, lo := byte(meta>>8), meta&0xff
	if hi&0x30 != 0x30 { // two bits of the length, inverted, hide in the type
		return hi | 0x30, lo | uint16(hi&0x30^0x30)<<4
	}
	return hi, lo
}

func (m *Mapper) fixed(n int, put func(*schema.Vec, []byte)) Decode {
	return func(dst *schema.Vec, b []byte) (int, error) {
		if len(b) < n {
			return 0, m.fault(ErrShort)
		}
		put(dst, b[:n])
		return n, nil
	}
}

func (m *Mapper) fixedErr(n int, put func(*schema.Vec, []byte) error) Decode {
	return func(dst *schema.Vec, b []byte) (int, error) {
		if len(b) < n {
			return 0, m.fault(ErrShort)
		}
		return n, put(dst, b[:n])
	}
}

func (m *Mapper) integerImage() Decode {
	unsigned := m.column.Type.Unsigned
	if m.lake.Kind == schema.LakeBoolean {
		return m.fixedErr(1, func(dst *schema.Vec, b []byte) error { return m.putTruth(dst, int64(int8(b[0]))) })
	}
	switch m.column.Type.Kind {
	case schema.TinyInt:
		if unsigned {
			return m.fixed(1, func(dst *schema.Vec, b []byte) { dst.AppendInt32(int32(b[0])) })
		}
		return m.fixed(1, func(dst *schema.Vec, b []byte) { dst.AppendInt32(int32(int8(b[0]))) })
	case schema.SmallInt:
		if unsigned {
			return m.fixed(2, func(dst *schema.Vec, b []byte) { dst.AppendInt32(int32(binary.LittleEndian.Uint16(b))) })
		}
		return m.fixed(2, func(dst *schema.Vec, b []byte) { dst.AppendInt32(int32(int16(binary.LittleEndian.Uint16(b)))) })
	case schema.MediumInt:
		if unsigned {
			return m.fixed(3, func(dst *schema.Vec, b []byte) { dst.AppendInt32(int32(little(b))) })
		}
		return m.fixed(3, func(dst *schema.Vec, b []byte) { dst.AppendInt32(int32(little(b)<<8) >> 8) })
	case schema.Int:
		if unsigned {
			return m.fixed(4, func(dst *schema.Vec, b []byte) { dst.AppendInt64(int64(binary.LittleEndian.Uint32(b))) })
		}
		return func(dst *schema.Vec, b []byte) (int, error) { // the commonest type: one call less
			if len(b) < 4 {
				return 0, m.fault(ErrShort)
			}
			dst.AppendInt32(int32(binary.LittleEndian.Uint32(b)))
			return 4, nil
		}
	}
	return func(dst *schema.Vec, b []byte) (int, error) {
		if len(b) < 8 {
			return 0, m.fault(ErrShort)
		}
		m.putBigInt(dst, binary.LittleEndian.Uint64(b))
		return 8, nil
	}
}

func (m *Mapper) decimalImage() (Decode, error) {
	p, err := newPacked(m.column.Type.Precision, m.column.Type.Scale)
	if err != nil {
		return nil, m.fault(err)
	}
	if m.lake.Kind == schema.LakeString {
		return m.fixedErr(p.length, func(dst *schema.Vec, b []byte) error {
			text, err := p.appendText(dst.Data, b)
			if err != nil {
				return m.fault(err)
			}
			dst.Data = text
			dst.EndBytes()
			return nil
		}), nil
	}
	return m.fixedErr(p.length, func(dst *schema.Vec, b []byte) error {
		u, err := p.number(b)
		if err != nil {
			return m.fault(err)
		}
		m.putUnscaled(dst, u)
		return nil
	}), nil
}

func (m *Mapper) dateImage() Decode {
	return m.fixedErr(3, func(dst *schema.Vec, b []byte) error {
		v := int(little(b))
		return m.putDate(dst, v>>9, v>>5&15, v&31)
	})
}

func (m *Mapper) dateTimeImage(scale int) Decode {
	return m.fixedErr(5+(scale+1)/2, func(dst *schema.Vec, b []byte) error {
		y, mo, d, c := unpackDateTime(int64(big(b[:5])) - 0x80_0000_0000)
		c.micro = fraction(b[5:], scale)
		return m.putDateTime(dst, y, mo, d, c)
	})
}

// timestampImage: the zero timestamp is second 0, which no other value has:
// the type begins at 1970-01-01 00:00:01.
func (m *Mapper) timestampImage(scale int) Decode {
	return m.fixedErr(4+(scale+1)/2, func(dst *schema.Vec, b []byte) error {
		sec := binary.BigEndian.Uint32(b)
		if sec == 0 {
			return m.putNoDate(dst, 0, 0, 0)
		}
		dst.AppendInt64(int64(sec)*microsPerSecond + int64(fraction(b[4:], scale)))
		return nil
	})
}

// timeImage: the whole value, fraction included, is one big-endian number with
// an offset, so that values sort as bytes; a negative one must be negated
// before its parts are taken.
func (m *Mapper) timeImage(scale int) Decode {
	n := (scale + 1) / 2
	return m.fixedErr(3+n, func(dst *schema.Vec, b []byte) error {
		v := int64(big(b)) - 0x80_0000<<(8*n)
		negative := v < 0
		if negative {
			v = -v
		}
		hms, frac := v>>(8*n), v&(1<<(8*n)-1)
		c := clock{hour: int(hms >> 12 & 0x3ff), minute: int(hms >> 6 & 63), second: int(hms & 63)}
		switch n {
		case 1:
			c.micro = int(frac) * 10_000
		case 2:
			c.micro = int(frac) * 100
		case 3:
			c.micro = int(frac)
		}
		return m.putTime(dst, negative, c)
	})
}

// stringImage decodes values that carry their length in front; nil: the types
// do not fit.
func (m *Mapper) stringImage(typ byte, meta uint16) Decode {
	prefix := prefixLength(typ, meta)
	if prefix == 0 {
		return nil
	}
	switch k := m.column.Type.Kind; {
	case k == schema.JSON && typ == mysql.MYSQL_TYPE_JSON:
		return m.prefixed(prefix, m.putJSONB)
	case k == schema.Geometry && typ == mysql.MYSQL_TYPE_GEOMETRY:
		return m.prefixed(prefix, m.putGeometry)
	case k == schema.VectorFloat && typ == mysql.MYSQL_TYPE_VECTOR:
		return m.prefixed(prefix, m.putVector)
	case typ == mysql.MYSQL_TYPE_JSON || typ == mysql.MYSQL_TYPE_GEOMETRY || typ == mysql.MYSQL_TYPE_VECTOR:
		return nil
	case k == schema.Char || k == schema.VarChar || k == schema.Text:
		if m.text.decode != nil {
			return m.prefixed(prefix, m.putEncoded)
		}
		return m.prefixed(prefix, m.putText)
	case k == schema.Binary:
		width := int(meta)
		return m.prefixed(prefix, func(dst *schema.Vec, s []byte) error {
			dst.Data = append(dst.Data, s...) // the binlog drops zero bytes at the end
			for range width - len(s) {
				dst.Data = append(dst.Data, 0)
			}
			dst.EndBytes()
			return nil
		})
	case k == schema.VarBinary || k == schema.Blob:
		return m.prefixed(prefix, func(dst *schema.Vec, s []byte) error { dst.AppendBytes(s); return nil })
	}
	return nil
}

func (m *Mapper) prefixed(prefix int, put func(*schema.Vec, []byte) error) Decode {
	return func(dst *schema.Vec, b []byte) (int, error) {
		if len(b) < prefix {
			return 0, m.fault(ErrShort)
		}
		n := prefix + int(little(b[:prefix]))
		if len(b) < n {
			return 0, m.fault(ErrShort)
		}
		return n, put(dst, b[prefix:n])
	}
}

// prefixLength returns the bytes of the length in front of a value; 0: the type
// has none, or none that is known.
func prefixLength(typ byte, meta uint16) int {
	switch typ {
	case mysql.MYSQL_TYPE_VARCHAR, mysql.MYSQL_TYPE_VAR_STRING, mysql.MYSQL_TYPE_STRING:
		if meta < 256 {
			return 1
		}
		return 2
	case mysql.MYSQL_TYPE_BLOB, mysql.MYSQL_TYPE_JSON, mysql.MYSQL_TYPE_GEOMETRY, mysql.MYSQL_TYPE_VECTOR:
		if meta >= 1 && meta <= 4 {
			return int(meta)
		}
	}
	return 0
}

// Width is how the length of a column's values in a row image is found.
type Width struct {
	Fixed  int // bytes of each value; 0: the length stands in front
	Prefix int // bytes of that length
}

// WidthOf returns the width of a binlog type, also of types that have no
// mapper: old images are passed over without being decoded.
func WidthOf(typ byte, meta uint16) (Width, error) {
	typ, meta = RealType(typ, meta)
	if n := prefixLength(typ, meta); n > 0 {
		return Width{Prefix: n}, nil
	}
	frac := (int(meta) + 1) / 2
	if (typ == mysql.MYSQL_TYPE_TIMESTAMP2 || typ == mysql.MYSQL_TYPE_DATETIME2 || typ == mysql.MYSQL_TYPE_TIME2) && meta > 6 {
		return Width{}, fmt.Errorf("binlog type %d has %d fraction digits", typ, meta)
	}
	switch typ {
	case mysql.MYSQL_TYPE_TINY, mysql.MYSQL_TYPE_YEAR:
		return Width{Fixed: 1}, nil
	case mysql.MYSQL_TYPE_SHORT:
		return Width{Fixed: 2}, nil
	case mysql.MYSQL_TYPE_INT24, mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_NEWDATE:
		return Width{Fixed: 3}, nil
	case mysql.MYSQL_TYPE_LONG, mysql.MYSQL_TYPE_FLOAT:
		return Width{Fixed: 4}, nil
	case mysql.MYSQL_TYPE_LONGLONG, mysql.MYSQL_TYPE_DOUBLE:
		return Width{Fixed: 8}, nil
	case mysql.MYSQL_TYPE_TIMESTAMP2:
		return Width{Fixed: 4 + frac}, nil
	case mysql.MYSQL_TYPE_DATETIME2:
		return Width{Fixed: 5 + frac}, nil
	case mysql.MYSQL_TYPE_TIME2:
		return Width{Fixed: 3 + frac}, nil
	case mysql.MYSQL_TYPE_NEWDECIMAL:
		p, err := newPacked(int(meta>>8), int(meta&0xff))
		return Width{Fixed: p.length}, err
	case mysql.MYSQL_TYPE_BIT:
		if n := (int(meta>>8)*8 + int(meta&0xff) + 7) / 8; n >= 1 && n <= 8 {
			return Width{Fixed: n}, nil
		}
	case mysql.MYSQL_TYPE_ENUM, mysql.MYSQL_TYPE_SET:
		if n := int(meta & 0xff); n >= 1 && n <= 8 {
			return Width{Fixed: n}, nil
		}
	}
	return Width{}, fmt.Errorf("binlog type %d (metadata %#x) is not known; tables from before MySQL 5.6 need ALTER TABLE … FORCE once", typ, meta)
}

// Skip returns how many bytes the value at the start of b takes.
func (w Width) Skip(b []byte) (int, error) {
	n := w.Fixed
	if n == 0 {
		if len(b) < w.Prefix {
			return 0, ErrShort
		}
		n = w.Prefix + int(little(b[:w.Prefix]))
	}
	if len(b) < n {
		return 0, ErrShort
	}
	return n, nil
}

func little(b []byte) uint64 {
	var v uint64
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return v
}

func big(b []byte) uint64 {
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

func year(b byte) int32 {
	if b == 0 {
		return 0
	}
	return 1900 + int32(b)
}
