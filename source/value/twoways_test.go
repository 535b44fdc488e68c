package value

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// The server writes a value in two ways: as text for a SELECT, and packed for the
// binlog. The fuzz tests here write both as it does, and compare what becomes of
// them.

// bothWays requires that the text and the image become the same value, or that
// neither becomes one.
func bothWays(t *testing.T, typ schema.Type, code byte, meta uint16, text string, image []byte) {
	t.Helper()
	table := &schema.Table{Columns: []schema.Column{{Name: "c", Type: typ}}}
	require.NoError(t, table.Prepare())
	m, err := New(table, 0, nil)
	require.NoError(t, err)
	decode, err := m.Image(code, meta)
	require.NoError(t, err)
	var selected, logged schema.Vec
	selected.Reset(table.Lake(0).Vec())
	logged.Reset(table.Lake(0).Vec())
	stored := mysql.NewFieldValue(mysql.FieldValueTypeString, 0, []byte(text))
	selectErr := m.FromStored(&selected, &stored)
	n, logErr := decode(&logged, image)
	require.Equal(t, selectErr == nil, logErr == nil, "%s: selecting: %v; logging: %v", text, selectErr, logErr)
	require.Equal(t, selected, logged, text)
	if logErr == nil {
		require.Equal(t, len(image), n)
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add([]byte("12345678901234567890123456789012345678"), uint8(38), uint8(10), true)
	f.Add([]byte("00000000000000000000000000000000000000000000000000000000000000001"), uint8(65), uint8(30), false)
	f.Add([]byte("000"), uint8(3), uint8(0), true)
	f.Add([]byte("999999999999999999999999999999"), uint8(30), uint8(30), true)
	f.Fuzz(func(t *testing.T, digits []byte, precision, scale uint8, negative bool) {
		p := 1 + int(precision)%65
		s := int(scale) % (min(p, 30) + 1)
		d := make([]byte, p)
		zero := true
		for i := range d {
			d[i] = '0'
			if i < len(digits) {
				d[i] += digits[i] % 10
			}
			zero = zero && d[i] == '0'
		}
		negative = negative && !zero // which the server knows no sign of
		text := strings.TrimLeft(string(d[:p-s]), "0")
		if text == "" {
			text = "0"
		}
		if s > 0 {
			text += "." + string(d[p-s:])
		}
		if negative {
			text = "-" + text
		}
		bothWays(t, schema.Type{Kind: schema.Decimal, Precision: p, Scale: s}, mysql.MYSQL_TYPE_NEWDECIMAL, uint16(p)<<8|uint16(s), text, packDecimal(d, s, negative))
	})
}

// packDecimal packs groups of nine digits into four bytes, and those at both ends
// that are fewer into as many as they need.
func packDecimal(digits []byte, scale int, negative bool) (b []byte) {
	pack := func(group []byte) {
		n := uint32(0)
		for _, c := range group {
			n = n*10 + uint32(c-'0')
		}
		bytes := [10]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}[len(group)]
		b = append(b, binary.BigEndian.AppendUint32(nil, n)[4-bytes:]...)
	}
	whole, fraction := digits[:len(digits)-scale], digits[len(digits)-scale:]
	pack(whole[:len(whole)%9])
	for i := len(whole) % 9; i < len(whole); i += 9 {
		pack(whole[i : i+9])
	}
	for len(fraction) >= 9 {
		pack(fraction[:9])
		fraction = fraction[9:]
	}
	pack(fraction)
	if negative {
		for i := range b {
			b[i] = ^b[i]
		}
	}
	b[0] ^= 0x80
	return b
}

func FuzzDateTime(f *testing.F) {
	f.Add(uint16(2024), uint8(2), uint8(29), uint8(23), uint8(59), uint8(59), uint32(999_999), uint8(6))
	f.Add(uint16(0), uint8(0), uint8(0), uint8(0), uint8(0), uint8(0), uint32(0), uint8(0))
	f.Add(uint16(1969), uint8(12), uint8(31), uint8(23), uint8(0), uint8(1), uint32(123_000), uint8(3))
	f.Add(uint16(2023), uint8(2), uint8(31), uint8(1), uint8(2), uint8(3), uint32(400_000), uint8(1))
	f.Fuzz(func(t *testing.T, year uint16, month, day, hour, minute, second uint8, micros uint32, scale uint8) {
		y, mo, d := int64(year%10_000), int64(month%13), int64(day%32)
		h, mi, s, sc := int64(hour%24), int64(minute%60), int64(second%60), int(scale%7)
		us := int64(micros%1_000_000) / powers[6-sc] * powers[6-sc]
		date := fmt.Sprintf("%04d-%02d-%02d", y, mo, d)
		packed := ((y*13+mo)<<5|d)<<17 | h<<12 | mi<<6 | s
		image := binary.BigEndian.AppendUint64(nil, uint64(packed+0x8000000000))[3:]
		bothWays(t, schema.Type{Kind: schema.DateTime, Scale: sc}, mysql.MYSQL_TYPE_DATETIME2, uint16(sc), date+clockText(h, mi, s, us, sc), append(image, packFraction(us, sc)...))
		bothWays(t, schema.Type{Kind: schema.Date}, mysql.MYSQL_TYPE_DATE, 0, date, binary.LittleEndian.AppendUint32(nil, uint32(y<<9|mo<<5|d))[:3])
	})
}

func FuzzTime(f *testing.F) {
	f.Add(uint16(838), uint8(59), uint8(59), uint32(0), uint8(0), true)
	f.Add(uint16(0), uint8(0), uint8(0), uint32(1), uint8(6), true)
	f.Add(uint16(0), uint8(0), uint8(1), uint32(990_000), uint8(2), true)
	f.Add(uint16(23), uint8(59), uint8(59), uint32(999_900), uint8(4), false)
	f.Fuzz(func(t *testing.T, hour uint16, minute, second uint8, micros uint32, scale uint8, negative bool) {
		h, mi, s, sc := int64(hour%839), int64(minute%60), int64(second%60), int(scale%7)
		us := int64(micros%1_000_000) / powers[6-sc] * powers[6-sc]
		packed := (h<<12|mi<<6|s)<<24 + us
		text := strings.TrimPrefix(clockText(h, mi, s, us, sc), " ")
		if negative = negative && packed != 0; negative {
			packed, text = -packed, "-"+text
		}
		// The parts of a negative one are rounded apart: the whole downwards, the
		// fraction towards zero.
		image := binary.BigEndian.AppendUint32(nil, uint32(packed>>24+0x800000))[1:]
		switch fraction := packed % (1 << 24); {
		case sc > 4:
			image = binary.BigEndian.AppendUint64(nil, uint64(packed+0x800000000000))[2:]
		case sc > 2:
			image = binary.BigEndian.AppendUint16(image, uint16(fraction/100))
		case sc > 0:
			image = append(image, byte(fraction/10_000))
		}
		for _, form := range []schema.Form{schema.FormLong, schema.FormString} {
			bothWays(t, schema.Type{Kind: schema.Time, Scale: sc, Form: form}, mysql.MYSQL_TYPE_TIME2, uint16(sc), text, image)
		}
		bothWays(t, schema.Type{Kind: schema.Time, Scale: sc}, mysql.MYSQL_TYPE_TIME2, uint16(sc), text, image)
	})
}

var powers = [7]int64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}

func clockText(h, mi, s, us int64, scale int) string {
	text := fmt.Sprintf(" %02d:%02d:%02d", h, mi, s)
	if scale > 0 {
		text += fmt.Sprintf(".%0*d", scale, us/powers[6-scale])
	}
	return text
}

// packFraction packs two digits into a byte.
func packFraction(us int64, scale int) []byte {
	n := (scale + 1) / 2
	return binary.BigEndian.AppendUint32(nil, uint32(us/powers[6-2*n]))[4-n:]
}
