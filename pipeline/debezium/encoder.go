package debezium

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// Config says who speaks in the events.
type Config struct {
	Name    string // of the source: Debezium's topic.prefix
	Version string // of the program
	Key     []int  // columns of the record's key; nil: those of the table's
	Modes   Modes  // of the values
	Topic   string // begins the names of schemas, where the modes have any
	// KeyField is a field that keys get beside their columns, and its value. It is not
	// in the keys that headers hold.
	KeyField, KeyValue string
	// Now is the clock of ts_ms, ts_us and ts_ns. It is read once for the rows of an
	// origin, not for each row.
	Now func() time.Time
}

// Header is a header of a record.
type Header struct {
	Key   string
	Value []byte
}

// The headers that tie the two halves of a change of key together.
const (
	headerNewKey = "__debezium.newkey"
	headerOldKey = "__debezium.oldkey"
)

// Record is what the log gets: a row change is one to three of them.
type Record struct {
	Key     []byte // nil: the table has no key, and none was chosen
	Value   []byte // nil: a tombstone
	Headers []Header
}

// Encoder writes the events of one table version. It is not safe for concurrent
// use.
type Encoder struct {
	table  *schema.Table
	row    []field
	key    []field
	source sourceBlock

	// What stands before keys and events that hold their schemas; nil: they do not.
	keyHead, valueHead []byte
	keyTail            []byte // what follows the columns of keys
	fieldInKey         bool   // and begins with a field

	oldBare, newBare []byte // keys for headers

	// What Row returns lies in these.
	records              [3]Record
	newHeader, oldHeader [1]Header
	newKey, oldKey       []byte
	value, second        []byte
}

// NewEncoder returns the encoder of a prepared table.
func NewEncoder(t *schema.Table, cfg Config) *Encoder {
	if cfg.Key == nil {
		cfg.Key = t.Key
	}
	e := &Encoder{
		table:  t,
		row:    fieldsOf(t, allColumns(t), cfg.Modes),
		key:    fieldsOf(t, cfg.Key, cfg.Modes),
		source: newSourceBlock(t.ID, cfg),
	}
	if cfg.Modes.schemas {
		e.keyHead, e.valueHead = keyHead(t, e.key, cfg), valueHead(t, e.row, cfg.Topic)
		e.keyTail = []byte{'}'}
	}
	if e.fieldInKey = cfg.KeyField != ""; e.fieldInKey {
		e.keyTail = append([]byte(`,`+quote(cfg.KeyField)+`:`+quote(cfg.KeyValue)+`}`), e.keyTail...)
	}
	return e
}

// end closes what the head of an event opened.
func (e *Encoder) end(value []byte) []byte {
	if e.valueHead == nil {
		return value
	}
	return append(value, '}')
}

// Row returns the records of one row, in the order in which they have to be
// logged. They are valid until the next call. o is the origin that the row
// belongs to.
func (e *Encoder) Row(b *schema.Block, row int, o *schema.Origin) ([]Record, error) {
	n, err := e.encode(b, row, o)
	if err != nil {
		return nil, fmt.Errorf("encoding a row of table %s: %w", e.table.ID, err)
	}
	return e.records[:n], nil
}

// encode fills the first n records.
func (e *Encoder) encode(b *schema.Block, row int, o *schema.Origin) (n int, err error) {
	op := b.Ops[row]
	e.source.set(o, op == schema.OpRead)
	if (op == schema.OpUpdate || op == schema.OpDelete) && len(b.Old) == 0 {
		return 0, missingImage(e.row[0].name)
	}
	switch op {
	case schema.OpRead, schema.OpInsert:
		e.value, err = e.created(e.value[:0], b, row, op)
		e.records[0] = Record{Key: e.newKey, Value: e.value}
		return 1, err
	case schema.OpUpdate:
		same, err := e.keyIsSame(b, row)
		if err != nil {
			return 0, err
		}
		if !same {
			return 3, e.rekey(b, row)
		}
		return 1, e.update(b, row)
	case schema.OpDelete:
		err = e.deleted(b, row)
		e.records[0] = Record{Key: e.oldKey, Value: e.value}
		// The tombstone: without it a compacted topic would keep the deletion for ever.
		e.records[1] = Record{Key: e.oldKey}
		return 2, err
	}
	return 0, fmt.Errorf("operation %q is none of r, c, u, d", byte(op))
}

// created writes newKey, and an event without an old image to dst.
func (e *Encoder) created(dst []byte, b *schema.Block, row int, op schema.Op) (_ []byte, err error) {
	if e.newKey, err = e.keyOf(e.newKey, b.New, row); err != nil {
		return dst, err
	}
	dst = append(append(dst, e.valueHead...), `{"before":null,"after":`...)
	if dst, err = appendObject(dst, e.row, b.New, row); err != nil {
		return dst, err
	}
	return e.end(e.source.append(dst, row, op)), nil
}

func (e *Encoder) update(b *schema.Block, row int) (err error) {
	if e.newKey, err = e.keyOf(e.newKey, b.New, row); err != nil {
		return err
	}
	dst := append(append(e.value[:0], e.valueHead...), `{"before":`...)
	if dst, err = appendObject(dst, e.row, b.Old, row); err != nil {
		return err
	}
	dst = append(dst, `,"after":`...)
	if dst, err = appendObject(dst, e.row, b.New, row); err != nil {
		return err
	}
	e.value = e.end(e.source.append(dst, row, schema.OpUpdate))
	e.records[0] = Record{Key: e.newKey, Value: e.value}
	return nil
}

// deleted writes oldKey, and an event without a new image to value.
func (e *Encoder) deleted(b *schema.Block, row int) (err error) {
	if e.oldKey, err = e.keyOf(e.oldKey, b.Old, row); err != nil {
		return err
	}
	dst := append(append(e.value[:0], e.valueHead...), `{"before":`...)
	if dst, err = appendObject(dst, e.row, b.Old, row); err != nil {
		return err
	}
	dst = append(dst, `,"after":null`...)
	e.value = e.end(e.source.append(dst, row, schema.OpDelete))
	return nil
}

// rekey writes an update that changes the key as the end of one row and the
// birth of another: a consumer that goes by record keys would keep the old row
// otherwise.
func (e *Encoder) rekey(b *schema.Block, row int) (err error) {
	if err = e.deleted(b, row); err != nil {
		return err
	}
	if e.second, err = e.created(e.second[:0], b, row, schema.OpInsert); err != nil {
		return err
	}
	e.newBare, e.oldBare = e.bare(e.newBare, e.newKey), e.bare(e.oldBare, e.oldKey)
	e.newHeader[0] = Header{headerNewKey, e.newBare}
	e.oldHeader[0] = Header{headerOldKey, e.oldBare}
	e.records[0] = Record{Key: e.oldKey, Value: e.value, Headers: e.newHeader[:]}
	e.records[1] = Record{Key: e.oldKey, Headers: e.newHeader[:]}
	e.records[2] = Record{Key: e.newKey, Value: e.second, Headers: e.oldHeader[:]}
	return nil
}

func (e *Encoder) keyOf(dst []byte, image []schema.Vec, row int) ([]byte, error) {
	if len(e.key) == 0 {
		return nil, nil
	}
	dst, err := appendObject(append(dst[:0], e.keyHead...), e.key, image, row)
	if err != nil {
		return dst, err
	}
	if e.fieldInKey {
		dst = dst[:len(dst)-1] // the tail closes the object
	}
	return append(dst, e.keyTail...), nil
}

// bare is the columns of a key alone: headers hold no schema, and no other field.
func (e *Encoder) bare(dst, key []byte) []byte {
	dst = append(dst[:0], key[len(e.keyHead):len(key)-len(e.keyTail)]...)
	if e.fieldInKey {
		dst = append(dst, '}')
	}
	return dst
}

// keyIsSame tells whether an update left the key as it was.
func (e *Encoder) keyIsSame(b *schema.Block, row int) (bool, error) {
	for i := range e.key {
		c := e.key[i].col
		if b.Old[c].N <= row {
			return false, missingImage(e.key[i].name)
		}
		if !sameValue(&b.Old[c], &b.New[c], row) {
			return false, nil
		}
	}
	return true, nil
}

func sameValue(a, b *schema.Vec, row int) bool {
	if a.IsNull(row) || b.IsNull(row) {
		return a.IsNull(row) && b.IsNull(row)
	}
	switch a.Kind {
	case schema.VecBool, schema.VecInt32, schema.VecFloat32:
		return a.I32[row] == b.I32[row]
	case schema.VecInt64, schema.VecFloat64:
		return a.I64[row] == b.I64[row]
	case schema.VecDec128:
		return bytes.Equal(a.Dec128(row), b.Dec128(row))
	}
	return bytes.Equal(a.Bytes(row), b.Bytes(row))
}

func missingImage(column string) error {
	return fmt.Errorf("column %s has no old image, and an event needs all of it: set binlog_row_image=FULL on the server", column)
}

// appendObject appends the JSON object of a row image, or of its key.
func appendObject(dst []byte, fs []field, image []schema.Vec, row int) ([]byte, error) {
	var err error
	for i := range fs {
		f := &fs[i]
		v := &image[f.col]
		if row >= v.N {
			return dst, missingImage(f.name)
		}
		dst = append(dst, f.lit...)
		if v.NullN > 0 && v.IsNull(row) {
			dst = append(dst, "null"...)
			continue
		}
		if dst, err = f.append(dst, v, row); err != nil {
			return dst, fmt.Errorf("column %s: value %w", f.name, err)
		}
	}
	return append(dst, '}'), nil
}

// append appends one value that is not null. Errors are the end of a sentence
// that begins with "value".
func (f *field) append(dst []byte, v *schema.Vec, row int) ([]byte, error) {
	switch f.form {
	case formInt32:
		return strconv.AppendInt(dst, int64(v.I32[row]), 10), nil
	case formInt64, formTime:
		return strconv.AppendInt(dst, v.I64[row], 10), nil
	case formText:
		dst, ok := appendText(dst, v.Bytes(row))
		if !ok {
			return dst, fmt.Errorf("%s is not valid UTF-8", excerpt(v.Bytes(row)))
		}
		return dst, nil
	case formBool:
		return strconv.AppendBool(dst, v.I32[row] != 0), nil
	case formUint64:
		d := v.Dec128(row)
		if [8]byte(d) != [8]byte{} {
			return dst, errors.New("is negative or above 18446744073709551615")
		}
		return strconv.AppendInt(dst, int64(be64(d[8:])), 10), nil
	case formFloat32:
		return appendDouble(dst, float64(v.Float32(row)), 32)
	case formFloat64:
		return appendDouble(dst, v.Float64(row), 64)
	case formDecimal64:
		return appendDecimal64(dst, v.I64[row]), nil
	case formDecimal128:
		return appendDecimal(dst, v.Dec128(row)), nil
	case formDecimalText:
		return appendDecimalText(dst, v.Bytes(row), f.scale)
	case formBits:
		return f.appendBits(dst, v.Bytes(row))
	case formMillis:
		return appendMillis(dst, v.I64[row])
	case formTimestamp:
		return appendTimestamp(dst, v.I64[row], f.scale)
	case formBytes:
		return appendBase64(dst, v.Bytes(row)), nil
	case formGeometry:
		return appendGeometry(dst, v.Bytes(row))
	case formVector:
		return appendVector(dst, v.Bytes(row))
	}
	return f.appendChosen(dst, v, row)
}

// appendMillis appends µs as ms, which have to be whole.
func appendMillis(dst []byte, micros int64) ([]byte, error) {
	ms := micros / 1000
	if ms*1000 != micros {
		return dst, errDigits
	}
	return strconv.AppendInt(dst, ms, 10), nil
}

// appendChosen is append for the forms of other modes than the defaults.
func (f *field) appendChosen(dst []byte, v *schema.Vec, row int) ([]byte, error) {
	switch f.form {
	case formDecimalPlain:
		return f.appendPlain(dst, v, row), nil
	case formDecimalDouble:
		return appendDouble(dst, float64(v.I64[row])/math.Pow10(f.scale), 64)
	case formUnsigned:
		return appendDecimal(dst, v.Dec128(row)), nil
	case formURLBase64:
		dst = base64.URLEncoding.AppendEncode(append(dst, '"'), v.Bytes(row))
		return append(dst, '"'), nil
	case formHex:
		dst = hex.AppendEncode(append(dst, '"'), v.Bytes(row))
		return append(dst, '"'), nil
	case formTimeMillis:
		return appendMillis(dst, v.I64[row])
	case formTimeNanos:
		return strconv.AppendInt(dst, v.I64[row]*1000, 10), nil
	case formTimeISO:
		return append(appendClock(append(dst, '"'), v.I64[row], shortest), 'Z', '"'), nil
	case formDateISO:
		dst, err := appendDate(append(dst, '"'), int64(v.I32[row]))
		return append(dst, 'Z', '"'), err
	case formInstantISO:
		return appendTimestamp(dst, v.I64[row], shortest)
	}
	return dst, fmt.Errorf("of type %s has no form in an event", f.kind)
}

// appendBits turns the bytes round: MySQL gives the highest first, Debezium the
// lowest.
func (f *field) appendBits(dst, bits []byte) ([]byte, error) {
	var le [8]byte
	if len(bits) > len(le) {
		return dst, fmt.Errorf("has %d bytes, and a BIT column at most 8", len(bits))
	}
	for i, c := range bits {
		le[len(bits)-1-i] = c
	}
	return appendBase64(dst, le[:max(len(bits), f.width)]), nil
}
