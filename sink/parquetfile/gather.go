package parquetfile

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/beluga-cdc/beluga/schema"
)

// gather appends the given rows of a vector to the chunk's pages. Rows are
// taken in runs that fit the page; the loops over values then need no check of
// room and no check for nulls.
func (c *chunk) gather(w *Writer, v *schema.Vec, rows []uint32) error {
	if v != nil && v.Kind != c.Type.Vec() {
		return fmt.Errorf("values of another kind (%d) than type %s has", v.Kind, c.Type)
	}
	for len(rows) > 0 {
		c.openPage()
		run := rows
		if v == nil {
			if c.Required {
				return errNullInRequired
			}
			run = rows[:min(len(rows), math.MaxInt32/2-c.page.rows)]
			c.page.addAllNull(len(run))
		} else if n, size := c.fit(w.opts.PageSize, v, rows); size > math.MaxInt32-levelsRoom {
			return fmt.Errorf("a value of %d bytes is larger than a page of Parquet can be", size)
		} else {
			run = rows[:n]
			before := len(c.page.raw)
			if err := c.gatherRun(v, run, size); err != nil {
				return err
			}
			w.groupRaw += int64(len(c.page.raw) - before)
		}
		rows = rows[len(run):]
		if len(c.page.raw) >= w.opts.PageSize || len(rows) > 0 {
			if err := c.finishPage(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// fit returns how many of the rows still belong on the page, at least one, and
// how many bytes their values take at most.
func (c *chunk) fit(pageSize int, v *schema.Vec, rows []uint32) (n, size int) {
	room := max(pageSize-len(c.page.raw), 1)
	switch c.layout {
	case layoutBool:
		n = min(len(rows), room*8)
		return n, n/8 + 1
	case layoutBytes, layoutLists:
		for n < len(rows) && size < room {
			r := rows[n]
			size += 4 + int(v.Off[r+1]-v.Off[r])
			n++
		}
		return n, size
	}
	n = min(len(rows), (room+c.width-1)/c.width)
	return n, n * c.width
}

// gatherRun appends rows that fit the page; their values take size bytes at
// most.
func (c *chunk) gatherRun(v *schema.Vec, rows []uint32, size int) error {
	p := &c.page
	if v.NullN == 0 {
		p.addRows(len(rows))
	} else {
		nulls := p.nulls
		c.live = p.addNulls(rows, v.IsNull, c.live[:0])
		rows = c.live
		if c.Required && p.nulls > nulls {
			return errNullInRequired
		}
	}
	if c.layout == layoutLists {
		if err := p.addLengths(v, rows); err != nil {
			return err
		}
	}
	p.raw = growBuffer(p.raw, size)
	if c.layout == layoutBool {
		for _, r := range rows {
			p.appendBool(v.I32[r] != 0)
		}
		return nil
	}
	at := len(p.raw)
	n, err := c.copyValues(p.raw[at:at+size], v, rows)
	p.raw = p.raw[:at+n]
	return err
}

// copyValues writes the values of rows, none of them null, to b, which has
// room for them, and returns how many bytes they took.
func (c *chunk) copyValues(b []byte, v *schema.Vec, rows []uint32) (n int, err error) {
	switch c.layout {
	case layoutInt32, layoutFloat32:
		for i, r := range rows {
			binary.LittleEndian.PutUint32(b[4*i:], uint32(v.I32[r]))
		}
		return 4 * len(rows), nil
	case layoutInt64, layoutFloat64:
		for i, r := range rows {
			binary.LittleEndian.PutUint64(b[8*i:], uint64(v.I64[r]))
		}
		return 8 * len(rows), nil
	case layoutDec32:
		for i, r := range rows {
			x := v.I64[r]
			if int64(int32(x)) != x {
				return 0, fmt.Errorf("unscaled value %d does not fit %s", x, c.Type)
			}
			binary.LittleEndian.PutUint32(b[4*i:], uint32(x))
		}
		return 4 * len(rows), nil
	case layoutFixed:
		for _, r := range rows {
			s := v.Dec128(int(r))
			if !shortens(s, c.width) {
				return 0, fmt.Errorf("unscaled value 0x%x does not fit %s", s, c.Type)
			}
			n += copy(b[n:], s[16-c.width:])
		}
		return n, nil
	case layoutLists:
		for _, r := range rows {
			n += copy(b[n:], v.Data[v.Off[r]:v.Off[r+1]])
		}
		return n, nil
	}
	for _, r := range rows {
		s := v.Data[v.Off[r]:v.Off[r+1]]
		binary.LittleEndian.PutUint32(b[n:], uint32(len(s)))
		n += 4
		n += copy(b[n:], s)
	}
	return n, nil
}

// shortens tells whether a big-endian two's complement keeps its value when
// only the last n bytes are kept.
func shortens(s []byte, n int) bool {
	sign := byte(int8(s[len(s)-n]) >> 7)
	for _, b := range s[:len(s)-n] {
		if b != sign {
			return false
		}
	}
	return true
}
