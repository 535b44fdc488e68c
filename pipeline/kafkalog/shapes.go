package kafkalog

import (
	"sync"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// shapes holds the table versions that the partitions announce, so that all
// blocks of a version point at one Table.
type shapes struct {
	mu      sync.Mutex
	changes map[shapeKey]*schema.SchemaChange
}

type shapeKey struct {
	table   int
	version int64
}

// change returns the change that a DDL record holds.
func (s *shapes) change(table int, r *protocol.Record) (*schema.SchemaChange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := shapeKey{table, r.Version}
	if c := s.changes[key]; c != nil {
		return c, nil
	}
	c, err := decodeChange(r)
	if err != nil {
		return nil, err
	}
	if s.changes == nil {
		s.changes = map[shapeKey]*schema.SchemaChange{}
	}
	s.changes[key] = &c
	return &c, nil
}

// take returns a change whose time has come, and forgets it: all partitions have
// passed it.
func (s *shapes) take(table int, version int64) *schema.SchemaChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := shapeKey{table, version}
	c := s.changes[key]
	delete(s.changes, key)
	return c
}
