package schema

import "fmt"

// Kind is a MySQL column type without its attributes.
type Kind uint8

// The kinds of MySQL columns. The zero Kind is no type at all, so that a
// forgotten assignment shows.
const (
	TinyInt Kind = iota + 1
	SmallInt
	MediumInt
	Int
	BigInt
	Decimal
	Float
	Double
	Bit
	Year
	Date
	Time
	DateTime
	Timestamp
	Char
	VarChar
	Text
	Binary
	VarBinary
	Blob
	Enum
	Set
	JSON
	Geometry
	VectorFloat
	UUID // MariaDB
	INET6
	INET4
)

var kindNames = [...]string{"invalid", "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "bit",
	"year", "date", "time", "datetime", "timestamp", "char", "varchar", "text", "binary", "varbinary", "blob", "enum", "set", "json",
	"geometry", "vector", "uuid", "inet6", "inet4"}

// String returns MySQL's own name of the kind, in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText and UnmarshalText keep stored table versions readable, and
// independent of the order of the constants.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *Kind) UnmarshalText(b []byte) error {
	for i, n := range kindNames {
		if i > 0 && n == string(b) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("unknown column type %q", b)
}

// Type is the declared type of a MySQL column, as far as values, events or the
// lake depend on it.
type Type struct {
	Kind      Kind     `json:"kind"`
	Unsigned  bool     `json:"unsigned,omitempty"`
	Length    int      `json:"length,omitempty"`    // CHAR, VARCHAR: characters; BINARY, VARBINARY: bytes; BIT: bits; TEXT, BLOB: bytes of a value's length, 1 to 4; 0 where not known
	Precision int      `json:"precision,omitempty"` // DECIMAL: digits in all
	Scale     int      `json:"scale,omitempty"`     // DECIMAL: digits after the point; TIME, DATETIME, TIMESTAMP: digits of the second's fraction
	Charset   string   `json:"charset,omitempty"`   // CHAR, VARCHAR, TEXT, ENUM, SET: MySQL's name, such as "utf8mb4"
	Labels    []string `json:"labels,omitempty"`    // ENUM, SET: in the order of their numbers
	Form      Form     `json:"form,omitempty"`      // what was chosen for the column when it came into the lake
}

// Form is a choice among the ways in which the lake may hold a column. It belongs
// to the column, not to the configuration: rows that are in the lake were written
// under it.
type Form string

// The forms. The empty one is what a column has where nothing was chosen.
const (
	FormLong    Form = "long"    // TIME: µs, beyond a day and below zero too
	FormString  Form = "string"  // TIME: MySQL's own text
	FormBoolean Form = "boolean" // TINYINT(1)
	FormEpoch   Form = "epoch"   // DATE, DATETIME, TIMESTAMP: what is no day is 1970-01-01
	FormStop    Form = "stop"    // DATE, DATETIME, TIMESTAMP: what is no day stops the run
)

// LakeKind is an Iceberg type without its attributes.
type LakeKind uint8

// The Iceberg types that columns map to.
const (
	LakeBoolean LakeKind = iota + 1
	LakeInt
	LakeLong
	LakeFloat
	LakeDouble
	LakeDecimal
	LakeDate
	LakeTime
	LakeTimestamp
	LakeTimestampTZ
	LakeString
	LakeBinary
	LakeFloatList
)

var lakeNames = [...]string{"invalid", "boolean", "int", "long", "float", "double", "decimal", "date", "time", "timestamp", "timestamptz", "string", "binary", "list<float>"}

// LakeType is an Iceberg type: a primitive one, or a list of one.
type LakeType struct {
	Kind      LakeKind
	Precision int // decimal
	Scale     int // decimal
}

// String spells the type as the Iceberg specification does.
func (l LakeType) String() string {
	if l.Kind == LakeDecimal {
		return fmt.Sprintf("decimal(%d, %d)", l.Precision, l.Scale)
	}
	return lakeNames[l.Kind]
}

// MaxDecimal is the largest precision of an Iceberg decimal.
const MaxDecimal = 38

// EWKBHasSRID is the bit of a geometry's WKB type that says that four bytes of
// SRID follow it: the representation of geometries in a block.
const EWKBHasSRID = 0x20000000

// Lake returns the one Iceberg type of a MySQL type. The error names a type
// that has none yet; callers add table and column.
func (t Type) Lake() (LakeType, error) {
	switch t.Kind {
	case TinyInt, SmallInt, MediumInt, Year:
		if t.Form == FormBoolean {
			return LakeType{Kind: LakeBoolean}, nil
		}
		return LakeType{Kind: LakeInt}, nil
	case Int:
		if t.Unsigned {
			return LakeType{Kind: LakeLong}, nil
		}
		return LakeType{Kind: LakeInt}, nil
	case BigInt:
		if t.Unsigned { // 2^64-1 has twenty digits and no other Iceberg type holds it
			return LakeType{Kind: LakeDecimal, Precision: 20}, nil
		}
		return LakeType{Kind: LakeLong}, nil
	case Decimal:
		if t.Precision > MaxDecimal {
			return LakeType{Kind: LakeString}, nil
		}
		return LakeType{Kind: LakeDecimal, Precision: t.Precision, Scale: t.Scale}, nil
	case Float:
		return LakeType{Kind: LakeFloat}, nil
	case Double:
		return LakeType{Kind: LakeDouble}, nil
	case Bit:
		if t.Length == 1 {
			return LakeType{Kind: LakeBoolean}, nil
		}
		return LakeType{Kind: LakeBinary}, nil
	case Date:
		return LakeType{Kind: LakeDate}, nil
	case Time:
		switch t.Form {
		case FormLong:
			return LakeType{Kind: LakeLong}, nil
		case FormString:
			return LakeType{Kind: LakeString}, nil
		}
		return LakeType{Kind: LakeTime}, nil
	case DateTime:
		return LakeType{Kind: LakeTimestamp}, nil
	case Timestamp:
		return LakeType{Kind: LakeTimestampTZ}, nil
	case Char, VarChar, Text, Enum, Set, JSON, UUID, INET6, INET4:
		return LakeType{Kind: LakeString}, nil
	case Binary, VarBinary, Blob, Geometry:
		return LakeType{Kind: LakeBinary}, nil
	case VectorFloat:
		return LakeType{Kind: LakeFloatList}, nil
	}
	return LakeType{}, fmt.Errorf("type %s has no Iceberg type in this version", t.Kind)
}

// PromotesTo tells whether a column may become one of the other type in place:
// Iceberg's readers widen what stands in older files. Only promotions that every
// version of the format has are among them.
func (l LakeType) PromotesTo(to LakeType) bool {
	switch l.Kind {
	case LakeInt:
		return to.Kind == LakeLong
	case LakeFloat:
		return to.Kind == LakeDouble
	case LakeDecimal:
		return to.Kind == LakeDecimal && to.Scale == l.Scale && to.Precision > l.Precision
	}
	return false
}

// Vec returns how values of the Iceberg type stand in a block.
func (l LakeType) Vec() VecKind {
	switch l.Kind {
	case LakeBoolean:
		return VecBool
	case LakeInt, LakeDate:
		return VecInt32
	case LakeLong, LakeTime, LakeTimestamp, LakeTimestampTZ:
		return VecInt64
	case LakeFloat:
		return VecFloat32
	case LakeDouble:
		return VecFloat64
	case LakeDecimal:
		if l.Precision <= 18 {
			return VecInt64
		}
		return VecDec128
	case LakeString, LakeBinary, LakeFloatList:
		return VecBytes
	}
	return 0
}
