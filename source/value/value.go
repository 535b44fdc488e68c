package value

import (
	"fmt"
	"sync/atomic"

	"github.com/beluga-cdc/beluga/schema"
)

// Stats counts what a run should report about values. One serves all mappers
// of a run, at the same time.
type Stats struct {
	// ZeroDates is how many zero or partial dates became NULL, or the epoch.
	ZeroDates atomic.Int64
}

// Mapper turns the values of one column into their one representation in a
// block. It holds no state besides the shared Stats, so it may be used by many
// goroutines at once.
type Mapper struct {
	table  schema.TableID
	column schema.Column
	lake   schema.LakeType
	key    bool
	text   charset
	stats  *Stats
	treat  treatment // nil: values stay as they are
}

// New returns the mapper of column i of a prepared table. The error tells a
// type or character set that this version cannot replicate, and the remedy.
// stats may be nil.
func New(t *schema.Table, i int, stats *Stats) (*Mapper, error) {
	if stats == nil {
		stats = new(Stats)
	}
	m := &Mapper{table: t.ID, column: t.Columns[i], lake: t.Lake(i), key: t.IsKey(i), stats: stats}
	err := m.check()
	if err == nil {
		m.treat, err = newTreatment(&m.column)
	}
	if err != nil {
		return nil, m.fault(err)
	}
	return m, nil
}

// NewAll returns the mappers of all columns of a prepared table.
func NewAll(t *schema.Table, stats *Stats) ([]*Mapper, error) {
	ms := make([]*Mapper, len(t.Columns))
	for i := range ms {
		m, err := New(t, i, stats)
		if err != nil {
			return nil, err
		}
		ms[i] = m
	}
	return ms, nil
}

// Null appends a null, or what the column's treatment makes of it.
func (m *Mapper) Null(dst *schema.Vec) {
	dst.AppendNull()
	if m.treat != nil {
		m.treat(dst)
	}
}

// Treated tells whether the column's values do not stay as they are.
func (m *Mapper) Treated() bool { return m.treat != nil }

func (m *Mapper) check() error {
	t := &m.column.Type
	switch t.Kind {
	case schema.Char, schema.VarChar, schema.Text, schema.Enum, schema.Set:
		ofName := charsetByName
		if m.key {
			ofName = keyCharset
			if err := checkKeyLabels(t); err != nil {
				return err
			}
		}
		c, err := ofName(t.Charset)
		if err != nil {
			return err
		}
		m.text = c
	case schema.Bit:
		if t.Length < 1 || t.Length > 64 {
			return fmt.Errorf("bit(%d) is no MySQL type", t.Length)
		}
	}
	return nil
}

func (m *Mapper) fault(err error) error {
	return fmt.Errorf("table %s, column %s: %w", m.table, m.column.Name, err)
}

// putTruth appends a TINYINT(1) that is to be a boolean.
func (m *Mapper) putTruth(dst *schema.Vec, x int64) error {
	if x != 0 && x != 1 {
		return m.fault(fmt.Errorf("the value %d is no boolean; remedy: choose --types-tinyint1 int and load the tables again, or leave the table out", x))
	}
	dst.AppendBool(x == 1)
	return nil
}

// putInt appends an integer that fits the column by its type.
func (m *Mapper) putInt(dst *schema.Vec, x int64) {
	if dst.Kind == schema.VecInt64 {
		dst.AppendInt64(x)
		return
	}
	dst.AppendInt32(int32(x))
}

// putBigInt appends the 64 bits of a BIGINT, signed or not.
func (m *Mapper) putBigInt(dst *schema.Vec, bits uint64) {
	if dst.Kind == schema.VecDec128 {
		dst.AppendDec128(0, bits)
		return
	}
	dst.AppendInt64(int64(bits))
}

// putVector appends a VECTOR, which MySQL stores as a block holds it.
func (m *Mapper) putVector(dst *schema.Vec, b []byte) error {
	if len(b)%4 != 0 {
		return m.fault(fmt.Errorf("a vector has %d bytes, and each of its numbers takes four", len(b)))
	}
	dst.AppendBytes(b)
	return nil
}

// putBit appends a BIT value by its big-endian bytes.
func (m *Mapper) putBit(dst *schema.Vec, b []byte) error {
	if n := (m.column.Type.Length + 7) / 8; len(b) != n {
		return m.fault(fmt.Errorf("a bit(%d) value has %d bytes", m.column.Type.Length, len(b)))
	}
	if dst.Kind == schema.VecBool {
		dst.AppendBool(b[0] != 0)
		return nil
	}
	dst.AppendBytes(b)
	return nil
}
