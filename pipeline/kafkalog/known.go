package kafkalog

import (
	"fmt"
	"slices"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// learn notes a change that the partition holds behind the checkpoint.
func (p *partitionWriter) learn(r *protocol.Record) error {
	c, err := decodeChange(r)
	if err != nil {
		return fmt.Errorf("record %d of the log: decoding a shape: %w", r.Seq, err)
	}
	if p.known == nil {
		p.known = map[int64]*schema.SchemaChange{}
	}
	p.known[r.Version] = &c
	return nil
}

// known returns a change that a partition holds behind the checkpoint.
func (t *writerTable) known(version int64) *schema.SchemaChange {
	i := slices.IndexFunc(t.parts, func(p *partitionWriter) bool { return p.known[version] != nil })
	if i < 0 {
		return nil
	}
	return t.parts[i].known[version]
}

// tellChanges tells the source what the log holds behind the checkpoint of each
// table's changes. It has to pass them in the same steps: between two of them rows may
// stand in one partition and be missing in another. By itself it would not, for it asks
// the server about a statement, which knows by now what comes later.
//
// What voids the table's rows ends the list: behind it all is sent again.
func (w *Writer) tellChanges() {
	w.resume.Changes = map[schema.TableID][]schema.SchemaChange{}
	for id, t := range w.tables {
		for v := t.version + 1; ; v++ {
			c := t.known(v)
			if c == nil || c.Table == nil || c.Same || c.Dropped || c.Lane || c.Continued {
				break
			}
			w.resume.Changes[id] = append(w.resume.Changes[id], *c)
			if c.Reset {
				break
			}
		}
	}
}

// checkAgain refuses a change that is not the one of its number which the log holds. A
// column that was renamed would lose its values.
func (w *Writer) checkAgain(t *writerTable, to *schema.Table) error {
	was := t.known(t.version + 1)
	if was == nil {
		return nil
	}
	text := "it ends the table"
	if was.Table != nil {
		d := schema.DiffTables(was.Table, to)
		if d.IsEmpty() {
			return nil
		}
		text = d.Describe(was.Table, to)
	}
	return fmt.Errorf("table %s: a source that was killed has sent another change of it than the one that comes now (from that one: %s), and what it means for rows in the lake cannot be told; remedy: load all tables again: run once with --snapshot-mode always",
		t.entry.ID, text)
}
