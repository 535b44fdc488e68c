package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

const neverLoaded = "it is older than the lake's position, and was never loaded into the lake"

// newcomers watches the events of a run that goes on from a lake, for captured
// tables that the lake does not have. The binlog must show their creation up to
// the position at which the server had them. If it does not, they were there
// before the lake's position: they were captured only since, and nothing of them
// was ever loaded. No event would tell that of a table that nobody writes to. They
// are loaded in lanes, or refused by a transport that takes none.
type newcomers struct {
	pipeline.Writer
	source  *MySQL
	missing map[schema.TableID]bool
	until   schema.Position
}

// watchNewcomers looks for such tables. The writer that it returns takes the place
// of out.
func (m *MySQL) watchNewcomers(ctx context.Context, from pipeline.Resume, out pipeline.Writer) (pipeline.Writer, error) {
	ids, err := m.Captured(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	w := &newcomers{Writer: out, source: m, missing: map[schema.TableID]bool{}}
	for _, id := range ids {
		if _, known := from.Tables[id]; !known {
			w.missing[id] = true
		}
	}
	if len(w.missing) == 0 {
		return out, nil
	}
	// After the tables: what creates them lies before this position.
	if w.until, _, err = m.ServerPosition(ctx); err != nil {
		return nil, err
	}
	return w, w.passed(ctx, from.Position)
}

// Send implements pipeline.Writer.
func (w *newcomers) Send(ctx context.Context, e schema.Event) error {
	if c, ok := e.(schema.SchemaChange); ok {
		delete(w.missing, c.Table.ID)
	}
	if err := w.Writer.Send(ctx, e); err != nil {
		return err
	}
	if c, ok := e.(schema.Commit); ok {
		return w.passed(ctx, c.Position)
	}
	return nil
}

// passed refuses what is missing still, once the position is reached.
func (w *newcomers) passed(ctx context.Context, p schema.Position) error {
	if len(w.missing) == 0 || !p.Contains(w.until) {
		return nil
	}
	var faults Faults
	for id := range w.missing {
		now, err := w.source.describeOne(ctx, id)
		if err != nil {
			return err
		}
		if now == nil || w.source.lanes.Want(id) {
			continue // it is gone again; or it is loaded beside the stream
		}
		faults = append(faults, Fault{Fatal, "table " + id.String(), neverLoaded,
			"leave it out with --tables; or load all tables again: run once with --snapshot-mode always"})
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Subject, b.Subject) })
	clear(w.missing)
	return faults.Err()
}

// newcomersToLoad tells of the tables that a run will load beside the others.
func (m *MySQL) newcomersToLoad(from pipeline.Resume) (faults Faults) {
	for _, b := range m.lanes.Due() {
		if _, known := from.Tables[b.Table]; !known {
			faults = append(faults, Fault{Warning, "table " + b.Table.String(), neverLoaded + "; the next run loads it beside the others",
				"leave it out with --tables, or let it be loaded"})
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Subject, b.Subject) })
	return faults
}
