package main

import (
	"cmp"
	"context"
	"fmt"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/internal/sysbench"
)

// bench is what the bench commands were told.
type bench struct {
	settings     *settings
	tables       int
	rows         int
	inserts      int
	transactions int
	sessions     int
	seed         uint64
	force        bool

	transports []string
	profile    string
	dir        string
}

const defaultBenchDatabase = "beluga_bench"

func benchCommand(io streams) *cobra.Command {
	b := &bench{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure load and catch-up with sysbench-shaped tables",
		Long: `Make sysbench's tables on a server, then measure three things: the first load;
catching up with inserts, in transactions of 10,000 rows; catching up with
transactions like those of oltp_write_only. Each is run by a "beluga run --once"
of its own, so that the load on the server does not count. The tables are made in
the database that --from names, ` + defaultBenchDatabase + ` if it names none.`,
		Example: `  beluga bench --from mysql://root@localhost
  beluga bench --from mysql://root@localhost --rows 100000 --transports direct,localhost:9092 --profile .
  beluga bench prepare --from mysql://root@localhost/demo --rows 100000`,
		Args: noArgs,
	}
	b.settings = addConfigFlags(cmd, []string{"from"}, "from", "commit", "memory", "snapshot")
	b.addFlags(cmd, "tables", "rows", "inserts", "transactions", "sessions", "seed", "force")
	f := cmd.Flags()
	f.StringSliceVar(&b.transports, "transports", []string{"direct", Embedded}, "what to measure: direct, embedded, and addresses of a Kafka broker")
	f.StringVar(&b.profile, "profile", "", "write CPU profiles of the runs to this `folder`")
	f.StringVar(&b.dir, "dir", "", "keep the lakes in this `folder` (default: a temporary one, removed at the end)")
	cmd.RunE = b.command(func(ctx context.Context, c *Config, t *sysbench.Tables) error {
		return (&measurement{bench: b, config: c, tables: t, io: io}).run(ctx)
	})
	for _, part := range benchParts {
		cmd.AddCommand(part.command(io))
	}
	return cmd
}

func (b *bench) addFlags(cmd *cobra.Command, names ...string) {
	f := cmd.Flags()
	for _, name := range names {
		switch name {
		case "tables":
			f.IntVar(&b.tables, name, 4, "number of tables")
		case "rows":
			f.IntVar(&b.rows, name, 500_000, "rows of each table at first")
		case "inserts":
			f.IntVar(&b.inserts, name, 1_000_000, "rows to insert then, over all tables")
		case "transactions":
			f.IntVar(&b.transactions, name, 100_000, "transactions of four row changes to run then")
		case "sessions":
			f.IntVar(&b.sessions, name, 32, "sessions that run the transactions")
		case "seed":
			f.Uint64Var(&b.seed, name, 1, "of the random rows")
		case "force":
			f.BoolVar(&b.force, name, false, "drop tables of the same names that were not made by beluga bench")
		}
	}
}

// benchPart is a command that does one of the things that bench does to a
// server, and measures nothing but that: with it one can watch a run of one's own.
type benchPart struct {
	name, short string
	flags       []string
	do          func(b *bench, ctx context.Context, t *sysbench.Tables, report func(rows int)) error
}

var benchParts = []benchPart{
	{"prepare", "Make the tables and fill them", []string{"tables", "rows", "seed", "force"}, (*bench).prepare},
	{"insert", "Insert rows into tables that prepare made", []string{"tables", "rows", "inserts", "seed"}, (*bench).insert},
	{"write", "Run transactions on tables that prepare made", []string{"tables", "rows", "transactions", "sessions", "seed"}, (*bench).write},
	{"alter", "Add a column with a default to tables that prepare made, and set it in some rows", []string{"tables"}, (*bench).alter},
}

func (p benchPart) command(io streams) *cobra.Command {
	b := &bench{}
	cmd := &cobra.Command{Use: p.name, Short: p.short, Args: noArgs}
	b.settings = addConfigFlags(cmd, []string{"from"}, "from")
	b.addFlags(cmd, p.flags...)
	cmd.RunE = b.command(func(ctx context.Context, _ *Config, t *sysbench.Tables) error {
		term := newTerminal(io.err)
		return timed(ctx, p.name, io, term, func(report func(int)) error { return p.do(b, ctx, t, report) })
	})
	return cmd
}

func (b *bench) prepare(ctx context.Context, t *sysbench.Tables, report func(rows int)) error {
	if err := t.Create(ctx, b.force); err != nil {
		return err
	}
	return t.Fill(ctx, report)
}

func (b *bench) insert(ctx context.Context, t *sysbench.Tables, report func(rows int)) error {
	return t.Insert(ctx, b.inserts, report)
}

func (b *bench) write(ctx context.Context, t *sysbench.Tables, report func(rows int)) error {
	return t.Write(ctx, b.transactions, b.sessions, report)
}

func (b *bench) alter(ctx context.Context, t *sysbench.Tables, report func(rows int)) error {
	return t.AddColumn(ctx, "note", report)
}

// command opens the server for a command.
func (b *bench) command(do func(ctx context.Context, c *Config, t *sysbench.Tables) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		c, err := b.settings.load()
		if err != nil {
			return err
		}
		if err := b.validate(cmd); err != nil {
			return err
		}
		ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
		defer cancel()
		tables, err := b.open(&c)
		if err != nil {
			return err
		}
		defer func() { _ = tables.DB.Close() }() // only idle connections are left
		return do(ctx, &c, tables)
	}
}

// validate checks the numbers of those flags that the command has.
func (b *bench) validate(cmd *cobra.Command) error {
	for name, v := range map[string]int{"tables": b.tables, "rows": b.rows, "inserts": b.inserts, "transactions": b.transactions, "sessions": b.sessions} {
		if cmd.Flags().Lookup(name) != nil && v < 1 {
			return usageError{fmt.Errorf("--%s %d must be more than zero", name, v), cmd.CommandPath() + " --help shows what it means"}
		}
	}
	return nil
}

func (b *bench) open(c *Config) (*sysbench.Tables, error) {
	s, err := serverOf(c)
	if err != nil {
		return nil, err
	}
	if s.Endpoint, err = s.Endpoint.WithPassword(); err != nil {
		return nil, err
	}
	tlsConfig, err := s.Endpoint.TLSConfig()
	if err != nil {
		return nil, err
	}
	db, err := sysbench.Open(sysbench.Server{Network: s.Endpoint.Network, Address: s.Endpoint.Address, User: s.Endpoint.User,
		Password: s.Endpoint.Password.Reveal(), TLS: tlsConfig})
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(max(b.sessions, b.tables, 1))
	return &sysbench.Tables{DB: db, Database: cmp.Or(s.Database, defaultBenchDatabase), Count: b.tables, Rows: b.rows, Seed: b.seed}, nil
}

// timed runs one load on the server, shows how far it is and says how fast it
// was.
func timed(ctx context.Context, name string, io streams, term *terminal, do func(report func(rows int)) error) error {
	var rows atomic.Int64
	start := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	done, finished := context.WithCancel(gctx)
	g.Go(func() error {
		defer finished()
		return do(func(n int) { rows.Add(int64(n)) })
	})
	if term != nil {
		g.Go(func() error {
			return redraw(done, term, func() string { return fmt.Sprintf("%s · %s row changes on the server", name, grouped(rows.Load())) })
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	took := time.Since(start)
	_, err := fmt.Fprintf(io.err, "%s: %s row changes on the server in %s, %s rows/s\n", name, grouped(rows.Load()), took.Round(10*time.Millisecond),
		grouped(int64(float64(rows.Load())/took.Seconds())))
	return err
}
