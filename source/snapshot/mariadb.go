package snapshot

import (
	"context"
	"fmt"
	"time"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// freezeMariaDB opens the transactions without a lock. MariaDB tells of each which
// place of the binlog it sees, exactly; between the first and the last of them
// others may have committed.
func (s *Snapshot) freezeMariaDB(ctx context.Context) error {
	return s.freezeByChance(ctx, func() (err error) {
		if err := s.openTransactions(ctx); err != nil {
			return err
		}
		if s.Position, s.Time, err = ReadPosition(ctx, s.control); err != nil {
			return err
		}
		s.seen = schema.Position{}
		for i, r := range s.readers {
			p, err := seenBy(ctx, r)
			if err != nil {
				return err
			}
			if i == 0 || p.GTIDs.ContainsSet(s.seen.GTIDs) {
				s.seen = p
			}
			if i == 0 || s.Position.GTIDs.ContainsSet(p.GTIDs) {
				s.Position = p
			}
		}
		return nil
	})
}

// seenBy returns the position of what a session's transaction sees.
func seenBy(ctx context.Context, s *session.Session) (schema.Position, error) {
	var p schema.Position
	fail := func(err error) (schema.Position, error) {
		return p, fmt.Errorf("reading the position of a consistent snapshot: %w", err)
	}
	r, err := s.Query(ctx, "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')")
	if err != nil {
		return fail(err)
	}
	for i := range r.RowNumber() {
		if name, _ := r.GetString(i, 0); name == "Binlog_snapshot_file" {
			p.File, err = r.GetString(i, 1)
		} else {
			p.Offset, err = r.GetUint(i, 1)
		}
		if err != nil {
			return fail(err)
		}
	}
	p.GTIDs, err = session.GTIDsAt(ctx, s, p.File, p.Offset)
	if err != nil {
		return fail(err)
	}
	return p, nil
}

// readMariaDBPosition is ReadPosition there.
func readMariaDBPosition(ctx context.Context, s *session.Session) (schema.Position, time.Time, error) {
	var p schema.Position
	fail := func(err error) (schema.Position, time.Time, error) {
		return schema.Position{}, time.Time{}, fmt.Errorf("reading the server's position: %w", err)
	}
	r, err := s.Query(ctx, "SELECT @@global.gtid_binlog_pos, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)")
	if err != nil {
		return fail(err)
	}
	text, _ := r.GetString(0, 0)
	micros, _ := r.GetInt(0, 1)
	if p.GTIDs, err = schema.ParseGTIDSet(text); err != nil {
		return fail(err)
	}
	if r, err = s.Query(ctx, s.Version().LogStatus()); err != nil {
		return fail(err)
	}
	if r.RowNumber() > 0 {
		p.File, _ = r.GetString(0, 0)
		p.Offset, _ = r.GetUint(0, 1)
	}
	return p, time.UnixMicro(micros).UTC(), nil
}
