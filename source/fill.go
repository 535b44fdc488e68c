package source

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/value"
)

// filler finds the values that rows which were there before show in added columns.
// MySQL writes no row to the binlog when it adds a column, so they can only be had from
// the column's definition.
type filler struct {
	reach func(context.Context) (*session.Session, error)
	stats *value.Stats

	session *session.Session // once it was needed
	now     *dictionaryTable
}

func (f *filler) close() {
	if f.session != nil {
		f.session.Close()
	}
}

// fill returns one row of the table's shape.
func (f *filler) fill(ctx context.Context, t *schema.Table, added []binlog.Added) (*schema.Block, error) {
	b := schema.NewBlock(t)
	isAdded := map[int]bool{}
	some := false
	for _, a := range added {
		i := a.Column
		isAdded[i] = true
		v, err := f.value(ctx, t, a)
		if err == nil {
			err = appendValue(b, t, i, v, f.stats)
		}
		if err != nil {
			b.Release()
			return nil, fmt.Errorf("column %s: %w", t.Columns[i].Name, err)
		}
		some = some || !b.New[i].IsNull(0)
	}
	if !some {
		b.Release()
		return nil, nil
	}
	for i := range t.Columns {
		if !isAdded[i] {
			b.New[i].AppendNull()
		}
	}
	b.Ops = append(b.Ops, schema.OpRead)
	return b, nil
}

// value returns what the statement says, or else the server.
func (f *filler) value(ctx context.Context, t *schema.Table, a binlog.Added) (v mysql.FieldValue, err error) {
	c := t.Columns[a.Column]
	if v, ok := saidDefault(c.Type, a.Default); ok {
		return v, nil
	}
	if f.session == nil {
		if f.session, err = f.reach(ctx); err != nil {
			return v, err
		}
	}
	if f.now == nil {
		tables, err := readDictionary(ctx, f.session, func(schema.TableID) bool { return true }, &t.ID)
		if err != nil {
			return v, err
		}
		if len(tables) == 0 {
			return v, fmt.Errorf("the table is not there any more; %w", binlog.ErrIncompatible)
		}
		f.now = tables[0]
	}
	v, err = oldRowsValue(ctx, f.session, f.now, c)
	if n := session.Number(err); n == session.ErrUnknownColumn || n == session.ErrNoSuchTable { // since the dictionary was read
		err = fmt.Errorf("%w; %w", err, binlog.ErrIncompatible)
	}
	return v, err
}

func appendValue(b *schema.Block, t *schema.Table, i int, v mysql.FieldValue, stats *value.Stats) error {
	m, err := value.New(t, i, stats)
	if err != nil {
		return err
	}
	return m.FromSelect(&b.New[i], &v)
}

// oldRowsValue returns the value in the form in which a SELECT would show it, so
// that the mapper of loaded values makes of it what a load would.
func oldRowsValue(ctx context.Context, s *session.Session, d *dictionaryTable, c schema.Column) (mysql.FieldValue, error) {
	var null mysql.FieldValue
	i := d.column(c.Name)
	if i < 0 {
		return null, fmt.Errorf("it is not there any more, and what it held is not in the binlog; %w", binlog.ErrIncompatible)
	}
	now := d.columns[i]
	if typ, err := now.schemaType(); err != nil || typ.Kind != c.Type.Kind {
		return null, fmt.Errorf("its type has changed again since; %w", binlog.ErrIncompatible)
	}
	switch {
	case now.generated(), strings.Contains(now.extra, "AUTO_INCREMENT"):
		return null, fmt.Errorf("the server computed a value for each row that was there, and did not log it; %w", binlog.ErrIncompatible)
	case strings.Contains(now.extra, "DEFAULT_GENERATED"):
		return null, fmt.Errorf("its default %s gave the rows that were there values that are not in the binlog; %w", *now.defaultText, binlog.ErrIncompatible)
	case now.defaultText == nil && now.nullable:
		return null, nil
	case value.LabelsAreShown(c.Type):
		return null, fmt.Errorf("the server does not show its labels whole, so that its default cannot be read; %w", binlog.ErrIncompatible)
	case now.defaultText == nil:
		return implicitDefault(c.Type), nil
	}
	return constantDefault(ctx, s, d.id, c, *now.defaultText)
}

func (d *dictionaryTable) column(name string) int {
	for i, c := range d.columns {
		if strings.EqualFold(c.name, name) {
			return i
		}
	}
	return -1
}

func textValue(s string) mysql.FieldValue {
	return mysql.NewFieldValue(mysql.FieldValueTypeString, 0, []byte(s))
}

// implicitDefault is what a NOT NULL column without DEFAULT holds in rows that
// were there before it.
func implicitDefault(t schema.Type) mysql.FieldValue {
	switch t.Kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt:
		return integerValue(t, 0)
	case schema.Year:
		return mysql.NewFieldValue(mysql.FieldValueTypeUnsigned, 0, nil)
	case schema.Float, schema.Double:
		return mysql.NewFieldValue(mysql.FieldValueTypeFloat, 0, nil)
	case schema.Decimal:
		if t.Scale > 0 {
			return textValue("0." + strings.Repeat("0", t.Scale))
		}
		return textValue("0")
	case schema.Bit:
		return textValue(string(make([]byte, (t.Length+7)/8)))
	case schema.Date:
		return textValue("0000-00-00")
	case schema.DateTime, schema.Timestamp:
		return textValue("0000-00-00 00:00:00")
	case schema.Time:
		return textValue("00:00:00")
	case schema.Binary:
		return textValue(string(make([]byte, t.Length)))
	case schema.Enum:
		return textValue(t.Labels[0])
	case schema.JSON:
		return textValue("null")
	}
	return textValue("")
}

func integerValue(t schema.Type, v uint64) mysql.FieldValue {
	if t.Unsigned {
		return mysql.NewFieldValue(mysql.FieldValueTypeUnsigned, v, nil)
	}
	return mysql.NewFieldValue(mysql.FieldValueTypeSigned, v, nil)
}

// constantDefault makes a value of a constant default. A row of the table shows
// it exactly; where there is none, the text of information_schema must do.
func constantDefault(ctx context.Context, s *session.Session, id schema.TableID, c schema.Column, text string) (mysql.FieldValue, error) {
	var v mysql.FieldValue
	found := false
	err := s.Stream(ctx, fmt.Sprintf("SELECT DEFAULT(%s) FROM %s.%s LIMIT 1", session.Quote(c.Name), session.Quote(id.Database), session.Quote(id.Name)), nil,
		func(row []mysql.FieldValue) error {
			found = true
			v = mysql.NewFieldValue(row[0].Type, row[0].AsUint64(), append([]byte(nil), row[0].AsString()...))
			return nil
		})
	switch {
	case err != nil:
		return v, fmt.Errorf("reading its default: %w", err)
	case found:
		return v, nil
	}
	switch c.Type.Kind {
	case schema.Timestamp, schema.Binary, schema.VarBinary, schema.Blob:
		return shownDefault(ctx, s, id, c)
	}
	return defaultFromText(c.Type, text)
}

// defaultFromText reads a default as information_schema writes it.
func defaultFromText(t schema.Type, text string) (mysql.FieldValue, error) {
	unreadable := func() (mysql.FieldValue, error) {
		return mysql.FieldValue{}, fmt.Errorf("its default %q cannot be read; %w", text, binlog.ErrIncompatible)
	}
	switch t.Kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt, schema.Year:
		if t.Unsigned || t.Kind == schema.Year {
			if n, err := strconv.ParseUint(text, 10, 64); err == nil {
				return mysql.NewFieldValue(mysql.FieldValueTypeUnsigned, n, nil), nil
			}
			return unreadable()
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return integerValue(t, uint64(n)), nil
		}
		return unreadable()
	case schema.Float, schema.Double:
		const shown = 6 // digits of a FLOAT that MySQL shows
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || t.Kind == schema.Float && len(strings.Trim(text, "-0.")) >= shown {
			return unreadable()
		}
		return mysql.NewFieldValue(mysql.FieldValueTypeFloat, math.Float64bits(f), nil), nil
	case schema.Bit:
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(text, "b'"), "'"), 2, 64)
		if err != nil {
			return unreadable()
		}
		return textValue(string(binary.BigEndian.AppendUint64(nil, n)[8-(t.Length+7)/8:])), nil
	}
	return textValue(text), nil
}

// shownDefault takes a default from SHOW CREATE TABLE. Of two types only that is
// right: information_schema has the default of a TIMESTAMP in the time zone of
// whoever made the column, and one of bytes only up to the first zero.
func shownDefault(ctx context.Context, s *session.Session, id schema.TableID, c schema.Column) (mysql.FieldValue, error) {
	r, err := s.Query(ctx, fmt.Sprintf("SHOW CREATE TABLE %s.%s", session.Quote(id.Database), session.Quote(id.Name)))
	if err != nil {
		return mysql.FieldValue{}, fmt.Errorf("reading its default: %w", err)
	}
	text, _ := r.GetString(0, 1)
	// Up to the default there is nothing in quotes.
	re := regexp.MustCompile(`(?im)^ *` + regexp.QuoteMeta(session.Quote(c.Name)) + ` [^'\n]*? DEFAULT (?:(?:0x|x')([0-9a-f]*)|('(?:[^'\\]|''|\\.)*'))`)
	m := re.FindStringSubmatch(text)
	if m == nil {
		return mysql.FieldValue{}, fmt.Errorf("its default cannot be read; %w", binlog.ErrIncompatible)
	}
	var v []byte
	if m[2] == "" {
		v, err = hex.DecodeString(m[1])
	} else {
		var list []string
		if list, err = parseLabels("(" + m[2] + ")"); err == nil {
			v = []byte(list[0])
		}
	}
	if err != nil {
		return mysql.FieldValue{}, fmt.Errorf("its default cannot be read: %w; %w", err, binlog.ErrIncompatible)
	}
	if c.Type.Kind == schema.Binary {
		v = append(v, make([]byte, max(0, c.Type.Length-len(v)))...)
	}
	return textValue(string(v)), nil
}
