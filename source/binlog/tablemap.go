package binlog

import (
	"fmt"
	"math/bits"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// tableMap is a TABLE_MAP event: the shape that the row images after it have.
type tableMap struct {
	id       schema.TableID
	types    []byte
	metas    []uint16
	nullable []byte // bitmap

	// With binlog_row_metadata=MINIMAL there is only signed.
	signed     []byte // bit set: unsigned; one bit for each numeric column, from the top
	names      [][]byte
	key        []int
	text       charsetList // of text columns
	labelText  charsetList // of ENUM and SET columns
	enumLabels [][][]byte
	setLabels  [][][]byte
}

// charsetList gives collations of the columns of a class: a default with
// exceptions, or a list.
type charsetList struct {
	standard   int
	exceptions map[int]int
	list       []int
}

func (l *charsetList) collation(i int) int {
	if i < len(l.list) {
		return l.list[i]
	}
	if c, ok := l.exceptions[i]; ok {
		return c
	}
	return l.standard
}

// tableMapID reads the name of the table only: most tables of a server may be
// none of ours.
func tableMapID(body []byte) (schema.TableID, cursor, error) {
	c := cursor{b: body}
	c.take(8) // table number and flags
	db := c.take(int(c.number(1)))
	c.take(1)
	name := c.take(int(c.number(1)))
	c.take(1)
	return schema.TableID{Database: string(db), Name: string(name)}, c, c.err()
}

func parseTableMap(body []byte) (*tableMap, error) {
	id, c, err := tableMapID(body)
	if err != nil {
		return nil, err
	}
	m := &tableMap{id: id}
	m.types = c.take(c.packed())
	meta := cursor{b: c.packedBytes()}
	for _, t := range m.types {
		m.metas = append(m.metas, columnMeta(&meta, t))
	}
	m.nullable = c.take((len(m.types) + 7) / 8)
	for len(c.b) > 0 && !c.bad {
		tag := byte(c.number(1))
		field := cursor{b: c.packedBytes()}
		m.option(tag, &field)
		if field.bad {
			c.bad = true
		}
	}
	if meta.bad || c.bad || m.names != nil && len(m.names) != len(m.types) {
		return nil, fmt.Errorf("table map of %s: %w", id, errEvent)
	}
	return m, nil
}

func columnMeta(c *cursor, typ byte) uint16 {
	switch typ {
	case mysql.MYSQL_TYPE_STRING, mysql.MYSQL_TYPE_NEWDECIMAL: // big-endian, unlike all others
		return bits.ReverseBytes16(uint16(c.number(2)))
	case mysql.MYSQL_TYPE_VARCHAR, mysql.MYSQL_TYPE_VAR_STRING, mysql.MYSQL_TYPE_BIT:
		return uint16(c.number(2))
	case mysql.MYSQL_TYPE_BLOB, mysql.MYSQL_TYPE_DOUBLE, mysql.MYSQL_TYPE_FLOAT, mysql.MYSQL_TYPE_GEOMETRY, mysql.MYSQL_TYPE_VECTOR, mysql.MYSQL_TYPE_JSON,
		mysql.MYSQL_TYPE_TIME2, mysql.MYSQL_TYPE_DATETIME2, mysql.MYSQL_TYPE_TIMESTAMP2:
		return uint16(c.number(1))
	}
	return 0
}

// option takes one field of the optional metadata. Unknown ones are passed
// over: the server adds fields within a version.
func (m *tableMap) option(tag byte, c *cursor) {
	switch tag {
	case 1:
		m.signed = c.b
	case 2:
		m.text = defaultCharsets(c)
	case 3:
		m.text = charsetList{list: numbers(c)}
	case 4:
		for len(c.b) > 0 {
			m.names = append(m.names, c.packedBytes())
		}
	case 5:
		m.setLabels = labelLists(c)
	case 6:
		m.enumLabels = labelLists(c)
	case 8:
		m.key = numbers(c)
	case 9: // with the length of a prefix: the key is unique by the whole column too
		for i, n := range numbers(c) {
			if i%2 == 0 {
				m.key = append(m.key, n)
			}
		}
	case 10:
		m.labelText = defaultCharsets(c)
	case 11:
		m.labelText = charsetList{list: numbers(c)}
	}
}

func numbers(c *cursor) (ns []int) {
	for len(c.b) > 0 {
		ns = append(ns, c.packed())
	}
	return ns
}

func defaultCharsets(c *cursor) charsetList {
	l := charsetList{standard: c.packed(), exceptions: map[int]int{}}
	for len(c.b) > 0 {
		i := c.packed()
		l.exceptions[i] = c.packed()
	}
	return l
}

func labelLists(c *cursor) (lists [][][]byte) {
	for len(c.b) > 0 {
		var list [][]byte
		for n := c.packed(); n > 0 && !c.bad; n-- {
			list = append(list, c.packedBytes())
		}
		lists = append(lists, list)
	}
	return lists
}

// hasNames tells whether the metadata is FULL.
func (m *tableMap) hasNames() bool { return m.names != nil }

// table makes the shape that the map describes.
func (m *tableMap) table(collations map[uint64]string, choose func(schema.TableID, string) (*schema.Treatment, bool)) (*schema.Table, error) {
	t := &schema.Table{ID: m.id}
	ordinals := make([]int, len(m.types)) // in the table
	var numeric, text, labelled, enums, sets int
	for i, typ := range m.types {
		col := schema.Column{Name: string(m.names[i]), Nullable: m.nullable[i/8]&(1<<(i%8)) != 0}
		real, meta := value.RealType(typ, m.metas[i])
		var err error
		switch {
		case isNumeric(real):
			col.Type = numericType(real, meta, bit(m.signed, numeric))
			numeric++
		case real == mysql.MYSQL_TYPE_ENUM || real == mysql.MYSQL_TYPE_SET:
			charset := collations[uint64(m.labelText.collation(labelled))]
			labelled++
			if real == mysql.MYSQL_TYPE_ENUM {
				col.Type, err = labelType(schema.Enum, charset, m.enumLabels, enums)
				enums++
			} else {
				col.Type, err = labelType(schema.Set, charset, m.setLabels, sets)
				sets++
			}
		case real == mysql.MYSQL_TYPE_STRING || real == mysql.MYSQL_TYPE_VARCHAR || real == mysql.MYSQL_TYPE_VAR_STRING || real == mysql.MYSQL_TYPE_BLOB:
			col.Type = stringType(real, meta, collations[uint64(m.text.collation(text))])
			text++
		case real == mysql.MYSQL_TYPE_VECTOR:
			col.Type = schema.Type{Kind: schema.VectorFloat}
			text++ // it is stored as a BLOB, and stands among the text columns with a collation, binary
		default:
			col.Type, err = otherType(real, meta)
		}
		wanted := true
		if choose != nil {
			col.Treatment, wanted = choose(m.id, col.Name)
		}
		if ordinals[i] = len(t.Columns); !wanted {
			ordinals[i] = -1
			t.LeftOut = append(t.LeftOut, col.Name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", m.id, col.Name, err)
		}
		t.Columns = append(t.Columns, col)
	}
	for _, k := range m.key {
		if k >= len(ordinals) || ordinals[k] < 0 {
			return nil, fmt.Errorf("table %s: a column of its key is left out; remedy: choose the columns so that the key's are among them", m.id)
		}
		t.Key = append(t.Key, ordinals[k])
	}
	if err := t.Prepare(); err != nil {
		return nil, fmt.Errorf("%w; remedy: leave the table out", err)
	}
	return t, nil
}

func bit(bitmap []byte, i int) bool { return i/8 < len(bitmap) && bitmap[i/8]&(0x80>>(i%8)) != 0 }

func isNumeric(typ byte) bool {
	switch typ {
	case mysql.MYSQL_TYPE_TINY, mysql.MYSQL_TYPE_SHORT, mysql.MYSQL_TYPE_INT24, mysql.MYSQL_TYPE_LONG, mysql.MYSQL_TYPE_LONGLONG,
		mysql.MYSQL_TYPE_NEWDECIMAL, mysql.MYSQL_TYPE_FLOAT, mysql.MYSQL_TYPE_DOUBLE, mysql.MYSQL_TYPE_YEAR:
		return true
	}
	return false
}

func numericType(typ byte, meta uint16, unsigned bool) schema.Type {
	switch typ {
	case mysql.MYSQL_TYPE_TINY:
		return schema.Type{Kind: schema.TinyInt, Unsigned: unsigned}
	case mysql.MYSQL_TYPE_SHORT:
		return schema.Type{Kind: schema.SmallInt, Unsigned: unsigned}
	case mysql.MYSQL_TYPE_INT24:
		return schema.Type{Kind: schema.MediumInt, Unsigned: unsigned}
	case mysql.MYSQL_TYPE_LONG:
		return schema.Type{Kind: schema.Int, Unsigned: unsigned}
	case mysql.MYSQL_TYPE_LONGLONG:
		return schema.Type{Kind: schema.BigInt, Unsigned: unsigned}
	case mysql.MYSQL_TYPE_NEWDECIMAL:
		return schema.Type{Kind: schema.Decimal, Unsigned: unsigned, Precision: int(meta >> 8), Scale: int(meta & 0xff)}
	case mysql.MYSQL_TYPE_FLOAT:
		return schema.Type{Kind: schema.Float, Unsigned: unsigned}
	case mysql.MYSQL_TYPE_DOUBLE:
		return schema.Type{Kind: schema.Double, Unsigned: unsigned}
	}
	return schema.Type{Kind: schema.Year}
}

func labelType(kind schema.Kind, charset string, lists [][][]byte, n int) (schema.Type, error) {
	t := schema.Type{Kind: kind, Charset: charset}
	if n >= len(lists) {
		return t, fmt.Errorf("the table map has no labels of it: %w", errEvent)
	}
	for _, l := range lists[n] {
		s, err := value.DecodeText(charset, l)
		if err != nil {
			return t, err
		}
		t.Labels = append(t.Labels, s)
	}
	return t, nil
}

func stringType(typ byte, meta uint16, charset string) schema.Type {
	binary := charset == "binary"
	if typ == mysql.MYSQL_TYPE_BLOB {
		if binary {
			return schema.Type{Kind: schema.Blob, Length: int(meta)}
		}
		return schema.Type{Kind: schema.Text, Length: int(meta), Charset: charset}
	}
	t := schema.Type{Kind: schema.VarChar, Charset: charset}
	if w := value.CharsetWidth(charset); w > 0 { // a table map has bytes, a declaration characters
		t.Length = int(meta) / w
	}
	switch {
	case binary && typ == mysql.MYSQL_TYPE_STRING:
		t.Kind, t.Charset = schema.Binary, ""
	case binary:
		t.Kind, t.Charset = schema.VarBinary, ""
	case typ == mysql.MYSQL_TYPE_STRING:
		t.Kind = schema.Char
	}
	return t
}

func otherType(typ byte, meta uint16) (schema.Type, error) {
	switch typ {
	case mysql.MYSQL_TYPE_BIT:
		return schema.Type{Kind: schema.Bit, Length: int(meta>>8)*8 + int(meta&0xff)}, nil
	case mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_NEWDATE:
		return schema.Type{Kind: schema.Date}, nil
	case mysql.MYSQL_TYPE_TIME2:
		return schema.Type{Kind: schema.Time, Scale: int(meta)}, nil
	case mysql.MYSQL_TYPE_DATETIME2:
		return schema.Type{Kind: schema.DateTime, Scale: int(meta)}, nil
	case mysql.MYSQL_TYPE_TIMESTAMP2:
		return schema.Type{Kind: schema.Timestamp, Scale: int(meta)}, nil
	case mysql.MYSQL_TYPE_JSON:
		return schema.Type{Kind: schema.JSON}, nil
	case mysql.MYSQL_TYPE_GEOMETRY:
		return schema.Type{Kind: schema.Geometry}, nil
	}
	_, err := value.WidthOf(typ, meta)
	if err == nil {
		err = fmt.Errorf("binlog type %d has no column type", typ)
	}
	return schema.Type{}, err
}
