package source

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/lane"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
	"github.com/beluga-cdc/beluga/source/value"
)

// MySQL is a MySQL server as a source of events.
type MySQL struct {
	cfg       Config
	log       *slog.Logger
	stats     value.Stats
	progress  atomic.Pointer[snapshot.Progress]
	observer  func(pipeline.Notification)
	notifying sync.Mutex
	inbox     inbox
	reached   atomic.Pointer[schema.Position] // by the stream
	decided   map[schema.TableID]pipeline.TableState
	sources   gtidSources
	lanes     *lane.Lanes
}

var _ pipeline.Source = (*MySQL)(nil)

// New returns a source. It connects when it is used.
func New(cfg Config, log *slog.Logger) *MySQL {
	m := &MySQL{cfg: cfg.withDefaults(), log: log}
	m.sources, _ = newGTIDSources(cfg.GTIDSources) // whose error Preflight and Run tell
	m.lanes = m.newLanes()
	m.lanes.Observe(m.laneNotices)
	return m
}

// Progress returns the counters of the load that runs or has run; nil before
// one.
func (m *MySQL) Progress() *snapshot.Progress { return m.progress.Load() }

// Stats returns the counters of values.
func (m *MySQL) Stats() *value.Stats { return &m.stats }

// OpenSnapshot opens a consistent view of the captured tables, and returns them
// in their shape of that moment. The snapshot must be closed.
func (m *MySQL) OpenSnapshot(ctx context.Context) (*snapshot.Snapshot, []*schema.Table, error) {
	return m.openSnapshot(ctx, nil)
}

func (m *MySQL) openSnapshot(ctx context.Context, scan func(snapshot.TableProgress)) (*snapshot.Snapshot, []*schema.Table, error) {
	sel, err := newSelection(m.cfg)
	if err != nil {
		return nil, nil, err
	}
	cfg := m.snapshotConfig(func(ctx context.Context, s *session.Session, only *schema.TableID) ([]snapshot.Described, error) {
		return m.describe(ctx, s, sel, only)
	})
	cfg.Scan = scan
	s, err := snapshot.Open(ctx, cfg)
	if err != nil {
		return nil, nil, session.Explain(m.cfg.Endpoint, err)
	}
	return s, s.Tables, nil
}

func (m *MySQL) snapshotConfig(describe func(context.Context, *session.Session, *schema.TableID) ([]snapshot.Described, error)) snapshot.Config {
	cfg := snapshot.Config{
		Open:        m.openSession,
		Describe:    describe,
		Connections: m.cfg.Connections,
		ChunkRows:   m.cfg.ChunkRows,
		ChunkTime:   m.cfg.ChunkTime,
		Locking:     m.cfg.Locking,
		LockWait:    m.cfg.LockWait,
		Stats:       &m.stats,
		Log:         m.log,
	}
	if !m.cfg.Pause.isEmpty() {
		cfg.Busy = m.cfg.Pause.busy
	}
	return cfg
}

func (m *MySQL) openSession(ctx context.Context) (*session.Session, error) {
	return session.Open(ctx, m.cfg.Endpoint)
}

// describe returns the captured tables in their shape of now. One that cannot be
// replicated is an error: it came after the preflight.
func (m *MySQL) describe(ctx context.Context, s *session.Session, sel selection, only *schema.TableID) ([]snapshot.Described, error) {
	tables, err := readDictionary(ctx, s, sel.matches, only)
	if err != nil {
		return nil, err
	}
	var faults Faults
	list := make([]snapshot.Described, 0, len(tables))
	for _, d := range tables {
		if f := d.faults(sel); len(f) > 0 {
			faults = append(faults, f...)
			continue
		}
		t, _ := m.shapeOf(d, sel)
		one := snapshot.Described{Table: t, Version: d.created, Rows: d.rows, RowBytes: d.rowSize, Filter: sel.filter(d.id)}
		if key := d.key(); key != nil {
			one.KeyIndex = key.name
		}
		list = append(list, one)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return list, nil
}

// stream follows the binlog from a position. Tables that the position does not
// know are captured from their creation on.
func (m *MySQL) stream(ctx context.Context, from pipeline.Resume, until *schema.Position, out pipeline.Writer) error {
	sel, err := newSelection(m.cfg)
	if err != nil {
		return err
	}
	s, err := m.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	cfg, err := m.streamConfig(ctx, s, sel)
	if err != nil {
		return err
	}
	cfg.Until, cfg.GTIDs = until, cfg.MariaDB || from.Position.File == "" || from.Position.UsesGTIDs()
	if cfg.GTIDs {
		// Before the first transaction there is a file, but no GTID to tell by.
		cfg.Check = func(ctx context.Context, at schema.Position) error {
			return m.checkPosition(ctx, schema.Position{GTIDs: at.GTIDs})
		}
	}
	m.log.Info("following the binlog", "position", from.Position)
	return m.beating(ctx, until, func(ctx context.Context) error { return m.followWithLanes(ctx, cfg, sel, from, out) })
}

func (m *MySQL) streamConfig(ctx context.Context, s *session.Session, sel selection) (binlog.Config, error) {
	collations, err := readCollations(ctx, s)
	if err != nil {
		return binlog.Config{}, err
	}
	identity := "@@server_uuid"
	if s.Version().MariaDB {
		identity = "''" // it has none, and needs none where positions are GTIDs
	}
	r, err := s.Query(ctx, "SELECT "+identity+", @@lower_case_table_names")
	if err != nil {
		return binlog.Config{}, fmt.Errorf("reading the server's identity: %w", err)
	}
	uuid, _ := r.GetString(0, 0)
	lower, _ := r.GetInt(0, 1)
	var keyless func(schema.TableID) error
	if sel.refuseKeyless {
		keyless = func(id schema.TableID) error { return Faults{keylessFault(id)} }
	}
	c := binlog.Config{
		Login:      func() (binlog.Login, error) { return login(s.Endpoint()) },
		Retry:      m.passwordMayChange,
		ServerID:   m.cfg.ServerID,
		MariaDB:    s.Version().MariaDB,
		ServerUUID: uuid,
		Heartbeat:  m.cfg.Heartbeat,
		Captures:   sel.matches,
		Watches:    m.cfg.SignalTable,
		Collations: collations,
		LowerNames: lower == 1,
		OldImages:  m.cfg.OldImages,
		Types:      m.cfg.Types,
		Stats:      &m.stats,
		Describe:   m.describeOne,
		Fill:       m.fill,
		Keyless:    keyless,
		Changed:    m.tableChanged,
		Reload:     m.cfg.ReloadIncompatible,
		SetApart:   m.cfg.SetApart,
		Choose:     sel.columns.choose,
		Check:      m.checkPosition,
		Logger:     m.log,
	}
	if !m.sources.isEmpty() {
		c.LeftOut, c.KeepRows, c.Ask = m.sources.leavesOut, m.cfg.GTIDSources.KeepRows, m.askGTIDs
	}
	return c, nil
}

// login is asked before each connection of the stream.
func login(e session.Endpoint) (binlog.Login, error) {
	e, err := e.WithPassword()
	if err != nil {
		return binlog.Login{}, err
	}
	tlsConfig, err := e.TLSConfig()
	if err != nil {
		return binlog.Login{}, err
	}
	return binlog.Login{Addr: e.Address, Dial: e.Dialer(), User: e.User, Password: e.Password.Reveal(), TLS: tlsConfig}, nil
}

// passwordMayChange tells whether the server refused a password that somebody
// may be about to replace in its file. The preflight has logged in with it, so
// that it is not just wrong.
func (m *MySQL) passwordMayChange(err error) bool {
	return m.cfg.Endpoint.PasswordFile != "" && session.Number(err) == session.ErrAccessDenied
}

const (
	firstPause = 100 * time.Millisecond
	longPause  = 10 * time.Second
)

// reach opens a session, and tries again while the server is away: the stream
// asks in the middle of its work, and outlives restarts of the server.
func (m *MySQL) reach(ctx context.Context) (*session.Session, error) {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		s, err := m.openSession(ctx)
		if err == nil || ctx.Err() != nil || !session.IsPassing(err) && !m.passwordMayChange(err) {
			return s, err
		}
		m.log.Warn("the server is away, trying again", "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// describeOne returns the present shape of a table; nil if there is none. These
// calls are rare and may come hours apart, so each has a session of its own.
func (m *MySQL) describeOne(ctx context.Context, id schema.TableID) (*schema.Table, error) {
	s, err := m.reach(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	sel, err := newSelection(m.cfg)
	if err != nil {
		return nil, err
	}
	tables, err := readDictionary(ctx, s, func(schema.TableID) bool { return true }, &id)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	t, errs := m.shapeOf(tables[0], sel)
	if len(errs) > 0 || tables[0].versioned {
		return nil, tables[0].faults(sel)
	}
	return t, nil
}

func (m *MySQL) fill(ctx context.Context, t *schema.Table, added []binlog.Added) (*schema.Block, error) {
	f := &filler{reach: m.reach, stats: &m.stats}
	defer f.close()
	b, err := f.fill(ctx, t, added)
	if err != nil {
		return nil, fmt.Errorf("finding what old rows of table %s show in new columns: %w", t.ID, err)
	}
	return b, nil
}
