package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/beluga-cdc/beluga/internal/verify"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/sink/naming"
)

func statusCommand(out streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is in the lake, and how far it is behind the server",
		Long: `Show what is in the lake: a line for each table, and the last published cut. With
--from, the server is asked how far the lake is behind it; without, no server is
needed.`,
		Example: `  beluga status --to ./lake
  beluga status --to ./lake --from mysql://root@localhost/shop --json
  beluga status --to ./lake --snippets`,
		Args: noArgs,
	}
	settings := addConfigFlags(cmd, []string{"to"}, "name", "from", "to", "catalog", "storage", "log")
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	snippets := cmd.Flags().String("snippets", "", "print how to read a table: with all, pyiceberg, duckdb or spark")
	cmd.Flags().Lookup("snippets").NoOptDefVal = allReaders
	cmd.MarkFlagsMutuallyExclusive("json", "snippets")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		if *snippets != "" {
			if err := readerName(*snippets); err != nil {
				return err
			}
		}
		s, err := readStatus(cmd.Context(), &c, out)
		switch {
		case err != nil:
			return err
		case *asJSON:
			e := json.NewEncoder(out.out)
			e.SetIndent("", "  ")
			return e.Encode(s)
		case *snippets != "":
			if c.remote() != nil {
				return usageError{errors.New("there are snippets for lakes in a folder only"), "elsewhere, readers take the address of the catalog and the keys of the storage"}
			}
			return printSnippets(out.out, c.To, *snippets, s)
		}
		return s.print(out.out)
	}
	return cmd
}

// status is what the status command shows, and the shape of its JSON.
type status struct {
	Pipeline string        `json:"pipeline"`
	Cut      *cutStatus    `json:"cut,omitempty"` // none: nothing was published yet
	Server   *serverStatus `json:"server,omitempty"`
	Tables   []tableStatus `json:"tables"`
	// Signals wait for a run, or are being carried out by one.
	Signals []pipeline.Signal `json:"signals,omitempty"`
}

type cutStatus struct {
	Number      int64     `json:"number"`
	Position    string    `json:"position"`
	SourceTime  time.Time `json:"source_time"`
	PublishedAt time.Time `json:"published_at"`
}

// serverStatus is how far the lake is behind the server.
type serverStatus struct {
	Error        string  `json:"error,omitempty"` // why the server could not be asked
	Position     string  `json:"position,omitempty"`
	Transactions int64   `json:"missing_transactions"` // that the lake does not have; -1: unknown
	Lag          float64 `json:"lag_seconds"`          // since the last transaction that it has; 0 when it has all
	Surplus      string  `json:"surplus,omitempty"`    // transactions that the lake has and the server has not
}

type tableStatus struct {
	lake        naming.Identifier
	Table       string    `json:"table"`      // as MySQL calls it
	LakeTable   string    `json:"lake_table"` // as the lake does
	Pipeline    string    `json:"pipeline"`
	Rows        int64     `json:"rows"`
	DataFiles   int64     `json:"data_files"`
	DeleteFiles int64     `json:"delete_files"`
	Bytes       int64     `json:"bytes"`
	SnapshotID  int64     `json:"snapshot_id"`
	CommittedAt time.Time `json:"committed_at"`
	Position    string    `json:"position"`
	Versions    int       `json:"versions"`          // shapes that it had
	Loading     *int64    `json:"loading,omitempty"` // rows of a load that is not complete, which nobody sees yet
	Stopped     bool      `json:"load_stopped,omitempty"`
	Dropped     string    `json:"dropped,omitempty"` // position since which the source has it no more
}

func readStatus(ctx context.Context, c *Config, io streams) (s *status, err error) {
	log := newLogger(c, io.err, nil)
	lake, err := sink.Open(ctx, sinkConfig(c, true), log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lake.Close()) }()
	s = &status{Pipeline: c.Name, Tables: []tableStatus{}}
	tables, err := lake.Tables(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the tables of the lake: %w", err)
	}
	for _, t := range tables {
		one := tableStatus{t.Lake, t.Table.ID.String(), t.Lake.String(), t.Pipeline, t.Rows, t.DataFiles, t.DeleteFiles, t.Bytes, t.SnapshotID,
			t.CommittedAt.UTC(), t.Position.String(), versions(t), nil, false, t.Dropped}
		if t.Load != nil {
			one.Loading, one.Stopped = &t.Load.Rows, t.Load.Stopped
		}
		s.Tables = append(s.Tables, one)
	}
	if s.Signals, err = lake.Signals(ctx); err != nil {
		return nil, err
	}
	cuts, err := lake.Cuts(ctx, 1)
	if err != nil {
		return nil, err
	}
	if len(cuts) > 0 {
		s.Cut = &cutStatus{cuts[0].Number, cuts[0].Position, cuts[0].SourceTime, cuts[0].PublishedAt}
	}
	if c.From == "" {
		return s, nil
	}
	src, err := newSource(c, log)
	if err != nil {
		return nil, err
	}
	position, now, err := src.ServerPosition(ctx)
	if err != nil {
		s.Server = &serverStatus{Error: err.Error(), Transactions: -1}
		return s, nil
	}
	at, err := lake.Resume(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the position of the lake: %w", err)
	}
	s.Server = &serverStatus{Position: position.String(), Transactions: verify.Missing(position, at.Position)}
	if surplus := at.Position.GTIDs.Subtract(position.GTIDs); !surplus.IsEmpty() {
		s.Server.Surplus = surplus.String()
	}
	if s.Server.Transactions != 0 && s.Cut != nil {
		s.Server.Lag = now.Sub(s.Cut.SourceTime).Seconds()
	}
	return s, nil
}

// versions counts the shapes that a table had, also those that are not kept any more.
func versions(t sink.TableInfo) int {
	if n := len(t.Versions); n > 0 {
		return t.Versions[n-1].Number
	}
	return 0
}

// print writes the status for people.
func (s *status) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format, args...) } // a tabwriter keeps the first error for Flush
	p("pipeline\t%s\n", s.Pipeline)
	if s.Cut == nil {
		p("last cut\tnone: nothing was committed yet\n")
	} else {
		p("last cut\t%d, published %s\n", s.Cut.Number, since(s.Cut.PublishedAt))
		p("position\t%s\n", s.Cut.Position)
		p("source time\t%s\n", s.Cut.SourceTime.Format(time.DateTime+" UTC"))
	}
	switch {
	case s.Server == nil:
	case s.Server.Error != "":
		p("server\tnot reached: %s\n", s.Server.Error)
	case s.Server.Surplus != "":
		p("server\tdoes not have transactions that the lake has: %s; beluga check says what to do\n", s.Server.Surplus)
	case s.Server.Transactions == 0:
		p("server\tthe lake has all that the server has\n")
	case s.Server.Transactions < 0:
		p("server\tat %s, which the lake has not reached\n", s.Server.Position)
	default:
		p("server\tthe lake lacks %s; its last one is %s old\n", count(s.Server.Transactions, "transaction"),
			time.Duration(s.Server.Lag*float64(time.Second)).Round(time.Second))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(s.Tables) == 0 {
		return nil
	}
	t = tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	p("\n\t\ttable\trows\tversions\tdata files\tdelete files\tsize\tlast commit\tpipeline\t\n")
	for _, x := range s.Tables {
		p("\t\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t\n", bothNames(x.Table, x.LakeTable), grouped(x.Rows), x.Versions, x.DataFiles, x.DeleteFiles, roundSize(x.Bytes), since(x.CommittedAt), x.Pipeline)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return s.printUnderWay(w)
}

// printUnderWay writes what is not complete.
func (s *status) printUnderWay(w io.Writer) (err error) {
	p := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
	}
	for _, t := range s.Tables {
		switch {
		case t.Loading == nil:
		case t.Stopped:
			p("\nthe load of %s was stopped; beluga snapshot begins it again\n", t.Table)
		default:
			p("\n%s is being loaded: %s so far, which readers do not see yet\n", t.Table, count(*t.Loading, "row"))
		}
	}
	for _, t := range s.Tables {
		if t.Dropped != "" {
			p("\n%s was dropped in the source, at %s: the lake keeps what it had\n", t.Table, t.Dropped)
		}
	}
	for _, x := range s.Signals {
		p("\nsignal %s waits, or is being carried out: %s %s\n", x.ID, x.Type, x.Data)
	}
	return err
}

func since(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return time.Since(t).Round(time.Second).String() + " ago"
}
