package kafkalog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/schema"
)

// controlFormat is the version of the control topic's records, JSON each. A
// record of a later format stops who reads it.
const controlFormat = 1

// controlRecord is one record of the control topic. Exactly one of Claim, Table,
// Load, Progress and Checkpoint is set.
type controlRecord struct {
	Format     int             `json:"format"`
	Epoch      int64           `json:"epoch,omitempty"` // of the source that wrote it; a claim makes one
	Claim      *claim          `json:"claim,omitempty"`
	Table      *tableEntry     `json:"table,omitempty"`
	Load       int64           `json:"load,omitempty"`   // of all tables, by its history, which begins here and ends with a checkpoint of that history
	Overlap    schema.Position `json:"overlap,omitzero"` // of Load, Progress: up to where its rows may have been read
	Progress   *loadProgress   `json:"progress,omitempty"`
	Checkpoint *checkpoint     `json:"checkpoint,omitempty"`
}

// claim takes the log over. Its offset is the epoch.
type claim struct {
	Instance  string      `json:"instance"` // drawn at random by each source that starts
	Log       logIdentity `json:"log"`
	Selection string      `json:"selection,omitempty"` // of tables
}

// logIdentity is what makes a log another one than an earlier one under the same
// names.
type logIdentity struct {
	ID   string          `json:"id"`
	Base schema.Position `json:"base"` // where the lake stood when the log began
}

// tableEntry is a table's place in the log.
type tableEntry struct {
	Number     int64          `json:"number"` // from 1, without gaps
	ID         schema.TableID `json:"id"`
	Topic      string         `json:"topic"`
	Partitions int            `json:"partitions"`
	Birth      int64          `json:"birth"` // the last cut before the table

	// Of a table that was routed. It shares its topic with others, each of which has
	// partitions of its own there: so a partition has one table, and all that a log says
	// of partitions holds.
	Routed   bool   `json:"routed,omitempty"`
	First    int    `json:"first,omitempty"` // its first partition
	KeyField string `json:"key_field,omitempty"`
	KeyValue string `json:"key_value,omitempty"`
}

// checkpoint is a cut that was acknowledged in every partition: where a source
// goes on, and from where it scans what else the log holds.
type checkpoint struct {
	Log       logIdentity                   `json:"log"`
	Position  schema.Position               `json:"position"`
	Cut       int64                         `json:"cut"`
	Tables    []tableEntry                  `json:"tables,omitempty"`
	Shapes    []tableShape                  `json:"shapes,omitempty"`
	Lanes     []laneEntry                   `json:"lanes,omitempty"` // of tables among Shapes
	Partition map[string]schema.LogPosition `json:"partitions,omitempty"`
	Selection string                        `json:"selection,omitempty"` // the claim's, which may be too old to be kept
	Load      int64                         `json:"load,omitempty"`      // the last that was begun, whose record may be too old too
}

// tableShape is the version of a table that stands at a checkpoint. Version 0 is
// a table that the lake had before the log.
type tableShape struct {
	Version int64         `json:"version"`
	Table   *schema.Table `json:"table"`
}

// controlState is the control topic folded up to some offset.
type controlState struct {
	claims     protocol.Claims
	next       int64 // offset
	log        *logIdentity
	tables     map[int64]tableEntry
	checkpoint *checkpoint
	history    int64                        // of the last load that was begun
	loads      map[schema.TableID]tableLoad // what has come of that load
	overlap    schema.Position              // up to where rows of it may have been read
}

// begin takes that a load was begun, or goes on with rows that may be read up to the
// overlap. What is known of one before is void.
func (s *controlState) begin(history int64, overlap schema.Position) {
	if history > s.history {
		s.history, s.loads, s.overlap = history, nil, schema.Position{}
	}
	if history == s.history {
		s.overlap = s.overlap.Later(overlap)
	}
}

// progress takes what has come of a load, unless another was begun since.
func (s *controlState) progress(p *loadProgress, overlap schema.Position) {
	if s.begin(p.History, overlap); p.History < s.history {
		return
	}
	if s.loads == nil {
		s.loads = map[schema.TableID]tableLoad{}
	}
	for _, l := range p.Tables {
		s.loads[l.Table.ID] = l
	}
}

// apply takes the next record.
func (s *controlState) apply(r *recordbatch.Record) error {
	s.next = r.Offset + 1
	var c controlRecord
	if err := json.Unmarshal(r.Value, &c); err != nil {
		return fmt.Errorf("record %d is not one of a control topic: %w", r.Offset, err)
	}
	if c.Format != controlFormat {
		return fmt.Errorf("record %d has format %d, this program reads format %d: use the version that wrote it, or a later one", r.Offset, c.Format, controlFormat)
	}
	switch {
	case c.Claim != nil:
		s.claims.Claim(r.Offset, c.Claim.Instance, c.Claim.Selection)
		s.identify(c.Claim.Log)
	case !s.claims.Counts(c.Epoch):
		// Written by a source that did not know yet that it was replaced.
	case c.Table != nil:
		s.addTable(*c.Table)
	case c.Load != 0:
		s.begin(c.Load, c.Overlap)
	case c.Progress != nil:
		s.progress(c.Progress, c.Overlap)
	case c.Checkpoint != nil:
		s.begin(max(c.Checkpoint.Position.History, c.Checkpoint.Load), schema.Position{})
		s.identify(c.Checkpoint.Log)
		for _, t := range c.Checkpoint.Tables {
			s.addTable(t)
		}
		s.checkpoint = c.Checkpoint
		s.claims.Checkpoint(c.Epoch, c.Checkpoint.Selection)
	}
	return nil
}

// identify takes the first identity: of two sources that start on an empty log
// at once the first claim names it.
func (s *controlState) identify(id logIdentity) {
	if s.log == nil {
		s.log = &id
	}
}

func (s *controlState) addTable(t tableEntry) {
	if s.tables == nil {
		s.tables = map[int64]tableEntry{}
	}
	s.tables[t.Number] = t
}

// entries returns the tables by number.
func (s *controlState) entries() []tableEntry {
	var list []tableEntry
	for _, n := range slices.Sorted(maps.Keys(s.tables)) {
		list = append(list, s.tables[n])
	}
	return list
}

// controlLog reads and writes the control topic.
type controlLog struct {
	cursor cursor
	state  controlState
	buf    []byte
	reader recordbatch.Reader
}

func newControlLog(c *client, topic string) *controlLog {
	return &controlLog{cursor: cursor{client: c, topic: topic, maxBytes: 4 << 20}}
}

// rewind goes to the first record that is still kept.
func (l *controlLog) rewind(ctx context.Context) error {
	first, err := l.cursor.client.firstOffset(ctx, l.cursor.topic, 0)
	if err != nil {
		return fmt.Errorf("finding the begin of topic %s: %w", l.cursor.topic, err)
	}
	l.state.next = first
	return nil
}

// poll takes what the next fetch brings, waiting a while for it.
func (l *controlLog) poll(ctx context.Context) error {
	f, err := l.cursor.fetch(ctx, l.state.next, l.buf)
	if err != nil {
		return err
	}
	l.buf = f.buf
	next, err := each(f.set, l.state.next, &l.reader, func(r *recordbatch.Record) (bool, error) {
		return true, l.state.apply(r)
	})
	if err != nil {
		return fmt.Errorf("reading topic %s: %w", l.cursor.topic, err)
	}
	l.state.next = next
	return nil
}

// readTo takes everything before the offset.
func (l *controlLog) readTo(ctx context.Context, end int64) error {
	for l.state.next < end {
		if err := l.poll(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readAll takes everything that is there now.
func (l *controlLog) readAll(ctx context.Context) error {
	end, err := l.cursor.client.endOffset(ctx, l.cursor.topic, 0)
	if err != nil {
		return fmt.Errorf("finding the end of topic %s: %w", l.cursor.topic, err)
	}
	return l.readTo(ctx, end)
}

// write appends a record and returns its offset. It may arrive more than once:
// every kind of control record bears that.
func (l *controlLog) write(ctx context.Context, now int64, r controlRecord) (offset int64, err error) {
	r.Format = controlFormat
	value, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("encoding a control record: %w", err)
	}
	var b recordbatch.Builder // not kept: a late attempt may still read its memory
	b.Append(now, nil, value, nil)
	set, err := new(recordbatch.Sealer).Seal(&b, recordbatch.Snappy, recordbatch.NoProducer)
	if err != nil {
		return 0, err
	}
	c := l.cursor.client
	err = c.retry(ctx, "writing topic "+l.cursor.topic, func(ctx context.Context) error {
		offset, err = c.produce(ctx, l.cursor.topic, 0, set)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("writing topic %s: %w", l.cursor.topic, err)
	}
	return offset, nil
}
