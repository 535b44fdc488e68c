package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// ErrPositionLost says that the server no longer has everything that comes after
// the position: only a new load can go on.
var ErrPositionLost = binlog.ErrPositionLost

// PositionLostError tells what the server has purged. It is an ErrPositionLost.
type PositionLostError struct {
	Missing schema.GTIDSet // transactions that are needed and gone; empty without GTIDs
	File    string         // without GTIDs: the file that is gone

	remedy string
}

func (e *PositionLostError) Error() string {
	what := "binary log file " + e.File
	if !e.Missing.IsEmpty() {
		what = "transactions " + e.Missing.String()
	}
	set := "PERSIST"
	if len(e.Missing.Last()) > 0 { // MariaDB has none
		set = "GLOBAL"
	}
	return fmt.Sprintf("the server has purged %s, which come after our position; remedy: %s; and keep the binlog longer (SET %s binlog_expire_logs_seconds = …)", what, e.remedy, set)
}

// Is makes it an ErrPositionLost.
func (e *PositionLostError) Is(target error) bool { return target == ErrPositionLost }

// AheadError says that the lake holds transactions that the server does not
// have: it is another server, or it has lost them.
type AheadError struct {
	Extra schema.GTIDSet // empty without GTIDs
	Text  string         // without GTIDs: what differs

	remedy string
}

func (e *AheadError) Error() string {
	what := e.Text
	if !e.Extra.IsEmpty() {
		what = "the lake holds transactions that the server does not have: " + e.Extra.String()
	}
	return what + "; remedy: if this is the wrong server, correct --from; if it was reset, promoted or restored without them, " + e.remedy
}

// ServerPosition returns where the server stands, and its time.
func (m *MySQL) ServerPosition(ctx context.Context) (schema.Position, time.Time, error) {
	s, err := session.Open(ctx, m.cfg.Endpoint)
	if err != nil {
		return schema.Position{}, time.Time{}, err
	}
	defer s.Close()
	p, at, err := snapshot.ReadPosition(ctx, s)
	return p, at, session.Explain(m.cfg.Endpoint, err)
}

// checkPosition finds out whether the server can go on from p. A server never
// says by itself that a reader is ahead of it unless the extra transactions are
// its own; it would just send what it has.
func (m *MySQL) checkPosition(ctx context.Context, p schema.Position) error {
	for {
		s, err := m.reach(ctx)
		if err != nil {
			return err
		}
		switch {
		case s.Version().MariaDB:
			err = m.checkDomains(ctx, s, p.GTIDs)
		case p.UsesGTIDs() || p.File == "":
			err = m.checkGTIDs(ctx, s, p.GTIDs)
		default:
			err = m.checkFile(ctx, s, p)
		}
		s.Close()
		switch {
		case err == nil:
			return nil
		case session.IsPassing(err):
			m.log.Warn("the server went away, checking the position again", "error", err)
		default:
			return fmt.Errorf("continuing from the lake's position at %s: %w", m.cfg.Endpoint, err)
		}
	}
}

// CheckResume finds out, for somebody who only looks, whether a run could go on
// from what the lake holds. It does not wait for a replica as long as a run does.
func (m *MySQL) CheckResume(ctx context.Context, from pipeline.Resume) (Faults, error) {
	sel, err := newSelection(m.cfg)
	if err != nil {
		return nil, err
	}
	m.Keep(from)
	rules := m.cfg.rules()
	switch next, err := rules.first(from); {
	case err != nil:
		return nil, err
	case next != goOn:
		return append(sel.leftOut(present(from)), m.keptForms()...), nil
	}
	from.Tables = present(from)
	faults := slices.Concat(sel.leftOut(from.Tables), m.keptForms(), sel.changedColumns(from.Tables))
	m.lanes.Take(from, true, from.Position)
	_, err = m.watchNewcomers(ctx, from, nil)
	faults = append(faults, m.newcomersToLoad(from)...)
	var unloaded Faults
	if errors.As(err, &unloaded) {
		faults, err = append(faults, unloaded...), nil
	}
	cfg := m.cfg
	cfg.ReplicaWait = time.Second
	quick := New(cfg, m.log)
	quick.Keep(from)
	return faults, session.Explain(cfg.Endpoint, errors.Join(err, quick.checkPosition(ctx, from.Position), quick.checkShapes(ctx, from, rules)))
}

func (m *MySQL) checkGTIDs(ctx context.Context, s *session.Session, ours schema.GTIDSet) error {
	executed, err := readGTIDs(ctx, s, "gtid_executed")
	if err != nil {
		return err
	}
	if extra := m.sources.counted(ours).Subtract(executed); len(extra.Last()) > 0 { // of MariaDB, for which MySQL has no word
		return &AheadError{Extra: extra, remedy: m.cfg.rules().remedy()}
	} else if !extra.IsEmpty() {
		// The log shows a transaction before the server counts it as executed, and a
		// replica may have yet to receive it: give it the time.
		r, err := s.Query(ctx, fmt.Sprintf("SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', %g)", extra, m.cfg.ReplicaWait.Seconds()))
		if err != nil {
			return fmt.Errorf("waiting for transactions of ours: %w", err)
		}
		if timedOut, err := r.GetInt(0, 0); err != nil || timedOut != 0 {
			return &AheadError{Extra: extra, remedy: m.cfg.rules().remedy()}
		}
	}
	purged, err := readGTIDs(ctx, s, "gtid_purged")
	if err != nil {
		return err
	}
	if missing := m.sources.counted(purged).Subtract(ours); !missing.IsEmpty() {
		return &PositionLostError{Missing: missing, remedy: m.cfg.rules().remedy()}
	}
	return nil
}

func readGTIDs(ctx context.Context, s *session.Session, variable string) (schema.GTIDSet, error) {
	r, err := s.Query(ctx, "SELECT @@global."+variable)
	if err != nil {
		return schema.GTIDSet{}, fmt.Errorf("reading %s: %w", variable, err)
	}
	text, _ := r.GetString(0, 0)
	return schema.ParseGTIDSet(text)
}

// checkFile does for a place in a file what can be done: the server must be the
// same one, and still have the file, at least that long.
func (m *MySQL) checkFile(ctx context.Context, s *session.Session, p schema.Position) error {
	r, err := s.Query(ctx, "SELECT @@server_uuid")
	if err != nil {
		return fmt.Errorf("reading the server's identity: %w", err)
	}
	if uuid, _ := r.GetString(0, 0); !strings.EqualFold(uuid, p.Server) {
		return &AheadError{Text: fmt.Sprintf("the lake's position %s is a place in the files of server %s, and this is server %s", p, p.Server, uuid), remedy: m.cfg.rules().remedy()}
	}
	if r, err = s.Query(ctx, "SHOW BINARY LOGS"); err != nil {
		return fmt.Errorf("listing the binary logs: %w", err)
	}
	for i := range r.RowNumber() {
		w := row{r: r, i: i}
		file, size := w.text(), w.number()
		if w.err != nil {
			return fmt.Errorf("listing the binary logs: %w", w.err)
		}
		if file != p.File {
			continue
		}
		if uint64(size) < p.Offset {
			return &AheadError{Text: fmt.Sprintf("the lake's position is %s, and the server's file has only %d bytes: the server has lost what came after", p, size), remedy: m.cfg.rules().remedy()}
		}
		return nil
	}
	return &PositionLostError{File: p.File, remedy: m.cfg.rules().remedy()}
}

// oldest returns the position before everything that the server's binlog still
// holds.
func (m *MySQL) oldest(ctx context.Context) (schema.Position, error) {
	fail := func(err error) (schema.Position, error) {
		return schema.Position{}, fmt.Errorf("finding the oldest binlog: %w", err)
	}
	s, err := m.openSession(ctx)
	if err != nil {
		return fail(err)
	}
	defer s.Close()
	if s.Version().MariaDB {
		purged, err := purgedDomains(ctx, s)
		if err != nil {
			return fail(err)
		}
		return schema.Position{GTIDs: purged, History: 1}, nil
	}
	r, err := s.Query(ctx, "SELECT @@global.gtid_mode, @@server_uuid")
	if err != nil {
		return fail(err)
	}
	mode, _ := r.GetString(0, 0)
	uuid, _ := r.GetString(0, 1)
	p := schema.Position{Server: uuid, History: 1}
	if strings.HasPrefix(mode, "ON") && !strings.HasSuffix(mode, "PERMISSIVE") {
		if p.GTIDs, err = readGTIDs(ctx, s, "gtid_purged"); err != nil {
			return fail(err)
		}
		return p, nil
	}
	if r, err = s.Query(ctx, "SHOW BINARY LOGS"); err != nil {
		return fail(err)
	}
	const magic = 4 // bytes before a file's first event
	p.File, _ = r.GetString(0, 0)
	p.Offset = magic
	return p, nil
}
