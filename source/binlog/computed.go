package binlog

import (
	"fmt"
	"slices"
)

// computes returns why the rows of a table must be read again after a statement: it gives
// them values that the server makes for each, and does not log. "": it does not.
//
// Of what stands in a default only the server knows whether it is the same in all rows.
func (r *run) computes(t *table, s *statement) string {
	isWanted := func(name string) bool {
		_, wanted := r.choose(t.id, name)
		return wanted
	}
	for _, d := range s.added {
		if isWanted(d.name) && t.shape.Column(d.name) < 0 && (d.isGenerated() && !r.cfg.MariaDB || d.isNumbered() || d.isExpression()) {
			return fmt.Sprintf("adds column %s, whose values in the rows that are there only the server knows", d.name)
		}
	}
	for _, d := range s.defined {
		if isWanted(d.name) && t.shape.Column(d.name) >= 0 && d.isGenerated() && !r.cfg.MariaDB {
			return fmt.Sprintf("has column %s computed, and only the server knows what the rows that are there have in it", d.name)
		}
	}
	return ""
}

// isGenerated tells whether the column is computed of others.
func (d *definition) isGenerated() bool {
	return slices.ContainsFunc(d.top(), func(t token) bool { return t.is("AS") || t.is("GENERATED") })
}

// isNumbered tells whether the server counts the rows in the column.
func (d *definition) isNumbered() bool {
	return slices.ContainsFunc(d.top(), func(t token) bool { return t.is("AUTO_INCREMENT") || t.is("SERIAL") })
}

// isExpression tells whether the column has a default that is no constant: one in
// parentheses, or a function that needs none, as CURRENT_TIMESTAMP.
func (d *definition) isExpression() bool {
	top := d.top()
	for i := 1; i+1 < len(top); i++ {
		if !top[i].is("DEFAULT") || top[i-1].is("COLUMN_FORMAT") || top[i-1].is("STORAGE") || top[i-1].is("SERIAL") {
			continue
		}
		v := top[i+1]
		isPrefix := i+2 < len(top) && top[i+2].kind == stringToken // b'1', DATE '2020-01-01'
		isNumber := v.kind == wordToken && v.text[0] >= '0' && v.text[0] <= '9'
		return v.sign('(') || v.kind == wordToken && !isPrefix && !isNumber && !v.is("NULL") && !v.is("TRUE") && !v.is("FALSE")
	}
	return false
}
