package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/internal/verify"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink"
)

func verifyCommand(out streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [table]...",
		Short: "Compare source and lake row by row, while both are live",
		Long: `Compare every row of the source with the lake, while both go on changing. Tables
are named database.table, or table where --from names the database; none: all.

Rows that differ are looked at again until the lake has caught up with them, so
that only real differences are left. The exit code is 1 if there are any.`,
		Example: `  beluga verify --from mysql://root@localhost/shop --to ./lake
  beluga verify orders items --from mysql://root@localhost/shop --to ./lake`,
	}
	settings := addConfigFlags(cmd, []string{"from", "to"}, "name", "from", "to", "catalog", "storage", "tables", "columns", "memory", "snapshot.locking", "snapshot.filter", "gtid", "log")
	limit := cmd.Flags().Int("limit", 10, "show at most this many differing rows of each table")
	wait := cmd.Flags().Duration("wait", time.Minute, "how long to wait for a lake that is behind and does not move")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		if *limit < 0 || *wait < 0 {
			return usageError{errors.New("--limit and --wait must not be negative"), cmd.CommandPath() + " --help shows what they mean"}
		}
		ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
		defer cancel()
		return runVerify(ctx, &c, args, verify.Options{Wait: *wait, Show: *limit, Memory: int64(c.Memory.Limit / 2)}, out)
	}
	return cmd
}

// errDiffers ends a comparison that found differences: they are told already.
var errDiffers = errors.New("source and lake differ")

func runVerify(ctx context.Context, c *Config, names []string, o verify.Options, io streams) (err error) {
	term := newTerminal(io.err)
	log := newLogger(c, io.err, term)
	limitMemory(c)
	lake, err := sink.Open(ctx, sinkConfig(c, true), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lake.Close()) }()
	resume, err := lake.Resume(ctx)
	if err != nil {
		return fmt.Errorf("reading what the lake holds: %w", err)
	}
	source, err := newSourceSide(ctx, c, resume, log)
	if err != nil {
		return err
	}
	if len(source.tables) == 0 {
		return errors.New("there is nothing to compare: no table that the user may see matches; check --from and --tables, or let beluga check look at the server")
	}
	tables, err := chosenTables(source.tables, names, c)
	if err != nil {
		return err
	}
	for _, id := range tables {
		if err := lake.CheckOwner(id); err != nil {
			return fmt.Errorf("table %s: %w", id, err)
		}
	}
	if tables, err = withoutFiltered(source, tables, io.out); err != nil {
		return err
	}
	if err := tellLeftOut(c, io.out); err != nil {
		return err
	}
	side := &lakeSide{lake: lake, server: source.server}
	v := &verify.Verifier{Source: source, Lake: side, Options: o, Log: log}
	start := time.Now()
	report, err := compare(ctx, v, tables, term)
	if err != nil {
		return err
	}
	if err := printReport(io.out, report, side.named, time.Since(start)); err != nil {
		return err
	}
	if !report.Equal() {
		return errDiffers
	}
	return nil
}

// withoutFiltered leaves out, and names, the tables of which a load takes only some
// rows: the lake has of the others those that changed since, and nobody can tell
// which these are.
func withoutFiltered(source *sourceSide, ids []schema.TableID, out io.Writer) (rest []schema.TableID, err error) {
	for _, id := range ids {
		filtered, err := source.src.Filtered(id)
		if err != nil {
			return nil, err
		}
		if !filtered {
			rest = append(rest, id)
		} else if _, err := fmt.Fprintf(out, "%s: not compared, as --snapshot-filter leaves rows of it out\n", id); err != nil {
			return nil, err
		}
	}
	if len(rest) == 0 {
		return nil, errors.New("there is nothing to compare: --snapshot-filter leaves out rows of every table")
	}
	return rest, nil
}

// tellLeftOut says why rows may differ that are as they are to be.
func tellLeftOut(c *Config, out io.Writer) error {
	if len(c.GTID.SourceIncludes)+len(c.GTID.SourceExcludes) == 0 || !c.GTID.SourceFilterRows {
		return nil
	}
	_, err := fmt.Fprintln(out, "rows differ where servers wrote to them that --gtid-source-includes or --gtid-source-excludes leaves out: nothing tells which these are")
	return err
}

// compare runs the comparison, and on a terminal shows how far it is.
func compare(ctx context.Context, v *verify.Verifier, tables []schema.TableID, term *terminal) (report *verify.Report, err error) {
	g, ctx := errgroup.WithContext(ctx)
	done, finished := context.WithCancel(ctx)
	g.Go(func() (err error) {
		defer finished()
		report, err = v.Run(ctx, tables)
		return err
	})
	if term != nil {
		g.Go(func() error {
			return redraw(done, term, func() string { return fmt.Sprintf("comparing · %s rows read of both sides", grouped(v.Rows.Load())) })
		})
	}
	return report, g.Wait()
}

// chosenTables finds the named tables among those of the source.
func chosenTables(all []*schema.Table, names []string, c *Config) (ids []schema.TableID, err error) {
	if len(names) == 0 {
		for _, t := range all {
			ids = append(ids, t.ID)
		}
		return ids, nil
	}
	for _, name := range names {
		var found []schema.TableID
		for _, t := range all {
			if name == t.ID.String() || name == t.ID.Name {
				found = append(found, t.ID)
			}
		}
		switch {
		case len(found) == 0:
			return nil, usageError{fmt.Errorf("the source has no table %q among the captured ones", name), "write database.table, as beluga status shows it"}
		case len(found) > 1:
			return nil, usageError{fmt.Errorf("several databases have a table %q", name), "write " + found[0].String()}
		}
		ids = append(ids, found[0])
	}
	return ids, nil
}

// printReport writes what was found, a line for each table under the name that named
// returns.
func printReport(w io.Writer, r *verify.Report, named func(schema.TableID) string, took time.Duration) error {
	var b strings.Builder
	var rows int64
	for i := range r.Tables {
		rows += r.Tables[i].SourceRows
		printTable(&b, &r.Tables[i], named(r.Tables[i].Table))
	}
	if r.Equal() {
		fmt.Fprintf(&b, "equal: %s, %s, at %s, in %s\n", count(int64(len(r.Tables)), "table"), count(rows, "row"), r.Source, took.Round(10*time.Millisecond))
	} else if r.Behind {
		fmt.Fprintf(&b, "The lake is behind the server (%s), and no pipeline moved it while it was waited for:\nthe differences may be only what it has not read yet. Start beluga run, or run it with --once, and compare again.\n",
			behindText(verify.Missing(r.Source, r.Lake)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func behindText(transactions int64) string {
	if transactions < 0 {
		return "by an unknown number of transactions"
	}
	return "by " + count(transactions, "transaction")
}

func printTable(b *strings.Builder, t *verify.Result, name string) {
	switch {
	case t.Fault != "":
		fmt.Fprintf(b, "%s: %s\n", name, t.Fault)
		return
	case t.Equal():
		fmt.Fprintf(b, "%s: equal, %s\n", name, count(t.SourceRows, "row"))
		return
	}
	more := ""
	if t.More {
		more = " or more"
	}
	fmt.Fprintf(b, "%s: %s missing in the lake, %s extra, %s different%s; %s in the source, %s in the lake\n", name,
		grouped(t.Missing), grouped(t.Extra), grouped(t.Different), more, count(t.SourceRows, "row"), grouped(t.LakeRows))
	for _, r := range t.Shown {
		switch {
		case r.LakeRows == 0:
			fmt.Fprintf(b, "  missing    %s\n", r.Key)
		case r.SourceRows == 0:
			fmt.Fprintf(b, "  extra      %s\n", r.Key)
		default:
			fmt.Fprintf(b, "  different  %s\n", r.Key)
		}
		if r.LakeRows > 1 || r.SourceRows > 1 {
			fmt.Fprintf(b, "             %s in the source, %s in the lake\n", count(r.SourceRows, "time"), count(r.LakeRows, "time"))
		}
		for _, c := range r.Columns {
			fmt.Fprintf(b, "             %s: %s in the source, %s in the lake\n", c.Column, c.Source, c.Lake)
		}
	}
	if t.Undecided > 0 {
		fmt.Fprintf(b, "  %s changed at every look, so that nothing can be said of them; compare again when there are fewer writes\n", count(t.Undecided, "row"))
	}
}

// quiet drops what is of no interest to somebody who compares, such as that a
// snapshot was opened.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{log.Handler(), slog.LevelWarn})
}

// levelHandler passes on what is at least as severe as least.
type levelHandler struct {
	slog.Handler
	least slog.Level
}

func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.least && h.Handler.Enabled(ctx, l)
}

func (h levelHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(a), h.least}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.least}
}
