package parquetfile

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/beluga-cdc/beluga/schema"
)

// elementWidth is the bytes of a list's element, in vectors and in pages.
const elementWidth = 4

// The names of the two levels below a list, as the Parquet format prescribes
// them. Iceberg readers go by the field ids.
const (
	repeatedName = "list"
	elementName  = "element"
)

// listElements describes a column of lists in the footer. The elements are
// required: a VECTOR of MySQL has no gaps.
func listElements(c Column, name string) []format.SchemaElement {
	list := format.SchemaElement{Name: name, FieldID: int32(c.ID), NumChildren: thrift.New(int32(1)),
		RepetitionType: thrift.New(format.Optional), ConvertedType: thrift.New(deprecated.List)}
	if c.Required {
		list.RepetitionType = thrift.New(format.Required)
	}
	list.LogicalType.Value = &format.ListType{}
	repeated := format.SchemaElement{Name: repeatedName, NumChildren: thrift.New(int32(1)), RepetitionType: thrift.New(format.Repeated)}
	element := format.SchemaElement{Name: elementName, FieldID: int32(c.ElementID), Type: thrift.New(physicalTypes[layoutLists]),
		RepetitionType: thrift.New(format.Required)}
	return []format.SchemaElement{list, repeated, element}
}

// path is where the column's values stand in the file's schema.
func (c *chunk) path() []string {
	if c.layout == layoutLists {
		return []string{c.name, repeatedName, elementName}
	}
	return []string{c.name}
}

// leafID is the field id that sizes and counts go by.
func (c *chunk) leafID() int {
	if c.layout == layoutLists {
		return c.ElementID
	}
	return c.ID
}

// addLengths counts the elements of rows that are not null.
func (p *page) addLengths(v *schema.Vec, rows []uint32) error {
	for _, r := range rows {
		size := v.Off[r+1] - v.Off[r]
		if size%elementWidth != 0 {
			return fmt.Errorf("a list of %d bytes, which is no number of floats", size)
		}
		n := size / elementWidth
		p.lengths = append(p.lengths, n)
		if n == 0 {
			p.empty++
		} else {
			p.more += int(n) - 1
		}
	}
	return nil
}

// levelRuns are levels as runs of equal ones: Parquet's hybrid encoding lets a run
// be of any length, and a list needs two of them whatever its length is.
type levelRuns struct {
	out   []byte
	level byte
	n     uint64
}

func (r *levelRuns) add(level byte, n int) {
	if level != r.level {
		r.flush()
		r.level = level
	}
	r.n += uint64(n)
}

func (r *levelRuns) flush() {
	if r.n > 0 {
		r.out = append(binary.AppendUvarint(r.out, r.n<<1), r.level)
	}
	r.n = 0
}

// withListLevels returns the page as it is compressed: repetition levels, which
// tell where a list begins, definition levels, and the elements of all lists.
func (p *page) withListLevels(optional bool) []byte {
	var repeated, defined levelRuns
	empty, values := byte(0), p.raw
	if optional { // level 0 is null
		empty, values = 1, p.raw[levelsRoom:]
	}
	next := 0
	for row := range p.rows {
		repeated.add(0, 1)
		if p.nulls > 0 && p.valid[row>>3]&(1<<(row&7)) == 0 {
			defined.add(0, 1)
			continue
		}
		n := int(p.lengths[next])
		next++
		if n == 0 {
			defined.add(empty, 1)
			continue
		}
		defined.add(empty+1, n)
		repeated.add(1, n-1)
	}
	repeated.flush()
	defined.flush()
	body := newBuffer(2*4 + len(repeated.out) + len(defined.out) + len(values))
	for _, levels := range [...][]byte{repeated.out, defined.out} {
		body = binary.LittleEndian.AppendUint32(body, uint32(len(levels)))
		body = append(body, levels...)
	}
	body = append(body, values...)
	freeBuffer(p.raw)
	p.raw = body
	return body
}
