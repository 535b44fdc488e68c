package lane

import (
	"context"
	"errors"
	"fmt"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// readWhole reads a table in one snapshot, at an exact position: rows without a key
// cannot be put a second time, and a server without GTIDs does not say what a statement
// sees.
func (l *Lanes) readWhole(ctx context.Context, out pipeline.Writer, t *table, generation int) error {
	err := l.tryWhole(ctx, out, t, generation)
	if err == nil || errors.Is(err, errVoid) || !l.cfg.Passing(err) && !errors.Is(err, snapshot.ErrTableChanged) {
		return err
	}
	// What was sent is half a snapshot, with which another one does not go.
	l.cfg.Log.Warn("the lane of a table begins anew", "table", t.id, "because", err)
	if err := pause(ctx, retryPause); err != nil {
		return err
	}
	return l.restart(ctx, t, t.wish)
}

func (l *Lanes) tryWhole(ctx context.Context, out pipeline.Writer, t *table, generation int) error {
	s, err := l.openExact(ctx, t)
	if err != nil {
		return err
	}
	defer s.Close()
	if len(s.Tables) != 1 || !l.fits(t, s.Tables[0], generation) {
		return l.awaitShape(ctx, t, generation)
	}
	if err := t.see(generation, s.Position); err != nil {
		return err
	}
	for c, err := range s.Chunks(ctx, s.Tables[0]) {
		if err == nil {
			err = l.awaitTurn(ctx, s)
		}
		if err != nil {
			return err
		}
		if err := s.Read(ctx, 0, c, func(b *schema.Block) error { return l.send(ctx, out, t, generation, nil, b) }); err != nil {
			return err
		}
	}
	if err := t.release(ctx, out, generation); err != nil {
		return err
	}
	return l.done(t, generation, nil, s.Position)
}

// openExact opens a snapshot of the table of which it is known what it shows.
func (l *Lanes) openExact(ctx context.Context, t *table) (*snapshot.Snapshot, error) {
	cfg := l.snapshotConfig(t)
	cfg.Connections = 1
	s, err := snapshot.Open(ctx, cfg)
	if err != nil || s.Exact() {
		return s, err
	}
	s.Close() // it has waited for a moment of quiet
	return nil, fmt.Errorf("it has no key, and the server paused at no moment in which a snapshot could be opened without a lock; "+
		"remedy: load it at a quieter time, or let the user lock (GRANT LOCK TABLES ON %s.*) and choose --snapshot-locking auto, or give the table a key", session.Quote(t.id.Database))
}

// see notes what the snapshot shows: changes before it are dropped.
func (t *table) see(generation int, p schema.Position) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.void(generation) {
		return errVoid
	}
	t.seen = p
	return nil
}

// release sends the changes that waited for the rows, and lets those pass that follow.
func (t *table) release(ctx context.Context, out pipeline.Writer, generation int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.void(generation) {
		return errVoid
	}
	held := t.held
	t.held, t.heldBytes = nil, 0
	for i, b := range held {
		if err := t.sendUnseen(ctx, out, b); err != nil {
			for _, left := range held[i+1:] {
				left.Release()
			}
			return err
		}
	}
	t.holding = false
	t.letGo()
	return nil
}
