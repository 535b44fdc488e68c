package debezium

import (
	"bytes"

	"github.com/beluga-cdc/beluga/schema"
)

// Decoder reads events of one table version into blocks. It is not safe for
// concurrent use.
type Decoder struct {
	table *schema.Table
	row   []field
	old   []field // what is kept of old images: the key; all columns of a table without one
	// looked is the number of columns up to the last one of the key, or the last
	// that is an object: behind it an old image has nothing of interest, and its end
	// can be searched.
	looked int
	kept   []bool // by column: in old
	head   []byte // what stood before the last event that held its schema
}

// NewDecoder returns the decoder of a prepared table, for events whose values were
// written under the modes.
func NewDecoder(t *schema.Table, m Modes) *Decoder {
	d := &Decoder{table: t, row: fieldsOf(t, allColumns(t), m), kept: make([]bool, len(t.Columns))}
	for i := range d.row {
		if t.Identifies(i) {
			d.kept[i] = true
			d.old = append(d.old, d.row[i])
		}
		if d.kept[i] || d.row[i].form == formGeometry {
			d.looked = i + 1
		}
	}
	return d
}

// Append appends the row of one event to a block of the decoder's table. Old
// images are kept as far as the row's identity needs them: the key's columns, or
// all where the table has no key. A tombstone appends nothing. After an error the
// block is as it was.
//
// The block's Old must be empty, or be the work of this method. Origins are not
// touched: where a row stands in the log is known to who read the log.
func (d *Decoder) Append(b *schema.Block, key, value []byte) error {
	if len(value) == 0 {
		return nil
	}
	n := b.Rows()
	payload := d.payload(value)
	op := opOf(payload)
	if op == schema.OpUpdate || op == schema.OpDelete {
		b.NeedOld(true)
	}
	if op != 0 && d.appendKnown(b, op, payload) {
		b.Ops = append(b.Ops, op)
		return nil
	}
	d.truncate(b, n)
	// Another order of fields, white space, a schema around the payload, or a fault.
	if err := d.appendGeneral(b, key, value); err != nil {
		d.truncate(b, n)
		return err
	}
	return nil
}

// payload returns the event without the schema around it, if that is the same as
// the last time.
func (d *Decoder) payload(value []byte) []byte {
	if n := len(d.head); n > 0 && len(value) > n && value[len(value)-1] == '}' && bytes.HasPrefix(value, d.head) {
		return value[n : len(value)-1]
	}
	return value
}

// truncate takes back what was appended of a row.
func (d *Decoder) truncate(b *schema.Block, n int) {
	for i := range b.New {
		b.New[i].Truncate(n)
	}
	for i := range b.Old {
		if d.kept[i] {
			b.Old[i].Truncate(n)
		}
	}
}

// The end of an event as Debezium and Beluga write it has a fixed length until
// the year 2286, so the op is found without reading what stands before.
const (
	tailText = `},"transaction":null,"op":"c","ts_ms":1795397474904,"ts_us":1795397474904468,"ts_ns":1795397474904468722}`
	tailOp   = len(`},"transaction":null,"op":"`)
	tailMs   = tailOp + len(`c`)
	tailUs   = tailMs + len(`","ts_ms":1795397474904`)
	tailNs   = tailUs + len(`,"ts_us":1795397474904468`)
)

// opOf returns the op of an event that ends as expected, 0 otherwise. What it
// compares cannot stand inside a string, whose quotes would be escaped, and the
// last brace of a JSON object is its own: the op is the event's, not one of an
// object inside.
func opOf(p []byte) schema.Op {
	if len(p) < len(tailText) {
		return 0
	}
	p = p[len(p)-len(tailText):]
	if string(p[:tailOp]) != tailText[:tailOp] || string(p[tailMs:tailMs+len(`","ts_ms":`)]) != `","ts_ms":` ||
		string(p[tailUs:tailUs+len(`,"ts_us":`)]) != `,"ts_us":` || string(p[tailNs:tailNs+len(`,"ts_ns":`)]) != `,"ts_ns":` ||
		p[len(p)-1] != '}' {
		return 0
	}
	switch op := schema.Op(p[tailOp]); op {
	case schema.OpRead, schema.OpInsert, schema.OpUpdate, schema.OpDelete:
		return op
	}
	return 0
}

// appendKnown reads an event whose fields stand in the order of the table's
// columns, without white space. It gives up, with some vectors longer than
// others, wherever a byte is not the expected one.
func (d *Decoder) appendKnown(b *schema.Block, op schema.Op, p []byte) bool {
	ok := true
	switch op {
	case schema.OpUpdate, schema.OpDelete:
		if p, ok = cut(p, `{"before":`); ok {
			p, ok = d.appendOld(b, p)
		}
		if !ok {
			return false
		}
		p, ok = cut(p, `},"after":`)
	default:
		d.fillOld(b)
		p, ok = cut(p, `{"before":null,"after":`)
	}
	if !ok {
		return false
	}
	if op == schema.OpDelete {
		fill(b.New)
		p, ok = cut(p, `null`)
	} else if p, ok = appendColumns(b.New, d.row, p); ok {
		p, ok = cut(p, `}`)
	}
	if !ok {
		return false
	}
	_, ok = cut(p, `,"source":{`)
	return ok
}

// fillOld appends fillers for a row without an old image.
func (d *Decoder) fillOld(b *schema.Block) {
	if len(b.Old) == 0 {
		return
	}
	for i := range d.old {
		b.Old[d.old[i].col].AppendZero()
	}
}

func fill(vs []schema.Vec) {
	for i := range vs {
		vs[i].AppendZero()
	}
}

func cut(p []byte, lit string) ([]byte, bool) {
	if len(p) < len(lit) || string(p[:len(lit)]) != lit {
		return p, false
	}
	return p[len(lit):], true
}

// appendColumns reads the fields of a row object up to its closing brace.
func appendColumns(vs []schema.Vec, fs []field, p []byte) ([]byte, bool) {
	for i := range fs {
		f := &fs[i]
		if len(p) < len(f.lit) || string(p[:len(f.lit)]) != f.lit {
			return p, false
		}
		p = p[len(f.lit):]
		n, err := f.decode(&vs[f.col], p)
		if err != nil { // the general way finds it again, and says where
			return p, false
		}
		p = p[n:]
	}
	return p, true
}

// appendOld reads an old image up to its closing brace.
func (d *Decoder) appendOld(b *schema.Block, p []byte) ([]byte, bool) {
	for i := range d.row[:d.looked] {
		f := &d.row[i]
		if len(p) < len(f.lit) || string(p[:len(f.lit)]) != f.lit {
			return p, false
		}
		p = p[len(f.lit):]
		n := 0
		if d.kept[i] {
			var err error
			if n, err = f.decode(&b.Old[i], p); err != nil {
				return p, false
			}
		} else if n = skipValue(p); n == 0 {
			return p, false
		}
		p = p[n:]
	}
	if d.looked == len(d.row) {
		return p, true
	}
	// In a string the quotes would be escaped, and columns that are objects were
	// passed over.
	i := bytes.Index(p, []byte(`},"after":`))
	if i < 0 {
		return p, false
	}
	return p[i:], true
}

// skipValue returns the length of the string, number, name, vector or geometry at the
// start of p, 0 where there is none.
func skipValue(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	if p[0] == '[' {
		return skipVector(p)
	}
	if p[0] == '{' {
		return skipObject(p)
	}
	if p[0] == '"' {
		_, n := scanString(p)
		return n
	}
	n := 0
	for n < len(p) && p[n] != ',' && p[n] != '}' {
		n++
	}
	return n
}
