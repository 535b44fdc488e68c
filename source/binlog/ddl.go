package binlog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// onStatement takes a statement of the log.
func (r *run) onStatement(ctx context.Context, h *header, q *query) error {
	ts := q.tokens()
	switch first := ts[0]; {
	case first.is("BEGIN"):
		r.txn.group = true
		return nil
	case first.is("COMMIT"):
		return r.endTransaction(ctx, h)
	case first.is("ROLLBACK"):
		return r.onRollback(ctx, h, ts)
	case first.is("SAVEPOINT"), first.is("RELEASE"):
		return nil
	case first.is("XA"):
		return r.onXA(ctx, h, ts, q)
	}
	if r.txn.seen {
		return r.endTransaction(ctx, h)
	}
	r.ddl = r.causeIn(h, q)
	err := r.onDefinition(ctx, h, q, ts)
	r.ddl = schema.Cause{}
	if err != nil {
		return err
	}
	if r.txn.group { // CREATE TABLE … SELECT: its rows follow
		return nil
	}
	return r.endTransaction(ctx, h)
}

// onRollback: the server throws rolled-back rows away before they come into
// the log, unless the transaction also changed a table that cannot roll back.
// Then all stands in the log, and only the tables' engines, which the log does
// not tell, say which rows stayed.
func (r *run) onRollback(ctx context.Context, h *header, ts []token) error {
	if r.txn.captured != nil {
		return fmt.Errorf("table %s: transaction %s was rolled back but its rows are in the binlog, as it changed a non-transactional table too; which rows stayed cannot be told; %w", r.txn.captured.id, r.txn.id(), errReload)
	}
	if ts[1].is("TO") || ts[1].is("WORK") && ts[2].is("TO") {
		return nil
	}
	return r.endTransaction(ctx, h)
}

func (r *run) onExecuteLoad(body []byte) error {
	if r.txn.passed {
		return nil
	}
	q, err := parseQuery(body, 13)
	if err != nil {
		return err
	}
	q.toUTF8(r.cfg.Collations)
	return r.refuseMention(q.tokens(), &q)
}

// onDefinition takes DDL, and finds what is refused.
func (r *run) onDefinition(ctx context.Context, h *header, q *query, ts []token) error {
	s := parseStatement(ts, q.database)
	if r.cfg.LowerNames {
		s.lowerNames()
	}
	if q.unread != "" && s.kind != harmlessStatement && !s.temporary {
		return fmt.Errorf("the statement %s at %s was sent in the character set %s and cannot be read, so that the tables it is about are not known; remedy: run DDL with SET NAMES utf8mb4, and load the tables again: run with an empty lake (--to another folder)",
			excerpt(q.text), r.where(h), q.unread)
	}
	o := r.origin(h)
	switch s.kind {
	case harmlessStatement:
		return nil
	case dmlStatement, otherStatement:
		if r.txn.passed {
			return nil
		}
		return r.refuseMention(ts, q)
	case createTable:
		if s.temporary || !r.cfg.Captures(s.tables[0]) {
			return nil
		}
		t := r.tableOf(s.tables[0])
		if s.replaces {
			if err := r.onDrop(ctx, t, q, &o); err != nil || t.passedOver {
				return err
			}
		}
		return r.onCreate(ctx, t, &o)
	case alterTable:
		return r.onAlter(ctx, &s, q, &o)
	case dropTable:
		if s.temporary {
			return nil
		}
		return r.onDrops(ctx, s.tables, q, &o)
	case dropDatabase:
		return r.onDrops(ctx, r.tablesOf(s.database), q, &o)
	case truncateTable:
		return r.onTruncate(ctx, s.tables[0], q, &o)
	case renameTable:
		return r.onRename(ctx, &s, q, &o)
	}
	return nil
}

func (r *run) tableOf(id schema.TableID) *table {
	t := r.tables[id]
	if t == nil {
		t = &table{id: id}
		r.tables[id] = t
	}
	return t
}

// refuseMention refuses a statement that names a captured table: rows that it
// changes are not in the log.
func (r *run) refuseMention(ts []token, q *query) error {
	id, ok := mentions(ts, q.database, func(id schema.TableID) bool {
		t := r.tables[r.stored(id)]
		return t != nil && t.shape != nil
	})
	if !ok {
		return nil
	}
	return fmt.Errorf("table %s: the binlog holds a statement instead of its rows: %s; remedy: %s (sessions that are open keep the old value), then load the table again", r.stored(id), excerpt(q.text), r.persist("binlog_format", "ROW"))
}

// stored returns the name under which the server keeps what a statement calls id.
func (r *run) stored(id schema.TableID) schema.TableID {
	if r.cfg.LowerNames {
		return lower(id)
	}
	return id
}

func refuse(id schema.TableID, q *query, why string) error {
	return fmt.Errorf("table %s: the statement %s %s, which cannot be followed in this version; %w", id, excerpt(q.text), why, errReload)
}

func excerpt(text []byte) string {
	const most = 200
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

// onCreate begins a table that is made while the stream runs: it is empty, so
// that no load is needed. Its shape is read from information_schema, so that it
// is in the lake even if no row ever comes. That shape may be newer than the
// statement; then the first table map differs, and the table, which has no rows
// yet, is announced once more.
func (r *run) onCreate(ctx context.Context, t *table, o *schema.Origin) error {
	if t.shape != nil || t.passes(o) { // IF NOT EXISTS, or read again
		return nil
	}
	t.empty = true
	return r.describeEmpty(ctx, t)
}

// onTruncate voids the rows that were sent so far. A lane of the table may have read
// rows that its statement has removed, and begins anew.
//
// It is announced of a table without rows too: a run that begins behind its CREATE
// does not know that, and both must announce the same.
func (r *run) onTruncate(ctx context.Context, id schema.TableID, q *query, o *schema.Origin) error {
	t := r.tables[id]
	switch {
	case r.txn.passed, t == nil, t.shape == nil, t.passes(o):
		return nil
	case r.cfg.Lanes != nil && r.cfg.Lanes.Has(id):
		return r.leaveOr(ctx, t, refuse(id, q, "removes its rows without row events"))
	}
	if err := r.commitBefore(ctx); err != nil {
		return err
	}
	return r.announce(ctx, t, schema.SchemaChange{Table: t.shape, Reset: true, Same: true, History: r.history})
}

func (r *run) tablesOf(database string) (ids []schema.TableID) {
	for id := range r.tables {
		if strings.EqualFold(id.Database, database) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, schema.TableID.Compare)
	return ids
}

func (r *run) onDrops(ctx context.Context, ids []schema.TableID, q *query, o *schema.Origin) error {
	for _, id := range ids {
		if t := r.tables[id]; t != nil {
			if err := r.onDrop(ctx, t, q, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// onDrop ends a table. A lane of it that is under way may have been caught up with by
// a table that was made under its name since: it begins anew, or ends.
func (r *run) onDrop(ctx context.Context, t *table, q *query, o *schema.Origin) error {
	switch {
	case t.passes(o):
		return nil
	case t.shape == nil:
		t.empty = false
		return nil
	case r.cfg.Lanes != nil && r.cfg.Lanes.Has(t.id):
		return r.leaveOr(ctx, t, refuse(t.id, q, "drops it"))
	}
	if err := r.commitBefore(ctx); err != nil {
		return err
	}
	return r.end(ctx, t, schema.SchemaChange{Table: t.shape, Dropped: true, History: r.history})
}

// end announces that a table is gone.
func (r *run) end(ctx context.Context, t *table, c schema.SchemaChange) error {
	err := r.announce(ctx, t, c)
	t.shape, t.empty, t.altered = nil, false, altered{}
	return err
}

// commitBefore publishes what is before the statement, which may be nothing: then a
// Commit would say of a log that was taken over that it has been passed up to here.
func (r *run) commitBefore(ctx context.Context) error {
	if !r.dirty {
		return nil
	}
	return r.commit(ctx)
}

func (r *run) describeEmpty(ctx context.Context, t *table) error {
	now, err := r.cfg.Describe(ctx, t.id)
	if err != nil {
		return fmt.Errorf("reading the columns of the new table %s: %w", t.id, err)
	}
	switch {
	case now == nil: // gone or renamed by now: a later statement will say so
		return nil
	case now.Keyless() && r.cfg.Keyless != nil:
		return r.cfg.Keyless(t.id)
	case t.shape != nil && SameVersion(t.shape, now):
		return nil
	}
	return r.announce(ctx, t, schema.SchemaChange{Table: now, Reset: true, History: r.history})
}

// onAlter follows an ALTER TABLE, so that its columns are in the lake even if no
// row comes. What is refused and not told here is refused at the next table map.
func (r *run) onAlter(ctx context.Context, s *statement, q *query, o *schema.Origin) error {
	switch {
	case s.removes != "":
		return r.onPartition(ctx, s, q, o)
	case len(s.targets) > 0 && s.targets[0] != s.tables[0]:
		return r.onRename(ctx, s, q, o)
	}
	t := r.tables[s.tables[0]]
	if t == nil || t.shape == nil && !t.empty || t.passes(o) {
		return nil
	}
	r.forgetNameless(t)
	if known, err := r.againEmpty(ctx, t); known {
		return err
	}
	if t.empty {
		return r.describeEmpty(ctx, t)
	}
	if err := r.followNames(ctx, t, s); err != nil || t.passedOver {
		return err
	}
	if why := r.computes(t, s); why != "" && r.cfg.Lanes != nil && r.cfg.Lanes.Enabled() {
		return r.reload(ctx, t, refuse(t.id, q, why))
	}
	if err := judgeNulls(t, s, q); err != nil {
		return r.incompatible(ctx, t, err)
	}
	columns, lost := t.judgeDefined(s.defined)
	if r.maySetApart(t, columns) {
		if err := r.setApart(ctx, t, columns); err != nil {
			return err
		}
		lost = nil
	}
	if leftOut := r.note(t, s, q.strict() && !s.ignore); t.altered.isEmpty() && !leftOut {
		return nil
	}
	if err := r.followDefinitions(ctx, t, q, lost); err != nil {
		return err
	}
	if !t.altered.isEmpty() {
		t.cause = r.ddl // of what its next rows will show
	}
	return nil
}
