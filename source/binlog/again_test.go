package binlog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

// TestChangesComeAgain: a run that comes to statements of which an earlier one has
// announced changes announces the same ones, at the same rows, although the server's
// dictionary tells by now what came later; and then what is left, as if there had been
// no other run.
func TestChangesComeAgain(t *testing.T) {
	d := newDescribed(t)
	rnd := rand.New(rand.NewPCG(number(t, "BELUGA_TEST_SEED", 1), 12))
	differs := 0
	for n := range 6 {
		h := &history{database: d, alters: &alters{Rand: rnd, database: d.name, table: fmt.Sprintf("h%d", n)}}
		h.write(t)
		for from := range h.ends {
			// The last one of the earlier runs may have been killed at any change.
			state := h.state(from)
			var later []schema.SchemaChange
			for _, said := range h.said[from+1:] {
				later = append(later, said.changes...)
			}
			state.Changes = map[schema.TableID][]schema.SchemaChange{h.id(): later[:rnd.IntN(len(later)+1)]}
			got := h.stream(t, state, h.ends[len(h.ends)-1])
			h.requireAgain(t, got, len(state.Changes[h.id()]), from)
			state.Changes = nil
			if !slices.Equal(h.stream(t, state, h.ends[len(h.ends)-1]).log, got.log) {
				differs++
			}
		}
	}
	require.NotZero(t, differs, "without what was announced before, no run comes to anything else")
}

// history is a table that was altered, and what runs said that each saw a part of it.
type history struct {
	*database
	*alters
	ends  []schema.Position // of the parts
	said  []*saying
	texts []string
}

// saying is what one run said.
type saying struct {
	log     []string // changes, and shapes of rows
	changes []schema.SchemaChange
	shape   *schema.Table // the last
}

func (s *saying) Send(_ context.Context, e schema.Event) error {
	switch e := e.(type) {
	case schema.SchemaChange:
		if e.Cause.At == "" {
			return fmt.Errorf("a change without its transaction: %+v", e)
		}
		s.changes, s.shape = append(s.changes, e), e.Table
		s.log = append(s.log, fmt.Sprintf("%s %v %v", shapeText(e.Table), e.Renamed, e.Fill != nil))
	case *schema.Block:
		for range e.Ops {
			s.log = append(s.log, "row of "+shapeText(e.Table))
		}
	}
	return nil
}

func shapeText(t *schema.Table) string {
	text, _ := json.Marshal(t)
	return string(text)
}

func (h *history) id() schema.TableID {
	return schema.TableID{Database: h.database.name, Name: h.table}
}

// write alters the table some times, and lets runs follow a few statements each.
func (h *history) write(t *testing.T) {
	table := &alteredTable{database: h.database, id: h.id()}
	h.exec(t, "SET sql_mode = 'STRICT_TRANS_TABLES'; CREATE TABLE "+h.table+" (id INT PRIMARY KEY AUTO_INCREMENT, v INT DEFAULT 7, w VARCHAR(10) DEFAULT '7', INDEX i (v)); INSERT INTO "+h.table+" () VALUES ()")
	h.config.Captures = func(id schema.TableID) bool { return id == h.id() }
	first := h.position(t)
	h.said = append(h.said, h.stream(t, pipeline.Resume{Position: h.start}, first))
	h.ends = append(h.ends, first)
	for len(h.ends) < 6 {
		for left := 1 + h.IntN(3); left > 0; {
			h.columns = table.read(t)
			text, followed := h.statement()
			if !followed {
				continue
			}
			if _, err := h.conn.ExecContext(t.Context(), text); err != nil {
				continue
			}
			h.texts = append(h.texts, text)
			left--
			if h.IntN(2) == 0 {
				h.exec(t, "INSERT INTO "+h.table+" () VALUES ()")
			}
		}
		end := h.position(t)
		h.said = append(h.said, h.stream(t, h.state(len(h.ends)-1), end))
		h.ends = append(h.ends, end)
	}
	h.start = h.ends[len(h.ends)-1]
}

// state is where a run begins behind so many parts.
func (h *history) state(part int) pipeline.Resume {
	var shape *schema.Table
	for _, s := range h.said[:part+1] {
		if s.shape != nil {
			shape = s.shape
		}
	}
	at := h.ends[part]
	return pipeline.Resume{Position: at, Tables: map[schema.TableID]pipeline.TableState{h.id(): {Table: shape, Position: at}}}
}

func (h *history) stream(t *testing.T, from pipeline.Resume, until schema.Position) *saying {
	cfg, s := h.config, &saying{}
	cfg.Until = &until
	require.NoError(t, binlog.New(cfg).Run(t.Context(), from, s), strings.Join(h.texts, ";\n"))
	return s
}

// requireAgain compares a run with those that came behind a part before it, up to the
// last change that it knew of.
func (h *history) requireAgain(t *testing.T, got *saying, known, from int) {
	var want []string
	left := known
	for _, s := range h.said[from+1:] {
		for _, line := range s.log {
			if !strings.HasPrefix(line, "row of ") {
				if left--; left < 0 {
					break
				}
			}
			want = append(want, line)
		}
		if left < 0 {
			break
		}
	}
	require.GreaterOrEqual(t, len(got.log), len(want))
	require.True(t, slices.Equal(want, got.log[:len(want)]), "%s\nwant:\n%s\ngot:\n%s", strings.Join(h.texts, ";\n"), strings.Join(want, "\n"), strings.Join(got.log, "\n"))
	require.GreaterOrEqual(t, len(got.changes), known)
	for i, c := range got.changes[:known] {
		was := h.changesFrom(from)[i]
		require.Equal(t, was.Cause, c.Cause)
	}
	last := h.said[len(h.said)-1]
	require.Equal(t, len(rowsOf(h.said[from+1:])), len(rowsOf([]*saying{got})))
	if last.shape != nil && got.shape != nil {
		require.True(t, schema.DiffTables(last.shape, got.shape).IsEmpty(), strings.Join(h.texts, ";\n"))
	}
}

func (h *history) changesFrom(part int) (list []schema.SchemaChange) {
	for _, s := range h.said[part+1:] {
		list = append(list, s.changes...)
	}
	return list
}

func rowsOf(said []*saying) (rows []string) {
	for _, s := range said {
		for _, line := range s.log {
			if strings.HasPrefix(line, "row of ") {
				rows = append(rows, line)
			}
		}
	}
	return rows
}
