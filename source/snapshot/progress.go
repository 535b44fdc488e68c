package snapshot

import (
	"sync/atomic"

	"github.com/beluga-cdc/beluga/schema"
)

// Progress counts what a load has read. It may be read at any time.
type Progress struct {
	tables []*tableProgress
	byID   map[schema.TableID]*tableProgress
	paused atomic.Pointer[string]
}

type tableProgress struct {
	id        schema.TableID
	estimated int64
	rows      atomic.Int64
	bytes     atomic.Int64
	open      atomic.Int64 // chunks that are not read yet, and one while it is being planned
	done      atomic.Bool
}

// TableProgress is a table's state at one moment.
type TableProgress struct {
	ID        schema.TableID
	Rows      int64 // read
	Estimated int64 // in all, by the server's estimate
	Bytes     int64 // read, as they stand in blocks
	Done      bool
}

func newProgress(tables []Described) *Progress {
	p := &Progress{byID: make(map[schema.TableID]*tableProgress, len(tables))}
	for _, d := range tables {
		t := &tableProgress{id: d.Table.ID, estimated: d.Rows}
		p.tables = append(p.tables, t)
		p.byID[t.id] = t
	}
	return p
}

// Paused tells why the load waits; "": it does not.
func (p *Progress) Paused() string {
	if p == nil || p.paused.Load() == nil {
		return ""
	}
	return *p.paused.Load()
}

// Tables returns the state of every table.
func (p *Progress) Tables() []TableProgress {
	if p == nil {
		return nil
	}
	list := make([]TableProgress, len(p.tables))
	for i, t := range p.tables {
		list[i] = t.now()
	}
	return list
}

func (t *tableProgress) now() TableProgress {
	p := TableProgress{ID: t.id, Rows: t.rows.Load(), Estimated: t.estimated, Bytes: t.bytes.Load(), Done: t.done.Load()}
	if p.Done || p.Rows > p.Estimated {
		p.Estimated = p.Rows
	}
	return p
}

// Total returns the sum over all tables; Done tells whether all are.
func (p *Progress) Total() TableProgress {
	sum := TableProgress{Done: true}
	for _, t := range p.Tables() {
		sum.Rows += t.Rows
		sum.Estimated += t.Estimated
		sum.Bytes += t.Bytes
		sum.Done = sum.Done && t.Done
	}
	return sum
}
