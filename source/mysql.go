package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
	"github.com/beluga-cdc/beluga/source/value"
)

// MySQL is a MySQL server as a source of events.
type MySQL struct {
	cfg      Config
	log      *slog.Logger
	stats    value.Stats
	progress atomic.Pointer[snapshot.Progress]
	decided  map[schema.TableID]pipeline.TableState
}

var _ pipeline.Source = (*MySQL)(nil)

// New returns a source. It connects when it is used.
func New(cfg Config, log *slog.Logger) *MySQL {
	return &MySQL{cfg: cfg.withDefaults(), log: log}
}

// Progress returns the counters of the load that runs or has run; nil before
// one.
func (m *MySQL) Progress() *snapshot.Progress { return m.progress.Load() }

// Stats returns the counters of values.
func (m *MySQL) Stats() *value.Stats { return &m.stats }

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
	t := &tail{Writer: out, at: from.Position}
	for {
		err := m.attempt(ctx, next, from, t, rules)
		if err == nil || !rules.loadsAfter(err) {
			return err
		}
		m.log.Warn("loading all tables anew", "because", err, "mode", rules.mode)
		// Another server may stand there now.
		if err := m.ready(ctx, from, true); err != nil {
			return err
		}
		next, from.History = load, max(from.History, t.at.History)
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

// tail remembers the position of the last Commit.
type tail struct {
	pipeline.Writer
	at schema.Position
}

// Send implements pipeline.Writer.
func (t *tail) Send(ctx context.Context, e schema.Event) error {
	if c, ok := e.(schema.Commit); ok {
		t.at = c.Position
	}
	return t.Writer.Send(ctx, e)
}

// attempt acts, and follows the binlog behind it.
func (m *MySQL) attempt(ctx context.Context, next action, from pipeline.Resume, t *tail, rules rules) error {
	var out pipeline.Writer = t
	var until *schema.Position
	var err error
	if next == goOn {
		// The stream asks again before each connect. Here it is asked before anything is
		// concluded from the position, such as that nothing is left to do.
		if err = m.checkPosition(ctx, from.Position); err == nil {
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
	case load, define:
		from, err = m.load(ctx, from, out, next == load)
	case oldest:
		if from.Position, err = m.oldest(ctx); err == nil {
			out, err = m.watchNewcomers(ctx, from, out)
		}
	default:
		out, err = m.watchNewcomers(ctx, from, out)
	}
	if err != nil || !rules.stream || until != nil && from.Position.Contains(*until) {
		return err
	}
	err = m.stream(ctx, from, until, out)
	var detailed *PositionLostError
	if errors.Is(err, ErrPositionLost) && !errors.As(err, &detailed) {
		// The server said only that something is gone. Ask it what.
		if exact := m.checkPosition(ctx, t.at); IsPositionLost(exact) {
			return exact
		}
	}
	return err
}

// load sends all tables, with their rows or without, and returns where the stream
// goes on.
func (m *MySQL) load(ctx context.Context, was pipeline.Resume, out pipeline.Writer, rows bool) (pipeline.Resume, error) {
	s, tables, err := m.OpenSnapshot(ctx)
	if err != nil {
		return pipeline.Resume{}, fmt.Errorf("loading the tables: %w", err)
	}
	defer s.Close()
	s.Position.History = max(was.History, was.Position.History) + 1
	m.progress.Store(s.Progress())
	start := time.Now()
	send := s.Load
	if !rows {
		send = s.Define
	}
	if err := send(ctx, out); err != nil {
		return pipeline.Resume{}, fmt.Errorf("loading the tables: %w", err)
	}
	if rows {
		total := s.Progress().Total()
		m.log.Info("tables loaded", "tables", len(tables), "rows", total.Rows, "bytes", total.Bytes, "took", time.Since(start).Round(time.Millisecond))
	} else {
		m.log.Info("tables defined, without the rows that are there", "tables", len(tables))
	}
	from := pipeline.Resume{Position: s.Position, Tables: make(map[schema.TableID]pipeline.TableState, len(tables)), History: s.Position.History}
	for _, t := range tables {
		from.Tables[t.ID] = pipeline.TableState{Table: t, Position: s.Position}
	}
	for id := range was.Tables {
		if _, there := from.Tables[id]; !there {
			m.log.Warn("a table of the lake is not on the server any more; it stays in the lake as it was, and is no longer followed", "table", id)
		}
	}
	return from, nil
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

// OpenSnapshot opens a consistent view of the captured tables, and returns them
// in their shape of that moment. The snapshot must be closed.
func (m *MySQL) OpenSnapshot(ctx context.Context) (*snapshot.Snapshot, []*schema.Table, error) {
	sel, err := newSelection(m.cfg)
	if err != nil {
		return nil, nil, err
	}
	s, err := snapshot.Open(ctx, snapshot.Config{
		Open: m.openSession,
		Describe: func(ctx context.Context, s *session.Session, only *schema.TableID) ([]snapshot.Described, error) {
			return m.describe(ctx, s, sel, only)
		},
		Connections: m.cfg.Connections,
		ChunkRows:   m.cfg.ChunkRows,
		LockWait:    m.cfg.LockWait,
		Stats:       &m.stats,
		Log:         m.log,
	})
	if err != nil {
		return nil, nil, session.Explain(m.cfg.Endpoint, err)
	}
	return s, s.Tables, nil
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
		if f := d.faults(); len(f) > 0 {
			faults = append(faults, f...)
			continue
		}
		t, _ := m.shapeOf(d)
		list = append(list, snapshot.Described{Table: t, Version: d.created, Rows: d.rows})
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
	cfg.Until, cfg.GTIDs = until, from.Position.File == "" || from.Position.UsesGTIDs()
	if cfg.GTIDs {
		// Before the first transaction there is a file, but no GTID to tell by.
		cfg.Check = func(ctx context.Context, at schema.Position) error {
			return m.checkPosition(ctx, schema.Position{GTIDs: at.GTIDs})
		}
	}
	m.log.Info("following the binlog", "position", from.Position)
	return binlog.New(cfg).Run(ctx, from, out)
}

func (m *MySQL) streamConfig(ctx context.Context, s *session.Session, sel selection) (binlog.Config, error) {
	collations, err := readCollations(ctx, s)
	if err != nil {
		return binlog.Config{}, err
	}
	r, err := s.Query(ctx, "SELECT @@server_uuid")
	if err != nil {
		return binlog.Config{}, fmt.Errorf("reading the server's identity: %w", err)
	}
	uuid, _ := r.GetString(0, 0)
	tlsConfig, err := s.Endpoint().TLSConfig()
	if err != nil {
		return binlog.Config{}, err
	}
	return binlog.Config{
		Addr:       m.cfg.Endpoint.Address,
		Dial:       m.cfg.Endpoint.Dialer(),
		User:       m.cfg.Endpoint.User,
		Password:   m.cfg.Endpoint.Password.Reveal(),
		TLS:        tlsConfig,
		ServerID:   m.cfg.ServerID,
		ServerUUID: uuid,
		Heartbeat:  m.cfg.Heartbeat,
		Captures:   sel.matches,
		Collations: collations,
		OldImages:  m.cfg.OldImages,
		Types:      m.cfg.Types,
		Stats:      &m.stats,
		Describe:   m.describeOne,
		Fill:       m.fill,
		Keyless:    func(id schema.TableID) error { return Faults{keylessFault(id)} },
		Check:      m.checkPosition,
		Logger:     m.log,
	}, nil
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
		if err == nil || ctx.Err() != nil || !session.IsPassing(err) {
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
	tables, err := readDictionary(ctx, s, func(schema.TableID) bool { return true }, &id)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	t, errs := m.shapeOf(tables[0])
	if len(errs) > 0 {
		return nil, tables[0].faults()
	}
	return t, nil
}

func (m *MySQL) fill(ctx context.Context, t *schema.Table, added []int) (*schema.Block, error) {
	s, err := m.reach(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	b, err := fill(ctx, s, t, added, &m.stats)
	if err != nil {
		return nil, fmt.Errorf("finding what old rows of table %s show in new columns: %w", t.ID, err)
	}
	return b, nil
}
