package pipeline

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
)

// Pipeline joins a source, a transport and a sink.
type Pipeline struct {
	Source    Source
	Transport Transport
	Sink      Sink
	Lake      Resume // what the sink holds
	Limits    Limits
	Stats     *Stats // may be nil
}

// Run runs until the source ends, which it does when it was made to run once or
// when stop ends: then all that is complete is committed, and nil returned.
// When ctx ends, everything is dropped where it stands; that is safe at any
// moment, and costs the next run the time to read it again.
func (p *Pipeline) Run(ctx, stop context.Context) error {
	stats := p.Stats
	if stats == nil {
		stats = new(Stats)
	}
	w, err := p.Transport.Writer(ctx, p.Lake)
	if err != nil {
		return fmt.Errorf("opening the transport for the source: %w", err)
	}
	r, err := p.Transport.Reader(ctx, p.Lake)
	if err != nil {
		return fmt.Errorf("opening the transport for the sink: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		reading, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(stop, cancel)()
		if err := p.Source.Run(reading, w.Resume(), steadyWriter{w, ctx}); err != nil {
			return err
		}
		return w.Close(ctx)
	})
	jobs := newJobs()
	g.Go(func() error {
		defer close(jobs.queue)
		return newBatcher(p.Limits, p.Lake, jobs, stats).run(ctx, r)
	})
	g.Go(func() error { return p.drain(ctx, jobs, r, stats) })
	return g.Wait()
}

// steadyWriter sends under the context of the whole pipeline: a source that is
// told to stop while it hands over the last blocks of a transaction must still
// get their Commit through.
type steadyWriter struct {
	Writer
	ctx context.Context //nolint:containedctx // the point of the type
}

func (w steadyWriter) Send(_ context.Context, e schema.Event) error { return w.Writer.Send(w.ctx, e) }

func (p *Pipeline) drain(ctx context.Context, jobs *jobs, r Reader, stats *Stats) error {
	for j := range jobs.queue {
		if err := p.do(ctx, &j, r, stats); err != nil {
			return err
		}
		jobs.done(&j)
	}
	return nil
}

func (p *Pipeline) do(ctx context.Context, j *job, r Reader, stats *Stats) error {
	switch {
	case j.define != nil:
		return p.Sink.Define(ctx, *j.define)
	case j.write != nil:
		return p.Sink.Write(ctx, *j.write)
	case j.checkpoint != nil:
		return p.Sink.Checkpoint(ctx, j.checkpoint)
	}
	if err := p.Sink.Commit(ctx, *j.commit); err != nil {
		return err
	}
	stats.committed(*j.commit)
	if err := r.Done(ctx, j.commit.Position); err != nil {
		return fmt.Errorf("telling the transport what is durable: %w", err)
	}
	return nil
}

// Stats counts what passes. All fields may be read at any time.
type Stats struct {
	Rows      atomic.Int64 // row changes that reached the sink's side
	Bytes     atomic.Int64 // of their blocks
	LoadRows  atomic.Int64 // rows of loads among them
	Cuts      atomic.Int64 // published
	CutAt     atomic.Int64 // when the last was published, µs since 1970
	CutSource atomic.Int64 // when the source committed what it ends with, µs since 1970
	position  atomic.Pointer[schema.Position]
	readTime  atomic.Int64 // source's time of the newest change read, µs
	waitTime  atomic.Int64 // of the oldest one that no cut holds, µs; 0: none waits
}

// Position returns the position of the last published cut.
func (s *Stats) Position() schema.Position {
	if p := s.position.Load(); p != nil {
		return *p
	}
	return schema.Position{}
}

// Lag returns how long ago the source committed the oldest change that has
// been read but not published; 0 when there is none. Transactions that change no
// captured table do not count: nobody waits for them.
func (s *Stats) Lag(now time.Time) time.Duration {
	since := s.waitTime.Load()
	if since == 0 {
		return 0
	}
	return max(0, now.Sub(time.UnixMicro(since)))
}

func (s *Stats) block(b *schema.Block) {
	s.Rows.Add(int64(b.Rows()))
	s.Bytes.Add(int64(b.Size()))
	if b.Rows() > 0 && b.Ops[0] == schema.OpRead {
		s.LoadRows.Add(int64(b.Rows()))
	}
}

func (s *Stats) read(c schema.Commit) {
	s.readTime.Store(c.Time.UnixMicro())
	s.waitTime.CompareAndSwap(0, c.Time.UnixMicro())
}

func (s *Stats) committed(c schema.Commit) {
	s.Cuts.Add(1)
	s.CutAt.Store(time.Now().UnixMicro())
	s.CutSource.Store(c.Time.UnixMicro())
	s.position.Store(&c.Position)
	waits := int64(0)
	if s.readTime.Load() > c.Time.UnixMicro() {
		// The next batch has begun. Its first change is younger than this cut's
		// last one, by how much is not kept: the lag is never told too small.
		waits = c.Time.UnixMicro()
	}
	s.waitTime.Store(waits)
}
