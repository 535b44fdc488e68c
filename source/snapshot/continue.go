package snapshot

import (
	"fmt"

	"github.com/beluga-cdc/beluga/schema"
)

// Continue makes Load go on with a load that earlier snapshots began. complete
// are the tables that it has brought, and where they stand; of those of loads a
// part was read. Load reads the rest of these, and all others as a whole. Their
// positions must be of the history of this one, and before it.
func (s *Snapshot) Continue(complete map[schema.TableID]schema.Position, loads map[schema.TableID]schema.Progress) error {
	s.continued = true
	for id, p := range complete {
		s.complete[id] = true
		s.others = append(s.others, schema.Load{Position: p, Overlap: p})
	}
	for id, p := range loads {
		l := s.ledgers[id]
		rest := make([]*Chunk, len(p.Rest))
		for i, r := range p.Rest {
			c := Whole(l.rest[0].Table)
			if err := c.decode(r); err != nil {
				return fmt.Errorf("continuing the load of table %s: %w", id, err)
			}
			rest[i] = &c
		}
		l.rest, l.begun, l.progress.Load = rest, true, p.Load
		l.progress.Rest = nil
		s.others = append(s.others, p.Load)
	}
	return nil
}

// span finds what has to be replayed over the rows of all snapshots that the load
// consists of: it begins at the oldest and ends with the newest.
func (s *Snapshot) span() {
	until := s.Position
	if !s.Overlap.IsZero() {
		until = s.Overlap
	}
	for _, l := range s.ledgers {
		if !l.begun {
			l.progress.Position = s.Position
		}
		l.progress.Overlap = until.Later(l.progress.Overlap)
	}
	s.Begin = s.Position
	for _, o := range s.others {
		until = until.Later(o.Overlap)
		if s.Begin.Contains(o.Position) {
			s.Begin = o.Position
		}
	}
	s.Overlap = schema.Position{}
	if !s.Begin.Contains(until) {
		s.Overlap = until
	}
}
