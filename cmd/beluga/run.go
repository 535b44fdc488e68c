package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/sink/warehouse"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/snapshot"
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
		return profiled(*profile, func() error { return runPipeline(cmd.Context(), &c, io, parts{source: true, sink: true}) })
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

// parts are the ends of the pipeline that are in this process.
type parts struct{ source, sink bool }

// opened is a pipeline whose parts are open.
type opened struct {
	pipeline *pipeline.Pipeline
	source   *source.MySQL // nil: in another process
	lake     *sink.Lake    // nil: in another process
	closers  closers
}

// runPipeline opens the parts, joins them, and closes them again. A signal that
// comes while they are opened is no fault: nothing was read yet.
func runPipeline(ctx context.Context, c *Config, io streams, which parts) error {
	term := newTerminal(io.err)
	log := newLogger(c, io.err, term)
	limitMemory(c)
	return untilSignal(ctx, c.Shutdown.Timeout, log, func(ctx, stop context.Context) error {
		left, err := runOpened(ctx, stop, c, which, term, log)
		if err == nil && left && c.Once && stop.Err() == nil {
			// The log ends within a transaction, and cuts before it stand in one batch with
			// what there is of that. Each alone, they can be committed.
			each := *c
			each.Commit.Interval = Duration(time.Millisecond)
			_, err = runOpened(ctx, stop, &each, which, term, log)
		}
		return err
	})
}

// runOpened runs the pipeline once, and tells whether its events ended within a
// transaction.
func runOpened(ctx, stop context.Context, c *Config, which parts, term *terminal, log *slog.Logger) (left bool, err error) {
	o, err := openParts(stop, c, which, log)
	if err != nil {
		if stop.Err() != nil && ctx.Err() == nil {
			log.Info("stopped before anything was read", "interrupted", err)
			return false, nil
		}
		return false, err
	}
	defer func() { err = errors.Join(err, o.closers.Close()) }()
	told, err := openControl(stop, c, o, log)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, told.Close()) }()
	p := o.pipeline
	show := &progress{load: func() *snapshot.Progress { return nil }, zeroDates: func() int64 { return 0 }, stats: p.Stats, term: term, log: log}
	if o.source != nil {
		show.load, show.zeroDates = o.source.Progress, o.source.Stats().ZeroDates.Load
	}
	if err := runShown(ctx, stop, p, show, told); err != nil {
		return false, err
	}
	position := p.Stats.Position()
	if position.IsZero() {
		position = p.Lake.Position // nothing was committed
	}
	log.Info("stopped", "rows", p.Stats.Rows.Load(), "commits", p.Stats.Cuts.Load(), "position", position)
	return p.Stats.Left(), nil
}

// openParts opens the lake, if it is written here, and the way from or to it, and
// tells what has to be closed after them.
func openParts(ctx context.Context, c *Config, which parts, log *slog.Logger) (_ *opened, err error) {
	o := &opened{pipeline: &pipeline.Pipeline{Limits: c.limits(), Stats: new(pipeline.Stats)}}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.closers.Close())
		}
	}()
	if which.source {
		if o.source, err = newSource(c, log); err != nil {
			return nil, err
		}
		o.pipeline.Source = o.source
	}
	if which.sink {
		if err := o.openLake(ctx, c, log); err != nil {
			return nil, err
		}
	}
	transport, end, err := openTransport(c, which, log)
	if err != nil {
		return nil, err
	}
	o.pipeline.Transport, o.closers = transport, append(o.closers, end)
	if t, ok := transport.(*kafkalog.Transport); ok && !which.source && c.Once {
		return o, t.EndHere(ctx)
	}
	return o, nil
}

// openLake opens the lake, once what keeps tables from coming into it is found not to be.
func (o *opened) openLake(ctx context.Context, c *Config, log *slog.Logger) error {
	if err := preflight(ctx, c, o.source); err != nil {
		return err
	}
	lake, resume, err := openLake(ctx, c, log)
	if err != nil {
		return err
	}
	o.lake, o.closers = lake, append(o.closers, lake)
	o.pipeline.Sink, o.pipeline.Lake = lake, resume
	if resume.Position.IsZero() && o.source != nil {
		// Before anything is read, and of all tables at once.
		return errors.Join(checkNames(ctx, c, o.source), checkOwners(ctx, o.source, lake))
	}
	return nil
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
	if there, err := hasLake(ctx, c); there || err != nil {
		return err
	}
	_, lakeErr := checkLake(ctx, c, nil, new(checklist))
	if src == nil {
		return lakeErr
	}
	faults, err := src.Preflight(ctx)
	if err != nil {
		return errors.Join(lakeErr, fmt.Errorf("checking the server: %w", err))
	}
	return errors.Join(lakeErr, faults.Err())
}

// hasLake tells whether an earlier run has made the lake.
func hasLake(ctx context.Context, c *Config) (bool, error) {
	if c.remote() == nil {
		_, err := os.Stat(filepath.Join(c.To, warehouse.CatalogFile))
		return err == nil, nil
	}
	lake, err := sink.Open(ctx, sinkConfig(c, true), newLogger(c, io.Discard, nil))
	if errors.Is(err, sink.ErrNoLake) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	resume, err := lake.Resume(ctx)
	return !resume.Position.IsZero(), errors.Join(err, lake.Close())
}
