package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// deadlineError ends a run that takes too long to stop.
type deadlineError struct{ timeout Duration }

// Error tells cause and remedy.
func (e *deadlineError) Error() string {
	return fmt.Sprintf("shutdown.timeout is over (%s), and the last batch is not committed: the next run reads it again; remedy: if that takes too long, "+
		"give it more time (--shutdown-timeout), or commit smaller batches (--commit-interval, --commit-rows)", e.timeout)
}

// untilSignal calls fn and tells it by two contexts how to end: stop is over at
// the first SIGTERM or SIGINT, ctx when the timeout has passed since then. A
// second signal does what a signal does to any process.
func untilSignal(ctx context.Context, timeout Duration, log *slog.Logger, fn func(ctx, stop context.Context) error) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	stop, stopNow := context.WithCancel(ctx)
	defer stopNow()

	var g errgroup.Group
	done := make(chan struct{}) // closed when fn is over
	g.Go(func() error {
		defer close(done)
		return fn(ctx, stop)
	})
	g.Go(func() error {
		select {
		case s := <-signals:
			signal.Stop(signals)
			signal.Reset(syscall.SIGTERM, syscall.SIGINT)
			log.Info("stopping: committing what has been read", "signal", s, "timeout", timeout)
			stopNow()
		case <-done:
			return nil
		}
		select {
		case <-time.After(timeout.std()):
			abort(&deadlineError{timeout})
		case <-done:
		}
		return nil
	})
	err := g.Wait()
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return cause // what failed by it does not matter
	}
	return err
}
