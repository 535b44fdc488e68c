package source

import (
	"errors"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// messageKeyFaults finds tables whose records cannot have the keys that were chosen.
func (m *MySQL) messageKeyFaults(tables []*dictionaryTable, sel selection) (list Faults) {
	var ids []schema.TableID
	for _, t := range tables {
		ids = append(ids, t.id)
		shape, errs := m.shapeOf(t, sel)
		if len(errs) > 0 {
			continue // is a fault of its own
		}
		var fault *pipeline.MessageKeyError
		if _, err := m.cfg.MessageKeys.Columns(shape, m.cfg.Partitions); errors.As(err, &fault) {
			list = append(list, Fault{Fatal, "table " + t.id.String(), fault.Problem, fault.Remedy})
		}
	}
	for _, text := range m.cfg.MessageKeys.Unused(ids) {
		list = append(list, Fault{Warning, "--kafka-message-key-columns " + text, "it counts for no captured table", "check the pattern, which is over the whole of database.table"})
	}
	return list
}
