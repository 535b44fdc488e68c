package sink

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// Defaults says what rows that are there show in a column that is added with a
// default. MySQL shows the default, without logging it.
type Defaults uint8

// The ways.
const (
	// RewriteFiles: the live rows are written anew, in the same commit: as dear as
	// loading the table, but from local files, and every engine reads it right.
	RewriteFiles Defaults = iota
	// InitialDefaults: Iceberg's own, of format version 3, where all readers that are
	// named read it right; else as RewriteFiles. It costs the same for any table.
	InitialDefaults
	// ShowNull: as if there was no default.
	ShowNull
)

// readersOfDefaults are the engines that were seen to read initial defaults of every
// type right. Others read NULL, or refuse the table, as Spark (with Iceberg 1.10) does where
// a default is a decimal of more than 18 digits, which one of fewer may become.
var readersOfDefaults = map[string]bool{"duckdb": true, "pyiceberg": true}

func allReadDefaults(readers []string) bool {
	for _, r := range readers {
		if !readersOfDefaults[strings.ToLower(r)] {
			return false
		}
	}
	return len(readers) > 0
}

// takesDefaults tells whether the schemas of tables of a format version may have
// defaults.
func (l *Lake) takesDefaults(version int) bool {
	return l.cfg.Defaults == InitialDefaults && version >= 3 && allReadDefaults(l.cfg.Readers)
}

// defaults decides how a change shows its defaults in the rows that are there:
// initial are those of the schema, by ordinal; rewrite, that the rows are to be
// written anew. What tells rows apart has to be in them: the other ways are not for
// columns of a key, and nulls not for tables without one.
func (t *lakeTable) defaults(c *schema.SchemaChange) (initial []any, rewrite bool) {
	how := t.lake.cfg.Defaults
	if c.Fill == nil {
		return nil, false
	}
	for _, k := range c.Table.Key {
		if !c.Fill.New[k].IsNull(0) {
			return nil, true
		}
	}
	switch {
	case how == ShowNull && !c.Table.Keyless():
		return nil, false
	case !t.lake.takesDefaults(t.head.t.Metadata().Version()):
		return nil, true
	}
	initial = make([]any, len(c.Table.Columns))
	for i := range c.Fill.New {
		if c.Fill.New[i].IsNull(0) {
			continue
		}
		if initial[i] = defaultOf(c.Table.Lake(i), &c.Fill.New[i]); initial[i] == nil {
			return nil, true
		}
	}
	return initial, false
}

// maxExact is the largest integer up to which a number of JSON that passes through a
// float64, as it does in many programs, stays what it is.
const maxExact = 1 << 53

// The forms of single values in the specification's JSON.
const (
	jsonTime        = "15:04:05.000000"
	jsonTimestamp   = "2006-01-02T15:04:05.000000"
	jsonTimestampTZ = jsonTimestamp + "+00:00"
)

// defaultOf returns the first value of a vector as the specification's JSON has it, in
// the Go types that reading it gives; nil: it has no safe place there.
func defaultOf(l schema.LakeType, v *schema.Vec) any {
	switch l.Kind {
	case schema.LakeBoolean:
		return v.I32[0] != 0
	case schema.LakeInt:
		return float64(v.I32[0])
	case schema.LakeLong:
		if x := v.I64[0]; -maxExact <= x && x <= maxExact {
			return float64(x)
		}
	case schema.LakeFloat:
		return float64(v.Float32(0))
	case schema.LakeDouble:
		return v.Float64(0)
	case schema.LakeDecimal:
		return schema.DecimalText(v.Unscaled(0), l.Scale)
	case schema.LakeDate:
		return time.Unix(int64(v.I32[0])*86400, 0).UTC().Format(time.DateOnly)
	case schema.LakeTime:
		return time.UnixMicro(v.I64[0]).UTC().Format(jsonTime)
	case schema.LakeTimestamp:
		return time.UnixMicro(v.I64[0]).UTC().Format(jsonTimestamp)
	case schema.LakeTimestampTZ:
		return time.UnixMicro(v.I64[0]).UTC().Format(jsonTimestampTZ)
	case schema.LakeString:
		return string(v.Bytes(0))
	case schema.LakeBinary:
		return hex.EncodeToString(v.Bytes(0))
	}
	return nil
}

// writeDefault returns the default of the rows that are written from now on, in
// the same form; nil: they have NULL. It is known only where information_schema shows
// it as it is: a TIMESTAMP stands there in the time zone of whoever made the column,
// bytes up to the first zero, and characters beyond the first plane as question marks.
func writeDefault(c schema.Column, l schema.LakeType) (value any, known bool) {
	if c.Default == nil {
		return nil, true
	}
	text := *c.Default
	v := &schema.Vec{}
	v.Reset(l.Vec())
	switch c.Type.Kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt, schema.Year:
		appendWhole(v, l, text)
	case schema.Double:
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			v.AppendFloat64(x)
		}
	case schema.Decimal, schema.Date, schema.DateTime, schema.Time:
		_ = appendText(v, l, strings.Replace(text, " ", "T", 1)) // zero dates and what is outside a day have no place
	case schema.Char, schema.VarChar, schema.Enum, schema.Set:
		if c.Treatment == nil && !strings.Contains(text, "?") {
			v.AppendBytes([]byte(text))
		}
	}
	if v.N == 0 {
		return nil, false
	}
	value = defaultOf(l, v)
	return value, value != nil
}

func appendWhole(v *schema.Vec, l schema.LakeType, text string) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case l.Kind == schema.LakeDecimal: // which may be larger
		_ = appendDecimal(v, l, text)
	case err != nil:
	case l.Kind == schema.LakeBoolean:
		v.AppendBool(n != 0)
	case l.Kind == schema.LakeLong:
		v.AppendInt64(n)
	case l.Kind == schema.LakeInt:
		v.AppendInt32(int32(n))
	}
}

// initialOf is the inverse: the value that files without the column show in it; nil
// for NULL.
func initialOf(l schema.LakeType, value any) (*schema.Vec, error) {
	if value == nil {
		return nil, nil
	}
	v := &schema.Vec{}
	v.Reset(l.Vec())
	var err error
	switch x := value.(type) {
	case bool:
		if l.Kind == schema.LakeBoolean {
			v.AppendBool(x)
		}
	case float64:
		appendNumber(v, l, x)
	case string:
		err = appendText(v, l, x)
	}
	if err == nil && v.N != 1 {
		err = fmt.Errorf("it is no value of type %s", l)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the initial default %v: %w", value, err)
	}
	return v, nil
}

func appendNumber(v *schema.Vec, l schema.LakeType, x float64) {
	switch l.Kind {
	case schema.LakeInt:
		v.AppendInt32(int32(x))
	case schema.LakeLong:
		v.AppendInt64(int64(x))
	case schema.LakeFloat:
		v.AppendFloat32(float32(x))
	case schema.LakeDouble:
		v.AppendFloat64(x)
	}
}

func appendText(v *schema.Vec, l schema.LakeType, text string) error {
	layouts := map[schema.LakeKind]string{schema.LakeDate: time.DateOnly, schema.LakeTime: "15:04:05", schema.LakeTimestamp: "2006-01-02T15:04:05", schema.LakeTimestampTZ: time.RFC3339}
	switch l.Kind {
	case schema.LakeDate, schema.LakeTime, schema.LakeTimestamp, schema.LakeTimestampTZ:
		at, err := time.Parse(layouts[l.Kind], text) // which takes fractions, too
		switch {
		case err != nil:
			return err
		case l.Kind == schema.LakeDate:
			v.AppendInt32(int32(at.Unix() / 86400)) // midnight, so that nothing is rounded
		case l.Kind == schema.LakeTime:
			v.AppendInt64(at.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)).Microseconds())
		default:
			v.AppendInt64(at.UnixMicro())
		}
	case schema.LakeDecimal:
		return appendDecimal(v, l, text)
	case schema.LakeString:
		v.AppendBytes([]byte(text))
	case schema.LakeBinary:
		b, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		v.AppendBytes(b)
	}
	return nil
}

func appendDecimal(v *schema.Vec, l schema.LakeType, text string) error {
	whole, fraction, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || len(fraction) != l.Scale {
		return fmt.Errorf("it has not the %d digits behind the point of %s", l.Scale, l)
	}
	if v.Kind == schema.VecInt64 {
		v.AppendInt64(n.Int64())
		return nil
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1))
	v.AppendDec128(new(big.Int).Rsh(n, 64).Int64(), low.Uint64())
	return nil
}
