package main

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
)

// control is what a run is steered by, and what it tells: signals come from the
// lake and by HTTP (those of the signal table are the source's own affair), and
// notifications go where the configuration says.
type control struct {
	signals *signalQueue                                 // nil: there is no lake, or no source
	post    func(context.Context, pipeline.Signal) error // takes a signal that came by HTTP
	recent  *notices
	metrics *metrics
	topic   *kafkalog.Notices // nil: none
	address net.Listener      // nil: none
	log     *slog.Logger
}

// openControl opens what can fail before anything is read.
func openControl(ctx context.Context, c *Config, o *opened, log *slog.Logger) (_ *control, err error) {
	s := &control{recent: new(notices), metrics: newMetrics(), log: log, post: refuseSignal}
	if c.HTTP.Address != "" {
		if s.address, err = listen(ctx, c.HTTP.Address); err != nil {
			return nil, err
		}
	}
	if o.source == nil {
		return s, nil
	}
	if t, ok := o.pipeline.Transport.(*kafkalog.Transport); ok && c.Notify.Topic != "" {
		s.topic = t.Notices(c.Notify.Topic)
	}
	o.source.Observe(func(n pipeline.Notification) {
		s.recent.add(n)
		s.metrics.add(n)
		if c.Notify.Log {
			log.Info("notification", "id", n.ID, "aggregate", n.Aggregate, "type", n.Type, "data", n.Data)
		}
		if s.topic != nil {
			s.topic.Add(n)
		}
	})
	if o.lake == nil {
		s.post = func(ctx context.Context, x pipeline.Signal) error {
			o.source.Signal(ctx, x)
			return nil
		}
		return s, nil
	}
	s.signals = newSignalQueue(o.lake, o.source, o.pipeline.Stats, log)
	s.post = s.signals.post
	s.signals.look(ctx, true) // a run that ends once all is done must know of all
	return s, nil
}

// refuseSignal is what a process without a source does with signals.
func refuseSignal(context.Context, pipeline.Signal) error {
	return errors.New("this process reads no server; send the signal to beluga source")
}

// Close frees the address of a run that was not begun.
func (s *control) Close() error {
	if s.address == nil {
		return nil
	}
	if err := s.address.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// run works until stop ends.
func (s *control) run(ctx, stop context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if s.signals != nil {
		g.Go(func() error {
			s.signals.run(ctx, stop)
			return nil
		})
	}
	if s.address != nil {
		g.Go(func() error {
			return (&server{post: s.post, notices: s.recent, metrics: s.metrics, log: s.log.With("part", "http")}).serve(stop, s.address)
		})
	}
	if s.topic != nil {
		g.Go(func() error { return s.topic.Run(ctx, stop) })
	}
	return g.Wait()
}
