package source

import (
	"fmt"
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
	case c.Reset && c.Same && !c.Lane:
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
	add("column_dropped", len(d.Dropped)-len(c.Apart))
	add("column_set_apart", len(c.Apart))
	add("column_renamed", len(d.Renamed))
	add("type_changed", len(d.Changed))
	add("key_changed", flag[d.KeyChanged])
	add("columns_moved", flag[d.Moved])
	text = d.Describe(old, c.Table)
	if len(c.Apart) > 0 {
		text = "values set apart: " + strings.Join(c.Apart, ", ")
	}
	if c.Lane {
		types := otherTypes(old, c.Table)
		add("type_changed", len(types))
		if d.IsEmpty() {
			return kinds, strings.Join(types, ", ")
		}
		text = strings.Join(append([]string{text}, types...), ", ")
	}
	return kinds, text
}

// otherTypes tells of columns whose type is another one, and not in the lake. Where a
// table is loaded again because of that, they show other values.
func otherTypes(old, now *schema.Table) (list []string) {
	for i, c := range old.Columns {
		j := now.Column(c.Name)
		if j < 0 || old.Lake(i) != now.Lake(j) {
			continue
		}
		if was, is := c.Type.String(), now.Columns[j].Type.String(); was != is {
			list = append(list, fmt.Sprintf("column %s changed from %s to %s", c.Name, was, is))
		}
	}
	return list
}

// ChangeOf returns the table that a notification tells a change of, and its kinds;
// nothing where it tells of something else.
func ChangeOf(n pipeline.Notification) (table string, kinds []string) {
	if n.Aggregate != schemaChange {
		return "", nil
	}
	return n.Data["data_collections"], strings.Split(n.Data["kinds"], ",")
}
