package source

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/lane"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// Lanes loads single tables while the stream goes on.
func (m *MySQL) Lanes() *lane.Lanes { return m.lanes }

func (m *MySQL) newLanes() *lane.Lanes {
	cfg := m.snapshotConfig(func(ctx context.Context, s *session.Session, only *schema.TableID) ([]snapshot.Described, error) {
		sel, err := newSelection(m.cfg)
		if err != nil {
			return nil, err
		}
		return m.describe(ctx, s, sel, only)
	})
	cfg.Connections, cfg.BlockBytes = 1, max(m.cfg.LaneWindow/2, 1) // with two, the others' lag grows where the server has two cores
	return lane.New(lane.Config{
		Snapshot: cfg,
		Captured: m.Captured,
		Same:     binlog.SameVersion,
		Passing:  session.IsPassing,
		Window:   m.cfg.LaneWindow,
		Held:     m.cfg.LaneMemory,
		Log:      m.log,
	})
}

// takeLanes takes up the lanes that the lake holds.
func (m *MySQL) takeLanes(ctx context.Context, from pipeline.Resume) error {
	s, err := m.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	canScan, err := snapshot.CanScan(ctx, s)
	if err != nil {
		return err
	}
	now, _, err := snapshot.ReadPosition(ctx, s)
	if err != nil {
		return err
	}
	m.lanes.Take(from, canScan, now)
	return nil
}

// followWithLanes follows the binlog, and reads tables beside it. When the stream
// ends, so do they: the next run goes on with them.
func (m *MySQL) followWithLanes(ctx context.Context, cfg binlog.Config, sel selection, from pipeline.Resume, out pipeline.Writer) error {
	cfg.Lanes = m.lanes
	reading, end := context.WithCancel(ctx)
	defer end()
	g, gctx := errgroup.WithContext(reading)
	g.Go(func() error {
		defer end()
		return binlog.New(cfg).Run(gctx, from, m.watchSignals(sel, m.lanes.Writer(out)))
	})
	g.Go(func() error { return m.lanes.Run(gctx, out) })
	if err := g.Wait(); err != nil || !m.cfg.Once {
		return err
	}
	return m.lanes.Err()
}
