package protocol

// LaneStart is how a source takes up the lane of a table that an earlier one left.
type LaneStart uint8

const (
	// NoLane: the table is in none.
	NoLane LaneStart = iota
	// LaneGoesOn: with what was left at the checkpoint. What of it is in the log comes
	// again, in place of the same keys and not older than anything there: if the server is
	// the one of before, and has what the log holds (Recovery.Sent).
	LaneGoesOn
	// LaneVoid: it has to begin anew. It began behind the checkpoint, so what came of it
	// stands behind what is replayed now; or its rows would follow those of a later shape.
	LaneVoid
)

// TakeLane decides how the lane of a table is taken up. known: the checkpoint has one;
// rest: rows of that are still to be read. begun is how one began behind the
// checkpoint, in one partition of the table at least.
func TakeLane(known, rest bool, scans []*Scan) (start LaneStart, begun *Record) {
	altered := false
	for _, s := range scans {
		altered = altered || s.altered
		if s.lane != nil && (begun == nil || s.lane.Version > begun.Version) {
			begun = s.lane
		}
	}
	switch {
	case begun != nil, rest && altered:
		return LaneVoid, begun
	case known:
		return LaneGoesOn, nil
	}
	return NoLane, nil
}
