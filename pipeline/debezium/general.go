package debezium

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/beluga-cdc/beluga/schema"
)

type object = map[string]json.RawMessage

// appendGeneral reads any event that the JSON converter of Kafka Connect can have
// written, with its schema or without. The values go through the same code as on
// the short way.
func (d *Decoder) appendGeneral(b *schema.Block, key, value []byte) error {
	ev, err := parsePayload(value)
	d.head = headOf(d.head, value)
	if err == nil {
		err = d.appendEvent(b, key, ev)
	}
	if err != nil {
		return fmt.Errorf("decoding an event of table %s: %w", d.table.ID, err)
	}
	return nil
}

// headOf returns what stands before the payload of a value that begins with its
// schema, without white space between; nothing of any other one.
func headOf(dst, value []byte) []byte {
	const opening, between = `{"schema":`, `,"payload":`
	dst = dst[:0]
	rest, ok := cut(value, opening)
	if !ok {
		return dst
	}
	var text json.RawMessage
	d := json.NewDecoder(bytes.NewReader(rest))
	if d.Decode(&text) != nil || text[0] != '{' {
		return dst
	}
	n := int(d.InputOffset())
	if _, ok := cut(rest[n:], between); !ok {
		return dst
	}
	return append(dst, value[:len(opening)+n+len(between)]...)
}

// parsePayload reads a JSON object. Where it is a pair of schema and payload it
// returns the payload, nil where that is null.
func parsePayload(text []byte) (object, error) {
	o, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	// A key may have columns of these names too, but no column holds an object.
	if s, p := o["schema"], o["payload"]; len(o) == 2 && len(s) > 0 && s[0] == '{' && len(p) > 0 {
		return parseObject(p)
	}
	return o, nil
}

// parseObject reads a JSON object or null.
func parseObject(text []byte) (object, error) {
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, fmt.Errorf("%s is no JSON object: %w", excerpt(text), err)
	}
	return o, nil
}

func (d *Decoder) appendEvent(b *schema.Block, key []byte, ev object) error {
	if ev == nil {
		return nil // a tombstone that was written with a schema
	}
	var text string
	if err := json.Unmarshal(ev["op"], &text); err != nil {
		return errors.New("it has no op, so it is no change event of Debezium; was it flattened by a transform?")
	}
	op := schema.Op(0)
	if len(text) == 1 {
		op = schema.Op(text[0])
	}
	before, err := image(ev, "before")
	if err != nil {
		return err
	}
	after, err := image(ev, "after")
	if err != nil {
		return err
	}
	switch op {
	case schema.OpRead, schema.OpInsert:
		d.fillOld(b)
	case schema.OpUpdate, schema.OpDelete:
		b.NeedOld(true)
		if err := d.appendBefore(b, before, key); err != nil {
			return err
		}
	default:
		return fmt.Errorf("its op is %s, and only r, c, u and d are changes of a row", excerpt([]byte(text)))
	}
	if op == schema.OpDelete {
		fill(b.New)
	} else if after == nil {
		return fmt.Errorf("its op is %q, but it has no after image", text)
	} else if err := appendFields(b.New, d.row, after); err != nil {
		return err
	}
	b.Ops = append(b.Ops, op)
	return nil
}

func image(ev object, name string) (object, error) {
	text, ok := ev[name]
	if !ok {
		return nil, nil
	}
	return parseObject(text)
}

// appendBefore reads the old image. The record's key stands in for one that is
// not there: it is the key of the row before the change.
func (d *Decoder) appendBefore(b *schema.Block, before object, key []byte) error {
	if before == nil && !d.table.Keyless() && len(key) > 0 {
		var err error
		if before, err = parsePayload(key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	if before == nil {
		return errors.New("it has neither a before image nor a key, so nobody can tell which row it changes; set binlog_row_image=FULL on the server")
	}
	return appendFields(b.Old, d.old, before)
}

func appendFields(vs []schema.Vec, fs []field, o object) error {
	for i := range fs {
		f := &fs[i]
		text, ok := o[f.name]
		if !ok {
			return fmt.Errorf("column %s is not in the row; it was written under another version of the table", f.name)
		}
		n, err := f.decode(&vs[f.col], text)
		if err == nil && n != len(text) {
			err = errForm
		}
		if err != nil {
			return fmt.Errorf("column %s (%s): %s %w", f.name, f.kind, excerpt(text), err)
		}
	}
	return nil
}
