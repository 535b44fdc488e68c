package schema

import (
	"fmt"
	"strings"
)

// Position is a place between two transactions of the source. With GTIDs it is
// the set of all transactions before it; without, a place in a file of one
// server. File and Offset are filled with GTIDs too, for people; only the set
// counts then.
type Position struct {
	GTIDs  GTIDSet `json:"gtids,omitzero"`
	Server string  `json:"server,omitempty"` // server UUID that File belongs to
	File   string  `json:"file,omitempty"`
	Offset uint64  `json:"offset,omitempty"`

	// History is the number of the load of all tables that the position stems from,
	// counted in each lake. A server that was reset or restored uses the names of
	// its transactions again, so sets of two histories cannot be compared: the later
	// history stands beyond the earlier one, whatever is in them. Zero is a position
	// that only the server told of.
	History int64 `json:"history,omitempty"`

	// Log is how far the reader of a log between source and sink had come, by
	// "topic/partition". Empty on the direct transport.
	Log map[string]LogPosition `json:"log,omitempty"`
	// LogID is the identity of that log. Another log under the same names has
	// another one, and its offsets mean something else.
	LogID string `json:"log_id,omitempty"`
}

// LogPosition is the state of a reader of one partition of the numbered log.
type LogPosition struct {
	Offset int64 `json:"offset"` // the next record to read
	Epoch  int64 `json:"epoch"`
	Seq    int64 `json:"seq"` // the last record accepted

	Cut    int64 `json:"cut,omitempty"`    // the last cut passed
	Schema int64 `json:"schema,omitempty"` // the table version that the next rows stand under
}

// IsZero tells whether there is no position.
func (p Position) IsZero() bool { return p.GTIDs.IsEmpty() && p.File == "" }

// UsesGTIDs tells which of the two kinds of position this is.
func (p Position) UsesGTIDs() bool { return !p.GTIDs.IsEmpty() }

// Contains tells whether everything before q is before p too.
func (p Position) Contains(q Position) bool {
	switch {
	case q.IsZero():
		return true
	case p.History != q.History && p.History != 0 && q.History != 0:
		return p.History > q.History
	case p.UsesGTIDs() || q.UsesGTIDs():
		return p.GTIDs.ContainsSet(q.GTIDs)
	case p.Server != q.Server:
		return false
	}
	return compareFiles(p.File, q.File) > 0 || p.File == q.File && p.Offset >= q.Offset
}

// Later returns a position that contains both, of one history or of none.
func (p Position) Later(q Position) Position {
	switch {
	case p.Contains(q):
		return p
	case q.Contains(p):
		return q
	}
	p.GTIDs = p.GTIDs.Clone()
	p.GTIDs.AddSet(q.GTIDs)
	return p
}

// Covers tells whether the rows that o describes lie before p.
func (p Position) Covers(o *Origin) bool {
	if p.Log != nil && o.Partition != "" {
		return o.Offset < p.Log[o.Partition].Offset
	}
	if p.UsesGTIDs() {
		return !o.GTID.IsZero() && p.GTIDs.Contains(o.GTID)
	}
	return o.File != "" && (compareFiles(p.File, o.File) > 0 || p.File == o.File && o.Pos < p.Offset)
}

// compareFiles orders binlog files by their number: after binlog.999999 comes
// binlog.1000000, which text order would put first.
func compareFiles(a, b string) int {
	na, nb := a[strings.LastIndexByte(a, '.')+1:], b[strings.LastIndexByte(b, '.')+1:]
	na, nb = strings.TrimLeft(na, "0"), strings.TrimLeft(nb, "0")
	if len(na) != len(nb) {
		return len(na) - len(nb)
	}
	return strings.Compare(na, nb)
}

// String writes the position for people.
func (p Position) String() string {
	if p.UsesGTIDs() {
		return p.GTIDs.String()
	}
	if p.File == "" {
		return "none"
	}
	return fmt.Sprintf("%s:%d", p.File, p.Offset)
}
