package value

import (
	"errors"
	"fmt"

	"github.com/beluga-cdc/beluga/schema"
)

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

// clock is a time of day, or MySQL's TIME, which goes beyond a day and below
// zero.
type clock struct {
	hour, minute, second, micro int
}

func (c clock) micros() int64 {
	return (int64(c.hour)*3600+int64(c.minute)*60+int64(c.second))*microsPerSecond + int64(c.micro)
}

// putDate appends a calendar day. MySQL stores days that are none: 0000-00-00,
// 2024-00-00, 2024-02-00 and, with ALLOW_INVALID_DATES, 2024-02-31. They become
// NULL and are counted. Day arithmetic would make another, plausible day of
// them.
func (m *Mapper) putDate(dst *schema.Vec, y, mo, d int) error {
	if !isDay(y, mo, d) {
		return m.putNoDate(dst, y, mo, d)
	}
	dst.AppendInt32(int32(daysSince1970(y, mo, d)))
	return nil
}

func (m *Mapper) putDateTime(dst *schema.Vec, y, mo, d int, c clock) error {
	if !isDay(y, mo, d) {
		return m.putNoDate(dst, y, mo, d)
	}
	if c.hour > 23 || c.minute > 59 || c.second > 59 {
		return m.fault(fmt.Errorf("%02d:%02d:%02d is no time of day", c.hour, c.minute, c.second))
	}
	dst.AppendInt64(daysSince1970(y, mo, d)*microsPerDay + c.micros())
	return nil
}

// putNoDate appends what stands for a day that does not exist. In a key it would
// make many rows one.
func (m *Mapper) putNoDate(dst *schema.Vec, y, mo, d int) error {
	if m.key {
		return m.fault(fmt.Errorf("the primary key holds %04d-%02d-%02d, which is no date; remedy: correct the row, or leave the table out", y, mo, d))
	}
	switch m.column.Type.Form {
	case schema.FormStop:
		return m.fault(fmt.Errorf("the value %04d-%02d-%02d is no date; remedy: choose --types-zero-date null or epoch", y, mo, d))
	case schema.FormEpoch:
		dst.AppendZero()
	default:
		dst.AppendNull()
	}
	m.stats.ZeroDates.Add(1)
	return nil
}

func (m *Mapper) putTime(dst *schema.Vec, negative bool, c clock) error {
	us := c.micros()
	if c.hour > 838 || c.minute > 59 || c.second > 59 {
		return m.fault(fmt.Errorf("%02d:%02d:%02d is no time", c.hour, c.minute, c.second))
	}
	negative = negative && us > 0
	switch m.column.Type.Form {
	case schema.FormString:
		dst.Data = appendClock(dst.Data, negative, c, m.column.Type.Scale)
		dst.EndBytes()
		return nil
	case schema.FormLong:
		if negative {
			us = -us
		}
	default:
		if us >= microsPerDay || negative {
			return m.fault(fmt.Errorf("the value %s lies outside 00:00:00–23:59:59, which is all that an Iceberg time holds; remedy: choose --types-time long or string and load the tables again, or leave the table out",
				appendClock(nil, negative, c, 0)))
		}
	}
	dst.AppendInt64(us)
	return nil
}

// appendClock writes a TIME as MySQL does, with the digits of its column.
func appendClock(dst []byte, negative bool, c clock, scale int) []byte {
	if negative {
		dst = append(dst, '-')
	}
	if c.hour >= 100 {
		dst = append(dst, byte('0'+c.hour/100))
	}
	dst = appendTwo(dst, c.hour%100)
	dst = appendTwo(append(dst, ':'), c.minute)
	dst = appendTwo(append(dst, ':'), c.second)
	if scale > 0 {
		end := len(dst) + 1 + scale
		dst = appendTwo(append(dst, '.'), c.micro/10_000)
		dst = appendTwo(appendTwo(dst, c.micro/100%100), c.micro%100)[:end]
	}
	return dst
}

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

func isDay(y, mo, d int) bool {
	return mo >= 1 && mo <= 12 && d >= 1 && d <= daysIn(y, mo)
}

func daysIn(y, mo int) int {
	switch mo {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts in the Gregorian calendar, also before it existed, as
// MySQL and Iceberg do. March is the first month of the year here, so that the
// leap day is the last one.
func daysSince1970(y, mo, d int) int64 {
	if mo <= 2 {
		y--
		mo += 12
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yearOfEra := y - era*400
	dayOfYear := (153*(mo-3)+2)/5 + d - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return int64(era)*146_097 + int64(dayOfEra) - 719_468
}

var errTemporalText = errors.New("the server sent a date or time in an unknown form")

// parseDate reads "YYYY-MM-DD".
func parseDate(s []byte) (y, mo, d int, err error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, errTemporalText
	}
	var ok [3]bool
	y, ok[0] = digits(s[0:4])
	mo, ok[1] = digits(s[5:7])
	d, ok[2] = digits(s[8:10])
	if ok != [3]bool{true, true, true} {
		return 0, 0, 0, errTemporalText
	}
	return y, mo, d, nil
}

// parseClock reads "HH:MM:SS" or "HHH:MM:SS", each with one to six digits of a
// fraction or none.
func parseClock(s []byte) (clock, error) {
	var c clock
	h := 0
	for h < len(s) && s[h] != ':' {
		h++
	}
	if h < 2 || h > 3 || len(s) < h+6 || s[h+3] != ':' {
		return c, errTemporalText
	}
	var ok [4]bool
	c.hour, ok[0] = digits(s[:h])
	c.minute, ok[1] = digits(s[h+1 : h+3])
	c.second, ok[2] = digits(s[h+4 : h+6])
	ok[3] = true
	if rest := s[h+6:]; len(rest) > 0 {
		if rest[0] != '.' || len(rest) < 2 || len(rest) > 7 {
			return c, errTemporalText
		}
		c.micro, ok[3] = digits(rest[1:])
		for range 7 - len(rest) {
			c.micro *= 10
		}
	}
	if ok != [4]bool{true, true, true, true} {
		return c, errTemporalText
	}
	return c, nil
}

func digits(s []byte) (int, bool) {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// unpackDateTime splits MySQL's 40-bit packed date and time of day:
// year·13+month, day, hour, minute, second, in 17, 5, 5, 6 and 6 bits.
func unpackDateTime(v int64) (y, mo, d int, c clock) {
	ymd, hms := v>>17, v&(1<<17-1)
	ym := ymd >> 5
	return int(ym / 13), int(ym % 13), int(ymd & 31),
		clock{hour: int(hms >> 12), minute: int(hms>>6) & 63, second: int(hms) & 63}
}

// fraction reads the fraction of a second as the binlog stores it for 0–6
// digits: one byte for each two digits, in µs.
func fraction(b []byte, scale int) int {
	switch (scale + 1) / 2 {
	case 1:
		return int(b[0]) * 10_000
	case 2:
		return (int(b[0])<<8 | int(b[1])) * 100
	case 3:
		return int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	}
	return 0
}
