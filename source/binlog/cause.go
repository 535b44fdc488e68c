package binlog

import (
	"slices"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// mostStatement bounds the text of a statement that is kept: of a long one the
// beginning says what it does.
const mostStatement = 2000

// causeIn returns what is known of a statement that may give tables other shapes.
func (r *run) causeIn(h *header, q *query) schema.Cause {
	text := strings.ToValidUTF8(string(q.text[:min(len(q.text), mostStatement)]), "")
	if len(q.text) > mostStatement {
		text += "…"
	}
	c := r.causeNow()
	c.Statement = text
	if c.Time.IsZero() {
		c.Time = time.Unix(int64(h.time), 0).UTC()
	}
	return c
}

// causeNow is the cause of what the open transaction shows without a statement.
func (r *run) causeNow() (c schema.Cause) {
	if !r.txn.open {
		return c
	}
	c.At = r.txn.id()
	if r.txn.time != 0 {
		c.Time = time.UnixMicro(r.txn.time).UTC()
	}
	return c
}

// withheld stands for a statement that may hold values, such as a default, of columns
// whose values must not leave the source, or not as they are.
const withheld = "(not kept: columns of the table are left out, or changed on their way)"

// causeOf returns why a table's next shape is announced.
func (r *run) causeOf(t *table, next *schema.Table) schema.Cause {
	c := r.statementOf(t)
	hides := func(s *schema.Table) bool {
		return s != nil && (len(s.LeftOut) > 0 || slices.ContainsFunc(s.Columns, func(c schema.Column) bool { return c.Treatment != nil }))
	}
	if c.Statement != "" && (hides(t.shape) || hides(next)) {
		c.Statement = withheld
	}
	return c
}

// statementOf returns the statement that is at work, or the last one that altered the
// table and could not be followed before its rows came.
func (r *run) statementOf(t *table) schema.Cause {
	switch {
	case r.ddl.Statement != "":
		return r.ddl
	case t.cause.Statement != "":
		c := t.cause
		t.cause = schema.Cause{}
		return c
	}
	return r.causeNow()
}
