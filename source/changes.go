package source

import (
	"strings"

	"github.com/google/uuid"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// tableChanged tells of what became of a table. Loads are told of otherwise.
func (m *MySQL) tableChanged(old *schema.Table, c schema.SchemaChange) {
	id := c.Table.ID
	if old == nil && c.Lane || id == m.cfg.SignalTable {
		return
	}
	kinds, change := describeChange(old, c)
	if len(kinds) == 0 {
		return
	}
	m.log.Info("a table has changed", "table", id, "change", change, "statement", c.Cause.Statement, "transaction", c.Cause.At)
	m.notify(uuid.NewString(), schemaChange, noticeCompleted,
		map[string]string{"data_collections": id.String(), "kinds": strings.Join(kinds, ","), "change": change, "statement": c.Cause.Statement, "transaction": c.Cause.At})
}

// describeChange returns the kinds of a change, each as often as it happened, and the
// change in words; nothing where readers of the lake see none.
func describeChange(old *schema.Table, c schema.SchemaChange) (kinds []string, text string) {
	switch {
	case c.Dropped:
		return []string{"table_dropped"}, "table dropped"
	case c.Reset && c.Same:
		return []string{"table_truncated"}, "table truncated"
	case old == nil:
		return []string{"table_created"}, "table created"
	}
	d := schema.DiffTables(old, c.Table, c.Renamed...)
	add := func(kind string, times int) {
		for range times {
			kinds = append(kinds, kind)
		}
	}
	flag := map[bool]int{true: 1}
	add("column_added", len(d.Added))
	add("column_dropped", len(d.Dropped))
	add("column_renamed", len(d.Renamed))
	add("type_changed", len(d.Changed))
	add("key_changed", flag[d.KeyChanged])
	add("columns_moved", flag[d.Moved])
	return kinds, d.Describe(old, c.Table)
}

// ChangeOf returns the table that a notification tells a change of, and its kinds;
// nothing where it tells of something else.
func ChangeOf(n pipeline.Notification) (table string, kinds []string) {
	if n.Aggregate != schemaChange {
		return "", nil
	}
	return n.Data["data_collections"], strings.Split(n.Data["kinds"], ",")
}
