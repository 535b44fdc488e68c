package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/beluga-cdc/beluga/sink/warehouse"
)

//go:embed readers
var readerFiles embed.FS

// readers are the engines that there is a snippet for, in the order of showing.
var readers = []struct{ name, title, file string }{
	{"pyiceberg", "PyIceberg", "readers/pyiceberg.py.tmpl"},
	{"duckdb", "DuckDB", "readers/duckdb.sql.tmpl"},
	{"spark", "Spark SQL", "readers/spark.sh.tmpl"},
}

const allReaders = "all"

// place is where a table is, in the words of each reader.
type place struct {
	Catalog, Namespace, Table   string
	Warehouse, CatalogURI, JDBC string
	Location                    string
	SparkSQL                    string
}

// printSnippets writes how to read a table of the lake: its largest one.
func printSnippets(w io.Writer, dir, which string, s *status) error {
	if len(s.Tables) == 0 {
		return errors.New("the lake has no tables yet; start beluga run first")
	}
	p, err := placeOf(dir, slices.MaxFunc(s.Tables, func(a, b tableStatus) int { return int(a.Rows - b.Rows) }))
	if err != nil {
		return err
	}
	for _, r := range readers {
		if which != allReaders && which != r.name {
			continue
		}
		if which == allReaders {
			if _, err := fmt.Fprintf(w, "\n%s\n%s\n", r.title, strings.Repeat("-", len(r.title))); err != nil {
				return err
			}
		}
		t, err := template.New(filepath.Base(r.file)).Funcs(template.FuncMap{"python": strconv.Quote, "sql": quoteSQL, "shell": quoteShell}).ParseFS(readerFiles, r.file)
		if err != nil {
			return err
		}
		if err := t.Execute(w, p); err != nil {
			return fmt.Errorf("writing the snippet for %s: %w", r.title, err)
		}
	}
	return nil
}

func placeOf(dir string, t tableStatus) (place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return place{}, fmt.Errorf("finding the absolute path of the lake: %w", err)
	}
	catalog := filepath.Join(dir, warehouse.CatalogFile)
	return place{
		Catalog:    warehouse.CatalogName,
		Namespace:  t.lake.Namespace,
		Table:      t.lake.Name,
		Warehouse:  "file://" + dir,
		CatalogURI: "sqlite:///" + catalog,
		JDBC:       "jdbc:sqlite:" + catalog,
		Location:   filepath.Join(dir, warehouse.FolderName(t.lake.Namespace), warehouse.FolderName(t.lake.Name)),
		SparkSQL:   fmt.Sprintf("SELECT count(*) AS `rows` FROM %s.%s.%s", warehouse.CatalogName, quoteSpark(t.lake.Namespace), quoteSpark(t.lake.Name)),
	}, nil
}

func quoteSQL(s string) string   { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
func quoteSpark(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// readerName checks the value of --snippets.
func readerName(name string) error {
	known := []string{allReaders}
	for _, r := range readers {
		known = append(known, r.name)
	}
	if slices.Contains(known, name) {
		return nil
	}
	return usageError{fmt.Errorf("--snippets=%s is not known", name), "it takes " + strings.Join(known, ", ")}
}
