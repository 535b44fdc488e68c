package binlog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// A run that ended behind an ADD COLUMN and before the table's next row took the
// statement's default with it: the position is behind the statement, and a table map
// tells no defaults. The server's dictionary may have another one by now, or none. So
// the statements are looked for in the binlog, when such a column is seen.

// recall finds what statements before this run said of columns that a table map shows
// first. What cannot be found is left to the server, as what was not logged is.
func (r *run) recall(ctx context.Context, t *table, to *schema.Table, added []int) error {
	known := func(i int) bool { return find(t.altered.added, to.Columns[i].Name) >= 0 }
	if t.recalled || !slices.ContainsFunc(added, func(i int) bool { return !known(i) }) {
		return nil
	}
	said, err := r.statementsSince(ctx, t)
	if err != nil {
		return fmt.Errorf("table %s: looking for what added its new columns: %w", t.id, err)
	}
	t.recalled = true // what comes from here on is noted as it comes
	before := &table{id: t.id, shape: t.shape}
	for i := range said {
		before.altered.follow(&said[i].statement)
		r.recallApart(before, &said[i].statement)
		r.note(before, &said[i].statement, said[i].strict)
	}
	for _, d := range before.altered.added {
		if find(t.altered.added, d.name) < 0 {
			t.altered.added = append(t.altered.added, d)
		}
	}
	return nil
}

// saidBefore is a statement about one table.
type saidBefore struct {
	statement
	strict bool
}

// statementsSince returns the ALTERs of the table since its shape was announced, or as
// many of them as the server has, up to the transaction that is at work.
func (r *run) statementsSince(ctx context.Context, t *table) (list []saidBefore, err error) {
	files, err := r.listFiles(ctx)
	if err != nil {
		return nil, err
	}
	end := r.txn.start // of the search in the newest file
	for i := len(files) - 1; i >= 0; i-- {
		r.cfg.Logger.Info("looking in the binlog for what added a column", "table", t.id, "file", files[i])
		s := search{run: r, table: t, file: files[i], end: end, since: parsePlace(t.since)}
		err := r.walk(ctx, place{file: files[i], start: fileHeaderLength}, s.take)
		if errors.Is(err, ErrPositionLost) { // it was purged meanwhile
			break
		}
		if err != nil {
			return nil, err
		}
		if list = append(s.list, list...); s.complete {
			break
		}
		end = math.MaxUint64
	}
	return list, nil
}

// search collects the ALTERs of a table that one file has.
type search struct {
	run      *run
	table    *table
	file     string
	end      uint64
	since    schema.Position
	txn      transaction
	packed   deflated
	list     []saidBefore
	complete bool // older ones do not matter
}

func (s *search) take(h *header, body []byte, at uint64) error {
	begins := transaction{file: s.file, start: at}
	var err error
	switch h.typ {
	case evGTID, evAnonymousGTID:
		err = begins.readGTID(h.typ, body)
	case evTaggedGTID:
		err = begins.readTagged(body)
	case evMariaDBGTID:
		err = begins.readMariaDBGTID(body, h.serverID)
	case evQueryDeflated:
		var plain header
		if plain, body, err = s.packed.event(h, body); err == nil {
			err = s.take(&plain, body, at)
		}
		return err
	case evQuery:
		if s.txn.announced {
			return nil
		}
		return s.read(body)
	default:
		return nil
	}
	switch {
	case err != nil:
		return err
	case at >= s.end:
		return errEnough
	case begins.isBefore(s.since):
		s.forget()
	}
	s.txn = begins
	return nil
}

func (s *search) forget() { s.list, s.complete = nil, true }

func (s *search) read(body []byte) error {
	q, err := parseQuery(body, 0)
	if err != nil {
		return err
	}
	q.toUTF8(s.run.cfg.Collations)
	ts := q.tokens()
	if q.unread != "" || ts[0].is("BEGIN") {
		return nil
	}
	said := parseStatement(ts, q.database)
	if s.run.cfg.LowerNames {
		said.lowerNames()
	}
	switch id := s.table.id; {
	case said.temporary:
	case said.kind == dropDatabase && strings.EqualFold(said.database, id.Database):
		s.forget()
	case said.kind == truncateTable, !slices.Contains(said.tables, id) && !slices.Contains(said.targets, id):
	case said.kind == alterTable && len(said.targets) == 0:
		s.list = append(s.list, saidBefore{said, q.strict() && !said.ignore})
	case said.kind == createTable && !said.replaces: // of one that is there, which IF NOT EXISTS leaves alone
	default:
		s.forget() // the name showed another table until then
	}
	return nil
}

// parsePlace reads a place in the binlog as schema.Cause has it: GTIDs, or an offset in
// a file. Zero: it is none.
func parsePlace(text string) (p schema.Position) {
	if gtids, err := schema.ParseGTIDSet(text); err == nil {
		p.GTIDs = gtids
		return p
	}
	file, offset, _ := strings.Cut(text, ":")
	if n, err := strconv.ParseUint(offset, 10, 64); err == nil {
		p.File, p.Offset = file, n
	}
	return p
}

// isBefore tells whether the transaction is before a place.
func (t *transaction) isBefore(p schema.Position) bool {
	switch {
	case p.IsZero():
		return false
	case p.UsesGTIDs():
		return !t.gtid.IsZero() && p.GTIDs.Contains(t.gtid)
	}
	return p.Contains(schema.Position{File: t.file, Offset: t.start + 1})
}
