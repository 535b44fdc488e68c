package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"

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
transaction is committed, within --shutdown-timeout. A second signal ends it at
once, which costs nothing but reading that part again.`,
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

// runPipeline opens the parts, joins them, and closes them again. A signal that
// comes while they are opened is no fault: nothing was read yet.
func runPipeline(ctx context.Context, c *Config, io streams) error {
	term := newTerminal(io.err)
	log := newLogger(c, io.err, term)
	limitMemory(c)
	src, err := newSource(c, log)
	if err != nil {
		return err
	}
	return untilSignal(ctx, c.Shutdown.Timeout, log, func(ctx, stop context.Context) (err error) {
		p, lake, open, err := openPipeline(stop, c, src, log)
		if err != nil {
			if stop.Err() != nil && ctx.Err() == nil {
				log.Info("stopped before anything was read", "interrupted", err)
				return nil
			}
			return err
		}
		defer func() { err = errors.Join(err, open.Close()) }()
		told, err := openControl(stop, c, src, lake, p, log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, told.Close()) }()
		show := &progress{load: src.Progress, zeroDates: src.Stats().ZeroDates.Load, stats: p.Stats, term: term, log: log}
		if err := runShown(ctx, stop, p, show, told); err != nil {
			return err
		}
		position := p.Stats.Position()
		if position.IsZero() {
			position = p.Lake.Position // nothing was committed
		}
		log.Info("stopped", "rows", p.Stats.Rows.Load(), "commits", p.Stats.Cuts.Load(), "position", position)
		return nil
	})
}

// openPipeline opens the lake and the way to it, and tells what has to be closed
// after them.
func openPipeline(ctx context.Context, c *Config, src *source.MySQL, log *slog.Logger) (_ *pipeline.Pipeline, lake *sink.Lake, open closers, err error) {
	if err := preflight(ctx, c, src); err != nil {
		return nil, nil, nil, err
	}
	lake, resume, err := openLake(ctx, c, log)
	if err != nil {
		return nil, nil, nil, err
	}
	open = closers{lake}
	if resume.Position.IsZero() {
		// Before anything is read, and of all tables at once.
		if err := errors.Join(checkNames(ctx, c, src), checkOwners(ctx, src, lake)); err != nil {
			return nil, nil, nil, errors.Join(err, open.Close())
		}
	}
	transport, opened, err := openTransport(c, log)
	if err != nil {
		return nil, nil, nil, errors.Join(err, open.Close())
	}
	return &pipeline.Pipeline{Source: src, Transport: transport, Sink: lake, Lake: resume, Limits: c.limits(), Stats: new(pipeline.Stats)}, lake, append(open, opened), nil
}

// runShown runs the pipeline, shows how far it is, and lets it be told more.
func runShown(ctx, stop context.Context, p *pipeline.Pipeline, show *progress, told *control) error {
	g, ctx := errgroup.WithContext(ctx)
	done, finished := context.WithCancel(ctx)
	g.Go(func() error {
		defer finished()
		return p.Run(ctx, stop)
	})
	g.Go(func() error { return show.run(done) })
	g.Go(func() error { return told.run(ctx, done) })
	return g.Wait()
}

func openLake(ctx context.Context, c *Config, log *slog.Logger) (*sink.Lake, pipeline.Resume, error) {
	cfg := sinkConfig(c, false)
	names, err := c.Names.mapping()
	if err != nil {
		return nil, pipeline.Resume{}, err
	}
	cfg.Names = names
	lake, err := sink.Open(ctx, cfg, log.With("part", "sink"))
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
