package value

import (
	"errors"
	"fmt"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

var errResultType = errors.New("the result's value has another type than the column; read it by a prepared statement")

// FromSelect appends a value of a prepared statement's result to dst. The
// session must have the character set utf8mb4, the time zone +00:00, and no
// PAD_CHAR_TO_FULL_LENGTH: then the bytes are those that the binlog gives.
//
// The text protocol will not do: it rounds FLOAT to six digits.
func (m *Mapper) FromSelect(dst *schema.Vec, v *mysql.FieldValue) error {
	return m.treated(dst, m.fromSelect(dst, v))
}

// treated ends every way by which a value comes: one that did without would let
// out what is to stay in the source.
func (m *Mapper) treated(dst *schema.Vec, err error) error {
	if m.treat != nil && err == nil {
		m.treat(dst)
	}
	return err
}

func (m *Mapper) fromSelect(dst *schema.Vec, v *mysql.FieldValue) error {
	switch v.Type {
	case mysql.FieldValueTypeNull:
		dst.AppendNull()
		return nil
	case mysql.FieldValueTypeSigned, mysql.FieldValueTypeUnsigned:
		return m.selectInt(dst, v)
	case mysql.FieldValueTypeFloat:
		return m.selectFloat(dst, v)
	}
	return m.selectBytes(dst, v.AsString())
}

// StoredExpression is what a load selects of a column: the column, or the bytes
// that it stores where their conversion by the server could lose something. The
// server puts a question mark, silently, in the place of a code that has no
// character.
func StoredExpression(t schema.Type, quoted string) string {
	if isEncoded(t) {
		return "CAST(" + quoted + " AS BINARY)"
	}
	return quoted
}

// FromStored appends a value that was selected as StoredExpression, in a session
// such as FromSelect needs.
func (m *Mapper) FromStored(dst *schema.Vec, v *mysql.FieldValue) error {
	if v.Type == mysql.FieldValueTypeString && isEncoded(m.column.Type) {
		return m.treated(dst, m.putEncoded(dst, v.AsString()))
	}
	return m.FromSelect(dst, v)
}

// isEncoded tells whether the bytes that a column stores are text, but not
// UTF-8. Those of ENUM and SET are numbers.
func isEncoded(t schema.Type) bool {
	switch t.Kind {
	case schema.Char, schema.VarChar, schema.Text:
		c, ok := algorithmic[t.Charset]
		return !ok || c.decode != nil
	}
	return false
}

func (m *Mapper) selectInt(dst *schema.Vec, v *mysql.FieldValue) error {
	if m.lake.Kind == schema.LakeBoolean && m.column.Type.Kind == schema.TinyInt {
		return m.putTruth(dst, v.AsInt64())
	}
	switch m.column.Type.Kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.Year:
		m.putInt(dst, v.AsInt64())
	case schema.BigInt:
		m.putBigInt(dst, v.AsUint64())
	default:
		return m.fault(errResultType)
	}
	return nil
}

func (m *Mapper) selectFloat(dst *schema.Vec, v *mysql.FieldValue) error {
	switch m.column.Type.Kind {
	case schema.Float:
		dst.AppendFloat32(float32(v.AsFloat64()))
	case schema.Double:
		dst.AppendFloat64(v.AsFloat64())
	default:
		return m.fault(errResultType)
	}
	return nil
}

func (m *Mapper) selectBytes(dst *schema.Vec, s []byte) error {
	switch m.column.Type.Kind {
	case schema.Char, schema.VarChar, schema.Text, schema.Enum, schema.Set, schema.JSON, schema.UUID, schema.INET6, schema.INET4:
		return m.putText(dst, s)
	case schema.Binary, schema.VarBinary, schema.Blob:
		dst.AppendBytes(s)
		return nil
	case schema.Geometry:
		return m.putGeometry(dst, s)
	case schema.VectorFloat:
		return m.putVector(dst, s)
	case schema.Bit:
		return m.putBit(dst, s)
	case schema.Decimal:
		return m.selectDecimal(dst, s)
	case schema.Date:
		y, mo, d, err := parseDate(s)
		if err != nil {
			return m.fault(fmt.Errorf("%w: %q", err, s))
		}
		return m.putDate(dst, y, mo, d)
	case schema.DateTime, schema.Timestamp:
		return m.selectDateTime(dst, s)
	case schema.Time:
		negative := len(s) > 0 && s[0] == '-'
		if negative {
			s = s[1:]
		}
		c, err := parseClock(s)
		if err != nil {
			return m.fault(fmt.Errorf("%w: %q", err, s))
		}
		return m.putTime(dst, negative, c)
	}
	return m.fault(errResultType)
}

func (m *Mapper) selectDecimal(dst *schema.Vec, s []byte) error {
	if m.lake.Kind == schema.LakeString {
		b, err := appendDecimalText(dst.Data, s)
		if err != nil {
			return m.fault(fmt.Errorf("%w: %q", err, s))
		}
		dst.Data = b
		dst.EndBytes()
		return nil
	}
	u, err := parseDecimal(s, m.column.Type.Precision, m.column.Type.Scale)
	if err != nil {
		return m.fault(fmt.Errorf("%w: %q", err, s))
	}
	m.putUnscaled(dst, u)
	return nil
}

func (m *Mapper) selectDateTime(dst *schema.Vec, s []byte) error {
	if len(s) < 19 || s[10] != ' ' {
		return m.fault(fmt.Errorf("%w: %q", errTemporalText, s))
	}
	y, mo, d, err := parseDate(s[:10])
	if err != nil {
		return m.fault(fmt.Errorf("%w: %q", err, s))
	}
	c, err := parseClock(s[11:])
	if err != nil {
		return m.fault(fmt.Errorf("%w: %q", err, s))
	}
	return m.putDateTime(dst, y, mo, d, c)
}
