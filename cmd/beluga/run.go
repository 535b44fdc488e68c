package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/sink/warehouse"
	"github.com/beluga-cdc/beluga/source"
)

func runCommand(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Load the tables, then follow their changes",
		Long: `Load all tables in one consistent state, then follow the binlog. A run that was
stopped, in whatever way, goes on where the lake stands.

SIGTERM and SIGINT end it in order: what has been read up to the last whole
transaction is committed. A second signal ends it at once, which costs nothing
but reading that part again.`,
		Example: `  beluga run --from mysql://root@localhost/shop --to ./lake
  beluga run --from mysql://root@localhost --to ./lake --tables 'shop\.(orders|items)' --once
  beluga run --from mysql://root@localhost/shop --to ./lake --kafka localhost:9092
  beluga run -c beluga.yml`,
		Args: noArgs,
	}
	settings := addConfigFlags(cmd, []string{"from", "to"})
	profile := cmd.Flags().String("cpuprofile", "", "write a CPU profile to this file")
	_ = cmd.Flags().MarkHidden("cpuprofile") // fails only for a name that is not there
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		return profiled(*profile, func() error { return runPipeline(cmd.Context(), &c, io) })
	}
	return cmd
}

// profiled runs fn under the CPU profiler, if a file is named.
func profiled(path string, fn func() error) (err error) {
	if path == "" {
		return fn()
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("creating the profile: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return fmt.Errorf("profiling: %w", err)
	}
	defer pprof.StopCPUProfile()
	return fn()
}

// runPipeline opens the parts, joins them, and closes them again.
func runPipeline(ctx context.Context, c *Config, io streams) (err error) {
	term := newTerminal(io.err)
	log := newLogger(c, io.err, term)
	limitMemory(c)
	src, err := newSource(c, log)
	if err != nil {
		return err
	}
	if err := preflight(ctx, c, src); err != nil {
		return err
	}
	lake, resume, err := openLake(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lake.Close()) }()
	if resume.Position.IsZero() {
		// Before anything is read, and of all tables at once.
		if err := checkOwners(ctx, src, lake); err != nil {
			return err
		}
	}
	transport, opened, err := openTransport(c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()

	p := &pipeline.Pipeline{Source: src, Transport: transport, Sink: lake, Lake: resume, Limits: c.limits(), Stats: new(pipeline.Stats)}
	show := &progress{load: src.Progress, zeroDates: src.Stats().ZeroDates.Load, stats: p.Stats, term: term, log: log}
	if err := runUntilSignal(ctx, c, p, show); err != nil {
		return err
	}
	position := p.Stats.Position()
	if position.IsZero() {
		position = resume.Position // nothing was committed
	}
	log.Info("stopped", "rows", p.Stats.Rows.Load(), "commits", p.Stats.Cuts.Load(), "position", position)
	return nil
}

func openLake(ctx context.Context, c *Config, log *slog.Logger) (*sink.Lake, pipeline.Resume, error) {
	lake, err := sink.Open(ctx, sinkConfig(c, false), log.With("part", "sink"))
	if err != nil {
		return nil, pipeline.Resume{}, err
	}
	resume, err := lake.Resume(ctx)
	if err != nil {
		return nil, pipeline.Resume{}, errors.Join(fmt.Errorf("reading what the lake holds: %w", err), lake.Close())
	}
	return lake, resume, nil
}

// preflight looks at server and lake before a first run makes anything, and
// tells all that is wrong with both at once. A later run needs fewer rights, and
// the source looks at the server by itself.
func preflight(ctx context.Context, c *Config, src *source.MySQL) error {
	if _, err := os.Stat(filepath.Join(c.To, warehouse.CatalogFile)); err == nil {
		return nil
	}
	_, lakeErr := checkLake(ctx, c, nil, new(checklist))
	faults, err := src.Preflight(ctx)
	if err != nil {
		return errors.Join(lakeErr, fmt.Errorf("checking the server: %w", err))
	}
	return errors.Join(lakeErr, faults.Err())
}

// errDeadline ends a run that takes too long to stop.
var errDeadline = errors.New("shutdown.timeout is over, and the last batch is not committed; the next run reads it again")

// runUntilSignal runs the pipeline until it ends or a signal tells it to.
func runUntilSignal(ctx context.Context, c *Config, p *pipeline.Pipeline, show *progress) error {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	stop, stopNow := context.WithCancel(ctx)
	defer stopNow()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	g, gctx := errgroup.WithContext(ctx)
	done, finished := context.WithCancel(gctx)
	g.Go(func() error {
		defer finished()
		return p.Run(gctx, stop)
	})
	g.Go(func() error { return show.run(done) })
	g.Go(func() error {
		select {
		case s := <-signals:
			// From here on a signal does what it does to any process: ends it.
			signal.Stop(signals)
			signal.Reset(syscall.SIGTERM, syscall.SIGINT)
			show.log.Info("stopping: committing what has been read", "signal", s, "timeout", c.Shutdown.Timeout)
			stopNow()
		case <-done.Done():
			return nil
		}
		select {
		case <-time.After(c.Shutdown.Timeout.std()):
			abort(errDeadline)
		case <-done.Done():
		}
		return nil
	})
	err := g.Wait()
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return cause
	}
	return err
}
