package source

import (
	"context"
	"fmt"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// signalTable watches the stream for rows that are inserted into Debezium's signal
// table. A signal is taken where its row stands: what it begins is part of the
// stream before the Commit of that row, so that a position that has passed the row
// has begun it too, and one that has not meets the row again.
type signalTable struct {
	pipeline.Writer
	id     schema.TableID
	hidden bool // not captured: nobody else is to see it
	source *MySQL
}

// watchSignals returns the writer that takes the place of out. Without a signal
// table it only lets the stream wait for signals that block it.
func (m *MySQL) watchSignals(sel selection, out pipeline.Writer) pipeline.Writer {
	return &signalTable{Writer: out, id: m.cfg.SignalTable, hidden: !sel.matches(m.cfg.SignalTable), source: m}
}

// Send implements pipeline.Writer.
func (w *signalTable) Send(ctx context.Context, e schema.Event) error {
	switch e := e.(type) {
	case *schema.Block:
		if e.Table.ID != w.id {
			break
		}
		for _, s := range signalsOf(e) {
			w.source.Signal(ctx, s)
		}
		if w.hidden {
			e.Release()
			return nil
		}
	case schema.SchemaChange:
		if e.Table.ID == w.id && w.hidden {
			return nil
		}
	case schema.Commit:
		if err := w.Writer.Send(ctx, e); err != nil {
			return err
		}
		return w.source.waitBlocked(ctx)
	}
	return w.Writer.Send(ctx, e)
}

// signalColumns are id, type and data, whatever they are called.
const signalColumns = 3

// signalsOf returns the signals among the rows that were inserted. Debezium takes
// the first three columns by their place.
func signalsOf(b *schema.Block) (list []pipeline.Signal) {
	for row, op := range b.Ops {
		if op != schema.OpInsert || len(b.New) < signalColumns {
			continue
		}
		var texts [signalColumns]string
		for i := range texts {
			if v := &b.New[i]; v.Kind == schema.VecBytes && !v.IsNull(row) {
				texts[i] = string(v.Bytes(row))
			}
		}
		list = append(list, pipeline.Signal{ID: texts[0], Type: texts[1], Data: texts[2]})
	}
	return list
}

// signalFaults looks at the signal table before it is relied on.
func (m *MySQL) signalFaults(ctx context.Context, s *session.Session, sel selection) (list Faults, err error) {
	id := m.cfg.SignalTable
	if id == (schema.TableID{}) {
		return nil, nil
	}
	tables, err := readDictionary(ctx, s, func(schema.TableID) bool { return true }, &id)
	if err != nil {
		return nil, err
	}
	name := session.Quote(id.Database) + "." + session.Quote(id.Name)
	const columns = "(id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data TEXT)"
	if len(tables) == 0 {
		return Faults{{Fatal, "signal table " + id.String(), "it is not there, or the user may not see it",
			fmt.Sprintf("CREATE TABLE %s %s; GRANT SELECT ON %s TO the user", name, columns, name)}}, nil
	}
	t, errs := m.shapeOf(tables[0], sel)
	fits := len(errs) == 0 && len(t.Columns) >= signalColumns
	for i := 0; fits && i < signalColumns; i++ {
		k := t.Columns[i].Type.Kind
		text := k == schema.Char || k == schema.VarChar || k == schema.Text || k == schema.JSON || k == schema.Enum
		fits = text && t.Columns[i].Treatment == nil
	}
	if !fits {
		list = append(list, Fault{Fatal, "signal table " + id.String(), "its first three columns are not texts for id, type and data, none of them left out, masked or hashed",
			fmt.Sprintf("make it anew: DROP TABLE %s; CREATE TABLE %s %s; and keep it out of --columns", name, name, columns)})
	}
	return list, nil
}

// ParseSignalTable reads the name of the signal table, "database.table".
func ParseSignalTable(text string) (id schema.TableID, err error) {
	var ok bool
	if id.Database, id.Name, ok = strings.Cut(text, "."); !ok || id.Database == "" || id.Name == "" || strings.Contains(id.Name, ".") {
		return schema.TableID{}, fmt.Errorf("%q is not database.table", text)
	}
	return id, nil
}
