package workload

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Alphabets of texts.
var (
	letters = []rune("abcdefghijklmnopqrstuvwxyzABCDEFXYZ0123456789 _-'\"\\%äöüßéñ漢字\U0001F40B\t\n")
	latin   = []rune("abcdefghijklmnopqrstuvwxyz ÄÖÜäöüßéè£")
	digits  = []rune("0123456789-")

	// In their character sets some of these have bytes that are ASCII's elsewhere.
	chinese  = []rune("abc \\漢字乗丂俓")
	japanese = []rune("abc \\ソ表能ｱｲ漢字")
)

// quote writes text as a literal that needs no escaping, whatever the SQL mode.
func quote(s string) string { return fmt.Sprintf("_utf8mb4 x'%x'", s) }

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

func oneOf(words ...string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return words[r.IntN(len(words))] }
}

// edge now and then picks an extreme value, which random ones hardly ever are.
func edge(r *rand.Rand, values ...string) (string, bool) {
	if r.IntN(8) > 0 {
		return "", false
	}
	return values[r.IntN(len(values))], true
}

func signed(width int) func(*rand.Rand) string {
	largest := int64(1)<<(width-1) - 1
	return func(r *rand.Rand) string {
		if s, ok := edge(r, fmt.Sprint(largest), fmt.Sprint(-largest-1), "0", "-1"); ok {
			return s
		}
		return strconv.FormatInt(int64(r.Uint64())>>(64-width), 10)
	}
}

func unsigned(width int) func(*rand.Rand) string {
	largest := uint64(math.MaxUint64) >> (64 - width)
	return func(r *rand.Rand) string {
		if s, ok := edge(r, fmt.Sprint(largest), "0", fmt.Sprint(largest/2+1)); ok {
			return s
		}
		return strconv.FormatUint(r.Uint64()&largest, 10)
	}
}

func decimal(whole, fraction int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		s := numerals(r, 1+r.IntN(whole))
		if fraction > 0 {
			s += "." + numerals(r, fraction)
		}
		if e, ok := edge(r, strings.Repeat("9", whole), "0", "-"+strings.Repeat("9", whole)); ok {
			return e
		}
		return pick(r, "", "-") + s
	}
}

func numerals(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + r.IntN(10))
	}
	return string(b)
}

func float(width int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		if s, ok := edge(r, "0", "16777217", "1e-30", "-1.5"); ok {
			return s
		}
		return strconv.FormatFloat(r.NormFloat64()*math.Pow(10, float64(r.IntN(20)-10)), 'e', -1, width)
	}
}

func bits(width int) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return fmt.Sprintf("b'%b'", r.Uint64()&(1<<width-1)) }
}

func year(r *rand.Rand) string {
	if s, ok := edge(r, "0", "1901", "2155"); ok {
		return s
	}
	return fmt.Sprint(1901 + r.IntN(255))
}

// moment is a random second from a year on, for so many years.
func moment(r *rand.Rand, from, years int) time.Time {
	first := time.Date(from, 1, 1, 0, 0, 1, 0, time.UTC)
	return first.Add(time.Duration(r.Int64N(int64(years)*364*86400)) * time.Second)
}

func date(r *rand.Rand) string {
	if s, ok := edge(r, "'1000-01-01'", "'9999-12-31'", "'1969-12-31'", "'1582-10-10'"); ok {
		return s
	}
	return moment(r, 1900, 200).Format("'2006-01-02'")
}

func fractionOf(r *rand.Rand, digits int) string {
	if digits == 0 || r.IntN(4) == 0 {
		return ""
	}
	return "." + numerals(r, digits)
}

func timeOfDay(digits int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		if s, ok := edge(r, "'00:00:00'", "'23:59:59'"); ok {
			return s
		}
		return "'" + moment(r, 2000, 1).Format(time.TimeOnly) + fractionOf(r, digits) + "'"
	}
}

func dateTime(digits int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		if s, ok := edge(r, "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'1969-12-31 23:59:59'"); ok {
			return s
		}
		return "'" + moment(r, 1900, 200).Format(time.DateTime) + fractionOf(r, digits) + "'"
	}
}

// timestamp makes a TIMESTAMP literal. Sessions use UTC, for elsewhere some of
// these would fall into an hour that a clock change skips.
func timestamp(digits int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		if s, ok := edge(r, "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"); ok {
			return s
		}
		return "'" + moment(r, 1970, 68).Format(time.DateTime) + fractionOf(r, digits) + "'"
	}
}

func text(most int, alphabet []rune) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		n := r.IntN(most + 1)
		if s, ok := edge(r, "''", "'NULL'", "'0'"); ok {
			return s
		}
		s := make([]rune, n)
		for i := range s {
			s[i] = alphabet[r.IntN(len(alphabet))]
		}
		return quote(string(s))
	}
}

func binary(least, most int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		b := make([]byte, least+r.IntN(most-least+1))
		for i := range b {
			b[i] = byte(r.Uint64())
		}
		if len(b) > 0 && r.IntN(4) == 0 {
			b[len(b)-1] = 0
		}
		return fmt.Sprintf("x'%x'", b)
	}
}

func json(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return "'null'"
	case 1:
		return "'[]'"
	case 2:
		return fmt.Sprintf("'%d'", r.Int64())
	case 3:
		return fmt.Sprintf("'%g'", r.NormFloat64())
	case 4:
		return "'{}'"
	}
	return fmt.Sprintf(`'{"b": [1, %d, {"é": "漢 %s"}], "a": %s, "long": "%s", "n": %.3f}'`,
		r.Uint32(), numerals(r, 3), pick(r, "true", "false", "null", "1.0", "-0"), strings.Repeat(numerals(r, 4), r.IntN(60)), r.Float64()*1e6)
}

func vector(r *rand.Rand) string {
	list := make([]string, 1+r.IntN(8))
	for i := range list {
		list[i] = fmt.Sprint(float32(r.IntN(2000)-1000) / 16)
	}
	return "STRING_TO_VECTOR('[" + strings.Join(list, ",") + "]')"
}

// geometry makes values of a shape and one of the reference systems. Coordinates
// stay within the degrees of 4326, latitude first.
func geometry(shape func(*rand.Rand) string, systems ...int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		return fmt.Sprintf("ST_GeomFromText('%s', %d)", shape(r), systems[r.IntN(len(systems))])
	}
}

func coordinates(r *rand.Rand) string {
	if s, ok := edge(r, "0 0", "90 180", "-90 -179.5"); ok {
		return s
	}
	return fmt.Sprintf("%g %g", float64(r.IntN(1800)-900)/10, r.Float64()*360-180)
}

func point(r *rand.Rand) string { return "POINT(" + coordinates(r) + ")" }

func line(r *rand.Rand) string {
	list := []string{"10 20", "11 21"}
	for range r.IntN(8) {
		list = append(list, coordinates(r))
	}
	return "LINESTRING(" + strings.Join(list, ",") + ")"
}

func anyShape(r *rand.Rand) string {
	switch r.IntN(5) {
	case 0:
		return point(r)
	case 1:
		return line(r)
	case 2:
		x, y := r.IntN(60), r.IntN(60)
		return fmt.Sprintf("POLYGON((%[1]d %[2]d,%[3]d %[2]d,%[3]d %[4]d,%[1]d %[4]d,%[1]d %[2]d))", x, y, x+9, y+5)
	case 3:
		return "MULTIPOINT(" + coordinates(r) + "," + coordinates(r) + ")"
	}
	return "GEOMETRYCOLLECTION(" + point(r) + "," + line(r) + ")"
}
