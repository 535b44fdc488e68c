package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// propSignal, with the pipeline's name and the signal's id, is a property of the
// table of cuts: a signal that waits. Each is one of its own, so that two who add
// one at the same time do not overwrite each other, and the catalog, which every
// lake has, is all that it takes to reach a run, or the next one.
const propSignal = "beluga.signal."

// waiting is the value of the property.
type waiting struct {
	Type string    `json:"type"`
	Data string    `json:"data,omitempty"`
	Time time.Time `json:"time"`
}

// PostSignal leaves a signal in a lake for the pipeline's run, now or later. It
// takes no lock: the run itself may be at work.
func PostSignal(ctx context.Context, cfg Config, s pipeline.Signal) (err error) {
	w, err := warehouse.Open(ctx, warehouse.Options{Dir: cfg.Dir, Remote: cfg.Remote, Pipeline: cfg.Pipeline, Shared: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return postSignal(ctx, w.Catalog, cfg.Pipeline, s)
}

// PostSignal leaves a signal for this pipeline's run.
func (l *Lake) PostSignal(ctx context.Context, s pipeline.Signal) error {
	return postSignal(ctx, l.dir.Catalog, l.cfg.Pipeline, s)
}

func postSignal(ctx context.Context, c catalog.Catalog, name string, s pipeline.Signal) error {
	t, err := c.LoadTable(ctx, cutsIdentifier())
	missing := errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace)
	if err != nil && !missing {
		return fmt.Errorf("loading the table of cuts: %w", err)
	}
	if missing || t.Properties()[propCutPrefix+name] == "" {
		return fmt.Errorf("the lake has no published cut of pipeline %s: nothing was loaded yet; remedy: start beluga run first, or say --name", name)
	}
	text, err := json.Marshal(waiting{s.Type, s.Data, time.Now().UTC()})
	if err != nil {
		return err
	}
	key := signalKey(name, s.ID)
	return changeProperties(ctx, c, table.NewSetPropertiesUpdate(iceberg.Properties{key: string(text)}), func(p iceberg.Properties) bool { return p[key] == string(text) })
}

func signalKey(pipeline, id string) string { return propSignal + pipeline + "." + id }

// Signals returns the signals that wait, oldest first.
func (l *Lake) Signals(ctx context.Context) ([]pipeline.Signal, error) {
	t, err := l.dir.Catalog.LoadTable(ctx, cutsIdentifier())
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading the table of cuts: %w", err)
	}
	type posted struct {
		pipeline.Signal
		at time.Time
	}
	var list []posted
	for key, text := range t.Properties() {
		id, ok := strings.CutPrefix(key, signalKey(l.cfg.Pipeline, ""))
		if !ok {
			continue
		}
		var w waiting
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			return nil, fmt.Errorf("decoding signal %s: %w; remedy: take the property %s from the table _beluga.cuts", id, err, key)
		}
		list = append(list, posted{pipeline.Signal{ID: id, Type: w.Type, Data: w.Data}, w.Time})
	}
	slices.SortFunc(list, func(a, b posted) int { return a.at.Compare(b.at) })
	signals := make([]pipeline.Signal, len(list))
	for i := range list {
		signals[i] = list[i].Signal
	}
	return signals, nil
}

// RemoveSignal takes away a signal that was carried out.
func (l *Lake) RemoveSignal(ctx context.Context, id string) error {
	key := signalKey(l.cfg.Pipeline, id)
	return changeProperties(ctx, l.dir.Catalog, table.NewRemovePropertiesUpdate([]string{key}), func(p iceberg.Properties) bool { return p[key] == "" })
}

// changeProperties sends a change of the properties of the table of cuts until it
// is there. Its rows are committed by others meanwhile, which a catalog may
// answer with a conflict.
func changeProperties(ctx context.Context, c catalog.Catalog, u table.Update, there func(iceberg.Properties) bool) error {
	for attempt := 1; ; attempt++ {
		t, err := c.LoadTable(ctx, cutsIdentifier())
		if err != nil {
			return fmt.Errorf("loading the table of cuts: %w", err)
		}
		if there(t.Properties()) {
			return nil
		}
		_, _, cause := c.CommitTable(ctx, t.Identifier(), []table.Requirement{table.AssertTableUUID(t.Metadata().TableUUID())}, []table.Update{u})
		if cause == nil {
			return nil
		}
		if attempt == settleAttempts {
			return fmt.Errorf("changing the properties of the table of cuts: %w; tried %d times", cause, attempt)
		}
		if err := pause(ctx, attempt); err != nil {
			return errors.Join(cause, err)
		}
	}
}
