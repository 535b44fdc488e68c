package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// Keep makes the tables of a lake keep the forms of their columns that were
// chosen when they came there. Run does it itself.
func (m *MySQL) Keep(lake pipeline.Resume) { m.decided = lake.Tables }

// shapeOf returns the shape of a table, in the forms that were or are chosen.
func (m *MySQL) shapeOf(d *dictionaryTable, sel selection) (*schema.Table, []columnError) {
	return d.shape(sel, m.cfg.Types, m.decided[d.id].Table)
}

var optionOf = map[schema.Kind]string{schema.Time: "--types-time", schema.TinyInt: "--types-tinyint1",
	schema.Date: "--types-zero-date", schema.DateTime: "--types-zero-date", schema.Timestamp: "--types-zero-date"}

// keptForms warns of options that do not count for columns that are in the lake.
// Which TINYINT is a TINYINT(1) the lake does not tell unless it is a boolean.
func (m *MySQL) keptForms() (list Faults) {
	columns := map[string][]string{}
	for id, state := range m.decided {
		for _, c := range state.Table.Columns {
			was := c.Type.Form
			if was != m.cfg.Types.Form(c.Type, "tinyint(1)") && was != schema.FormStop && (was != "" || c.Type.Kind != schema.TinyInt) {
				option := optionOf[c.Type.Kind]
				columns[option] = append(columns[option], id.String()+"."+c.Name)
			}
		}
	}
	for option, names := range columns {
		slices.Sort(names)
		list = append(list, Fault{Warning, option, fmt.Sprintf("%d columns that are in the lake, such as %s, stay as they came", len(names), names[0]),
			"give the option as it was then; or load the tables again: run with an empty lake (--to another folder)"})
	}
	slices.SortFunc(list, func(a, b Fault) int { return strings.Compare(a.Subject, b.Subject) })
	return list
}
