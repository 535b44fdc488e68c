package parquetfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/beluga-cdc/beluga/schema"
)

var (
	errListLevels  = errors.New("a page of lists has levels that no list has")
	errNullElement = errors.New("a list has an element that is null, and a list of MySQL has none")
)

// listReader puts the rows of a column of lists together. Pages of other writers
// may end within a list, so a row is there only when the next one has begun.
type listReader struct {
	full  byte // the definition level of an element
	empty byte // of a list without any; below it stands null

	done  schema.Vec // rows that are there, from at on
	at    int
	open  bool // a row has begun …
	null  bool // … which is null, or has these elements
	bytes []byte
	ended bool // there are no more pages
}

// listOf finds the elements of a column of lists: below a group that is repeated,
// itself below the column's own, as all writers of Iceberg have it.
func listOf(column *parquet.Column, want Column) (*parquet.Column, *listReader, error) {
	no := fmt.Errorf("the file has %s there, which cannot be read as %s", column, want.Type)
	leaf := column
	for range 2 {
		below := leaf.Columns()
		if len(below) != 1 {
			return nil, nil, no
		}
		leaf = below[0]
	}
	if !leaf.Leaf() || leaf.MaxRepetitionLevel() != 1 || leaf.Type().Kind() != parquet.Float {
		return nil, nil, no
	}
	l := &listReader{full: byte(leaf.MaxDefinitionLevel())}
	l.empty = l.full - 1
	if leaf.Optional() { // a level more, for an element that is null
		l.empty--
	}
	return leaf, l, nil
}

// reset begins a row group.
func (l *listReader) reset() {
	l.done.Reset(schema.VecBytes)
	l.at, l.open, l.ended = 0, false, false
}

// availableLists is available for a column of lists.
func (c *columnReader) availableLists() (int, error) {
	l := c.lists
	if l.at == l.done.N {
		l.done.Reset(schema.VecBytes)
		l.at = 0
	}
	for l.done.N == 0 {
		if l.ended {
			return 0, errPagesEnd
		}
		p, err := c.pages.ReadPage()
		switch {
		case errors.Is(err, io.EOF):
			l.ended = true
			l.end()
		case err != nil:
			return 0, err
		default:
			err = c.addLists(p)
			parquet.Release(p)
			if err != nil {
				return 0, err
			}
		}
	}
	return l.done.N - l.at, nil
}

func (l *listReader) read(v *schema.Vec, n int) {
	for range n {
		v.AppendFrom(&l.done, l.at)
		l.at++
	}
}

// end ends the row that has begun.
func (l *listReader) end() {
	if l.open && l.null {
		l.done.AppendNull()
	} else if l.open {
		l.done.AppendBytes(l.bytes)
	}
	l.open, l.null, l.bytes = false, false, l.bytes[:0]
}

// addLists adds the rows of a page.
func (c *columnReader) addLists(p parquet.Page) error {
	values, err := c.floats(p)
	if err != nil {
		return err
	}
	l := c.lists
	begins, defined := p.RepetitionLevels(), p.DefinitionLevels()
	if len(begins) != len(defined) {
		return errListLevels
	}
	next := 0
	for i, d := range defined {
		if begins[i] == 0 {
			l.end()
			l.open = true
		} else if !l.open || l.null {
			return errListLevels
		}
		switch {
		case d == l.full:
			if next += elementWidth; next > len(values) {
				return errShortPage
			}
			l.bytes = append(l.bytes, values[next-elementWidth:next]...)
		case d > l.empty:
			return errNullElement
		case begins[i] != 0:
			return errListLevels
		case d < l.empty:
			l.null = true
		}
	}
	return nil
}

// floats returns the elements of a page, as they stand in a PLAIN one.
func (c *columnReader) floats(p parquet.Page) ([]byte, error) {
	data := p.Data()
	values, _ := data.Data()
	d := p.Dictionary()
	if d == nil {
		return values, nil
	}
	all := d.Page().Data()
	words, _ := all.Data()
	plain := make([]byte, 0, len(values))
	for i := range len(values) / elementWidth {
		number := int(le32At(values, i))
		if (number+1)*elementWidth > len(words) {
			return nil, fmt.Errorf("value %d of a dictionary of %d", number, len(words)/elementWidth)
		}
		plain = append(plain, words[number*elementWidth:(number+1)*elementWidth]...)
	}
	return plain, nil
}
