package schema

// Range is a part of a table's key: from Lower on, up to and without Upper. The
// bounds are texts that only the source can read; "" is none.
type Range struct {
	Lower string `json:"lower,omitempty"`
	Upper string `json:"upper,omitempty"`
}

// Load says how far the load of one table has come. Rows of it may have been read
// at several moments: each of them after Position, and none after Overlap. Once
// the changes from Position on to Overlap or beyond are applied over them, the
// table is what the server has there.
type Load struct {
	Position Position `json:"position"`
	Overlap  Position `json:"overlap,omitzero"`
	// Version is the table's on the server. Under another one it is another table,
	// whose rows do not go with these.
	Version string `json:"version"`
	// Rest is what is still to be read; none: all of the table was.
	Rest []Range `json:"rest,omitempty"`

	// Of a lane: who asked for it, of which rows, and whether it was stopped before
	// its end.
	Request   string `json:"request,omitempty"`
	Condition string `json:"condition,omitempty"`
	Stopped   bool   `json:"stopped,omitempty"`
	// Void: its rows, and changes that were passed over since, must all be read anew.
	Void bool `json:"void,omitempty"`
}

// Progress tells how far the load of a table has come: all its rows were sent
// before, but those of Rest, some of which may have been.
type Progress struct {
	Table *Table
	Load
}

func (Progress) event() {}
