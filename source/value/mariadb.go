package value

import (
	"encoding/hex"
	"net/netip"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

// fixedText decodes MariaDB's types that a row image holds as bytes of a fixed
// length, and that all else shows as text; nil: the types do not fit.
func (m *Mapper) fixedText(typ byte, meta uint16) Decode {
	if typ != mysql.MYSQL_TYPE_STRING {
		return nil
	}
	appendText, width := appendUUID, 16
	switch m.column.Type.Kind {
	case schema.UUID:
	case schema.INET6:
		appendText = appendINET6
	case schema.INET4:
		appendText, width = appendINET4, 4
	default:
		return nil
	}
	if int(meta) != width {
		return nil
	}
	return m.prefixed(1, func(dst *schema.Vec, s []byte) error {
		if len(s) > width {
			return m.fault(ErrShort)
		}
		var whole [16]byte // the binlog drops bytes at the end that are zero
		copy(whole[:], s)
		dst.Data = appendText(dst.Data, whole[:width])
		dst.EndBytes()
		return nil
	})
}

// appendUUID writes a UUID as MariaDB does. It stores those that begin with the low
// bits of a time turned round, so that they sort by time: the parts in the
// opposite order. What those are it tells by variant and version, and so by where
// they stand once turned.
func appendUUID(dst, b []byte) []byte {
	u := [16]byte(b)
	if variant, version := b[6], b[8]; variant&0x80 != 0 && version > 0 && version < 0x60 {
		u = [16]byte{12: b[2], 13: b[3], 14: b[4], 15: b[5], 10: b[0], 11: b[1]}
		copy(u[8:10], b[6:8])
		copy(u[6:8], b[8:10])
		copy(u[4:6], b[10:12])
		copy(u[0:4], b[12:16])
	}
	for i, n := range [...]int{4, 6, 8, 10, 16} {
		from := 0
		if i > 0 {
			dst = append(dst, '-')
			from = [...]int{4, 6, 8, 10}[i-1]
		}
		dst = hex.AppendEncode(dst, u[from:n])
	}
	return dst
}

func appendINET4(dst, b []byte) []byte { return netip.AddrFrom4([4]byte(b)).AppendTo(dst) }

// appendINET6 writes an address as MariaDB does: an IPv4 address within it in
// decimal, where it is a mapped or a compatible one.
func appendINET6(dst, b []byte) []byte {
	a := [16]byte(b)
	if [12]byte(a[:12]) == ([12]byte{}) && (a[12] != 0 || a[13] != 0) {
		return netip.AddrFrom4([4]byte(a[12:])).AppendTo(append(dst, "::"...))
	}
	return netip.AddrFrom16(a).AppendTo(dst)
}
