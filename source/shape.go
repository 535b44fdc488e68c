package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/value"
)

var kinds = map[string]schema.Kind{
	"tinyint": schema.TinyInt, "smallint": schema.SmallInt, "mediumint": schema.MediumInt, "int": schema.Int, "bigint": schema.BigInt,
	"decimal": schema.Decimal, "float": schema.Float, "double": schema.Double, "bit": schema.Bit, "year": schema.Year,
	"date": schema.Date, "time": schema.Time, "datetime": schema.DateTime, "timestamp": schema.Timestamp,
	"char": schema.Char, "varchar": schema.VarChar,
	"tinytext": schema.Text, "text": schema.Text, "mediumtext": schema.Text, "longtext": schema.Text,
	"binary": schema.Binary, "varbinary": schema.VarBinary,
	"tinyblob": schema.Blob, "blob": schema.Blob, "mediumblob": schema.Blob, "longblob": schema.Blob,
	"enum": schema.Enum, "set": schema.Set, "json": schema.JSON,
	"geometry": schema.Geometry, "point": schema.Geometry, "linestring": schema.Geometry, "polygon": schema.Geometry,
	"multipoint": schema.Geometry, "multilinestring": schema.Geometry, "multipolygon": schema.Geometry,
	"geomcollection": schema.Geometry, "geometrycollection": schema.Geometry,
	"vector": schema.VectorFloat, "uuid": schema.UUID, "inet6": schema.INET6, "inet4": schema.INET4,
}

// sizes are how many bytes hold the length of a value of the types of TEXT and BLOB.
var sizes = map[string]int{"tinytext": 1, "text": 2, "mediumtext": 3, "longtext": 4, "tinyblob": 1, "blob": 2, "mediumblob": 3, "longblob": 4}

// schemaType returns the type of a column.
func (c dictionaryColumn) schemaType() (schema.Type, error) {
	switch {
	case c.asBytes:
		return schema.Type{}, errors.New("MariaDB logs a VECTOR as bytes, which this version does not read; remedy: leave the column out with --columns-exclude, or leave the table out with --tables")
	case c.compressed():
		return schema.Type{}, errors.New("the server logs its values compressed, which this version does not read; remedy: ALTER TABLE … MODIFY the column without COMPRESSED, or leave the table out with --tables")
	case c.unlogged:
		return schema.Type{}, errors.New("it is generated, and MariaDB does not log all values of such columns; remedy: drop the column and compute it in a view, or leave the table out with --tables")
	case strings.Contains(c.columnType, "/* mariadb-5.3 */"):
		return schema.Type{}, errors.New("its values are stored as before MariaDB 10.1, without saying how precise they are; remedy: SET GLOBAL mysql56_temporal_format = ON; then ALTER TABLE … FORCE")
	}
	kind, ok := kinds[c.dataType]
	if !ok {
		return schema.Type{}, fmt.Errorf("type %s is not known", c.dataType)
	}
	t := schema.Type{Kind: kind, Charset: c.charset}
	switch kind {
	case schema.TinyInt, schema.SmallInt, schema.MediumInt, schema.Int, schema.BigInt, schema.Float, schema.Double:
		t.Unsigned = strings.Contains(c.columnType, "unsigned")
	case schema.Decimal:
		t.Unsigned = strings.Contains(c.columnType, "unsigned")
		t.Precision, t.Scale = c.precision, c.scale
	case schema.Bit:
		t.Length = c.precision
	case schema.Time, schema.DateTime, schema.Timestamp:
		t.Scale = c.fraction
	case schema.Char, schema.VarChar, schema.Binary, schema.VarBinary:
		t.Length = c.length
	case schema.Text, schema.Blob:
		t.Length = sizes[c.dataType]
	case schema.Enum, schema.Set:
		labels, err := parseLabels(c.columnType)
		if err != nil {
			return t, err
		}
		t.Labels = labels
	}
	return t, nil
}

// parseLabels reads the labels of "enum('a','it”s')". Within quotes a quote is
// doubled, and a backslash escapes what would not print.
func parseLabels(columnType string) ([]string, error) {
	bad := fmt.Errorf("the labels of %s cannot be read", columnType)
	open := strings.IndexByte(columnType, '(')
	if open < 0 || !strings.HasSuffix(columnType, ")") {
		return nil, bad
	}
	var labels []string
	var label []byte
	in := columnType[open+1 : len(columnType)-1]
	for i := 0; i < len(in); {
		if in[i] != '\'' {
			return nil, bad
		}
		i++
		label = label[:0]
		for {
			if i >= len(in) {
				return nil, bad
			}
			if in[i] == '\'' {
				if i+1 < len(in) && in[i+1] == '\'' {
					label, i = append(label, '\''), i+2
					continue
				}
				i++
				break
			}
			if in[i] == '\\' && i+1 < len(in) {
				label, i = append(label, unescape(in[i+1])), i+2
				continue
			}
			label, i = append(label, in[i]), i+1
		}
		labels = append(labels, string(label))
		if i < len(in) {
			if in[i] != ',' {
				return nil, bad
			}
			i++
		}
	}
	return labels, nil
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case '0':
		return 0
	case 'Z':
		return 26
	}
	return c
}

// columnError says why a column cannot be replicated.
type columnError struct {
	column string
	err    error
}

// shape returns the table version, prepared, or why each column that cannot be
// replicated cannot. decided is what the lake has of the table, or nil.
func (d *dictionaryTable) shape(sel selection, types value.Policy, decided *schema.Table) (*schema.Table, []columnError) {
	t := &schema.Table{ID: d.id, Comment: d.comment}
	var errs []columnError
	key := d.key()
	for _, c := range d.columns {
		treatment, wanted := sel.columns.choose(d.id, c.name)
		inKey := key != nil && slices.Contains(key.columns, c.name)
		column, err := c.schemaColumn(d.id, inKey)
		column.Treatment = treatment
		if wrong := fits(column, wanted, inKey); wrong != nil {
			err = wrong
		} else if !wanted && !c.unlogged {
			t.LeftOut = append(t.LeftOut, c.name)
			continue
		}
		if err != nil {
			errs = append(errs, columnError{c.name, err})
		}
		column.Type.Form = types.Form(column.Type, c.columnType)
		t.Columns = append(t.Columns, column)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	if decided != nil {
		t.KeepForms(decided)
	}
	if key != nil {
		for _, name := range key.columns {
			t.Key = append(t.Key, t.Column(name))
		}
	}
	if err := t.Prepare(); err != nil {
		return nil, []columnError{{"", err}}
	}
	return t, nil
}

// schemaColumn returns the column, and asks the value mapper whether it can be
// replicated: of each column apart, so that all faults are told at once.
func (c dictionaryColumn) schemaColumn(id schema.TableID, key bool) (schema.Column, error) {
	typ, err := c.schemaType()
	column := schema.Column{Name: c.name, Type: typ, Nullable: c.nullable, Generated: c.generated(), Comment: c.comment}
	if !strings.Contains(c.extra, "DEFAULT_GENERATED") {
		column.Default = c.defaultText
	}
	if err != nil {
		return column, err
	}
	if _, err := typ.Lake(); err != nil {
		return column, err
	}
	alone := &schema.Table{ID: id, Columns: []schema.Column{column}}
	if key {
		alone.Key = []int{0}
	}
	if err := alone.Prepare(); err != nil {
		return column, err
	}
	if _, err := value.New(alone, 0, nil); err != nil {
		return column, errors.Unwrap(err) // without the names, which stand in the fault
	}
	return column, nil
}

// faults tells everything about the table that keeps it from being replicated.
func (d *dictionaryTable) faults(sel selection) (list Faults) {
	subject := "table " + d.id.String()
	name := session.Quote(d.id.Database) + "." + session.Quote(d.id.Name)
	const leaveOut = "or leave the table out with --tables"
	if d.engine != "InnoDB" {
		list = append(list, Fault{Fatal, subject, fmt.Sprintf("its engine is %s, which has no consistent snapshot", d.engine),
			fmt.Sprintf("ALTER TABLE %s ENGINE=InnoDB; %s", name, leaveOut)})
	}
	if d.versioned {
		list = append(list, versionedFault(d.id))
	}
	if sel.refuseKeyless && d.key() == nil {
		list = append(list, keylessFault(d.id))
	}
	_, errs := d.shape(sel, value.Policy{}, nil)
	for _, e := range errs {
		s := subject
		if e.column != "" {
			s += ", column " + e.column
		}
		problem, remedy, ok := strings.Cut(e.err.Error(), "; remedy: ")
		if !ok {
			remedy = "change the column's type, leave the column out with --columns-exclude, " + leaveOut
		}
		list = append(list, Fault{Fatal, s, problem, remedy})
	}
	return list
}

// labelFaults tells the columns whose labels only a table map with all metadata
// shows.
func (d *dictionaryTable) labelFaults() (list Faults) {
	for _, c := range d.columns {
		if t, err := c.schemaType(); err == nil && value.LabelsAreShown(t) {
			list = append(list, Fault{Fatal, "table " + d.id.String() + ", column " + c.name,
				"its labels may hold characters beyond the BMP, which information_schema shows as question marks, and the log does not hold labels",
				"SET PERSIST binlog_row_metadata = 'FULL'"})
		}
	}
	return list
}

func keylessFault(id schema.TableID) Fault {
	return Fault{Fatal, "table " + id.String(), "it has neither a primary key nor a unique one without NULL, and --keyless refuse is set",
		fmt.Sprintf("ALTER TABLE %s.%s ADD COLUMN my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY INVISIBLE; or make a key of columns it has, or leave the table out with --tables, or let --keyless exact replicate it by whole rows",
			session.Quote(id.Database), session.Quote(id.Name))}
}
