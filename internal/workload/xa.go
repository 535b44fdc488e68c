package workload

import (
	"context"
	"fmt"
)

// xa runs a transaction in the two phases of XA, or in one. Between PREPARE and
// its outcome the other sessions go on, so that the binlog holds several that are
// open at once.
func (s *session) xa(ctx context.Context) (int64, error) {
	s.branches++
	id := fmt.Sprintf("'%s', '%d'", s.name, s.branches)
	if s.rand.IntN(3) == 0 { // a name may be used again
		id = fmt.Sprintf("'%s'", s.name)
	}
	if err := s.run(ctx, "XA START "+id); err != nil {
		return 0, err
	}
	n, err := s.several(ctx, "")
	switch {
	case undone(err):
		return 0, s.giveUp(ctx, id)
	case err != nil:
		return 0, err
	}
	if err := s.run(ctx, "XA END "+id); undone(err) {
		return 0, s.run(ctx, "XA ROLLBACK "+id)
	} else if err != nil {
		return 0, err
	}
	if s.rand.IntN(4) == 0 {
		return n, s.run(ctx, "XA COMMIT "+id+" ONE PHASE")
	}
	if err := s.run(ctx, "XA PREPARE "+id); err != nil {
		return 0, err
	}
	if s.rand.IntN(4) == 0 {
		if err := s.run(ctx, fmt.Sprintf("DO SLEEP(%.3f)", 0.1*s.rand.Float64())); err != nil {
			return 0, err
		}
	}
	if s.rand.IntN(4) == 0 {
		return 0, s.run(ctx, "XA ROLLBACK "+id)
	}
	return n, s.run(ctx, "XA COMMIT "+id)
}

// giveUp ends a branch that lost to another session. XA END of one that is
// undone already fails, by MySQL with XA_RBDEADLOCK and by MariaDB as a command
// that its state forbids; after a mere wait that was too long it succeeds.
func (s *session) giveUp(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "XA END "+id)
	if err != nil && !isError(err, errXALost) && !isError(err, errXAState) {
		return fmt.Errorf("executing XA END %s: %w", id, err)
	}
	return s.run(ctx, "XA ROLLBACK "+id)
}
