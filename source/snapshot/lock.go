package snapshot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/source/session"
)

// take takes a lock. While it waits, for a long query or a table that is locked
// by hand, new writes of everybody wait behind it: so the wait is short, and
// whoever was in the way is named.
//
// It may also wait for ever: for a transaction that waits for a row of another,
// which waits behind this very lock. The server's two kinds of locks do not know
// of each other, and only time ends that. So the first waits are the shortest,
// and between two of them those who waited behind can pass.
func (s *Snapshot) take(ctx context.Context, what, sql string) error {
	longest := max(time.Second, s.cfg.LockWait.Truncate(time.Second))
	for wait := time.Second; ; wait = min(2*wait, longest) {
		start := time.Now()
		err := s.tryLock(ctx, what, sql, wait)
		if err == nil {
			s.cfg.Log.Debug(what+" taken", "waited", time.Since(start))
			return nil
		}
		if session.Number(err) != session.ErrLockWait {
			return err
		}
		if wait == longest {
			who := s.blockers(ctx, wait)
			return fmt.Errorf("taking %s: not granted within %d s because of %s; end these, or start at a quieter time: %w", what, wait/time.Second, who, err)
		}
		s.cfg.Log.Info(what+" is not granted, letting others pass and trying again", "waited", wait)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait / 5):
		}
	}
}

// tryLock waits once.
func (s *Snapshot) tryLock(ctx context.Context, what, sql string, wait time.Duration) error {
	if _, err := s.control.Query(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d", wait/time.Second)); err != nil {
		return fmt.Errorf("bounding the wait for %s: %w", what, err)
	}
	_, err := s.control.Query(ctx, sql)
	switch session.Number(err) {
	case session.ErrLockWait:
		return err
	case session.ErrPrivilege, session.ErrAccessDenied, session.ErrDBAccessDenied, session.ErrTableAccessDenied:
		return refusedError{fmt.Errorf("taking %s: %w", what, err)}
	}
	if err != nil {
		return fmt.Errorf("taking %s: %w", what, err)
	}
	return nil
}

// refusedError is one of a user who may not lock.
type refusedError struct{ err error }

func (e refusedError) Error() string { return e.err.Error() }
func (e refusedError) Unwrap() error { return e.err }

// blockers names the sessions that have been at work, or idle inside a
// transaction or LOCK TABLES, for as long as the lock was waited for.
func (s *Snapshot) blockers(ctx context.Context, waited time.Duration) string {
	const query = `SELECT t.PROCESSLIST_ID, COALESCE(t.PROCESSLIST_USER, ''), COALESCE(t.PROCESSLIST_HOST, ''), t.PROCESSLIST_TIME,
		COALESCE(LEFT(t.PROCESSLIST_INFO, 80), '')
		FROM performance_schema.threads t
		WHERE t.PROCESSLIST_ID IS NOT NULL AND t.PROCESSLIST_ID <> CONNECTION_ID() AND t.PROCESSLIST_TIME >= %d - 1 AND t.NAME LIKE 'thread/sql/one_connection'
		AND (t.PROCESSLIST_COMMAND IN ('Query', 'Execute') AND COALESCE(t.PROCESSLIST_STATE, '') NOT LIKE 'Waiting for %%lock'
			OR EXISTS (SELECT 1 FROM performance_schema.metadata_locks m WHERE m.OWNER_THREAD_ID = t.THREAD_ID
				AND m.LOCK_STATUS = 'GRANTED' AND (m.OBJECT_TYPE IN ('GLOBAL', 'COMMIT') OR m.LOCK_TYPE IN ('SHARED_NO_READ_WRITE', 'SHARED_READ_ONLY', 'EXCLUSIVE'))))
		ORDER BY t.PROCESSLIST_TIME DESC LIMIT 5`
	r, err := s.control.Query(ctx, fmt.Sprintf(query, waited/time.Second))
	if err != nil {
		return "other sessions (the user may not see which: GRANT SELECT ON performance_schema.* to be told)"
	}
	var list []string
	for i := range r.RowNumber() {
		field := func(n int) string { v, _ := r.GetString(i, n); return v }
		who := fmt.Sprintf("session %s of %s@%s, since %s s", field(0), field(1), field(2), field(3))
		if sql := field(4); sql != "" {
			who += fmt.Sprintf(", running %q", sql)
		}
		list = append(list, who+fmt.Sprintf(" (KILL %s)", field(0)))
	}
	if len(list) == 0 {
		return "sessions that have ended since"
	}
	return strings.Join(list, "; ")
}
