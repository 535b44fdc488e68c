package lane

import (
	"context"
	"fmt"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// What follows is for the stream, which calls it under its own lock.

// Begin says how a lane begins.
type Begin struct {
	Table schema.TableID
	// Keep: rows of the table that the lake has stay, but for those that are put in
	// their place.
	Keep bool
	// Request and Condition are those of schema.Load.
	Request, Condition string
	// FromServer: the shape is the one that the server has now, although the stream knows
	// another one.
	FromServer bool
}

// Wake returns what asks the stream for a Commit.
func (l *Lanes) Wake() <-chan struct{} { return l.wake }

// Due returns the lanes that begin between two transactions.
func (l *Lanes) Due() (list []Begin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, w := range l.due {
		if w.condition != "" && !l.at.Contains(l.start) {
			continue // what stays of the table may be in a log in a later shape
		}
		list = append(list, Begin{Table: id, Keep: w.condition != "", Request: w.request, Condition: w.condition, FromServer: w.fromServer})
	}
	return list
}

// Enabled tells whether there can be lanes.
func (l *Lanes) Enabled() bool { return l.enabled.Load() }

// Has tells whether the table is in a lane, or will be.
func (l *Lanes) Has(id schema.TableID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, due := l.due[id]
	_, again := l.again[id]
	return due || again || l.lanes[id] != nil
}

// Again asks for a lane of a table which the stream cannot follow, because of why,
// and has passed over since. It tells whether there will be one.
func (l *Lanes) Again(id schema.TableID, why error) bool {
	if !l.enabled.Load() {
		return false
	}
	if t := l.findAny(id); t != nil {
		t.setVoid()
		if t.wish.restarts >= maxRestarts {
			l.fail(t, errRestless)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := wish{fromServer: true}
	if t := l.lanes[id]; t != nil {
		if t.idle() {
			return true // it waits for somebody to begin it
		}
		w = t.wish.anew()
	} else if _, due := l.due[id]; due {
		return true
	}
	if _, waits := l.again[id]; waits {
		return true
	}
	delete(l.due, id)
	l.again[id] = w
	because, _, _ := strings.Cut(why.Error(), "; remedy") // this is the remedy
	l.cfg.Log.Info("a table is to be loaded in a lane", "table", id, "because", because)
	l.signal()
	return true
}

// Voided tells whether changes of the table are to be passed over.
func (l *Lanes) Voided(id schema.TableID) bool {
	t := l.findAny(id)
	return t != nil && t.isVoided()
}

// Want asks for a lane of a table that the lake does not have.
func (l *Lanes) Want(id schema.TableID) bool {
	if !l.enabled.Load() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lanes[id] == nil {
		l.due[id] = wish{fromServer: true}
		l.Poke()
	}
	return true
}

// Gone says that a table whose lane was due is not on the server.
func (l *Lanes) Gone(id schema.TableID) {
	l.mu.Lock()
	delete(l.due, id)
	l.mu.Unlock()
	l.cfg.Log.Info("a table that was to be loaded in a lane is gone", "table", id)
}

// Refused says that the lane of a table that was due cannot begin.
func (l *Lanes) Refused(id schema.TableID, err error) {
	err = fmt.Errorf("loading table %s in a lane: %w", id, err)
	l.mu.Lock()
	w := l.due[id]
	delete(l.due, id)
	l.failures = append(l.failures, err)
	t := l.lanes[id]
	l.mu.Unlock()
	if t == nil {
		t = &table{id: id, wish: w}
	} else {
		t.stop(false)
	}
	l.tell(t, FailedAtAll, err)
}

// Active tells whether a lane is under way, so that the stream must go on.
func (l *Lanes) Active() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.lanes {
		if !t.idle() {
			return true
		}
	}
	return len(l.due)+len(l.again) > 0
}

// beginAgain has lanes begin whose tables the stream passes over. It waits until the
// stream is where the server was after that, so that no row in a shape of before
// follows the beginning.
func (l *Lanes) beginAgain(ctx context.Context) error {
	for {
		l.mu.Lock()
		ids := make([]schema.TableID, 0, len(l.again))
		for id := range l.again {
			ids = append(ids, id)
		}
		l.mu.Unlock()
		if len(ids) == 0 {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-l.anew:
			}
			continue
		}
		if err := l.catchUp(ctx); err != nil {
			if !l.cfg.Passing(err) || ctx.Err() != nil {
				return err
			}
			if err := pause(ctx, retryPause); err != nil {
				return err
			}
			continue
		}
		l.mu.Lock()
		for _, id := range ids {
			if w, waits := l.again[id]; waits {
				l.due[id] = w
				delete(l.again, id)
			}
		}
		l.mu.Unlock()
		l.Poke()
	}
}

// catchUp waits until the stream is where the server is now.
func (l *Lanes) catchUp(ctx context.Context) error {
	s, err := l.cfg.Snapshot.Open(ctx)
	if err != nil {
		return err
	}
	now, _, err := snapshot.ReadPosition(ctx, s)
	s.Close()
	if err != nil {
		return err
	}
	for !l.passed(now) {
		l.Poke()
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
	return nil
}
