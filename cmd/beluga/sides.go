package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/beluga-cdc/beluga/internal/verify"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// sourceSide opens consistent snapshots of the server.
type sourceSide struct {
	src    *source.MySQL
	tables []*schema.Table
	server string // its UUID
}

// newSourceSide reads the columns in the forms that the lake has them in.
func newSourceSide(ctx context.Context, c *Config, lake pipeline.Resume, log *slog.Logger) (*sourceSide, error) {
	one := *c
	one.Snapshot.MaxThreads = 1 // one table is read at a time
	one.Snapshot.Pause = PauseConfig{}
	src, err := newSource(&one, quiet(log))
	if err != nil {
		return nil, err
	}
	src.Keep(lake)
	s, tables, err := src.OpenSnapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a snapshot of the source: %w", err)
	}
	s.Close()
	return &sourceSide{src: src, tables: tables, server: s.Position.Server}, nil
}

// Open implements verify.Side.
func (s *sourceSide) Open(ctx context.Context) (verify.State, error) {
	snap, tables, err := s.src.OpenSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &sourceState{snap, byID(tables)}, nil
}

func byID(tables []*schema.Table) map[schema.TableID]*schema.Table {
	m := make(map[schema.TableID]*schema.Table, len(tables))
	for _, t := range tables {
		m[t.ID] = t
	}
	return m
}

type sourceState struct {
	snapshot *snapshot.Snapshot
	tables   map[schema.TableID]*schema.Table
}

func (s *sourceState) Position() schema.Position             { return s.snapshot.Position }
func (s *sourceState) Exact() bool                           { return s.snapshot.Exact() }
func (s *sourceState) Table(id schema.TableID) *schema.Table { return s.tables[id] }

func (s *sourceState) Read(ctx context.Context, id schema.TableID, fn func(*schema.Block) error) error {
	return s.snapshot.Read(ctx, 0, snapshot.Whole(s.tables[id]), func(b *schema.Block) error {
		defer b.Release()
		return fn(b)
	})
}

func (s *sourceState) Close() error {
	s.snapshot.Close()
	return nil
}

// lakeSide opens published cuts of the lake.
type lakeSide struct {
	lake   *sink.Lake
	server string // that file positions belong to
	last   *lakeState
}

// Open implements verify.Side. While the newest cut stays the same, so does the
// state: it is asked for several times a second.
func (s *lakeSide) Open(ctx context.Context) (verify.State, error) {
	cuts, err := s.lake.Cuts(ctx, 1)
	if err != nil {
		return nil, err
	}
	if len(cuts) == 0 {
		return &lakeState{}, nil // nothing was published yet: an empty lake
	}
	cut := cuts[0]
	if s.last != nil && s.last.cut.Number == cut.Number {
		return s.last, nil
	}
	position, err := parsePosition(cut.Position, s.server)
	if err != nil {
		return nil, fmt.Errorf("reading cut %d: %w", cut.Number, err)
	}
	infos, err := s.lake.Tables(ctx)
	if err != nil {
		return nil, err
	}
	state := &lakeState{lake: s.lake, cut: cut, position: position, tables: map[schema.TableID]sink.TableInfo{}}
	for _, t := range infos {
		name := t.Lake.String()
		if _, ok := cut.Snapshots[name]; ok {
			state.tables[t.Table.ID] = t
		}
		if t.Foreign {
			// The cut's snapshot may well be right; what readers of the table see is
			// what somebody else wrote on top of it.
			cut.Snapshots[name] = t.SnapshotID
		}
	}
	s.last = state
	return state, nil
}

// named is a table by MySQL's name, and the lake's where it has another.
func (s *lakeSide) named(id schema.TableID) string {
	if s.last != nil {
		if t, ok := s.last.tables[id]; ok {
			return bothNames(id.String(), t.Lake.String())
		}
	}
	return id.String()
}

// parsePosition reads a position as a cut holds it: a GTID set, or a file and an
// offset of the given server.
func parsePosition(text, server string) (schema.Position, error) {
	if gtids, err := schema.ParseGTIDSet(text); err == nil {
		return schema.Position{GTIDs: gtids}, nil
	}
	if i := strings.LastIndexByte(text, ':'); i > 0 {
		if offset, err := strconv.ParseUint(text[i+1:], 10, 64); err == nil {
			return schema.Position{Server: server, File: text[:i], Offset: offset}, nil
		}
	}
	return schema.Position{}, fmt.Errorf("%q is no position", text)
}

type lakeState struct {
	lake     *sink.Lake
	cut      sink.Cut
	position schema.Position
	tables   map[schema.TableID]sink.TableInfo
}

func (s *lakeState) Position() schema.Position             { return s.position }
func (s *lakeState) Exact() bool                           { return true }
func (s *lakeState) Table(id schema.TableID) *schema.Table { return s.tables[id].Table }
func (s *lakeState) Close() error                          { return nil }

func (s *lakeState) Read(ctx context.Context, id schema.TableID, fn func(*schema.Block) error) error {
	info := s.tables[id]
	return s.lake.Read(ctx, info, s.cut.Snapshots[info.Lake.String()], fn)
}
