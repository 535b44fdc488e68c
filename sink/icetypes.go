package sink

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/naming"
	"github.com/beluga-cdc/beluga/sink/parquetfile"
)

// icebergType returns the library's name of a lake type. element is the field id
// of a list's elements.
func icebergType(l schema.LakeType, element int) (iceberg.Type, error) {
	switch l.Kind {
	case schema.LakeBoolean:
		return iceberg.PrimitiveTypes.Bool, nil
	case schema.LakeInt:
		return iceberg.PrimitiveTypes.Int32, nil
	case schema.LakeLong:
		return iceberg.PrimitiveTypes.Int64, nil
	case schema.LakeFloat:
		return iceberg.PrimitiveTypes.Float32, nil
	case schema.LakeDouble:
		return iceberg.PrimitiveTypes.Float64, nil
	case schema.LakeDecimal:
		return iceberg.DecimalTypeOf(l.Precision, l.Scale), nil
	case schema.LakeDate:
		return iceberg.PrimitiveTypes.Date, nil
	case schema.LakeTime:
		return iceberg.PrimitiveTypes.Time, nil
	case schema.LakeTimestamp:
		return iceberg.PrimitiveTypes.Timestamp, nil
	case schema.LakeTimestampTZ:
		return iceberg.PrimitiveTypes.TimestampTz, nil
	case schema.LakeString:
		return iceberg.PrimitiveTypes.String, nil
	case schema.LakeBinary:
		return iceberg.PrimitiveTypes.Binary, nil
	case schema.LakeFloatList:
		return &iceberg.ListType{ElementID: element, Element: iceberg.PrimitiveTypes.Float32, ElementRequired: true}, nil
	}
	return nil, fmt.Errorf("type %s has no place in Iceberg", l)
}

// predecessor is what a table's schema follows on.
type predecessor struct {
	shape   *schema.Table
	names   *naming.Mapping
	schema  *iceberg.Schema
	renamed []schema.Rename // since
	initial []any           // what its rows show in the new columns, by ordinal; nil: NULL
	apart   []string        // columns that are gone, and whose values stay
}

// fields returns the field of each column of shape, with id 0 for one that is new,
// and the fields of columns that the shape before did not have either, or that are set
// apart from now on.
func (p *predecessor) fields(shape *schema.Table) (known []iceberg.NestedField, foreign []iceberg.NestedField) {
	known = make([]iceberg.NestedField, len(shape.Columns))
	if p == nil {
		return known, nil
	}
	now := schema.Counterparts(p.shape, shape, p.renamed)
	names := p.names.Columns(p.shape)
	var apart []iceberg.NestedField
	for _, f := range p.schema.Fields() {
		if i := columnOf(names, f.Name); i < 0 {
			foreign = append(foreign, f)
		} else if now[i] >= 0 {
			known[now[i]] = f
		} else if slices.Contains(p.apart, p.shape.Columns[i].Name) {
			f.Name, f.Doc, f.Required = p.nameApart(f.Name, shape), docApart, false
			apart = append(apart, f)
		}
	}
	return known, append(foreign, apart...)
}

// hadDefault tells whether a column has the default that it had.
func (p *predecessor) hadDefault(shape *schema.Table, i int) bool {
	was := slices.Index(schema.Counterparts(p.shape, shape, p.renamed), i)
	return was >= 0 && sameText(p.shape.Columns[was].Default, shape.Columns[i].Default)
}

func sameText(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// docApart is what readers are told of a column that was set apart.
const docApart = "what rows held before the column of that name began anew, as far as they have not changed since"

// nameApart returns a name for a column that is set apart, which no other has.
func (p *predecessor) nameApart(name string, shape *schema.Table) string {
	taken := p.names.Columns(shape)
	for _, f := range p.schema.Fields() {
		taken = append(taken, f.Name)
	}
	free := name + "_before"
	for n := 2; columnOf(taken, free) >= 0; n++ {
		free = fmt.Sprintf("%s_before_%d", name, n)
	}
	return free
}

// buildSchema returns the Iceberg schema of a table's shape. Columns that old
// has keep their field ids, unless it is nil; new ones are numbered from last+1.
// Columns that somebody else added to the table stay, at the end; one that MySQL
// adds under the same name is that.
//
// Only key columns are required. All others are optional even where MySQL says
// NOT NULL: a zero date becomes NULL, and a column that is added later has no
// value in the files that are there. Key columns have to be: an optional
// identifier field makes the table unreadable for PyIceberg, Spark and Trino.
//
// defaults tells whether the fields are to have the defaults that rows written from
// now on have.
func buildSchema(shape *schema.Table, names *naming.Mapping, old *predecessor, defaults bool, id, last int) (*iceberg.Schema, error) {
	columns := names.Columns(shape)
	if err := checkColumnNames(shape, names); err != nil {
		return nil, err
	}
	var fields []iceberg.NestedField
	var keys []int
	known, foreign := old.fields(shape)
	for i, c := range shape.Columns {
		f := iceberg.NestedField{Name: columns[i], Required: shape.IsKey(i), Doc: c.Comment}
		was := known[i]
		if j := slices.IndexFunc(foreign, func(f iceberg.NestedField) bool { return strings.EqualFold(f.Name, columns[i]) }); j >= 0 {
			if foreign[j].Doc == docApart {
				return nil, fmt.Errorf("table %s: MySQL gave a column the name %s, under which the lake keeps what another column held before it began anew; rename or drop that one in the lake", shape.ID, columns[i])
			}
			if was.ID != 0 {
				return nil, fmt.Errorf("table %s: MySQL gave a column the name %s, which another writer gave to a column of the lake's table; drop that one in the lake", shape.ID, columns[i])
			}
			was, foreign = foreign[j], slices.Delete(foreign, j, j+1)
		}
		// It goes with the field: files that lack the column show it for ever.
		f.InitialDefault, f.WriteDefault = was.InitialDefault, was.WriteDefault
		if f.ID = was.ID; f.ID == 0 {
			last++
			f.ID = last
			if old != nil && old.initial != nil {
				f.InitialDefault, f.WriteDefault = old.initial[i], old.initial[i]
			}
		}
		switch v, known := writeDefault(c, shape.Lake(i)); {
		case !defaults, v == nil && was.ID == 0: // a table map that shows a new column has not told its default
		case known:
			f.WriteDefault = v
		case was.ID != 0 && !old.hadDefault(shape, i):
			f.WriteDefault = nil
		}
		element := elementID(was)
		if element == 0 && shape.Lake(i).Kind == schema.LakeFloatList {
			last++
			element = last
		}
		var err error
		if f.Type, err = icebergType(shape.Lake(i), element); err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", shape.ID, c.Name, err)
		}
		fields = append(fields, f)
	}
	if mayIdentify(shape) {
		for _, k := range shape.Key {
			keys = append(keys, fields[k].ID)
		}
	}
	return iceberg.NewSchemaWithIdentifiers(id, keys, append(fields, foreign...)...), nil
}

// elementID returns the field id of a list's elements, 0 of what is no list.
func elementID(f iceberg.NestedField) int {
	if list, ok := f.Type.(*iceberg.ListType); ok {
		return list.ElementID
	}
	return 0
}

// mayIdentify tells whether the key can be the schema's identifier fields. Iceberg
// does not let FLOAT and DOUBLE be any, and PyIceberg then reads nothing of the
// table. The rest of such a key does not identify a row.
func mayIdentify(shape *schema.Table) bool {
	return !slices.ContainsFunc(shape.Key, func(i int) bool {
		kind := shape.Lake(i).Kind
		return kind == schema.LakeFloat || kind == schema.LakeDouble
	})
}

// checkColumnNames refuses names that the lake could not tell apart.
func checkColumnNames(shape *schema.Table, names *naming.Mapping) error {
	own := make([]string, len(shape.Columns))
	for i, c := range shape.Columns {
		own[i] = c.Name
	}
	var errs []error
	for _, c := range names.ColumnsAlike(shape.ID, own) {
		errs = append(errs, errors.New(c.String()))
	}
	return errors.Join(errs...)
}

// columnOf finds the ordinal of a field; -1: it is none of the columns.
func columnOf(columns []string, field string) int {
	return slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, field) })
}

// fieldOf finds a column as MySQL does: without regard to case.
func fieldOf(s *iceberg.Schema, name string) (iceberg.NestedField, bool) {
	fields := s.Fields()
	i := slices.IndexFunc(fields, func(f iceberg.NestedField) bool { return strings.EqualFold(f.Name, name) })
	if i < 0 {
		return iceberg.NestedField{}, false
	}
	return fields[i], true
}

// fileColumns returns the columns of a data file: those of the shape, with the
// field ids that the schema gives them. It refuses a schema that somebody else
// changed so that our rows do not fit it any more.
func fileColumns(shape *schema.Table, names *naming.Mapping, s *iceberg.Schema) ([]parquetfile.Column, error) {
	cols := make([]parquetfile.Column, len(shape.Columns))
	for i, c := range shape.Columns {
		f, ok := fieldOf(s, names.Column(shape.ID, c.Name))
		if !ok {
			return nil, fmt.Errorf("table %s: another writer dropped column %s from the lake's table; drop the table in the lake and load it again", shape.ID, c.Name)
		}
		element := elementID(f)
		typ, err := icebergType(shape.Lake(i), element)
		if err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", shape.ID, c.Name, err)
		}
		if !f.Type.Equals(typ) {
			return nil, fmt.Errorf("table %s: another writer changed column %s of the lake's table from %s to %s; drop the table in the lake and load it again", shape.ID, c.Name, typ, f.Type)
		}
		initial, err := initialOf(shape.Lake(i), f.InitialDefault)
		if err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", shape.ID, c.Name, err)
		}
		cols[i] = parquetfile.Column{ID: f.ID, Name: f.Name, Type: shape.Lake(i), Required: f.Required, ElementID: element, Initial: initial}
	}
	return cols, nil
}

// checkRequired refuses a table in which somebody else added a column that must
// have a value.
func checkRequired(shape *schema.Table, names *naming.Mapping, s *iceberg.Schema) error {
	columns := names.Columns(shape)
	for _, f := range s.Fields() {
		if f.Required && columnOf(columns, f.Name) < 0 {
			return fmt.Errorf("another writer added the required column %s to the lake's table; make it optional there, or drop it", f.Name)
		}
	}
	return nil
}

// columnsApart returns the columns of the schema that were set apart.
func columnsApart(s *iceberg.Schema) (columns []parquetfile.Column) {
	for _, f := range s.Fields() {
		if l, ok := lakeType(f.Type); ok && f.Doc == docApart {
			columns = append(columns, parquetfile.Column{ID: f.ID, Name: f.Name, Type: l, ElementID: elementID(f)})
		}
	}
	return columns
}

// lakeType is the inverse of icebergType.
func lakeType(t iceberg.Type) (schema.LakeType, bool) {
	if d, ok := t.(iceberg.DecimalType); ok {
		return schema.LakeType{Kind: schema.LakeDecimal, Precision: d.Precision(), Scale: d.Scale()}, true
	}
	for kind := schema.LakeBoolean; kind <= schema.LakeFloatList; kind++ {
		if kind == schema.LakeDecimal {
			continue
		}
		l := schema.LakeType{Kind: kind}
		if is, err := icebergType(l, elementID(iceberg.NestedField{Type: t})); err == nil && is.Equals(t) {
			return l, true
		}
	}
	return schema.LakeType{}, false
}
