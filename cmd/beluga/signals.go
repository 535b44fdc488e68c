package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/source"
)

// signalPoll is how often a run looks for signals in the lake.
const signalPoll = 2 * time.Second

// signalQueue hands the signals that wait in the lake to the source. Each stays
// there until what it began is over and published, so that a run that dies leaves
// it to the next.
type signalQueue struct {
	lake  *sink.Lake
	src   *source.MySQL
	stats *pipeline.Stats
	log   *slog.Logger
	knock chan struct{}               // look now
	given map[string]*schema.Position // where the source stood when the signal was done; nil: it is not
}

func newSignalQueue(lake *sink.Lake, src *source.MySQL, stats *pipeline.Stats, log *slog.Logger) *signalQueue {
	return &signalQueue{lake: lake, src: src, stats: stats, log: log, knock: make(chan struct{}, 1), given: map[string]*schema.Position{}}
}

// post leaves a signal in the lake and wakes the queue.
func (q *signalQueue) post(ctx context.Context, s pipeline.Signal) error {
	if err := q.lake.PostSignal(ctx, s); err != nil {
		return err
	}
	select {
	case q.knock <- struct{}{}:
	default: // it will look
	}
	return nil
}

// run hands signals over until stop ends, and then takes away those that are done.
func (q *signalQueue) run(ctx, stop context.Context) {
	tick := time.NewTicker(signalPoll)
	defer tick.Stop()
	for {
		select {
		case <-stop.Done():
			q.look(ctx, false)
			return
		case <-tick.C:
		case <-q.knock:
		}
		q.look(ctx, true)
	}
}

// look hands over what is new, and takes away what is done. A catalog that is
// away for a moment ends nothing.
func (q *signalQueue) look(ctx context.Context, handOver bool) {
	list, err := q.lake.Signals(ctx)
	if err != nil {
		q.warn(ctx, "looking for signals in the lake", "", err)
		return
	}
	for _, s := range list {
		end, given := q.given[s.ID]
		if !given && handOver {
			q.src.Signal(ctx, s)
			given = true
			q.given[s.ID] = nil
		}
		if given && end == nil && !q.src.Pending(s.ID) {
			reached := q.src.Reached()
			end = &reached
			q.given[s.ID] = end
		}
		if end == nil || !q.stats.Position().Contains(*end) {
			continue
		}
		if err := q.lake.RemoveSignal(ctx, s.ID); err != nil {
			q.warn(ctx, "taking a signal from the lake that was carried out", s.ID, err)
			continue
		}
		delete(q.given, s.ID)
	}
}

func (q *signalQueue) warn(ctx context.Context, doing, id string, err error) {
	if ctx.Err() == nil {
		q.log.Warn(doing, "signal", id, "error", err)
	}
}
