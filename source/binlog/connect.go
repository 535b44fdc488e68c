package binlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

const (
	firstPause = 100 * time.Millisecond
	longPause  = 5 * time.Second
)

// follow reads the binlog, and connects again where the connection is lost:
// from the last transaction's end.
func (r *run) follow(ctx context.Context) error {
	pause := firstPause
	for {
		before := r.eventsSeen()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !retryable(err) {
			return err
		}
		if r.eventsSeen() != before {
			pause = firstPause
		}
		r.cfg.Logger.Warn("binlog connection lost, connecting again", "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// eventsSeen tells whether a connection got anywhere.
func (r *run) eventsSeen() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events
}

// session is one connection's life. The error tells why it ended.
func (r *run) session(ctx context.Context) error {
	r.mu.Lock()
	at := r.position()
	r.connecting = true
	r.mu.Unlock()
	if err := r.check(ctx); err != nil {
		return err
	}
	if r.cfg.Ask != nil && r.gtidMode {
		var err error
		if at.GTIDs, err = r.ask(ctx); err != nil {
			return err
		}
	}
	d := r.newDialer()
	defer d.close()
	defer context.AfterFunc(ctx, d.close)()
	id := r.cfg.ServerID
	if id == 0 {
		id = randomID()
	}
	dump, err := r.open(ctx, d, id, at, r.gtidMode)
	if err != nil {
		return classify(err)
	}
	err = r.receive(ctx, dump)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetPlaces()
	r.cutTransaction()
	clear(r.maps)
	return err
}

// ask returns the set to connect with where some servers' transactions are left out.
// What nobody will send any more counts as passed: it may be all that is missing.
func (r *run) ask(ctx context.Context) (schema.GTIDSet, error) {
	r.mu.Lock()
	at := r.gtids.Clone()
	r.mu.Unlock()
	asked, passed, err := r.cfg.Ask(ctx, at)
	if err != nil {
		return asked, classify(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if passed = passed.Subtract(at); passed.IsEmpty() {
		return asked, nil
	}
	r.gtids.AddSet(passed)
	r.dirtyNow()
	if r.until == nil {
		return asked, nil
	}
	r.remaining = r.remaining.Subtract(passed)
	r.missing = r.remaining.Subtract(at).Count()
	return asked, r.checkUntil(ctx)
}

// check asks whether the server can still continue where the stream stands.
func (r *run) check(ctx context.Context) error {
	if r.cfg.Check == nil {
		return nil
	}
	r.mu.Lock()
	at := r.position()
	r.mu.Unlock()
	if err := r.cfg.Check(ctx, at); err != nil {
		return classify(err)
	}
	return nil
}

// receive takes events until one cannot be had, or taken.
//
// A server that was reset leaves out, in silence, the transactions that have the
// names of ours: we said that we have them. It may be reset between the check
// before the connection and the moment when it opens its first file, which the
// first format event shows; so it is checked again then. And whenever nothing
// comes, since that may be the reason.
func (r *run) receive(ctx context.Context, dump *dump) error {
	opened := false
	for {
		h, body, err := dump.next()
		if err != nil {
			return classify(err)
		}
		if err := r.take(ctx, &h, body); err != nil {
			return err
		}
		switch {
		case h.typ == evFormat && !opened:
			opened = true
		case h.typ == evHeartbeat, h.typ == evHeartbeat2:
		default:
			continue
		}
		if err := r.check(ctx); err != nil {
			return err
		}
	}
}

func (r *run) take(ctx context.Context, h *header, body []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events++
	err := r.onEvent(ctx, h, body)
	r.ended = r.ended || err != nil && !retryable(err)
	return err
}

// connectionError is an error after which a new connection may do.
type connectionError struct{ err error }

func (e connectionError) Error() string { return e.err.Error() }
func (e connectionError) Unwrap() error { return e.err }

func retryable(err error) bool {
	var c connectionError
	return errors.As(err, &c)
}

// retryCodes are server errors that pass: shutting down, too many connections,
// killed, network trouble.
var retryCodes = map[uint16]bool{1040: true, 1053: true, 1077: true, 1079: true, 1152: true, 1158: true, 1159: true, 1160: true, 1161: true, 1184: true,
	1203: true, 1317: true, 3032: true, 3168: true, 3169: true, 4031: true}

// classify sorts an error of the connection: position lost, to be tried again,
// or fatal.
func classify(err error) error {
	if errors.Is(err, ErrPositionLost) || retryable(err) {
		return err
	}
	var my *mysql.MyError
	if errors.As(err, &my) {
		switch {
		case my.Code == 1789 || my.Code == 1236 && positionLost(my.Message):
			return fmt.Errorf("%w: %s", ErrPositionLost, my.Message)
		case my.Code == 1236 && strings.Contains(my.Message, "max_allowed_packet"):
			return fmt.Errorf("reading the binlog: %w; remedy: raise max_allowed_packet on the server to 1 GiB", err)
		case retryCodes[my.Code] || my.Code == 1236 && strings.Contains(my.Message, "same server"):
			return connectionError{err}
		}
		return fmt.Errorf("reading the binlog: %w", err)
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, mysql.ErrBadConn) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return connectionError{err}
	}
	return fmt.Errorf("reading the binlog: %w", err)
}

// positionLost tells by the text of error 1236, which stands for many faults,
// whether the log after our position is gone.
func positionLost(message string) bool {
	m := strings.ToLower(message)
	for _, s := range []string{"purged", "could not find first log file", "impossible position", "more gtids", "could not open log file",
		"not in the master's binlog", "on the master is missing the gtid"} {
		if strings.Contains(m, s) {
			return true
		}
	}
	return false
}
