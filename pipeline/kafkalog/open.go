package kafkalog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
	"github.com/beluga-cdc/beluga/schema"
)

// scansAtOnce bounds the connections and buffers of a start.
const scansAtOnce = 4

// open takes the log over: claim, fence, scan. See package protocol.
func (w *Writer) open(ctx context.Context, lake pipeline.Resume) error {
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.client = newClient(w.cfg.Brokers, w.cfg.Dialer, w.log)
	w.control = newControlLog(w.client, w.cfg.controlTopic())
	if err := w.client.connect(ctx, w.cfg.Brokers); err != nil {
		return err
	}
	if err := w.claim(ctx, lake); err != nil {
		return fmt.Errorf("claiming the log: %w", err)
	}
	if err := w.adopt(lake); err != nil {
		return err
	}
	state := &w.control.state
	if state.checkpoint == nil {
		// The lake's tables and position become the log's: from here on the log
		// says where a source goes on, not the lake.
		first := w.describe(0, schema.Commit{Position: lake.Position, Loading: slices.Collect(maps.Values(lake.Lanes))})
		if err := w.writeCheckpoint(ctx, &first); err != nil {
			return err
		}
	}
	if err := w.recover(ctx); err != nil {
		return fmt.Errorf("scanning the log: %w", err)
	}
	if was, ok := w.recovery.WrittenUnder(&state.claims, w.cfg.Selection); ok {
		return &SelectionError{Was: was, Is: w.cfg.Selection, Pending: w.recovery.Pending()}
	}
	if err := w.takeUpLoad(); err != nil {
		return err
	}
	if err := w.takeUpLanes(); err != nil {
		return err
	}
	if c := state.checkpoint; c != nil {
		w.transport.noteCheckpoint(c.Partition)
	}
	producer, err := w.client.producer(ctx)
	if err != nil {
		return err
	}
	for _, p := range w.parts {
		w.start(p, producer)
	}
	w.run(&w.keeper, w.keep)
	return nil
}

// claim makes this writer the owner of the log, and reads the control topic up
// to the claim.
func (w *Writer) claim(ctx context.Context, lake pipeline.Resume) error {
	n, _, err := w.client.ensureTopic(ctx, w.cfg.controlTopic(), 1, w.cfg.ReplicationFactor, controlSettings())
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("topic %s has %d partitions and must have one; remedy: delete it, or use another pipeline name", w.cfg.controlTopic(), n)
	}
	if err := w.control.rewind(ctx); err != nil {
		return err
	}
	if err := w.control.readAll(ctx); err != nil {
		return err
	}
	// Before the claim: a source that is refused must not name a new log.
	if err := w.fits(lake); err != nil {
		return err
	}
	id := logIdentity{ID: rand.Text(), Base: lake.Position}
	id.Base.Log, id.Base.LogID = nil, ""
	if known := w.control.state.log; known != nil {
		id = *known
	}
	w.instance = rand.Text()
	at, err := w.control.write(ctx, time.Now().UnixMilli(), controlRecord{Claim: &claim{Instance: w.instance, Log: id, Selection: w.cfg.Selection}})
	if err != nil {
		return err
	}
	if err := w.control.readTo(ctx, at+1); err != nil {
		return err
	}
	w.epoch = w.control.state.claims.Claim(at, w.instance, w.cfg.Selection)
	if w.control.state.claims.Owner() != w.epoch {
		return ErrSuperseded
	}
	return nil
}

// fits tells whether the log continues what the lake holds.
func (w *Writer) fits(lake pipeline.Resume) error {
	state := &w.control.state
	if id := lake.Position.LogID; id != "" && (state.log == nil || state.log.ID != id) {
		return fmt.Errorf("the lake was fed from another log than the one of topic %s, which has been created anew since; remedy: %s", w.cfg.controlTopic(), remedyReload)
	}
	if state.log != nil && state.checkpoint == nil && !samePosition(lake.Position, state.log.Base) {
		return fmt.Errorf("the log began where the lake stood at %q and has no checkpoint, but the lake stands at %q; remedy: %s", state.log.Base, lake.Position, remedyReload)
	}
	return nil
}

// adopt takes over what the control topic says.
func (w *Writer) adopt(lake pipeline.Resume) error {
	if err := w.fits(lake); err != nil {
		return err
	}
	state := &w.control.state
	w.identity = *state.log
	history := max(lake.History, state.history)
	w.begun = history
	w.resume = pipeline.Resume{Position: lake.Position, Tables: lake.Tables, History: history, Lanes: map[schema.TableID]schema.Progress{}}
	c := state.checkpoint
	if c == nil {
		maps.Copy(w.resume.Lanes, lake.Lanes)
		for id, s := range lake.Tables {
			w.tables[id] = &writerTable{shape: s.Table}
		}
	} else {
		w.cut = c.Cut
		w.resume = pipeline.Resume{Position: c.Position, Tables: map[schema.TableID]pipeline.TableState{}, History: history, Lanes: map[schema.TableID]schema.Progress{}}
		for _, s := range c.Shapes {
			if err := s.Table.Prepare(); err != nil {
				return fmt.Errorf("taking over the checkpoint: %w", err)
			}
			w.tables[s.Table.ID] = &writerTable{shape: s.Table, version: s.Version}
			w.resume.Tables[s.Table.ID] = pipeline.TableState{Table: s.Table, Position: c.Position, Since: lake.Tables[s.Table.ID].Since}
		}
	}
	w.resume.Position.Log, w.resume.Position.LogID = nil, ""
	for _, e := range state.entries() {
		t := w.adoptTable(e)
		if t.shape == nil {
			continue
		}
		if err := w.encodeAs(t, t.shape); err != nil {
			return err
		}
	}
	return nil
}

func samePosition(a, b schema.Position) bool { return a.Contains(b) && b.Contains(a) }

// adoptTable makes the partitions of a table that is in the log.
func (w *Writer) adoptTable(e tableEntry) *writerTable {
	t := w.tables[e.ID]
	if t == nil {
		t = &writerTable{}
		w.tables[e.ID] = t
	}
	t.entry = e
	w.entries = append(w.entries, e)
	for i := range e.Partitions {
		p := &partitionWriter{client: w.client, topic: e.Topic, partition: e.First + i, number: len(w.parts), epoch: w.epoch, codec: w.cfg.Codec, acked: w.acked, reached: w.reached}
		p.relay = w.transport.relay(p.key())
		w.parts = append(w.parts, p)
		t.parts = append(t.parts, p)
	}
	return t
}

// recover fences every partition, and then learns what each holds behind the
// checkpoint.
func (w *Writer) recover(ctx context.Context) error {
	for _, e := range w.entries {
		n, err := w.client.partitions(ctx, e.Topic)
		if err != nil {
			return fmt.Errorf("topic %s is part of the log and cannot be read: %w; remedy: if it was deleted, %s", e.Topic, err, remedyReload)
		}
		if n < e.First+e.Partitions || n != e.Partitions && !e.Routed {
			return fmt.Errorf("topic %s has %d partitions, and had %d when its table came into the log: rows of one key would stand in two of them; remedy: %s", e.Topic, n, e.Partitions, remedyReload)
		}
	}
	scans := make([]*protocol.Scan, len(w.parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(scansAtOnce)
	for i, p := range w.parts {
		g.Go(func() (err error) {
			if _, err := fence(ctx, w.client, p.topic, p.partition, w.epoch, w.identity.ID); err != nil {
				return err
			}
			var from schema.LogPosition
			if c := w.control.state.checkpoint; c != nil {
				from = c.Partition[p.key()]
			}
			scans[i], err = w.scan(ctx, p, from)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	w.scans = map[int]*protocol.Scan{}
	for i, p := range w.parts {
		w.scans[i] = scans[i]
		p.seq, p.version, p.end = scans[i].State.Seq, scans[i].Version(), scans[i].State.Offset
		p.reachedSeq = p.seq
		w.cut = max(w.cut, scans[i].Cut())
	}
	w.recovery = protocol.NewRecovery(w.scans)
	w.resume.Sent = w.recovery.Sent(w.resume.Position)
	w.tellChanges()
	return nil
}

// scan reads one partition up to the own fence.
func (w *Writer) scan(ctx context.Context, p *partitionWriter, from schema.LogPosition) (*protocol.Scan, error) {
	s := protocol.NewScan(from)
	c := &cursor{client: w.client, topic: p.topic, partition: p.partition, maxBytes: 4 << 20}
	defer c.close()
	var (
		buf    []byte
		batch  recordbatch.Reader
		record protocol.Record
		done   bool
	)
	for offset := from.Offset; !done; {
		f, err := c.fetch(ctx, offset, buf)
		if err != nil {
			return nil, err
		}
		buf = f.buf
		offset, err = each(f.set, offset, &batch, func(r *recordbatch.Record) (bool, error) {
			if err := parseHeader(&record, r); err != nil {
				return false, err
			}
			before := s.Version()
			if done, err = s.Record(p.epoch, r.Offset, &record); err == nil && record.Kind == protocol.DDL && s.Version() != before {
				err = p.learn(&record)
			}
			return !done, err
		})
		if err != nil {
			return nil, partitionFault(p.topic, p.partition, offset, err)
		}
	}
	return s, nil
}

var errForeign = errors.New("it was not written by this program: a topic of the log must have no other writer; remedy: delete what it writes there, or use another topic prefix")

// parseHeader reads the header that each record of the log has.
func parseHeader(into *protocol.Record, r *recordbatch.Record) error {
	h, ok := r.Header(protocol.HeaderKey)
	if !ok {
		return fmt.Errorf("record %d: %w", r.Offset, errForeign)
	}
	if err := into.Parse(h); err != nil {
		return fmt.Errorf("record %d: %w", r.Offset, err)
	}
	return nil
}

// partitionFault names the partition in an error of its records.
func partitionFault(topic string, partition int, offset int64, err error) error {
	var gap *protocol.GapError
	if errors.As(err, &gap) {
		return &LostError{Topic: topic, Partition: partition, Cause: fmt.Errorf("before offset %d %w, although the broker had acknowledged them", offset, err), Remedy: remedyReload}
	}
	return fmt.Errorf("topic %s, partition %d: %w", topic, partition, err)
}

// start begins to send what is appended to a partition.
func (w *Writer) start(p *partitionWriter, producer recordbatch.Producer) {
	p.producer = producer
	p.init(w.batchBytes())
	p.relay.open(p.end)
	w.run(&w.senders, p.send)
}

// batchBytes divides the memory among the partitions: each has its batches, and
// the compressed copy of one.
func (w *Writer) batchBytes() int {
	return min(w.cfg.BatchBytes, max(w.cfg.Memory/((batchesPerPartition+1)*max(len(w.parts), 1)), 32<<10))
}

// table returns the table's place in the log, making it where there is none.
func (w *Writer) table(shape *schema.Table) (*writerTable, error) {
	t := w.tables[shape.ID]
	if t != nil && t.parts != nil {
		return t, nil
	}
	if err := w.register(shape.ID); err != nil {
		return nil, fmt.Errorf("bringing table %s into the log: %w", shape.ID, err)
	}
	return w.tables[shape.ID], nil
}

func (w *Writer) register(id schema.TableID) error {
	e, err := w.place(id)
	if err != nil {
		return err
	}
	if _, err := w.control.write(w.ctx, time.Now().UnixMilli(), controlRecord{Epoch: w.epoch, Table: &e}); err != nil {
		return err
	}
	t := w.adoptTable(e)
	producer, err := w.client.producer(w.ctx)
	if err != nil {
		return err
	}
	for _, p := range t.parts {
		if p.end, err = fence(w.ctx, w.client, e.Topic, p.partition, w.epoch, w.identity.ID); err != nil {
			return err
		}
		w.start(p, producer)
	}
	return nil
}
