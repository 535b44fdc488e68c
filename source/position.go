package source

import (
	"context"
	"errors"
	"fmt"
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

const reload = "load the tables again: run with an empty lake (--to another folder), and keep the binlog longer (SET PERSIST binlog_expire_logs_seconds = …)"

// PositionLostError tells what the server has purged. It is an ErrPositionLost.
type PositionLostError struct {
	Missing schema.GTIDSet // transactions that are needed and gone; empty without GTIDs
	File    string         // without GTIDs: the file that is gone
}

func (e *PositionLostError) Error() string {
	what := "binary log file " + e.File
	if !e.Missing.IsEmpty() {
		what = "transactions " + e.Missing.String()
	}
	return fmt.Sprintf("the server has purged %s, which come after our position; remedy: %s", what, reload)
}

// Is makes it an ErrPositionLost.
func (e *PositionLostError) Is(target error) bool { return target == ErrPositionLost }

// AheadError says that the lake holds transactions that the server does not
// have: it is another server, or it has lost them.
type AheadError struct {
	Extra schema.GTIDSet // empty without GTIDs
	Text  string         // without GTIDs: what differs
}

func (e *AheadError) Error() string {
	what := e.Text
	if !e.Extra.IsEmpty() {
		what = "the lake holds transactions that the server does not have: " + e.Extra.String()
	}
	return what + "; remedy: if this is the wrong server, correct --from; if it was promoted or restored without them, load the tables again: run with an empty lake (--to another folder)"
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
		if p.UsesGTIDs() {
			err = m.checkGTIDs(ctx, s, p.GTIDs)
		} else {
			err = checkFile(ctx, s, p)
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
	if from.Position.IsZero() {
		return nil, nil
	}
	faults := sel.leftOut(from.Tables)
	_, err = m.watchNewcomers(ctx, from, nil)
	var unloaded Faults
	if errors.As(err, &unloaded) {
		faults, err = append(faults, unloaded...), nil
	}
	cfg := m.cfg
	cfg.ReplicaWait = time.Second
	return faults, session.Explain(cfg.Endpoint, errors.Join(err, New(cfg, m.log).checkPosition(ctx, from.Position)))
}

func (m *MySQL) checkGTIDs(ctx context.Context, s *session.Session, ours schema.GTIDSet) error {
	executed, err := readGTIDs(ctx, s, "gtid_executed")
	if err != nil {
		return err
	}
	if extra := ours.Subtract(executed); !extra.IsEmpty() {
		// The log shows a transaction before the server counts it as executed, and a
		// replica may have yet to receive it: give it the time.
		r, err := s.Query(ctx, fmt.Sprintf("SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', %g)", extra, m.cfg.ReplicaWait.Seconds()))
		if err != nil {
			return fmt.Errorf("waiting for transactions of ours: %w", err)
		}
		if timedOut, err := r.GetInt(0, 0); err != nil || timedOut != 0 {
			return &AheadError{Extra: extra}
		}
	}
	purged, err := readGTIDs(ctx, s, "gtid_purged")
	if err != nil {
		return err
	}
	if missing := purged.Subtract(ours); !missing.IsEmpty() {
		return &PositionLostError{Missing: missing}
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
func checkFile(ctx context.Context, s *session.Session, p schema.Position) error {
	r, err := s.Query(ctx, "SELECT @@server_uuid")
	if err != nil {
		return fmt.Errorf("reading the server's identity: %w", err)
	}
	if uuid, _ := r.GetString(0, 0); !strings.EqualFold(uuid, p.Server) {
		return &AheadError{Text: fmt.Sprintf("the lake's position %s is a place in the files of server %s, and this is server %s", p, p.Server, uuid)}
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
			return &AheadError{Text: fmt.Sprintf("the lake's position is %s, and the server's file has only %d bytes: the server has lost what came after", p, size)}
		}
		return nil
	}
	return &PositionLostError{File: p.File}
}
