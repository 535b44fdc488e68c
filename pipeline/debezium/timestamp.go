package debezium

import "errors"

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

var pow10Micros = [7]int64{1_000_000, 100_000, 10_000, 1_000, 100, 10, 1}

// shortest stands for as many digits of the second's fraction as it needs.
const shortest = -1

var errDigits = errors.New("has more digits in the second's fraction than its column")

// appendTimestamp appends µs since 1970 as 2006-01-02T15:04:05.999Z, with as many
// digits of the fraction as the column has. time.Time's formatting takes four
// times as long.
func appendTimestamp(dst []byte, micros int64, digits int) ([]byte, error) {
	days, rest := floorDiv(micros, microsPerDay)
	dst, err := appendDate(append(dst, '"'), days)
	if err == nil && digits != shortest && rest%pow10Micros[digits] != 0 {
		err = errDigits
	}
	dst = appendClock(append(dst, 'T'), rest, digits)
	return append(dst, 'Z', '"'), err
}

// appendDate appends days since 1970 as 2006-01-02.
func appendDate(dst []byte, days int64) ([]byte, error) {
	year, month, day := civil(days)
	if year < 0 || year > 9999 {
		return dst, errors.New("lies outside of the years 0 to 9999")
	}
	dst = append2(append2(dst, year/100), year%100)
	dst = append2(append(dst, '-'), month)
	return append2(append(dst, '-'), day), nil
}

// appendClock appends a time of a day as 15:04:05.999.
func appendClock(dst []byte, micros int64, digits int) []byte {
	sec, frac := micros/microsPerSecond, micros%microsPerSecond
	dst = append2(dst, sec/3600)
	dst = append2(append(dst, ':'), sec/60%60)
	dst = append2(append(dst, ':'), sec%60)
	if digits == shortest {
		for digits = 0; frac%pow10Micros[digits] != 0; digits++ {
		}
	}
	if digits == 0 {
		return dst
	}
	dst = append(dst, '.')
	for u := int64(100_000); u >= pow10Micros[digits]; u /= 10 {
		dst = append(dst, '0'+byte(frac/u%10))
	}
	return dst
}

func append2(dst []byte, x int64) []byte { return append(dst, '0'+byte(x/10), '0'+byte(x%10)) }

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

// civil turns days since 1970 into a Gregorian date. It counts years from the
// first of March, so that the leap day is the last of its year.
func civil(days int64) (year, month, day int64) {
	era, doe := floorDiv(days+719_468, 146_097) // eras of 400 years
	yoe := (doe - doe/1460 + doe/36_524 - doe/146_096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day, month, year = doy-(153*mp+2)/5+1, mp+3, yoe+era*400
	if month > 12 {
		month, year = month-12, year+1
	}
	return year, month, day
}

// fromCivil is the inverse of civil.
func fromCivil(year, month, day int64) int64 {
	if month <= 2 {
		month, year = month+12, year-1
	}
	era, yoe := floorDiv(year, 400)
	doy := (153*(month-3)+2)/5 + day - 1
	return era*146_097 + yoe*365 + yoe/4 - yoe/100 + doy - 719_468
}

// parseTimestamp reads what appendTimestamp writes, with zero to six digits in
// the fraction.
func parseTimestamp(s []byte) (micros int64, ok bool) {
	const date = len("0000-00-00")
	if len(s) <= date || s[date] != 'T' {
		return 0, false
	}
	days, ok := parseDate(s[:date])
	rest, okClock := parseClock(s[date+1:])
	return days*microsPerDay + rest, ok && okClock
}

// parseDate reads 2006-01-02.
func parseDate(s []byte) (days int64, ok bool) {
	var part [3]int64
	if !parseParts(part[:], s, "0000-00-00") {
		return 0, false
	}
	days = fromCivil(part[0], part[1], part[2])
	// A date that does not exist (February 30th) comes back as another one.
	y, m, d := civil(days)
	return days, y == part[0] && m == part[1] && d == part[2]
}

// parseClock reads 15:04:05.999Z.
func parseClock(s []byte) (micros int64, ok bool) {
	const layout = "00:00:00"
	var part [3]int64
	if len(s) <= len(layout) || s[len(s)-1] != 'Z' || !parseParts(part[:], s[:len(layout)], layout) {
		return 0, false
	}
	frac, ok := parseFraction(s[len(layout) : len(s)-1])
	return (part[0]*3600+part[1]*60+part[2])*microsPerSecond + frac, ok && part[0] <= 23 && part[1] <= 59 && part[2] <= 59
}

// parseParts reads the numbers that stand where the layout has zeros.
func parseParts(part []int64, s []byte, layout string) bool {
	if len(s) != len(layout) {
		return false
	}
	n := 0
	for i := range len(layout) {
		switch c := s[i]; {
		case layout[i] != '0':
			if c != layout[i] {
				return false
			}
			n++
		case c < '0' || c > '9':
			return false
		default:
			part[n] = part[n]*10 + int64(c-'0')
		}
	}
	return true
}

func parseFraction(s []byte) (micros int64, ok bool) {
	if len(s) == 0 {
		return 0, true
	}
	if s[0] != '.' || len(s) < 2 || len(s) > 7 {
		return 0, false
	}
	for _, c := range s[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		micros = micros*10 + int64(c-'0')
	}
	return micros * pow10Micros[len(s)-1], true
}
