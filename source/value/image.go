package value

import (
	"errors"

	"github.com/beluga-cdc/beluga/schema"
)

var errUnknownKind = errors.New("no such type")

// Decode appends the value at the start of b, in the form of a row image of the
// binlog, to dst and returns how many bytes it took. It never looks beyond b.
type Decode func(dst *schema.Vec, b []byte) (int, error)

// Image returns the decoder of the column for the type and metadata that a
// table map gives. An error says how the binlog's type contradicts the column's.
func (m *Mapper) Image(typ byte, meta uint16) (Decode, error) { return nil, m.fault(errUnknownKind) }

// Skip returns how many bytes the value of a type at the start of b takes.
func Skip(typ byte, meta uint16, b []byte) (int, error) { return 0, errUnknownKind }
