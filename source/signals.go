package source

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/lane"
	"github.com/beluga-cdc/beluga/source/signal"
)

// inbox keeps the signals that come before the stream: while tables are loaded
// for the first time there is nothing that they could be about.
type inbox struct {
	mu      sync.Mutex
	open    bool // the stream takes them
	waiting []pipeline.Signal
	blocked []string // signals for whose rows the stream waits
}

// Signal carries out what a signal asks for, or begins it. It may be called at any
// time, from within the stream too. One that makes no sense, or cannot be carried
// out, changes nothing but the log and a notification.
func (m *MySQL) Signal(ctx context.Context, s pipeline.Signal) {
	m.inbox.mu.Lock()
	if !m.inbox.open {
		m.inbox.waiting = append(m.inbox.waiting, s)
		m.inbox.mu.Unlock()
		return
	}
	m.inbox.mu.Unlock()
	m.carryOut(ctx, s)
}

// Pending tells whether something is left to do of a signal.
func (m *MySQL) Pending(id string) bool {
	m.inbox.mu.Lock()
	defer m.inbox.mu.Unlock()
	for _, s := range m.inbox.waiting {
		if s.ID == id {
			return true
		}
	}
	return m.lanes.Pending(id)
}

// Reached returns the position of the last Commit that was sent; zero: none was.
func (m *MySQL) Reached() schema.Position {
	if p := m.reached.Load(); p != nil {
		return *p
	}
	return schema.Position{}
}

// openInbox carries out what waits, before the stream begins.
func (m *MySQL) openInbox(ctx context.Context) {
	m.inbox.mu.Lock()
	waiting := m.inbox.waiting
	m.inbox.waiting, m.inbox.open = nil, true
	m.inbox.mu.Unlock()
	for _, s := range waiting {
		m.carryOut(ctx, s)
	}
}

func (m *MySQL) carryOut(ctx context.Context, s pipeline.Signal) {
	c, err := signal.Parse(s)
	if err != nil {
		m.refuseSignal(s, err)
		return
	}
	m.log.Info("signal", "id", s.ID, "type", s.Type, "data", s.Data)
	switch {
	case c.Log != "":
		m.log.Info(strings.ReplaceAll(c.Log, "{}", m.Reached().String()), "signal", s.ID)
	case c.Pause:
		m.lanes.Pause()
		m.notify(s.ID, incrementalSnapshot, noticePaused, nil)
	case c.Resume:
		m.lanes.Resume()
		m.notify(s.ID, incrementalSnapshot, noticeResumed, nil)
	case c.Stop != nil:
		err = m.lanes.Stop(ctx, c.Stop.Tables)
	case c.Execute != nil && m.lanes.Pending(s.ID):
		m.log.Info("a load goes on that an earlier run began", "signal", s.ID)
	case c.Execute != nil:
		err = m.execute(ctx, s.ID, c.Execute)
	}
	if err != nil && ctx.Err() == nil {
		m.refuseSignal(s, err)
	}
}

func (m *MySQL) execute(ctx context.Context, id string, e *signal.Execute) error {
	// A row of the signal table comes once: a server that is away is waited for.
	s, err := m.reach(ctx)
	if err != nil {
		return err
	}
	s.Close()
	if err := m.lanes.Begin(ctx, lane.Request{ID: id, Tables: e.Tables, Conditions: e.Conditions}); err != nil {
		return err
	}
	if e.Blocking {
		m.inbox.mu.Lock()
		m.inbox.blocked = append(m.inbox.blocked, id)
		m.inbox.mu.Unlock()
	}
	return nil
}

// waitBlocked holds up the stream behind a Commit while a blocking signal's rows are
// read.
func (m *MySQL) waitBlocked(ctx context.Context) error {
	m.inbox.mu.Lock()
	var begun []string
	m.inbox.blocked = slices.DeleteFunc(m.inbox.blocked, func(id string) bool {
		if m.lanes.Waiting(id) {
			return false // for the stream to begin it
		}
		begun = append(begun, id)
		return true
	})
	m.inbox.mu.Unlock()
	for _, id := range begun {
		m.log.Info("the stream waits until the rows are read", "signal", id)
		if err := m.lanes.WaitScanned(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (m *MySQL) refuseSignal(s pipeline.Signal, err error) {
	m.log.Warn("a signal is passed over", "id", s.ID, "type", s.Type, "because", err)
	m.notify(s.ID, incrementalSnapshot, noticeAborted, map[string]string{"reason": err.Error()})
}

// laneNotices tells of lanes as Debezium does of incremental snapshots, table by
// table.
func (m *MySQL) laneNotices(e lane.Event) {
	name := e.Table.String()
	data := map[string]string{"data_collections": name}
	typ := ""
	switch e.Kind {
	case lane.Started:
		typ = noticeStarted
	case lane.InProgress:
		typ = noticeProgress
		data["current_collection_in_progress"], data["total_rows_scanned"] = name, strconv.FormatInt(e.Rows, 10)
	case lane.ScanEnded:
		typ = noticeScanned
		data["scanned_collection"], data["total_rows_scanned"], data["status"] = name, strconv.FormatInt(e.Rows, 10), scanStatus(e.Rows)
	case lane.Completed:
		typ = noticeCompleted
	case lane.Stopped:
		typ, data["reason"] = noticeAborted, "it was stopped"
	case lane.FailedAtAll:
		typ, data["reason"] = noticeAborted, e.Err.Error()
	}
	m.notify(e.Request, incrementalSnapshot, typ, data)
}

func scanStatus(rows int64) string {
	if rows == 0 {
		return "EMPTY"
	}
	return "SUCCEEDED"
}
