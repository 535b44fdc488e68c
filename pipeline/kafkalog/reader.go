package kafkalog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

// controlPoll is how often a reader looks for a log that nobody has begun yet.
const controlPoll = 200 * time.Millisecond

// Reader is the sink's end of the log.
type Reader struct {
	cfg       Config
	transport *Transport
	client    *client
	log       *slog.Logger
	lake      pipeline.Resume

	ctx    context.Context //nolint:containedctx // ends all goroutines
	cancel context.CancelCauseFunc
	group  errgroup.Group
	once   sync.Once

	wake     chan struct{}   // something arrived
	entries  chan tableEntry // from the control topic
	identity chan logIdentity

	// What follows belongs to the goroutine that calls Next.
	logID   string
	tables  map[int64]bool // by number
	parts   []*partitionReader
	turn    int
	aligner *protocol.Aligner
	shapes  shapes
	current map[schema.TableID]*schema.Table
	passed  int64                // the last cut that was delivered
	history int64                // of the last load that began
	whole   bool                 // the last event was a Commit, or there was none
	endedAt time.Time            // when it first came to where it is to end
	held    *schema.SchemaChange // its first, while that is told
	cuts    map[int64]*cutPayload
}

func newReader(cfg Config, t *Transport, lake pipeline.Resume) *Reader {
	return &Reader{cfg: cfg, transport: t, log: t.log, lake: lake, history: lake.Position.History, wake: make(chan struct{}, 1), entries: make(chan tableEntry, 16),
		identity: make(chan logIdentity, 1), tables: map[int64]bool{}, aligner: protocol.NewAligner(), cuts: map[int64]*cutPayload{}, whole: true, current: map[schema.TableID]*schema.Table{}}
}

func (r *Reader) open(ctx context.Context) error {
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.client = newClient(r.cfg.Brokers, r.cfg.Dialer, r.log)
	if err := r.client.connect(ctx, r.cfg.Brokers); err != nil {
		return err
	}
	r.run(r.follow)
	return nil
}

// run starts a goroutine whose error ends the reader.
func (r *Reader) run(f func(context.Context) error) {
	r.group.Go(func() error {
		err := f(r.ctx)
		if err != nil {
			r.cancel(err)
		}
		return err
	})
}

// stop ends all goroutines, waits for them and returns the cause of the end.
func (r *Reader) stop(cause error) error {
	r.once.Do(func() {
		r.cancel(cause)
		_ = r.group.Wait() // its error is the context's cause
		r.client.close()
	})
	return context.Cause(r.ctx)
}

// follow reads the control topic for as long as the reader lives: tables join
// the log while it runs.
func (r *Reader) follow(ctx context.Context) error {
	topic := r.cfg.controlTopic()
	for {
		ok, err := r.client.exists(ctx, topic)
		if err != nil {
			return err
		}
		if ok {
			break
		}
		select {
		case <-time.After(controlPoll):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	l := newControlLog(r.client, topic)
	defer l.cursor.close()
	if err := l.rewind(ctx); err != nil {
		return err
	}
	named, told := false, map[int64]bool{}
	for {
		if err := l.poll(ctx); err != nil {
			return err
		}
		if !named && l.state.log != nil {
			r.identity <- *l.state.log
			named = true
		}
		for _, e := range l.state.entries() {
			if told[e.Number] {
				continue
			}
			told[e.Number] = true
			select {
			case r.entries <- e:
				// Not after the last one: once the channel is full, only Next makes
				// room in it, and it sleeps until it is woken.
				r.knock()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		r.knock()
	}
}

func (r *Reader) knock() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look
	}
}

// Next returns the next event.
func (r *Reader) Next(ctx context.Context) (schema.Event, error) {
	for {
		if r.ctx.Err() != nil {
			return nil, context.Cause(r.ctx)
		}
		if err := r.join(); err != nil {
			return nil, err
		}
		e, moved, err := r.advance()
		if e != nil || err != nil {
			_, r.whole = e.(schema.Commit)
			return e, err
		}
		if moved {
			continue
		}
		if r.atEnd() && (r.whole || r.transport.wrote() || r.late()) {
			return nil, r.end()
		}
		var closed <-chan struct{}
		if _, ok := r.transport.finished(); !ok {
			closed = r.transport.closed
		}
		select {
		case <-r.wake:
		case <-closed:
		case <-r.ctx.Done():
			return nil, context.Cause(r.ctx)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// advance takes the next complete step, or else the next item of a partition
// that may deliver.
func (r *Reader) advance() (e schema.Event, moved bool, err error) {
	if c := r.held; c != nil {
		r.held = nil
		return *c, true, nil
	}
	step, ok, err := r.aligner.Next()
	if err != nil {
		return nil, false, err
	}
	if ok {
		if step.Version != 0 {
			return r.change(r.shapes.take(step.Table, step.Version)), true, nil
		}
		return r.commit(step.Cut), true, nil
	}
	for range r.parts {
		p := r.parts[r.turn%len(r.parts)]
		if !r.aligner.Running(p.number) {
			r.turn++
			continue
		}
		select {
		case it := <-p.items:
			return r.take(p, it), true, nil
		default:
			r.turn++
		}
	}
	return nil, false, nil
}

// change makes the event of a new table version. The first of a load stands for
// its begin too: partitions have no record of that. The end of a table is none:
// what it voids here is void in the sink as well.
func (r *Reader) change(c *schema.SchemaChange) schema.Event {
	if c.Table == nil {
		return nil
	}
	r.current[c.Table.ID] = c.Table
	if !c.Reset || c.History <= r.history {
		return *c
	}
	r.held, r.history = c, c.History
	return schema.Anew{History: c.History}
}

// take takes one item of a partition. The same partition is asked again next: its
// data is warm, and all have to reach the same cut.
func (r *Reader) take(p *partitionReader, it item) schema.Event {
	p.state = it.state
	switch {
	case it.cut != nil:
		r.cuts[it.number] = it.cut
		r.aligner.AtCut(p.number, it.number, it.tables)
	case it.change != nil:
		r.aligner.AtVersion(p.number, it.version, it.change.Reset || it.change.Dropped)
	case it.block != nil:
		if r.aligner.Void(p.number, it.version) {
			it.block.Release()
			return nil
		}
		return it.block
	}
	return nil
}

// commit makes the event of a cut: where the source stood, and where each
// partition does.
func (r *Reader) commit(cut int64) schema.Commit {
	c := r.cuts[cut]
	r.passed = cut
	maps.DeleteFunc(r.cuts, func(n int64, _ *cutPayload) bool { return n <= cut })
	p := c.Position
	p.LogID, p.Log = r.logID, make(map[string]schema.LogPosition, len(r.parts))
	for _, part := range r.parts {
		p.Log[part.key] = part.state
	}
	commit := schema.Commit{Position: p, Time: c.Time}
	for _, l := range c.Loading {
		if r.cfg.Tables != nil && !r.cfg.Tables(l.Table) {
			continue
		}
		commit.Loading = append(commit.Loading, schema.Progress{Table: r.current[l.Table], Load: l.Load})
	}
	return commit
}

// join takes what the control topic has told.
func (r *Reader) join() error {
	for {
		select {
		case id := <-r.identity:
			if err := r.check(id); err != nil {
				return err
			}
		default:
		}
		select {
		case e := <-r.entries:
			if err := r.addTable(e); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// check compares the log with the one that the lake was fed from.
func (r *Reader) check(id logIdentity) error {
	r.logID = id.ID
	at := r.lake.Position
	switch {
	case at.LogID != "" && at.LogID != id.ID:
		return fmt.Errorf("the lake was fed from another log than the one of topic %s, which has been created anew since; remedy: %s", r.cfg.controlTopic(), remedyReload)
	case at.LogID == "" && !samePosition(at, id.Base):
		return fmt.Errorf("the lake stands at %q, and the log of topic %s begins at %q: it does not continue the lake; remedy: %s", at, r.cfg.controlTopic(), id.Base, remedyReload)
	}
	return nil
}

// addTable begins to read the partitions of a table.
func (r *Reader) addTable(e tableEntry) error {
	if r.tables[e.Number] {
		return nil
	}
	r.tables[e.Number] = true
	if r.cfg.Tables != nil && !r.cfg.Tables(e.ID) {
		r.aligner.LeaveOut()
		return nil
	}
	lake := r.lake.Tables[e.ID]
	r.current[e.ID] = lake.Table
	passed := map[int]int64{}
	share := min(max(r.cfg.Memory/(4*max(len(r.parts)+e.Partitions, 4)), 64<<10), 2<<20)
	for i := range e.Partitions {
		key := partitionKey(e.Topic, e.First+i)
		state := r.lake.Position.Log[key]
		// A table that committed a cut which others have not is ahead. It passes the
		// cuts again all the same: where all tables are ahead, none else would bring it.
		has := int64(0)
		if own, ok := lake.Position.Log[key]; ok && own.Offset > state.Offset {
			has, state.Schema = own.Offset, own.Schema
		}
		if state.Offset == 0 {
			state.Cut = e.Birth
		}
		p := &partitionReader{number: len(r.parts), table: int(e.Number), key: key, registry: &r.shapes, id: e.ID, state: state, ahead: state, has: has,
			cursor: cursor{client: r.client, topic: e.Topic, partition: e.First + i, maxBytes: share},
			items:  make(chan item, 1), wake: r.wake, relay: r.transport.relay(key), blockSize: 2 * share, delivered: state.Offset}
		if state.Schema > 0 && lake.Table != nil {
			p.use(lake.Table)
		}
		passed[p.number] = state.Cut
		r.parts = append(r.parts, p)
		r.startPartition(p)
	}
	r.aligner.AddTable(int(e.Number), passed)
	return nil
}

func (r *Reader) startPartition(p *partitionReader) {
	bufs, sets := make(chan []byte, 2), make(chan fetched, 1)
	bufs <- nil
	bufs <- nil
	from := p.state.Offset
	r.run(func(ctx context.Context) error { return p.fetchAhead(ctx, from, sets, bufs) })
	r.run(func(ctx context.Context) error { return p.decode(ctx, sets, bufs) })
}

// atEnd tells whether the writer was closed and everything that it wrote has been
// delivered. Partitions may stand at a cut that it could not complete.
func (r *Reader) atEnd() bool {
	ends, ok := r.transport.finished()
	if !ok {
		return false
	}
	known := 0
	for _, p := range r.parts {
		end, ok := ends[p.key]
		if !ok {
			continue
		}
		known++
		if p.state.Offset < end && r.aligner.Running(p.number) {
			return false
		}
	}
	return known == len(ends)
}

// end returns io.EOF, unless a cut that all partitions hold could not be delivered:
// then the sink would end well, and lack what the source has sent.
func (r *Reader) end() error {
	last := r.passed
	for _, p := range r.parts {
		last = max(last, r.lake.Position.Log[p.key].Cut)
	}
	r.transport.mu.Lock()
	want := r.transport.lastCut
	r.transport.mu.Unlock()
	if last >= want {
		return io.EOF
	}
	var at []string
	for _, p := range r.parts {
		at = append(at, fmt.Sprintf("%s at %d, cut %d, version %d", p.key, p.state.Offset, p.state.Cut, p.state.Schema))
	}
	return fmt.Errorf("the log was read to its end, and cut %d did not come together, after cut %d; the partitions stand there: %s", want, last, strings.Join(at, "; "))
}
