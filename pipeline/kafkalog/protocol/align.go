package protocol

import "fmt"

// Aligner makes one order of events out of many partitions. A partition that
// stands at a cut waits until all stand there; one that stands at a new table
// version waits for the other partitions of its table. It is told where
// partitions stand and tells who may go on and what is complete.
//
// Cuts and table versions are broadcast, so a source that dies leaves some in
// only a part of the partitions. A cut that any partition has passed by without
// it is void: the next complete one holds all that it held.
type Aligner struct {
	tables  []*alignedTable
	others  int64 // tables that are left out
	parts   []*aligned
	number  map[int]*aligned
	void    int64 // cuts up to here are complete or void
	settled bool  // nothing was told since Next found nothing
}

type alignedTable struct {
	id    int
	parts []*aligned
}

type aligned struct {
	at      place
	passed  int64 // the last cut that it has passed
	cut     int64 // place: atCut
	tables  int64 // how many tables take part in that cut
	version int64 // place: atDDL
	reset   bool
	skip    int64 // rows of older table versions than this are void
}

type place uint8

const (
	// held: its state is ahead of the other partitions, because its table was
	// created after a cut that they have not passed. It waits until they have.
	held place = iota
	running
	atCut
	atDDL
)

// NewAligner returns an aligner without tables.
func NewAligner() *Aligner { return &Aligner{number: map[int]*aligned{}} }

// AddTable adds a table with its partitions, each with the last cut that lies
// before what it will deliver next.
func (a *Aligner) AddTable(id int, passed map[int]int64) {
	t := &alignedTable{id: id}
	for n, cut := range passed {
		p := &aligned{passed: cut}
		t.parts = append(t.parts, p)
		a.parts, a.number[n] = append(a.parts, p), p
	}
	a.tables, a.settled = append(a.tables, t), false
}

// LeaveOut says that the log has another table, which takes part in cuts and is not
// among those that are aligned.
func (a *Aligner) LeaveOut() { a.others, a.settled = a.others+1, false }

// Running tells whether the partition may deliver.
func (a *Aligner) Running(part int) bool { return a.number[part].at == running }

// Void tells whether rows that the partition delivers under a table version are
// void, because a later reset of the table is known already.
func (a *Aligner) Void(part int, version int64) bool { return version < a.number[part].skip }

// AtCut says that the partition has arrived at a cut, in which that many tables
// take part.
func (a *Aligner) AtCut(part int, cut, tables int64) {
	p := a.number[part]
	if cut <= a.void {
		p.passed, a.settled = max(p.passed, cut), false
		return
	}
	p.at, p.cut, p.tables, a.settled = atCut, cut, tables, false
}

// AtVersion says that the partition has arrived at a table version.
func (a *Aligner) AtVersion(part int, version int64, reset bool) {
	p := a.number[part]
	if version < p.skip {
		return
	}
	p.at, p.version, p.reset, a.settled = atDDL, version, reset, false
}

// Step is what became complete.
type Step struct {
	Cut     int64 // not 0: this cut, in all partitions
	Table   int   // with Version: the table
	Version int64 // not 0: this table version, in all partitions of the table
}

// Next returns the next thing that is complete, and lets go on who may. ok is
// false when nothing is complete until a partition moves.
func (a *Aligner) Next() (s Step, ok bool, err error) {
	for !a.settled {
		if s, ok := a.complete(); ok {
			return s, true, nil
		}
		moved, err := a.versions(&s)
		if err != nil || s.Version != 0 {
			return s, s.Version != 0, err
		}
		a.settled = !moved && !a.voidCuts() && !a.release()
	}
	return Step{}, false, nil
}

// complete finds a cut at which every partition stands that is not beyond it.
func (a *Aligner) complete() (Step, bool) {
	var cut, tables int64
	for _, p := range a.parts {
		switch {
		case p.at == held:
		case p.at != atCut || cut != 0 && cut != p.cut:
			return Step{}, false
		default:
			cut, tables = p.cut, p.tables
		}
	}
	if cut == 0 || tables > int64(len(a.tables))+a.others {
		return Step{}, false
	}
	for _, p := range a.parts {
		if p.at == held && p.passed < cut {
			return Step{}, false
		}
	}
	a.pass(cut)
	return Step{Cut: cut}, true
}

// pass lets everybody go on who stands at a cut up to this one.
func (a *Aligner) pass(cut int64) {
	a.void = max(a.void, cut)
	for _, p := range a.parts {
		if p.at == atCut && p.cut <= cut {
			p.at, p.passed = running, p.cut
		}
	}
}

// versions looks at the tables of which a partition stands at a new version.
func (a *Aligner) versions(s *Step) (moved bool, err error) {
	for _, t := range a.tables {
		var newest *aligned
		same := true
		var cut int64
		for _, p := range t.parts {
			switch p.at {
			case atDDL:
				same = same && (newest == nil || newest.version == p.version)
				if newest == nil || p.version > newest.version {
					newest = p
				}
			case atCut:
				same, cut = false, max(cut, p.cut)
			default:
				same = false
			}
		}
		switch {
		case newest == nil:
			continue
		case same:
			for _, p := range t.parts {
				p.at = running
			}
			*s = Step{Table: t.id, Version: newest.version}
			return true, nil
		case cut > a.void:
			// One partition of the table stands at a cut and another at a version:
			// the broadcast of one of the two is torn. If it is the cut's, waiting
			// for it would last for ever; if not, giving up a cut costs nothing.
			a.pass(cut)
			return true, nil
		}
		if m, err := t.supersede(newest); m || err != nil {
			return m, err
		}
	}
	return false, nil
}

// supersede lets partitions go on that stand at a version which a newer reset
// has made void.
func (t *alignedTable) supersede(newest *aligned) (moved bool, err error) {
	for _, p := range t.parts {
		if newest.reset && p.skip < newest.version {
			p.skip = newest.version
		}
		if p.at == atDDL && p.version < newest.version {
			if !newest.reset {
				return false, fmt.Errorf("one partition stands at version %d of its table and another at %d", p.version, newest.version)
			}
			p.at, moved = running, true
		}
	}
	return moved, nil
}

// voidCuts finds cuts that a partition has passed by.
func (a *Aligner) voidCuts() bool {
	var most, least int64
	for _, p := range a.parts {
		if p.at == atCut {
			most = max(most, p.cut)
			if least == 0 || p.cut < least {
				least = p.cut
			}
		}
	}
	if least == most {
		return false
	}
	a.pass(most - 1)
	return true
}

// release lets partitions start whose cut all others have passed.
func (a *Aligner) release() bool {
	first := int64(-1)
	for _, p := range a.parts {
		passed := p.passed
		if p.at == atCut {
			passed = p.cut - 1 // there is nothing for it between
		}
		if first < 0 || passed < first {
			first = passed
		}
	}
	moved := false
	for _, p := range a.parts {
		if p.at == held && p.passed <= first {
			p.at, moved = running, true
		}
	}
	return moved
}
