package lane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

const (
	// poll is how often it is looked whether the stream has come somewhere.
	poll = 20 * time.Millisecond
	// retryPause follows an error that may go by itself.
	retryPause = time.Second
)

// Run reads the tables of the lanes that the stream begins, the largest first, and
// sends their rows to out, until ctx ends.
func (l *Lanes) Run(ctx context.Context, out pipeline.Writer) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.readTables(gctx, out) })
	g.Go(func() error { return l.beginAgain(gctx) })
	err := g.Wait()
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end that was asked for
	}
	return err
}

func (l *Lanes) readTables(ctx context.Context, out pipeline.Writer) error {
	for {
		t, err := l.largest(ctx)
		if err == nil && t != nil {
			err = l.read(ctx, out, t)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			if err := l.settle(ctx, t, err); err != nil {
				return err
			}
		case t == nil:
			select {
			case <-ctx.Done():
			case <-l.work:
			}
		}
	}
}

// settle decides what an error means for the lane.
func (l *Lanes) settle(ctx context.Context, t *table, err error) error {
	switch {
	case errors.Is(err, errVoid):
		return nil
	case l.cfg.Passing(err):
		l.cfg.Log.Warn("the lanes lost the server, going on", "error", err, "in", retryPause)
		return pause(ctx, retryPause)
	case t == nil:
		return err
	case errors.Is(err, snapshot.ErrTableChanged):
		return pause(ctx, poll) // the stream will tell of it
	}
	l.fail(t, err)
	return nil
}

func (l *Lanes) fail(t *table, err error) {
	if !t.stop(false) {
		return
	}
	err = fmt.Errorf("loading table %s in a lane: %w", t.id, err)
	l.mu.Lock()
	l.failures = append(l.failures, err)
	l.mu.Unlock()
	l.tell(t, FailedAtAll, err)
	l.Poke()
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// largest returns the largest of the tables that are still to be read; nil: there is
// none, or the reading is paused.
func (l *Lanes) largest(ctx context.Context) (*table, error) {
	l.mu.Lock()
	var open []*table
	for _, t := range l.lanes {
		if !l.paused && t.toRead() {
			open = append(open, t)
		}
	}
	l.mu.Unlock()
	if len(open) <= 1 {
		return first(open), nil
	}
	s, err := l.cfg.Snapshot.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	best, most := open[0], int64(-1)
	for _, t := range open {
		d, err := l.cfg.Snapshot.Describe(ctx, s, &t.id)
		if err == nil && len(d) == 1 && d[0].Rows > most { // what is wrong with one shows when it is read
			best, most = t, d[0].Rows
		}
	}
	return best, nil
}

func first(list []*table) *table {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// toRead tells whether rows of the table are still to be read.
func (t *table) toRead() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rest) > 0 && !t.idleLocked()
}

func (l *Lanes) read(ctx context.Context, out pipeline.Writer, t *table) error {
	t.mu.Lock()
	generation, rest, whole := t.generation, t.rest, t.whole
	t.mu.Unlock()
	if whole {
		return l.readWhole(ctx, out, t, generation)
	}
	return l.readRanges(ctx, out, t, generation, rest)
}

// snapshotConfig is how the table is read: alone, with the condition of the lane.
func (l *Lanes) snapshotConfig(t *table) snapshot.Config {
	cfg := l.cfg.Snapshot
	describe := cfg.Describe
	cfg.Describe = func(ctx context.Context, s *session.Session, _ *schema.TableID) ([]snapshot.Described, error) {
		list, err := describe(ctx, s, &t.id)
		for i := range list {
			switch f := &list[i].Filter; {
			case t.wish.condition == "":
			case *f == "":
				*f = t.wish.condition
			default:
				*f = "(" + *f + "\n) AND (" + t.wish.condition + "\n)"
			}
		}
		return list, err
	}
	return cfg
}

// awaitShape is called where the server's table has another shape than the stream's
// rows. It waits until the stream has come to where the server was then. If it has
// met no change of the shape on its way, it never will, and the lane begins anew with
// the server's. So does one of a table that is read as a whole, at once: the stream may
// not come there, since it waits for the rows.
func (l *Lanes) awaitShape(ctx context.Context, t *table, generation int) error {
	if t.whole {
		l.Again(t.id, snapshot.ErrTableChanged)
		return errVoid
	}
	s, err := l.cfg.Snapshot.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	now, _, err := snapshot.ReadPosition(ctx, s)
	if err != nil {
		return err
	}
	t.behind.Store(true)
	defer t.behind.Store(false)
	for !l.passed(now) {
		if t.isVoid(generation) {
			return errVoid
		}
		l.Poke()
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
	if t.isVoid(generation) {
		return errVoid
	}
	w := t.wish.anew()
	if w.restarts > maxRestarts {
		return errRestless
	}
	return l.restart(ctx, t, w)
}

// anew is the wish for a lane that cannot go on: now all rows of the table are needed.
func (w wish) anew() wish {
	return wish{request: w.request, fromServer: true, restarts: w.restarts + 1}
}

var errRestless = errors.New("it changes again and again in ways that cannot be followed; remedy: end what alters it, and start Beluga again, which loads it anew")

// restart has the stream begin the lane anew, and waits until it has.
func (l *Lanes) restart(ctx context.Context, t *table, w wish) error {
	l.mu.Lock()
	if l.lanes[t.id] == t {
		l.due[t.id] = w
	}
	l.mu.Unlock()
	for l.isDue(t.id) {
		l.Poke()
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
	return errVoid
}

func (l *Lanes) passed(p schema.Position) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at.Contains(p)
}

func (t *table) isVoid(generation int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.void(generation)
}

func (l *Lanes) isDue(id schema.TableID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, due := l.due[id]
	return due
}
