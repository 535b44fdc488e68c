package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// progress shows how far a run is: on a terminal by a bar during the load and by
// a line that is rewritten after it, elsewhere by a log line now and then.
type progress struct {
	load      func() *snapshot.Progress // nil before a load
	zeroDates func() int64              // how many were replaced
	stats     *pipeline.Stats
	term      *terminal // nil: there is none
	log       *slog.Logger

	told int64 // of the zero dates
	bar  *progressbar.ProgressBar
	last sample
	rate float64 // rows a second since the sample before
}

// sample is the counters at one moment.
type sample struct {
	at   time.Time
	rows int64
	cuts int64
}

const (
	redrawEvery = 250 * time.Millisecond
	logEvery    = 10 * time.Second
	// idleEvery is how often a run in which nothing happens says that it is there.
	idleEvery = 10 * time.Minute
)

// run shows progress until ctx ends.
func (p *progress) run(ctx context.Context) error {
	every := logEvery
	if p.term != nil {
		every = redrawEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	warn := time.NewTicker(logEvery)
	defer warn.Stop()
	p.last.at = time.Now()
	for {
		select {
		case <-ctx.Done():
			p.tellZeroDates()
			if p.term != nil {
				return p.term.setLine("")
			}
			return nil
		case <-warn.C:
			p.tellZeroDates()
		case now := <-tick.C:
			if err := p.show(now); err != nil {
				return fmt.Errorf("showing progress: %w", err)
			}
		}
	}
}

// tellZeroDates warns when there are more of them than the last time: it is the
// one case in which a value is not in the lake as it is in the source.
func (p *progress) tellZeroDates() {
	if n := p.zeroDates(); n > p.told {
		p.told = n
		p.log.Warn("zero or partial dates, which Iceberg does not have, became NULL, or 1970-01-01 where that was chosen", "values", n)
	}
}

func (p *progress) show(now time.Time) error {
	load := snapshot.TableProgress{Done: true}
	if l := p.load(); l != nil {
		load = l.Total()
	}
	loading := !load.Done
	if p.term == nil {
		p.logLine(now, load, loading)
		return nil
	}
	rows := p.stats.Rows.Load()
	if loading {
		rows = load.Rows
	}
	if now.Sub(p.last.at) >= time.Second {
		p.measure(now, rows)
	}
	if loading {
		return p.term.setLine(p.barLine(load))
	}
	return p.term.setLine(p.statusLine(now))
}

func (p *progress) measure(now time.Time, rows int64) {
	if d := now.Sub(p.last.at).Seconds(); d > 0 {
		p.rate = max(0, float64(rows-p.last.rows)/d) // the sink's count begins anew after a load
	}
	p.last = sample{now, rows, p.stats.Cuts.Load()}
}

// barLine draws the bar of a load, with the time it has taken and will take. The
// server only estimates how many rows there are, so the end moves.
func (p *progress) barLine(load snapshot.TableProgress) string {
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(1, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(24), progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetRenderBlankState(true))
	}
	p.bar.ChangeMax64(max(load.Estimated, load.Rows+1))
	text := fmt.Sprintf("loading · %s rows, %s, %s rows/s", grouped(load.Rows), roundSize(load.Bytes), grouped(int64(p.rate)))
	if why := p.load().Paused(); why != "" {
		text += " · paused: " + why
	}
	p.bar.Describe(text)
	if err := p.bar.Set64(load.Rows); err != nil {
		return text // the bar is only ornament
	}
	return p.bar.String()
}

func (p *progress) statusLine(now time.Time) string {
	cuts := p.stats.Cuts.Load()
	if cuts == 0 {
		return fmt.Sprintf("following · %s rows/s · nothing committed yet", grouped(int64(p.rate)))
	}
	ago := now.Sub(time.UnixMicro(p.stats.CutAt.Load())).Round(time.Second)
	return fmt.Sprintf("following · lag %s · %s rows/s · %s rows in %s commits, the last %s ago · %s", lagText(p.stats.Lag(now)), grouped(int64(p.rate)),
		grouped(p.stats.Rows.Load()), grouped(cuts), ago, shortPosition(p.stats.Position().String()))
}

func lagText(lag time.Duration) string {
	if lag < 10*time.Second {
		return lag.Round(100 * time.Millisecond).String()
	}
	return lag.Round(time.Second).String()
}

// shortPosition keeps the end of a position, which is where it moves.
func shortPosition(s string) string {
	const most = 24
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}

func (p *progress) logLine(now time.Time, load snapshot.TableProgress, loading bool) {
	if loading {
		p.measure(now, load.Rows)
		log := p.log
		if why := p.load().Paused(); why != "" {
			log = log.With("paused", why)
		}
		log.Info("loading", "rows", load.Rows, "estimated", load.Estimated, "bytes", load.Bytes, "rows_per_second", int64(p.rate), "left", left(load, p.rate))
		return
	}
	rows, cuts := p.stats.Rows.Load(), p.stats.Cuts.Load()
	if rows == p.last.rows && cuts == p.last.cuts && now.Sub(p.last.at) < idleEvery {
		return
	}
	p.measure(now, rows)
	p.log.Info("following", "lag", p.stats.Lag(now).Round(time.Millisecond), "rows", rows, "rows_per_second", int64(p.rate), "commits", cuts, "position", p.stats.Position())
}

// left is how long a load will still take.
func left(load snapshot.TableProgress, rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(load.Estimated-load.Rows) / rate * float64(time.Second)).Round(time.Second)
}
