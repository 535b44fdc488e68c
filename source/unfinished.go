package source

import (
	"context"
	"fmt"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// unfinished is a load that an earlier run began, and how far it came.
type unfinished struct {
	complete map[schema.TableID]pipeline.TableState
	loads    map[schema.TableID]schema.Progress
}

// unfinishedLoad returns the load that the lake holds a part of; nil: none, or the
// transport does not know how far it came.
func unfinishedLoad(from pipeline.Resume) *unfinished {
	u := &unfinished{complete: map[schema.TableID]pipeline.TableState{}, loads: from.Loads}
	for id, t := range from.Tables {
		if _, begun := from.Loads[id]; !begun && t.Position.History == from.History {
			u.complete[id] = t
		}
	}
	if from.Loads == nil || !from.Unfinished() || len(u.complete)+len(u.loads) == 0 {
		return nil
	}
	return u
}

// oldest returns the position at which the changes begin that have to be applied
// over what was read.
func (u *unfinished) oldest() (p schema.Position) {
	for _, l := range u.loads {
		if p.IsZero() || p.Contains(l.Position) {
			p = l.Position
		}
	}
	for _, c := range u.complete {
		if p.IsZero() || p.Contains(c.Position) {
			p = c.Position
		}
	}
	return p
}

// at returns a table as it stands in the load's rows: changes up to there are in
// them. The others are those of the snapshot.
func (u *unfinished) at(t *schema.Table, snapshot schema.Position) pipeline.TableState {
	if c, ok := u.complete[t.ID]; ok {
		return c
	}
	if l, ok := u.loads[t.ID]; ok {
		snapshot = l.Position
	}
	return pipeline.TableState{Table: t, Position: snapshot, Since: snapshot.String()}
}

// fits tells why the load cannot be continued in the snapshot; "": it can.
func (u *unfinished) fits(s *snapshot.Snapshot, p schema.Position) string {
	there := map[schema.TableID]bool{}
	for _, t := range s.Tables {
		there[t.ID] = true
	}
	for id := range u.loads {
		if !there[id] {
			return fmt.Sprintf("table %s is not on the server any more, or is left out now", id)
		}
	}
	for id := range u.complete {
		if !there[id] {
			return fmt.Sprintf("table %s is not on the server any more, or is left out now", id)
		}
	}
	if !s.Position.Contains(p) {
		return "the server has lost transactions since"
	}
	for _, c := range u.complete {
		if !s.Position.Contains(c.Position) {
			return "the server has not all transactions that tables were read with"
		}
	}
	return ""
}

// same drops the tables of which nothing that was read can be used: those that
// were altered or exchanged since, those without a key, whose rows must come from
// one snapshot, and those that another server showed in a state which this one has
// not come to: of the snapshots of a load each must contain the ones before, or no
// place in the binlog would be before all of them.
func (u *unfinished) same(s *snapshot.Snapshot) map[schema.TableID]schema.Progress {
	loads := map[schema.TableID]schema.Progress{}
	for _, d := range s.Described() {
		l, begun := u.loads[d.Table.ID]
		if begun && s.Position.Contains(l.Position) && l.Version == d.LoadVersion() && schema.DiffTables(l.Table, d.Table).IsEmpty() && (len(l.Rest) == 0 || !d.Table.Keyless()) {
			loads[d.Table.ID] = l
		}
	}
	return loads
}

// continueLoad makes the snapshot go on with what an earlier run began, and tells
// whether it does.
func (m *MySQL) continueLoad(ctx context.Context, u *unfinished, s *snapshot.Snapshot) (bool, error) {
	p := u.oldest()
	why := u.fits(s, p)
	if why == "" {
		err := m.checkPosition(ctx, p)
		if err == nil {
			err = m.checkColumns(pipeline.Resume{Tables: u.complete})
		} else if !IsPositionLost(err) {
			return false, err
		}
		if err != nil {
			why = err.Error()
		}
	}
	if why != "" {
		m.log.Warn("a load was begun and cannot be continued, loading all tables anew", "because", why)
		return false, nil
	}
	u.loads = u.same(s)
	m.log.Info("continuing a load that was interrupted", "tables_complete", len(u.complete), "tables_begun", len(u.loads), "since", p)
	complete := map[schema.TableID]schema.Position{}
	for id, t := range u.complete {
		complete[id] = t.Position
	}
	return true, s.Continue(complete, u.loads)
}

// replayError is one of following the changes that a load which was continued has
// to be brought up with: such as a table that was dropped meanwhile. A new load
// does without them.
type replayError struct{ error }

func (e replayError) Unwrap() error { return e.error }
