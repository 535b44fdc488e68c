package source

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// Run checks the server, loads the tables if the snapshot mode wants it, and
// follows the binlog.
func (m *MySQL) Run(ctx context.Context, from pipeline.Resume, out pipeline.Writer) error {
	m.Keep(from)
	err := m.run(ctx, from, out)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil // the end that was asked for
	}
	var detailed *PositionLostError
	if errors.Is(err, ErrPositionLost) && !errors.As(err, &detailed) {
		return fmt.Errorf("%w; remedy: %s", err, m.cfg.rules().remedy())
	}
	return session.Explain(m.cfg.Endpoint, err)
}

func (m *MySQL) run(ctx context.Context, from pipeline.Resume, out pipeline.Writer) error {
	rules := m.cfg.rules()
	next, err := rules.first(from)
	if err != nil {
		return err
	}
	if next == rest {
		m.log.Info("nothing to load: the lake has its position, and this snapshot mode does not follow the binlog", "mode", rules.mode)
		return nil
	}
	if err := m.ready(ctx, from, rules.mayLoad(next)); err != nil {
		return err
	}
	from.Tables = present(from)
	if next == load && unfinishedLoad(from) != nil {
		next = proceed
	}
	if next == goOn {
		m.notify(uuid.NewString(), initialSnapshot, noticeSkipped, nil)
	}
	t := &tail{Writer: out, at: from.Position, reached: &m.reached}
	for {
		err := m.attempt(ctx, next, from, t, rules)
		var replay replayError
		if err == nil || !rules.loadsAfter(err) && !errors.As(err, &replay) {
			return err
		}
		m.log.Warn("loading all tables anew", "because", err, "mode", rules.mode)
		// Another server may stand there now.
		if err := m.ready(ctx, from, true); err != nil {
			return err
		}
		next, from.History = load, max(from.History, t.at.History, t.begun)
	}
}

// ready looks at the server before a run, or before a new load within one.
func (m *MySQL) ready(ctx context.Context, from pipeline.Resume, loads bool) error {
	faults, err := m.preflight(ctx, loads)
	if err != nil {
		return fmt.Errorf("checking the server: %w", err)
	}
	for _, f := range append(faults.Warnings(), m.keptForms()...) {
		m.log.Warn(f.Subject+": "+f.Problem, "remedy", f.Remedy)
	}
	sel, err := newSelection(m.cfg)
	if err != nil {
		return err
	}
	return append(faults, sel.leftOut(present(from))...).Err()
}

// present returns the lake's tables without those that the last finished load did
// not bring: they were not on the server any more, and stay in the lake as they
// were. If one is created again, it is a new table.
func present(from pipeline.Resume) map[schema.TableID]pipeline.TableState {
	tables := make(map[schema.TableID]pipeline.TableState, len(from.Tables))
	for id, s := range from.Tables {
		if s.Position.History >= from.Position.History {
			tables[id] = s
		}
	}
	return tables
}

// tail remembers the position of the last Commit, and holds back those before the
// end of a load's overlap: until then rows of several states stand side by side.
type tail struct {
	pipeline.Writer
	at      schema.Position
	overlap schema.Position
	begun   int64 // history of the last load that was begun
	reached *atomic.Pointer[schema.Position]
}

// Send implements pipeline.Writer.
func (t *tail) Send(ctx context.Context, e schema.Event) error {
	switch e := e.(type) {
	case schema.Anew:
		t.begun = e.History
	case schema.Commit:
		t.at = e.Position
		t.reached.Store(&e.Position)
		if !e.Position.Contains(t.overlap) {
			return nil
		}
		t.overlap = schema.Position{}
	}
	return t.Writer.Send(ctx, e)
}

// attempt acts, and follows the binlog behind it.
func (m *MySQL) attempt(ctx context.Context, next action, from pipeline.Resume, t *tail, rules rules) error {
	var out pipeline.Writer = t
	var until *schema.Position
	var err error
	t.overlap = schema.Position{}
	if next == goOn {
		// The stream asks again before each connect. Here it is asked before anything is
		// concluded from the position, such as that nothing is left to do.
		if err = m.checkColumns(from); err == nil {
			err = m.checkPosition(ctx, from.Position)
		}
		if err == nil && !from.Sent.IsZero() {
			err = m.checkPosition(ctx, from.Sent)
		}
		if err == nil {
			err = m.checkShapes(ctx, from, rules)
		}
		if err != nil {
			return err
		}
	}
	if m.cfg.Once {
		p, _, err := m.ServerPosition(ctx)
		if err != nil {
			return err
		}
		until = &p
	}
	switch next {
	case load, proceed, define:
		from, t.overlap, err = m.load(ctx, next, from, out)
		if !t.overlap.IsZero() && (m.cfg.Once || !rules.stream) {
			overlap := t.overlap
			until = &overlap // which is not before what was to be reached
		}
	case oldest:
		from.Position, err = m.oldest(ctx)
	}
	if err != nil || !rules.stream && t.overlap.IsZero() {
		return err
	}
	if err := m.takeLanes(ctx, from); err != nil {
		return err
	}
	if next == goOn || next == oldest {
		if out, err = m.watchNewcomers(ctx, from, out); err != nil {
			return err
		}
	}
	m.openInbox(ctx)
	if until != nil && from.Position.Contains(*until) && !m.lanes.Active() {
		return nil
	}
	err = m.stream(ctx, from, until, out)
	if err != nil && next == proceed && !t.overlap.IsZero() && !session.IsPassing(err) && ctx.Err() == nil {
		return replayError{err}
	}
	var detailed *PositionLostError
	if errors.Is(err, ErrPositionLost) && !errors.As(err, &detailed) {
		// The server said only that something is gone. Ask it what.
		if exact := m.checkPosition(ctx, t.at); IsPositionLost(exact) {
			return exact
		}
	}
	return err
}

// load sends all tables, with their rows or without, or what an earlier load left,
// and returns where the stream goes on, and up to where the load overlaps with it.
func (m *MySQL) load(ctx context.Context, next action, was pipeline.Resume, out pipeline.Writer) (from pipeline.Resume, overlap schema.Position, err error) {
	notices := m.newLoadNotices()
	s, tables, err := m.openSnapshot(ctx, notices.table)
	if err != nil {
		return from, overlap, fmt.Errorf("loading the tables: %w", err)
	}
	defer s.Close()
	send := s.Define
	var begun *unfinished
	if next == proceed {
		begun = unfinishedLoad(was)
	}
	s.Position.History = max(was.History, was.Position.History)
	continued := false
	if next != define {
		send = s.Load
	}
	if begun != nil {
		if continued, err = m.continueLoad(ctx, begun, s); err != nil {
			return from, overlap, fmt.Errorf("loading the tables: %w", err)
		}
	}
	if !continued {
		s.Position.History++
		begun = &unfinished{}
	}
	m.progress.Store(s.Progress())
	start := time.Now()
	notices.began(tables)
	err = send(ctx, out)
	notices.ended(err)
	if err != nil {
		return from, overlap, fmt.Errorf("loading the tables: %w", err)
	}
	if next != define {
		total := s.Progress().Total()
		m.log.Info("tables loaded", "tables", len(tables), "rows", total.Rows, "bytes", total.Bytes, "took", time.Since(start).Round(time.Millisecond))
	} else {
		m.log.Info("tables defined, without the rows that are there", "tables", len(tables))
	}
	from = loaded(s, begun)
	if was.Lanes != nil {
		from.Lanes = map[schema.TableID]schema.Progress{} // those that there were are void
	}
	for id := range was.Tables {
		if _, there := from.Tables[id]; !there {
			m.log.Warn("a table of the lake is not on the server any more; it stays in the lake as it was, and is no longer followed", "table", id)
		}
	}
	if !s.Overlap.IsZero() {
		m.log.Info("replaying what the load may have seen already", "transactions", s.Overlap.GTIDs.Subtract(from.Position.GTIDs).Count())
	}
	return from, s.Overlap, nil
}

// loaded returns where the stream goes on behind a load, and where each table
// stands by then.
func loaded(s *snapshot.Snapshot, begun *unfinished) pipeline.Resume {
	from := pipeline.Resume{Position: s.Begin, Tables: make(map[schema.TableID]pipeline.TableState, len(s.Tables)), History: s.Position.History}
	for _, t := range s.Tables {
		from.Tables[t.ID] = begun.at(t, s.Position)
	}
	return from
}

// checkShapes finds out, in modes that want to know, whether the server's tables
// are those that the lake knows. A table that is gone is one that differs.
func (m *MySQL) checkShapes(ctx context.Context, from pipeline.Resume, rules rules) error {
	if rules.schema != everyStart && !rules.onSchema {
		return nil
	}
	differ := &ShapesError{}
	for id, was := range from.Tables {
		now, err := m.describeOne(ctx, id)
		switch {
		case err != nil:
			return fmt.Errorf("comparing the shapes of the tables: %w", err)
		case now == nil:
			differ.Differences = append(differ.Differences, fmt.Sprintf("table %s is gone", id))
		default:
			if d := schema.DiffTables(was.Table, now); !d.IsEmpty() {
				differ.Differences = append(differ.Differences, fmt.Sprintf("table %s: %s", id, d.Describe(was.Table, now)))
			}
		}
	}
	if len(differ.Differences) > 0 {
		return differ
	}
	return nil
}
