package lane

import (
	"github.com/beluga-cdc/beluga/schema"
)

// Kind is what happened to a lane.
type Kind string

// The kinds, in the order in which they come.
const (
	Started     Kind = "started"
	InProgress  Kind = "in progress"
	ScanEnded   Kind = "table scan completed" // all rows are sent; the stream has to catch up with them
	Completed   Kind = "completed"            // the table is shown again with the next cut
	Stopped     Kind = "stopped"
	FailedAtAll Kind = "failed"
)

// Event is something that happened to the lane of one table.
type Event struct {
	Kind    Kind
	Request string
	Table   schema.TableID
	Rows    int64 // sent so far
	Err     error // of FailedAtAll
}

// tell tells the observer, and the log of what an operator should know.
func (l *Lanes) tell(t *table, k Kind, err error) {
	rows := t.rows.Load()
	log := l.cfg.Log.With("table", t.id, "request", t.wish.request)
	switch k {
	case Started:
		log.Info("loading a table in a lane of its own")
	case ScanEnded:
		log.Info("the rows of a lane are sent", "rows", rows)
	case Completed:
		log.Info("the lane of a table is complete", "rows", rows)
	case Stopped:
		log.Info("the lane of a table was stopped; the lake shows what it had of it before, until it is loaded again")
	case FailedAtAll:
		log.Error("the lane of a table failed; the lake shows what it had of it before, and all other tables go on", "error", err)
	}
	l.observe(Event{Kind: k, Request: t.wish.request, Table: t.id, Rows: rows, Err: err})
}
