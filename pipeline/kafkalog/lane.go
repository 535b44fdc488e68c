package kafkalog

import (
	"fmt"
	"slices"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// laneEntry is a table in a lane, and how far it has come at a cut.
type laneEntry struct {
	Table schema.TableID `json:"table"`
	Key   []int          `json:"key,omitempty"`  // columns of the records' keys
	Form  int64          `json:"form,omitempty"` // of the records
	Load  schema.Load    `json:"load"`
}

func (w *Writer) laneEntries(loading []schema.Progress) (list []laneEntry) {
	for _, p := range loading {
		e := laneEntry{Table: p.Table.ID, Load: p.Load, Form: w.cfg.Modes.Code()}
		if t := w.tables[e.Table]; t != nil {
			e.Key = t.key
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b laneEntry) int { return a.Table.Compare(b.Table) })
	return list
}

// endsLane takes which tables are in lanes at a Commit, and tells whether one was
// that is in none any more.
func (w *Writer) endsLane(c schema.Commit) bool {
	was := len(w.lanes)
	for _, p := range c.Loading {
		if w.lanes[p.Table.ID] {
			was--
		}
	}
	clear(w.lanes)
	for _, p := range c.Loading {
		w.lanes[p.Table.ID] = true
	}
	return was > 0
}

// takeUpLanes tells the source of the lanes that an earlier one left: those of the
// checkpoint, and those that were begun behind it.
func (w *Writer) takeUpLanes() error {
	if w.resume.Unfinished() {
		return nil // all tables are loaded
	}
	known := map[schema.TableID]laneEntry{}
	if c := w.control.state.checkpoint; c != nil {
		for _, l := range c.Lanes {
			known[l.Table] = l
		}
	}
	for id, t := range w.tables {
		l, inLane := known[id]
		if err := w.takeUpLane(t, l, inLane); err != nil {
			return fmt.Errorf("taking up the lane of table %s: %w", id, err)
		}
	}
	for id := range w.resume.Lanes {
		w.lanes[id] = true
	}
	return nil
}

func (w *Writer) takeUpLane(t *writerTable, l laneEntry, known bool) error {
	var scans []*protocol.Scan
	for _, p := range t.parts {
		scans = append(scans, w.scans[p.number])
	}
	start, begun := protocol.TakeLane(known, len(l.Load.Rest) > 0, scans)
	if start == protocol.LaneGoesOn && len(t.parts) > 1 && len(l.Load.Rest) > 0 && !w.sameKeys(t, l.Key, l.Form) {
		start = protocol.LaneVoid // a row that comes again would stand in another partition, in no order
	}
	switch start {
	case protocol.NoLane:
		return nil
	case protocol.LaneVoid:
		l.Load = schema.Load{Request: l.Load.Request, Rest: []schema.Range{{}}, Void: true}
		if begun == nil {
			break
		}
		c, err := decodeChange(begun)
		if err != nil {
			return err
		}
		l.Load.Request = c.Request
		if t.shape == nil { // the checkpoint does not know the table
			if err := w.encodeAs(t, c.Table); err != nil {
				return err
			}
			w.resume.Tables[c.Table.ID] = pipeline.TableState{Table: c.Table, Position: w.resume.Position}
		}
	}
	w.resume.Lanes[t.shape.ID] = schema.Progress{Table: t.shape, Load: l.Load}
	return nil
}
