package schema

import "time"

// Cause is what gave a table another shape, as far as the source knows. Nothing is
// decided by it: it is for people.
type Cause struct {
	Statement string    `json:"statement,omitempty"` // "": none was seen; a load, or rows that showed it
	At        string    `json:"at,omitempty"`        // the transaction: its GTID, or its place in a binlog file
	Time      time.Time `json:"time,omitzero"`       // when the server committed it
}
