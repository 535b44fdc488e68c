package source

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// heartbeat runs a statement on the server at intervals while the binlog is
// followed. What it writes moves the position of a server on which nothing else
// happens. It has a session of its own: the statement may wait for locks.
type heartbeat struct {
	query string
	every time.Duration
	open  func(context.Context) (*session.Session, error)
	log   *slog.Logger

	session *session.Session
	failed  bool
}

// run beats until ctx ends. No fault of the statement ends it, nor the stream: the
// changes that the lake waits for are those of the others.
func (h *heartbeat) run(ctx context.Context) error {
	defer func() { h.session.Close() }()
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	for {
		h.tell(ctx, h.beat(ctx))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// beating runs the stream, and the heartbeat beside it. A stream that has an end
// needs none.
func (m *MySQL) beating(ctx context.Context, until *schema.Position, stream func(context.Context) error) error {
	if m.cfg.ActionQuery == "" || until != nil {
		return stream(ctx)
	}
	h := heartbeat{query: m.cfg.ActionQuery, every: m.cfg.ActionInterval, open: m.openSession, log: m.log}
	g, ctx := errgroup.WithContext(ctx)
	beating, stop := context.WithCancel(ctx)
	g.Go(func() error {
		defer stop()
		return stream(ctx)
	})
	g.Go(func() error { return h.run(beating) })
	return g.Wait()
}

func (h *heartbeat) beat(ctx context.Context) (err error) {
	if h.session == nil {
		if h.session, err = h.open(ctx); err != nil {
			return err
		}
	}
	if _, err = h.session.Query(ctx, h.query); err != nil {
		h.session.Close()
		h.session = nil
	}
	return err
}

// tell says once that the statement fails, and once that it does no more.
func (h *heartbeat) tell(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !h.failed:
		h.failed = true
		h.log.Warn("the statement of heartbeat.action-query fails, and is tried again each time", "error", err, "remedy", "run beluga check, which tells what is missing", "interval", h.every)
	case err == nil && h.failed:
		h.failed = false
		h.log.Info("the statement of heartbeat.action-query succeeds again")
	}
}

const errNotPreparable = 1295 // ER_UNSUPPORTED_PS

// heartbeatFaults lets the server prepare the statement, which tells whether it
// understands it and the user may do it, and does nothing.
func heartbeatFaults(ctx context.Context, s *session.Session, g grants, query string) (Faults, error) {
	if query == "" {
		return nil, nil
	}
	const subject = "heartbeat.action-query"
	err := s.Prepare(ctx, query)
	switch number := session.Number(err); {
	case err == nil || number == errNotPreparable:
		return nil, nil
	case number == 0:
		return nil, fmt.Errorf("preparing the statement of heartbeat.action-query: %w", err)
	case number == session.ErrTableAccessDenied || number == session.ErrColumnAccessDenied || number == session.ErrDBAccessDenied || number == session.ErrPrivilege:
		return Faults{{Warning, subject, "the user may not run it: " + serverText(err), grantFor(query, serverText(err), g.account)}}, nil
	}
	return Faults{{Warning, subject, "the server refuses it: " + serverText(err), "correct the statement, and create what it names; tables with their database"}}, nil
}

// denied is how the server words a missing privilege on a table.
var denied = regexp.MustCompile("([A-Z][A-Z, ]*[A-Z]) command denied to user .* for table [`']?(?:[^`'.]*[`']?\\.[`']?)?([^`'.]+)[`']?$")

// grantFor is the statement that lets the user do what was denied. MySQL does not
// name the database, which the query does.
func grantFor(query, denial, account string) string {
	m := denied.FindStringSubmatch(denial)
	if m == nil {
		return "grant " + account + " what the statement needs"
	}
	qualified := regexp.MustCompile("(?i)([\\p{L}\\p{N}_$]+|`[^`]+`)\\s*\\.\\s*`?" + regexp.QuoteMeta(m[2]) + "\\b").FindStringSubmatch(query)
	if qualified == nil {
		return fmt.Sprintf("name the table %s with its database, and GRANT %s on it to %s", m[2], m[1], account)
	}
	return fmt.Sprintf("GRANT %s ON %s.%s TO %s", m[1], qualified[1], session.Quote(m[2]), account)
}
