package source

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

// saidDefault makes a value of a default as a statement says it, in the form in which a
// SELECT would show it; false: the server has to be asked. What it would have to convert
// in more than an obvious way is left to it.
func saidDefault(t schema.Type, d binlog.Default) (v mysql.FieldValue, ok bool) {
	switch d.Kind {
	case binlog.NumberDefault, binlog.TextDefault:
		return plainDefault(t, d)
	case binlog.ImplicitDefault:
		if t.Kind == schema.Timestamp || t.Kind == schema.Geometry {
			return v, false
		}
		return implicitDefault(t), true
	}
	return v, false
}

var (
	decimalText  = regexp.MustCompile(`^-?[0-9]*(?:\.([0-9]*))?$`)
	dateText     = regexp.MustCompile(`^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$`)
	dateTimeText = regexp.MustCompile(`^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]+))?$`)
)

func plainDefault(t schema.Type, d binlog.Default) (v mysql.FieldValue, ok bool) {
	switch t.Kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt:
		v, err := defaultFromText(t, d.Text)
		return v, err == nil && d.Strict // it fits
	case schema.Decimal:
		return decimalDefault(t, d)
	case schema.Float, schema.Double:
		f, err := strconv.ParseFloat(d.Text, 64)
		if t.Kind == schema.Float {
			f = float64(float32(f))
		}
		return mysql.NewFieldValue(mysql.FieldValueTypeFloat, math.Float64bits(f), nil), err == nil && decimalText.MatchString(d.Text) && !math.IsInf(f, 0)
	}
	if d.Kind != binlog.TextDefault || !d.Strict {
		return v, false
	}
	switch t.Kind {
	case schema.Date:
		return textValue(d.Text), dateText.MatchString(d.Text)
	case schema.DateTime:
		text, ok := d.Text, false
		if m := dateTimeText.FindStringSubmatch(text); m != nil && len(m[1]) <= t.Scale {
			text, ok = withFraction(text, m[1], t.Scale), true
		}
		return textValue(text), ok
	case schema.Char, schema.VarChar: // of what is too long, blanks are cut off in silence
		return textValue(d.Text), !strings.HasSuffix(d.Text, " ")
	case schema.Enum:
		return textValue(d.Text), slices.Contains(t.Labels, d.Text)
	}
	return v, false
}

// decimalDefault writes a number with all digits of its column.
func decimalDefault(t schema.Type, d binlog.Default) (v mysql.FieldValue, ok bool) {
	m := decimalText.FindStringSubmatch(d.Text)
	if m == nil || len(m[1]) > t.Scale || !d.Strict {
		return v, false
	}
	whole, _, _ := strings.Cut(d.Text, ".")
	negative := strings.HasPrefix(whole, "-")
	whole = strings.TrimLeft(strings.TrimPrefix(whole, "-"), "0")
	if whole == "" {
		whole = "0"
	}
	text := withFraction(whole+"."+m[1], m[1], t.Scale)
	if negative && strings.Trim(text, "0.") != "" {
		text = "-" + text
	}
	return textValue(text), strings.ContainsAny(d.Text, "0123456789")
}

// withFraction completes a text that ends with so many digits behind its point, if it
// has one, to as many as the column has.
func withFraction(text, digits string, scale int) string {
	text = strings.TrimSuffix(strings.TrimSuffix(text, digits), ".")
	if scale == 0 {
		return text
	}
	return text + "." + digits + strings.Repeat("0", scale-len(digits))
}
