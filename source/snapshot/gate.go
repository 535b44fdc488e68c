package snapshot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/beluga-cdc/beluga/source/session"
)

// lookEvery is how often it is looked whether the load has to pause, and whether it
// may go on.
const lookEvery = time.Second

// gate holds up the readers between two chunks while the server is busy.
type gate struct {
	snapshot *Snapshot
	session  *session.Session // nothing else waits for what it asks

	mu     sync.Mutex // held while waiting, so that one asks for all
	looked time.Time
}

// pass waits until the server is not busy.
func (g *gate) pass(ctx context.Context) error {
	if g.session == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.looked) < lookEvery {
		return nil
	}
	why, err := g.look(ctx)
	if err != nil || why == "" {
		return err
	}
	log, paused := g.snapshot.cfg.Log, time.Now()
	log.Info("the load pauses", "because", why)
	for why != "" {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lookEvery):
		}
		if why, err = g.look(ctx); err != nil {
			return err
		}
	}
	log.Info("the load goes on", "paused", time.Since(paused).Round(time.Millisecond))
	return nil
}

func (g *gate) look(ctx context.Context) (why string, err error) {
	if why, err = g.snapshot.cfg.Busy(ctx, g.session); err != nil {
		return "", fmt.Errorf("looking whether the load has to pause: %w", err)
	}
	g.looked = time.Now()
	g.snapshot.progress.paused.Store(&why)
	return why, nil
}

// AwaitQuiet waits while the server is busier than it may be for tables to be read.
func (s *Snapshot) AwaitQuiet(ctx context.Context) error { return s.gate.pass(ctx) }
