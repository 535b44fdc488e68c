package pipeline

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
)

// Pipeline joins a source, a transport and a sink. Through a log either end may be in
// another process: then it is nil here.
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
	w, r, err := p.open(ctx, stop)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if w != nil {
		g.Go(func() error {
			reading, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(stop, cancel)()
			out := steadyWriter{Writer: w, ctx: ctx}
			if r == nil {
				out.stats = stats
			}
			if err := p.Source.Run(reading, w.Resume(), out); err != nil {
				return err
			}
			return w.Close(ctx)
		})
	}
	if r != nil {
		jobs := newJobs()
		g.Go(func() error {
			defer close(jobs.queue)
			return newBatcher(p.Limits, p.Lake, jobs, stats).run(ctx, r)
		})
		g.Go(func() error { return p.drain(ctx, jobs, r, stats) })
	}
	return g.Wait()
}

// open opens the ends of the transport that are here.
func (p *Pipeline) open(ctx, stop context.Context) (w Writer, r Reader, err error) {
	if p.Source != nil {
		if w, err = p.Transport.Writer(ctx, p.Lake); err != nil {
			return nil, nil, fmt.Errorf("opening the transport for the source: %w", err)
		}
	}
	if p.Sink != nil {
		if r, err = p.Transport.Reader(ctx, p.Lake); err != nil {
			return nil, nil, fmt.Errorf("opening the transport for the sink: %w", err)
		}
		if p.Source == nil { // which would end it
			r = &stoppedReader{Reader: r, stop: stop, whole: true}
		}
	}
	return w, r, nil
}

// steadyWriter sends under the context of the whole pipeline: a source that is
// told to stop while it hands over the last blocks of a transaction must still
// get their Commit through.
type steadyWriter struct {
	Writer
	ctx   context.Context //nolint:containedctx // the point of the type
	stats *Stats          // nil: the sink counts
}

func (w steadyWriter) Send(_ context.Context, e schema.Event) error {
	if w.stats == nil {
		return w.Writer.Send(w.ctx, e)
	}
	c, isCommit := e.(schema.Commit)
	if b, ok := e.(*schema.Block); ok {
		w.stats.block(b)
	}
	if isCommit {
		w.stats.read(c)
	}
	err := w.Writer.Send(w.ctx, e)
	if isCommit && err == nil {
		w.stats.committed(c)
	}
	return err
}

// stoppedReader ends a reader whose writer is in another process, and goes on: at
// the next Commit after stop, as the batch can be committed there, or where none comes.
type stoppedReader struct {
	Reader
	stop  context.Context //nolint:containedctx // the point of the type
	whole bool            // the last event was a Commit
}

// lastCommit is how long a reader that is to end waits for the Commit of what came.
const lastCommit = 2 * time.Second

// Next implements Reader.
func (r *stoppedReader) Next(ctx context.Context) (schema.Event, error) {
	wait := lastCommit
	if r.whole {
		wait = 0
	}
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.stop, func() {
		select {
		case <-time.After(wait):
			cancel()
		case <-reading.Done():
		}
	})()
	if r.whole && r.stop.Err() != nil {
		return nil, io.EOF
	}
	e, err := r.Reader.Next(reading)
	if err != nil && reading.Err() != nil && ctx.Err() == nil {
		return nil, io.EOF
	}
	_, r.whole = e.(schema.Commit)
	return e, err
}

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
	left      atomic.Bool
}

// Left tells whether the events ended within a transaction, so that what came since the
// last published cut is in no table, complete or not.
func (s *Stats) Left() bool { return s.left.Load() }

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
