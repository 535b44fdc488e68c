package debezium

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// Modes choose how values stand in events, among Debezium's handling modes, and
// whether schemas stand beside them. The zero Modes are its defaults, without
// schemas.
type Modes struct {
	decimal, unsigned, binary, time uint8 // indexes into the words
	schemas                         bool
}

// WithSchemas are the modes for keys and events that hold their schemas, as Kafka
// Connect's JSON converter writes them with schemas.enable.
func (m Modes) WithSchemas() Modes {
	m.schemas = true
	return m
}

// schemasBit follows the bits of the words in a code.
const schemasBit = 1 << 8

// The words of the modes; the first is the default.
var (
	DecimalModes  = []string{"precise", "string", "double"}
	UnsignedModes = []string{"long", "precise"}
	BinaryModes   = []string{"bytes", "base64", "base64-url-safe", "hex"}
	TimeModes     = []string{"adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"}
)

// Indexes that the code asks for.
const decimalDouble = 2

const (
	timeConnect = 1
	timeISO     = 2
	timeNanos   = 4
)

// ParseModes reads the words of the modes; an empty one is the default.
func ParseModes(decimal, unsigned, binary, time string) (Modes, error) {
	var errs []error
	index := func(option, word string, words []string) uint8 {
		i := slices.Index(words, word)
		if i < 0 && word != "" {
			errs = append(errs, fmt.Errorf("%s: %q is none of %s", option, word, strings.Join(words, ", ")))
		}
		return uint8(max(i, 0))
	}
	m := Modes{
		decimal:  index("decimal handling mode", decimal, DecimalModes),
		unsigned: index("bigint unsigned handling mode", unsigned, UnsignedModes),
		binary:   index("binary handling mode", binary, BinaryModes),
		time:     index("time precision mode", time, TimeModes),
	}
	return m, errors.Join(errs...)
}

// Code returns the modes as a number, which the log keeps with each record: what
// was written under other modes stays readable. 0 are the defaults.
func (m Modes) Code() int64 {
	code := int64(m.decimal) | int64(m.unsigned)<<2 | int64(m.binary)<<3 | int64(m.time)<<5
	if m.schemas {
		code |= schemasBit
	}
	return code
}

// ModesOf is the inverse of Code.
func ModesOf(code int64) (Modes, error) {
	m := Modes{decimal: uint8(code & 3), unsigned: uint8(code >> 2 & 1), binary: uint8(code >> 3 & 3), time: uint8(code >> 5 & 7), schemas: code&schemasBit != 0}
	if m.Code() != code || m.decimal > decimalDouble || m.time > timeNanos {
		return Modes{}, fmt.Errorf("its values are in modes with the number %d, which this program does not know: use the version that wrote it, or a later one", code)
	}
	return m, nil
}

// maxDoubleDigits is how many digits of a decimal a double keeps, whatever they are.
const maxDoubleDigits = 15

// Check refuses modes under which a column's values would not come out of the
// events as they went in.
func (m Modes) Check(t *schema.Table) error {
	var errs []error
	for i, c := range t.Columns {
		why, remedy := m.loss(c.Type, t.Lake(i))
		if why == "" {
			continue
		}
		errs = append(errs, fmt.Errorf("table %s, column %s (%s): %s; remedy: %s", t.ID, c.Name, c.Type.Kind, why, remedy))
	}
	return errors.Join(errs...)
}

func (m Modes) loss(t schema.Type, lake schema.LakeType) (why, remedy string) {
	const usual = "--kafka-time-precision-mode adaptive_time_microseconds"
	clock := t.Kind == schema.DateTime || t.Kind == schema.Time && lake.Kind == schema.LakeTime
	switch {
	case t.Kind == schema.Decimal && m.decimal == decimalDouble && t.Precision > maxDoubleDigits:
		return fmt.Sprintf("it has %d digits, of which decimal handling mode double keeps %d", t.Precision, maxDoubleDigits), "--kafka-decimal-handling-mode precise or string"
	case clock && m.time == timeConnect && t.Scale > 3:
		return fmt.Sprintf("it has %d digits of the second's fraction, of which time precision mode connect keeps 3", t.Scale), usual
	case t.Kind == schema.DateTime && m.time == timeNanos:
		return "it holds the years 1000 to 9999, of which time precision mode nanoseconds has 1678 to 2261", usual
	}
	return "", ""
}
