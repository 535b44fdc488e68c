package sink

import (
	"context"
	"reflect"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// laneState is what a table in a lane durably knows of its place in the stream,
// beside how far its load is. The table's own state stays that of what main shows.
type laneState struct {
	Cut      int64           `json:"cut"`
	Position schema.Position `json:"position"`
	Time     time.Time       `json:"time"`
	Cause    schema.Cause    `json:"cause,omitzero"` // of the shape that the lane is to begin with
}

func lanesOf(cut *schema.Commit) map[schema.TableID]schema.Load {
	if len(cut.Loading) == 0 {
		return nil
	}
	lanes := make(map[schema.TableID]schema.Load, len(cut.Loading))
	for _, p := range cut.Loading {
		lanes[p.Table.ID] = p.Load
	}
	return lanes
}

// inLane tells whether what is on the table's branch belongs to a lane: rows that
// were loaded, with all changes up to a position of its own.
func (t *lakeTable) inLane() bool { return t.staged != nil && t.staged.Lane != nil }

// position returns where the table stands: on its branch, if it is in a lane.
func (t *lakeTable) position() schema.Position {
	if t.inLane() {
		return t.staged.Lane.Position
	}
	return t.state.Position
}

// isVoid tells whether what is on the table's branch is of no use any more, after
// the load that began the history was published.
func (t *lakeTable) isVoid(history int64) bool {
	if t.inLane() {
		return t.history < history
	}
	return t.staged != nil && t.history <= history
}

// commitLane makes the batch a snapshot of the branch: readers of main go on seeing
// what was there before the lane. A batch without anything for the table, nor of its
// load, need not move its position: nothing lies between. Nor need one that has only
// rows that the lane read, for some time: where cuts are frequent, each would pay for
// two commits. After a crash the lane reads those rows again.
func (t *lakeTable) commitLane(ctx context.Context, cut *schema.Commit, load schema.Load, number int64) error {
	if t.inLane() && !t.stream && (time.Since(t.laneAt) < t.lake.cfg.LaneInterval || !t.dirty && reflect.DeepEqual(t.staged.Load, load)) {
		return nil
	}
	t.laneAt = time.Now()
	return t.stage(ctx, loadState{Number: number, Load: load, Lane: &laneState{Cut: number, Position: cut.Position, Time: cut.Time, Cause: t.laneCause}})
}
