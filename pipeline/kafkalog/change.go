package kafkalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// cutPayload is the JSON of a CUT record.
type cutPayload struct {
	Position schema.Position `json:"position"`
	Time     time.Time       `json:"time"`
	Loading  []laneEntry     `json:"loading,omitempty"`
}

// changePayload is the JSON of a DDL record. Whether it is a reset, a lane, or a load
// that goes on, stands in the header. A reset without a table ends the table: nothing
// follows.
type changePayload struct {
	Table     *schema.Table       `json:"table"`
	Renamed   []schema.Rename     `json:"renamed,omitempty"`
	Apart     []string            `json:"apart,omitempty"`
	Same      bool                `json:"same,omitempty"`
	Dropped   *dropped            `json:"dropped,omitempty"`
	History   int64               `json:"history,omitempty"`
	Request   string              `json:"request,omitempty"`
	Condition string              `json:"condition,omitempty"`
	Fill      map[int]*fillColumn `json:"fill,omitempty"`
	Cause     schema.Cause        `json:"cause,omitzero"`
}

// dropped says that the table is gone in the source. Its record voids what stands before
// it in the partition, all of which a cut has: rows that the lake has stay there.
type dropped struct {
	Reset bool `json:"reset,omitempty"` // they do not
}

// fillColumn is the one value of a column of SchemaChange.Fill, as its vector
// holds it.
type fillColumn struct {
	Number int64  `json:"number,omitempty"`
	Bytes  []byte `json:"bytes,omitempty"`
}

func encodeChange(c schema.SchemaChange) ([]byte, error) {
	p := changePayload{Table: c.Table, Renamed: c.Renamed, Apart: c.Apart, Same: c.Same, History: c.History, Request: c.Request, Condition: c.Condition, Cause: c.Cause}
	if c.Dropped {
		p.Dropped = &dropped{c.Reset}
	}
	if c.Fill != nil {
		p.Fill = map[int]*fillColumn{}
		for i := range c.Fill.New {
			v := &c.Fill.New[i]
			if v.N == 0 || v.IsNull(0) {
				continue
			}
			f := &fillColumn{}
			switch v.Kind {
			case schema.VecBool, schema.VecInt32, schema.VecFloat32:
				f.Number = int64(v.I32[0])
			case schema.VecInt64, schema.VecFloat64:
				f.Number = v.I64[0]
			case schema.VecDec128:
				f.Bytes = v.Dec128(0)
			case schema.VecBytes:
				f.Bytes = v.Bytes(0)
			}
			p.Fill[i] = f
		}
	}
	return json.Marshal(p)
}

func decodeChange(r *protocol.Record) (c schema.SchemaChange, err error) {
	var p changePayload
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		return c, err
	}
	switch {
	case p.Table == nil && r.Reset:
		return schema.SchemaChange{Reset: true}, nil
	case p.Table == nil:
		return c, errors.New("it holds no table")
	}
	if err := p.Table.Prepare(); err != nil {
		return c, err
	}
	c = schema.SchemaChange{Table: p.Table, Renamed: p.Renamed, Apart: p.Apart, Reset: r.Reset, Same: p.Same, Continued: r.Continued, History: p.History,
		Lane: r.Lane, Request: p.Request, Condition: p.Condition, Cause: p.Cause}
	if p.Dropped != nil {
		c.Dropped, c.Reset = true, p.Dropped.Reset
	}
	if p.Fill == nil {
		return c, nil
	}
	c.Fill = schema.NewBlock(p.Table)
	c.Fill.Ops = append(c.Fill.Ops, schema.OpInsert)
	for i := range c.Fill.New {
		if err := p.Fill[i].append(&c.Fill.New[i]); err != nil {
			return c, fmt.Errorf("column %s: %w", p.Table.Columns[i].Name, err)
		}
	}
	return c, nil
}

// append appends the value, or a null where there is none.
func (f *fillColumn) append(v *schema.Vec) error {
	switch {
	case f == nil:
		v.AppendNull()
	case v.Kind == schema.VecBytes:
		v.AppendBytes(f.Bytes)
	case v.Kind == schema.VecDec128:
		if len(f.Bytes) != 16 {
			return fmt.Errorf("a decimal has 16 bytes, not %d", len(f.Bytes))
		}
		v.Data = append(v.Data, f.Bytes...)
		v.N++
	case v.Kind == schema.VecInt64 || v.Kind == schema.VecFloat64:
		v.AppendInt64(f.Number)
	default:
		v.AppendInt32(int32(f.Number))
	}
	return nil
}

// sameShape tells whether two versions of a table are written the same way.
func sameShape(a, b *schema.Table) bool {
	if a == b {
		return true
	}
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
