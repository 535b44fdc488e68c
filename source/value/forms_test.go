package value_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// TestForms: the forms that may be chosen, on both paths, at the limits.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		form       schema.Form
		typ        string
		lake, want []string
	}{
		{schema.FormLong, "time", []string{"'-838:59:59'", "'838:59:59'", "'-00:00:01'", "'00:00:00'", "null"}, []string{"-3020399000000", "3020399000000", "-1000000", "0", "null"}},
		{schema.FormLong, "time(6)", []string{"'-838:59:58.999999'", "'838:59:59.000000'", "'-00:00:00.000001'", "'24:00:00'"}, []string{"-3020398999999", "3020399000000", "-1", "86400000000"}},
		{schema.FormLong, "time(1)", []string{"'-00:00:00.1'", "'100:00:00.9'"}, []string{"-100000", "360000900000"}},
		{schema.FormLong, "time(3)", []string{"'-01:02:03.004'", "'-100:00:00.999'"}, []string{"-3723004000", "-360000999000"}},
		{schema.FormString, "time", []string{"'-838:59:59'", "'838:59:59'", "'-00:00:01'", "'7:00:00'", "null"}, []string{"'-838:59:59'", "'838:59:59'", "'-00:00:01'", "'07:00:00'", "null"}},
		{schema.FormString, "time(6)", []string{"'-838:59:58.999999'", "'-00:00:00.000001'", "'0'"}, []string{"'-838:59:58.999999'", "'-00:00:00.000001'", "'00:00:00.000000'"}},
		{schema.FormString, "time(2)", []string{"'-12:00:00.05'", "'838:59:58.99'"}, []string{"'-12:00:00.05'", "'838:59:58.99'"}},
		{schema.FormString, "time(5)", []string{"'-00:00:00.00009'"}, []string{"'-00:00:00.00009'"}},
		{schema.FormEpoch, "date", []string{"'0000-00-00'", "'2024-00-01'", "'2024-02-31'", "'2024-02-29'", "null"}, []string{"0", "0", "0", "19782", "null"}},
		{schema.FormEpoch, "datetime(6)", []string{"'0000-00-00'", "'2024-01-00 01:02:03.5'", "'1969-12-31 23:59:59.999999'"}, []string{"0", "0", "-1"}},
		{schema.FormEpoch, "timestamp null", []string{"'0000-00-00'", "'1970-01-01 00:00:01'", "null"}, []string{"0", "1000000", "null"}},
		{schema.FormBoolean, "tinyint(1)", []string{"0", "1", "true", "null"}, []string{"false", "true", "true", "null"}},
	} {
		t.Run(string(c.form)+" "+c.typ, func(t *testing.T) {
			s, _ := formed(t, c.form, c.typ)
			got := s.bothPaths(t, "value_forms", map[string][]string{c.typ: c.lake})[c.typ]
			require.Equal(t, c.want, got.streamed, "from the binlog")
			require.Equal(t, c.want, got.loaded, "from SELECT")
		})
	}
}

// formed returns a source whose columns come in a form, and the table of one that
// has a column of the type.
func formed(t *testing.T, form schema.Form, typ string) (*source, *schema.Table) {
	s := newSource(t)
	s.types = value.Policy{Time: form, TinyInt1: form, ZeroDate: form}
	column := schema.Column{Name: "v", Type: schema.Type{Form: form}, Nullable: true}
	require.NoError(t, column.Type.Kind.UnmarshalText([]byte(strings.FieldsFunc(typ, func(r rune) bool { return r == '(' || r == ' ' })[0])))
	if _, digits, ok := strings.Cut(typ, "("); ok && column.Type.Kind != schema.TinyInt {
		column.Type.Scale = int(digits[0] - '0')
	}
	table := &schema.Table{Key: []int{0}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int}}, column}}
	require.NoError(t, table.Prepare())
	s.describe = func(_ context.Context, id schema.TableID) (*schema.Table, error) {
		described := *table
		described.ID = id
		return &described, nil
	}
	return s, table
}

// TestRefusedForms: what a form cannot hold is an error on both paths.
func TestRefusedForms(t *testing.T) {
	for _, c := range []struct {
		form                  schema.Form
		typ, literal, problem string
	}{
		{schema.FormBoolean, "tinyint(1)", "2", "the value 2 is no boolean; remedy: choose --types-tinyint1 int"},
		{schema.FormBoolean, "tinyint(1)", "-1", "the value -1 is no boolean"},
		{schema.FormStop, "date", "'2024-02-00'", "the value 2024-02-00 is no date; remedy: choose --types-zero-date null or epoch"},
		{schema.FormStop, "datetime", "'0000-00-00'", "the value 0000-00-00 is no date"},
		{schema.FormStop, "timestamp null", "'0000-00-00'", "the value 0000-00-00 is no date"},
	} {
		t.Run(c.typ+" "+c.literal, func(t *testing.T) {
			s, table := formed(t, c.form, c.typ)
			s.exec(t, "DROP DATABASE IF EXISTS value_forms")
			s.exec(t, "CREATE DATABASE value_forms")
			from := s.position(t)
			s.exec(t, "CREATE TABLE value_forms.t (id INT PRIMARY KEY, v "+c.typ+")")
			s.exec(t, "INSERT INTO value_forms.t VALUES (1, "+c.literal+")")
			_, err := s.blocks(t, "value_forms", from)
			require.ErrorContains(t, err, "table value_forms.t, column v: "+c.problem)
			table.ID = schema.TableID{Database: "value_forms", Name: "t"}
			_, err = s.load(t, table)
			require.ErrorContains(t, err, c.problem)
		})
	}
}

// TestFormsAreKept: a column that is in the lake stays as it came; a new one goes
// by the policy.
func TestFormsAreKept(t *testing.T) {
	table := func(forms ...schema.Form) *schema.Table {
		t := &schema.Table{}
		for i, f := range forms {
			t.Columns = append(t.Columns, schema.Column{Name: string(rune('a' + i)), Type: schema.Type{Kind: schema.Time, Form: f}})
		}
		return t
	}
	now := table(schema.FormString, schema.FormString, "", schema.FormString)
	now.KeepForms(table("", schema.FormLong, schema.FormStop))
	require.Equal(t, table("", schema.FormLong, "", schema.FormString), now)
	dates := &schema.Table{Columns: []schema.Column{{Name: "A", Type: schema.Type{Kind: schema.Date}}}}
	dates.KeepForms(table(schema.FormLong))
	require.Empty(t, dates.Columns[0].Type.Form, "another type is another column")
}
