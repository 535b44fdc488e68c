package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNoLog: nobody has begun the log yet.
var ErrNoLog = errors.New("there is no such log")

// EndHere makes a reader end once it has come to where the log ends now. It is for
// processes that do not write the log: a writer says by itself where it ends.
func (t *Transport) EndHere(ctx context.Context) error {
	cfg, err := t.cfg.withDefaults()
	if err != nil {
		return err
	}
	c := newClient(cfg.Brokers, cfg.Dialer, t.log)
	defer c.close()
	if err := c.connect(ctx, cfg.Brokers); err != nil {
		return err
	}
	topic := cfg.controlTopic()
	ok, err := c.exists(ctx, topic)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: topic %s does not exist; remedy: start beluga source with --kafka-log %s, or name the log that there is", ErrNoLog, topic, cfg.Name)
	}
	l := newControlLog(c, topic)
	defer l.cursor.close()
	if err := l.rewind(ctx); err != nil {
		return err
	}
	if err := l.readAll(ctx); err != nil {
		return err
	}
	ends := map[string]int64{}
	for _, e := range l.state.entries() {
		if cfg.Tables != nil && !cfg.Tables(e.ID) {
			continue
		}
		for i := e.First; i < e.First+e.Partitions; i++ {
			if ends[partitionKey(e.Topic, i)], err = c.endOffset(ctx, e.Topic, i); err != nil {
				return fmt.Errorf("finding the end of topic %s: %w", e.Topic, err)
			}
		}
	}
	t.finish(ends, 0)
	return nil
}

// wrote tells whether the log's writer was in this process: then it ends at a cut.
func (t *Transport) wrote() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writer != nil
}

// lateCuts is how many intervals a reader waits for the cut of what it has read, where
// it does not know whether the source lives.
const lateCuts = 4

// late tells whether a reader that has come to the end has waited for another cut for
// long enough. What it read since the last one is of no use without it.
func (r *Reader) late() bool {
	wait := lateCuts * r.cfg.CutInterval
	if r.endedAt.IsZero() {
		r.endedAt = time.Now()
		time.AfterFunc(wait, r.knock)
	}
	return time.Since(r.endedAt) >= wait
}
