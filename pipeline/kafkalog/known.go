package kafkalog

import (
	"fmt"
	"slices"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// learn notes a shape that the partition holds behind the checkpoint.
func (p *partitionWriter) learn(r *protocol.Record) error {
	c, err := decodeChange(r)
	if err != nil {
		return fmt.Errorf("record %d of the log: decoding a shape: %w", r.Seq, err)
	}
	if p.known == nil {
		p.known = map[int64]*schema.Table{}
	}
	p.known[r.Version] = c.Table
	return nil
}

// versionOf returns the number of a table's next shape. Behind the checkpoint a source
// passes what the one before has sent already, and need not follow it in the same
// steps: it asks the server, which knows by now what comes later, and what was two
// changes may be one. Were they only counted, another change would be taken for one
// that the log has, and a column that was renamed would lose its values.
func (w *Writer) versionOf(t *writerTable, to *schema.Table) (int64, error) {
	next, held := t.version+1, int64(0)
	for _, p := range t.parts {
		if s, ok := w.scans[p.number]; ok {
			held = max(held, s.Version())
		}
	}
	if held < next {
		return next, nil
	}
	for v := next; v <= held; v++ {
		if was := t.known(v); was != nil && schema.DiffTables(was, to).IsEmpty() && (v == next || w.heldByAll(t, v)) {
			return v, nil
		}
	}
	text := "it ends the table"
	if was := t.known(next); was != nil {
		text = schema.DiffTables(was, to).Describe(was, to)
	}
	return 0, fmt.Errorf("table %s: a source that was killed has sent another change of it than the one that comes now (from that one: %s), and what it means for rows in the lake cannot be told; remedy: load all tables again: run once with --snapshot-mode always",
		t.entry.ID, text)
}

// known returns a shape that a partition holds behind the checkpoint.
func (t *writerTable) known(version int64) *schema.Table {
	i := slices.IndexFunc(t.parts, func(p *partitionWriter) bool { return p.known[version] != nil })
	if i < 0 {
		return nil
	}
	return t.parts[i].known[version]
}

// heldByAll tells whether all partitions have come to a version: of steps between two
// versions none may be missing in one of them, for readers wait for it.
func (w *Writer) heldByAll(t *writerTable, version int64) bool {
	return !slices.ContainsFunc(t.parts, func(p *partitionWriter) bool {
		s, ok := w.scans[p.number]
		return !ok || s.Version() < version
	})
}
