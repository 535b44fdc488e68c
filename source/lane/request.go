package lane

import (
	"context"
	"time"
)

// Pending tells whether something of a request is still to be done: a lane of it
// waits to begin, reads, or has to be caught up with.
func (l *Lanes) Pending(request string) bool {
	return l.Waiting(request) || l.any(request, func(t *table) bool { return !t.idle() })
}

// Waiting tells whether a lane of a request waits for the stream to begin it.
func (l *Lanes) Waiting(request string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.due {
		if w.request == request {
			return true
		}
	}
	for _, w := range l.again {
		if w.request == request {
			return true
		}
	}
	return false
}

// scanPoll is how often WaitScanned looks. Chunks take longer.
const scanPoll = 10 * time.Millisecond

// WaitScanned returns when no lane of a request has rows to read any more, none may
// read or can without the stream, or ctx ends. The stream may be held up by it: so a
// Pause ends it too, for what resumes the lanes may come by the stream.
func (l *Lanes) WaitScanned(ctx context.Context, request string) error {
	tick := time.NewTicker(scanPoll)
	defer tick.Stop()
	for !l.isPaused() && l.any(request, func(t *table) bool { return t.toRead() && !t.behind.Load() }) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

func (l *Lanes) isPaused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paused
}

func (l *Lanes) any(request string, is func(*table) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.lanes {
		if t.wish.request == request && is(t) {
			return true
		}
	}
	return false
}
