package value

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// opaque renders values of SQL types that JSON has not.
func (r *jsonRenderer) opaque(b []byte) error {
	if len(b) < 1 {
		return errJSONImage
	}
	typ := b[0]
	b, err := jsonBytes(b[1:])
	if err == nil {
		err = r.spend(len(b))
	}
	if err != nil {
		return err
	}
	switch typ {
	case mysql.MYSQL_TYPE_NEWDECIMAL:
		return r.decimal(b)
	case mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_DATETIME, mysql.MYSQL_TYPE_TIMESTAMP, mysql.MYSQL_TYPE_TIME:
		if len(b) != 8 {
			return errJSONImage
		}
		r.temporal(typ, int64(binary.LittleEndian.Uint64(b)))
		return nil
	}
	r.out = append(r.out, `"base64:type`...)
	r.out = strconv.AppendUint(r.out, uint64(typ), 10)
	r.out = append(r.out, ':')
	for i := 0; i == 0 || i < len(b); i += 57 { // 57 bytes make a line of 76 characters
		if i > 0 {
			r.out = append(r.out, `\n`...)
		}
		r.out = base64.StdEncoding.AppendEncode(r.out, b[i:min(i+57, len(b))])
	}
	r.out = append(r.out, '"')
	return nil
}

func (r *jsonRenderer) decimal(b []byte) error {
	if len(b) < 2 || b[0] == 0 || b[1] > b[0] {
		return errJSONImage
	}
	p := packedOf(int(b[0]), int(b[1]))
	if len(b) < 2+p.length {
		return errJSONImage
	}
	var err error
	r.out, err = p.appendText(r.out, b[2:2+p.length])
	return err
}

// temporal renders MySQL's packed date and time: 24 bits of µs below the parts.
func (r *jsonRenderer) temporal(typ byte, v int64) {
	out := append(r.out, '"')
	negative := v < 0
	if negative {
		v = -v
	}
	micro := int(v & (1<<24 - 1))
	var c clock
	if typ == mysql.MYSQL_TYPE_TIME {
		hms := v >> 24
		c = clock{hour: int(hms >> 12 & 0x3ff), minute: int(hms >> 6 & 63), second: int(hms & 63)}
		if negative {
			out = append(out, '-')
		}
	} else {
		var y, mo, d int
		y, mo, d, c = unpackDateTime(v >> 24)
		out = append(appendPadded(out, y, 4), '-')
		out = append(appendPadded(out, mo, 2), '-')
		out = appendPadded(out, d, 2)
		if typ != mysql.MYSQL_TYPE_DATE {
			out = append(out, ' ')
		}
	}
	if typ != mysql.MYSQL_TYPE_DATE {
		out = append(appendPadded(out, c.hour, 2), ':')
		out = append(appendPadded(out, c.minute, 2), ':')
		out = append(appendPadded(out, c.second, 2), '.')
		out = appendPadded(out, micro, 6)
	}
	r.out = append(out, '"')
}

func appendPadded(b []byte, v, width int) []byte {
	for p := int(powersOfTen[width-1]); p > v && p > 1; p /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(v), 10)
}
