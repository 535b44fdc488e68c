package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// Properties of the lake's tables.
const (
	propPipeline  = "beluga.pipeline"
	propState     = "beluga.state" // also in the snapshot's summary
	propComment   = "comment"      // Spark's name for it
	propShape     = "beluga.table"
	propNames     = "beluga.names" // the rules that the table's names were made by; missing: they are MySQL's
	propCutPrefix = "beluga.cuts." // of the table of cuts, one for each pipeline
	propLoad      = "beluga.load"  // of a load that goes on; also in the summaries of its branch
	propLoadShape = "beluga.load.table"
	propDropped   = "beluga.dropped" // the position at which the source had the table no more
)

// loadBranch holds what has come of a table's load, so that readers of main see
// the load when it is complete, and not before.
const loadBranch = "beluga_load"

var (
	// ErrAnotherInstance: a second process writes for the same pipeline.
	ErrAnotherInstance = warehouse.ErrAnotherInstance
	// ErrForeignCommit: another engine changed a table while we were at it.
	ErrForeignCommit = errors.New("changed by another writer")
	// ErrNoLake: there is nothing to read.
	ErrNoLake = warehouse.ErrNoWarehouse
)

// state is what a table durably knows of its place in the stream.
type state struct {
	Format   int             `json:"format"` // of this record
	Pipeline string          `json:"pipeline"`
	Writer   string          `json:"writer"` // random, one for each process: two that make the same cut differ
	Table    string          `json:"table"`  // Iceberg's uuid
	Cut      int64           `json:"cut"`
	Position schema.Position `json:"position"`
	Time     time.Time       `json:"time"` // when the source committed the last transaction
	Rows     int64           `json:"rows"` // live ones
}

const stateFormat = 1

func (s state) encode() (string, error) {
	s.Format = stateFormat
	b, err := json.Marshal(s)
	return string(b), err
}

func decodeState(text string) (state, error) {
	var s state
	if text == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("decoding %s: %w", propState, err)
	}
	if s.Format != stateFormat {
		return s, fmt.Errorf("decoding %s: format %d was written by another version of Beluga", propState, s.Format)
	}
	return s, nil
}

// checkRollback finds out whether somebody rolled the table back: the state of
// its newest snapshot that has one is then older than the property. Its rows are
// missing what came between, and no position says so.
func checkRollback(t *table.Table) error {
	for s := t.CurrentSnapshot(); s != nil; {
		if s.Summary != nil {
			if was := s.Summary.Properties[propState]; was != "" {
				if was == t.Properties()[propState] {
					return nil
				}
				return fmt.Errorf("the table was rolled back to snapshot %d, from before its last commit; roll it forward, or drop it in the lake and load it again", s.SnapshotID)
			}
		}
		if s.ParentSnapshotID == nil {
			return nil
		}
		s = t.SnapshotByID(*s.ParentSnapshotID)
	}
	return nil
}

func encodeShape(t *schema.Table) (string, error) {
	b, err := json.Marshal(t)
	return string(b), err
}

// putShape adds a table's shape, and the rules behind its names, to the properties of
// a commit.
func (t *lakeTable) putShape(to iceberg.Properties, property string) error {
	text, err := encodeShape(t.shape)
	if err != nil {
		return err
	}
	to[property] = text
	names, err := t.names.Encode()
	if err != nil {
		return err
	}
	if names != "" || t.head.t.Properties()[propNames] != "" {
		to[propNames] = names
	}
	return nil
}

func decodeShape(text string) (*schema.Table, error) {
	var t schema.Table
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", propShape, err)
	}
	if err := t.Prepare(); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", propShape, err)
	}
	return &t, nil
}
