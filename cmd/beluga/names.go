package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/sink/naming"
	"github.com/beluga-cdc/beluga/source"
)

// NamesConfig says what the lake calls what MySQL has. Topics, signals and messages
// have MySQL's names.
type NamesConfig struct {
	Rename          []string `yaml:"rename" list:"comma" help:"names in the lake, exactly so: DATABASE.TABLE=NAMESPACE.TABLE, or DATABASE.TABLE.COLUMN=COLUMN"`
	Tables          []string `yaml:"tables" list:"regexp" help:"namespaces and tables in the lake: PATTERN=NAMESPACE.TABLE, a regular expression over the whole of database.table; $1 is what its first brackets matched; the first that matches counts"`
	Columns         []string `yaml:"columns" list:"regexp" help:"columns in the lake: PATTERN=COLUMN, a regular expression over the whole of database.table.column"`
	Sanitize        bool     `yaml:"sanitize" help:"of names in the lake, all but ASCII letters, digits and underscores become underscores"`
	Case            string   `yaml:"case" enum:"keep,lower,upper" help:"case of names in the lake; Athena and Glue take lower case only"`
	NamespacePrefix string   `yaml:"namespace-prefix" help:"what the names of namespaces in the lake begin with"`
	TablePrefix     string   `yaml:"table-prefix" help:"what the names of tables in the lake begin with"`
	ColumnPrefix    string   `yaml:"column-prefix" help:"what the names of columns in the lake begin with"`
}

func (n *NamesConfig) rules() naming.Rules {
	return naming.Rules{Rename: n.Rename, Tables: n.Tables, Columns: n.Columns, Sanitize: n.Sanitize, Case: n.Case,
		NamespacePrefix: n.NamespacePrefix, TablePrefix: n.TablePrefix, ColumnPrefix: n.ColumnPrefix}
}

// mapping returns the rules, which were checked when they were read.
func (n *NamesConfig) mapping() (*naming.Mapping, error) {
	m, err := naming.New(n.rules())
	if err != nil {
		return nil, fmt.Errorf("names.%w", err)
	}
	return m, nil
}

// subjectError is what is wrong with a table's name in the lake.
type subjectError struct{ subject, text string }

func (e subjectError) Error() string { return e.subject + ": " + e.text }

// namesFaults finds the captured tables and columns that no lake can have, or that
// would be one there.
func namesFaults(ctx context.Context, c *Config, src *source.MySQL) (faults []subjectError, err error) {
	names, err := c.Names.mapping()
	if err != nil {
		return nil, err
	}
	tables, err := src.CapturedColumns(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the server's tables: %w", err)
	}
	for _, t := range tables {
		subject := "table " + t.ID.String()
		if err := sink.CheckName(names.Table(t.ID)); err != nil {
			faults = append(faults, subjectError{subject, err.Error()})
		}
		for _, collision := range names.ColumnsAlike(t.ID, t.Columns) {
			faults = append(faults, subjectError{subject, collision.String()})
		}
	}
	for _, collision := range names.Tables(source.IDs(tables)) {
		faults = append(faults, subjectError{"tables", collision.String()})
	}
	return faults, nil
}

// checkNames refuses names that the lake cannot have, all at once, before anything is
// made.
func checkNames(ctx context.Context, c *Config, src *source.MySQL) error {
	faults, err := namesFaults(ctx, c, src)
	errs := []error{err}
	for _, f := range faults {
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}

// bothNames shows a table by MySQL's name, and by the lake's where it has another.
func bothNames(mysql, lake string) string {
	if mysql == lake {
		return mysql
	}
	return mysql + " as " + lake
}
