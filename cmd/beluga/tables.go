package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink"
)

func tablesCommand(out streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tables [table]...",
		Short: "Show the columns of the lake's tables, and how they changed",
		Long: `Show the columns of tables as MySQL and as Iceberg have them, with Iceberg's field
ids. Tables are named database.table, or table, as in MySQL; none: all.

With --history, each shape that a table had: since which transaction and time, and
the statement that made it. The newest fifty are kept. No server is needed.`,
		Example: `  beluga tables --to ./lake
  beluga tables orders --history --to ./lake`,
	}
	settings := addConfigFlags(cmd, []string{"to"}, "name", "to", "catalog", "storage", "log")
	history := cmd.Flags().Bool("history", false, "show all shapes that each table had, the newest first")
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		tables, err := readTables(cmd.Context(), &c, args, *history, out)
		if err != nil {
			return err
		}
		if *asJSON {
			e := json.NewEncoder(out.out)
			e.SetIndent("", "  ")
			return e.Encode(tables)
		}
		return printTables(out.out, tables)
	}
	return cmd
}

// tableHistory is what the tables command shows of a table, and the shape of its JSON.
type tableHistory struct {
	Table     string         `json:"table"`
	LakeTable string         `json:"lake_table"`
	Pipeline  string         `json:"pipeline"`
	Versions  []sink.Version `json:"versions"` // the newest first
}

func readTables(ctx context.Context, c *Config, names []string, history bool, io streams) (list []tableHistory, err error) {
	lake, err := sink.Open(ctx, sinkConfig(c, true), newLogger(c, io.err, nil))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lake.Close()) }()
	infos, err := lake.Tables(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the tables of the lake: %w", err)
	}
	found := map[string]bool{}
	list = []tableHistory{}
	for _, t := range infos {
		if !named(t.Table.ID, names, found) {
			continue
		}
		one := tableHistory{Table: t.Table.ID.String(), LakeTable: t.Lake.String(), Pipeline: t.Pipeline, Versions: []sink.Version{}}
		for i := len(t.Versions) - 1; i >= 0 && (history || len(one.Versions) == 0); i-- {
			one.Versions = append(one.Versions, t.Versions[i])
		}
		list = append(list, one)
	}
	for _, name := range names {
		if !found[name] {
			return nil, usageError{fmt.Errorf("the lake has no table %q", name), "write database.table as MySQL calls it; beluga status lists them"}
		}
	}
	return list, nil
}

// named tells whether a table is one of those that are asked for, and notes by which
// name.
func named(id schema.TableID, names []string, found map[string]bool) bool {
	is := len(names) == 0
	for _, name := range names {
		if name == id.String() || name == id.Name {
			is, found[name] = true, true
		}
	}
	return is
}

func printTables(w io.Writer, list []tableHistory) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format, args...) } // a tabwriter keeps the first error for Flush
	for i, x := range list {
		if i > 0 {
			p("\n")
		}
		p("%s\n", bothNames(x.Table, x.LakeTable))
		if len(x.Versions) == 0 {
			p("  nothing was committed yet\n")
		}
		for _, v := range x.Versions {
			p("  version %d, %s, %s\n", v.Number, v.Time.Format(time.DateTime+" UTC"), v.Position)
			if v.Statement != "" {
				p("    %s\n", strings.Join(strings.Fields(v.Statement), " "))
			}
			for _, c := range v.Columns {
				p("    %d\t%s\t%s%s\t→\t%s\t%s\n", c.FieldID, c.Name, c.Type, attributes(c), c.Field, c.LakeType)
			}
			if err := t.Flush(); err != nil { // columns are as wide as in this version
				return err
			}
		}
	}
	return t.Flush()
}

func attributes(c sink.VersionColumn) (s string) {
	if !c.Nullable {
		s = " not null"
	}
	if c.Key > 0 {
		s += fmt.Sprintf(" key %d", c.Key)
	}
	return s
}
