package debezium

import (
	"math/bits"

	"github.com/beluga-cdc/beluga/schema"
)

// form is how the values of a column look in an event. Encoder and decoder both
// go by it, so that the mapping exists once.
type form uint8

const (
	formBool        form = iota + 1
	formInt32            // number
	formInt64            // number
	formUint64           // number; from 2^63 on it wraps to a negative one, as in Debezium's mode "long"
	formFloat32          // number
	formFloat64          // number
	formDecimal64        // base64 of the unscaled value
	formDecimal128       // base64 of the unscaled value
	formDecimalText      // base64 of the unscaled value; text in the block because the lake has no such decimal
	formBits             // base64, lowest byte first; in the block highest byte first, as MySQL gives them
	formTime             // number of µs
	formMillis           // number of ms; µs in the block
	formTimestamp        // ISO 8601 text in UTC
	formText
	formBytes    // base64
	formGeometry // object of WKB and SRID; EWKB in the block
	formVector   // array of numbers

	// Of modes other than the defaults.
	formDecimalPlain  // text of digits; in the block by the vector's kind
	formDecimalDouble // number; unscaled in the block
	formUnsigned      // base64 of the value
	formURLBase64     // base64 of URLs
	formHex
	formTimeMillis // number of ms; µs in the block
	formTimeNanos  // number of ns; µs in the block
	formTimeISO    // 12:34:56.5Z; µs in the block
	formDateISO    // 2024-02-29Z; days in the block
	formInstantISO // 2024-02-29T12:34:56.5Z; µs in the block
)

// form returns how a column's values stand in events under the modes.
func (m Modes) form(t schema.Type, lake schema.LakeType) form {
	usual := formOf(t, lake)
	switch usual {
	case formDecimal64, formDecimal128, formDecimalText:
		return [...]form{usual, formDecimalPlain, formDecimalDouble}[m.decimal]
	case formUint64:
		return [...]form{usual, formUnsigned}[m.unsigned]
	case formBytes:
		return [...]form{usual, usual, formURLBase64, formHex}[m.binary]
	case formTime:
		return [...]form{usual, formTimeMillis, formTimeISO, usual, formTimeNanos}[m.time]
	}
	switch {
	case t.Kind == schema.Date && m.time == timeISO:
		return formDateISO
	case t.Kind == schema.DateTime:
		return [...]form{usual, formMillis, formInstantISO, formInt64, 0}[m.time] // nanoseconds would not hold all of the type's years
	}
	return usual
}

// formOf returns the form under the default modes.
func formOf(t schema.Type, lake schema.LakeType) form {
	switch t.Kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Year, schema.Date:
		if lake.Kind == schema.LakeBoolean {
			return formBool
		}
		return formInt32
	case schema.Int:
		if t.Unsigned {
			return formInt64
		}
		return formInt32
	case schema.BigInt:
		if t.Unsigned {
			return formUint64
		}
		return formInt64
	case schema.Decimal:
		switch lake.Vec() {
		case schema.VecInt64:
			return formDecimal64
		case schema.VecDec128:
			return formDecimal128
		}
		return formDecimalText
	case schema.Float:
		return formFloat32
	case schema.Double:
		return formFloat64
	case schema.Bit:
		if lake.Kind == schema.LakeBoolean {
			return formBool
		}
		return formBits
	case schema.Time:
		switch lake.Kind {
		case schema.LakeLong:
			return formInt64
		case schema.LakeString:
			return formText
		}
		return formTime
	case schema.DateTime:
		if t.Scale <= 3 {
			return formMillis
		}
		return formInt64
	case schema.Timestamp:
		return formTimestamp
	case schema.Char, schema.VarChar, schema.Text, schema.Enum, schema.Set, schema.JSON, schema.UUID, schema.INET6, schema.INET4:
		return formText
	case schema.Binary, schema.VarBinary, schema.Blob:
		return formBytes
	case schema.Geometry:
		return formGeometry
	case schema.VectorFloat:
		return formVector
	}
	return 0
}

// field is a column in a row object or a key object.
type field struct {
	lit   string // `{"name":` of the first, `,"name":` of the others
	name  string
	col   int // ordinal in the table
	form  form
	kind  schema.Kind
	scale int
	width int // BIT: bytes; 0 where not known
	// The modes, where the form is the same under several.
	connect bool // times are Connect's own types
	text    bool // bytes are declared as text
	// DECIMAL: absolute values stay below limit, 10 to the precision.
	precision        int
	limitHi, limitLo uint64
}

// fieldsOf returns the fields of an object with the given columns.
func fieldsOf(t *schema.Table, cols []int, m Modes) []field {
	fs := make([]field, 0, len(cols))
	for i, c := range cols {
		typ := t.Columns[c].Type
		f := field{name: t.Columns[c].Name, col: c, form: m.form(typ, t.Lake(c)), kind: typ.Kind, scale: typ.Scale, precision: typ.Precision}
		f.connect, f.text = m.time == timeConnect, m.binary != 0
		f.lit = "," + quote(f.name) + ":"
		if i == 0 {
			f.lit = "{" + f.lit[1:]
		}
		if typ.Kind == schema.Bit {
			f.width = (typ.Length + 7) / 8
		}
		f.limitHi, f.limitLo = pow10(typ.Precision)
		if f.form == formUnsigned {
			f.limitHi, f.limitLo = 1, 0 // 2^64
		}
		fs = append(fs, f)
	}
	return fs
}

func allColumns(t *schema.Table) []int {
	cols := make([]int, len(t.Columns))
	for i := range cols {
		cols[i] = i
	}
	return cols
}

// pow10 returns 10^n for n up to MaxDecimal.
func pow10(n int) (hi, lo uint64) {
	lo = 1
	for range min(n, schema.MaxDecimal) {
		h, l := bits.Mul64(lo, 10)
		hi, lo = hi*10+h, l
	}
	return hi, lo
}
