package binlog

import (
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

func (p *parser) clause(s *statement) {
	switch {
	case p.accept("ADD"):
		p.add(s)
	case p.accept("RENAME"):
		if p.accept("COLUMN") {
			p.accept("IF", "EXISTS")
			from := p.next().text
			p.accept("TO")
			s.rename(from, p.next().text)
			return
		}
		if p.accept("INDEX") || p.accept("KEY") {
			return
		}
		if !p.accept("TO") {
			p.accept("AS")
		}
		s.targets = []schema.TableID{p.tableName()} // of several the last one counts
	case p.accept("ORDER", "BY"), p.partitions(s): // its commas part names, whatever they are called
		p.ts = p.ts[len(p.ts)-1:]
	case p.accept("EXCHANGE", "PARTITION"):
		s.removes, s.partition = "EXCHANGE PARTITION", true
		for p.peek().kind != endToken && !p.accept("WITH", "TABLE") {
			p.next()
		}
		s.targets = append(s.targets, p.tableName())
	case p.peek().is("CONVERT") && (p.ts[1].is("PARTITION") || p.ts[1].is("TABLE")):
		s.removes = "CONVERT " + strings.ToUpper(p.ts[1].text)
	case p.peek().is("DISCARD"), p.peek().is("IMPORT"):
		s.removes = strings.ToUpper(p.next().text) + " TABLESPACE"
	case p.accept("DROP"):
		p.dropColumn(s)
	case p.accept("CHANGE"):
		p.columnKeyword()
		from := p.next().text
		s.rename(from, p.peek().text)
		s.defined = append(s.defined, p.definition())
	case p.accept("MODIFY"):
		p.columnKeyword()
		s.defined = append(s.defined, p.definition())
	}
}

// partitions takes the beginning of a clause that names partitions.
func (p *parser) partitions(s *statement) bool {
	for _, verb := range [...]string{"DROP", "TRUNCATE"} {
		if p.accept(verb, "PARTITION") {
			s.removes, s.partition = verb+" PARTITION", true
			return true
		}
	}
	for _, verb := range [...]string{"REORGANIZE", "REBUILD", "COALESCE", "ANALYZE", "CHECK", "OPTIMIZE", "REPAIR"} {
		if p.accept(verb, "PARTITION") { // no row comes or goes
			return true
		}
	}
	return false
}

func (p *parser) columnKeyword() {
	p.accept("COLUMN")
	p.accept("IF", "EXISTS")
}

func (s *statement) rename(from, to string) {
	if from != to {
		s.renamed = append(s.renamed, schema.Rename{From: from, To: to})
	}
}

// dropColumn takes the name of a column, and nothing of what else can be dropped.
func (p *parser) dropColumn(s *statement) {
	column := p.accept("COLUMN")
	p.accept("IF", "EXISTS")
	t := p.peek()
	if !column && notColumn(t) {
		s.unkeyed = s.unkeyed || t.is("PRIMARY") || t.is("KEY") || t.is("INDEX") || t.is("CONSTRAINT")
		return
	}
	if !column && (t.is("SYSTEM") && p.ts[1].is("VERSIONING") || t.is("PERIOD") && p.ts[1].is("FOR")) {
		return
	}
	s.dropped = append(s.dropped, p.next().text)
}

// add takes the names of new columns from "ADD [COLUMN] name …" and "ADD
// [COLUMN] (name …, name …)".
func (p *parser) add(s *statement) {
	column := p.accept("COLUMN")
	p.accept("IF", "NOT", "EXISTS")
	if p.peek().sign('(') {
		for p.next(); p.peek().kind != endToken && !p.peek().sign(')'); {
			if p.peek().sign(',') {
				p.next()
			}
			column := !notColumn(p.peek())
			if !column {
				(&parser{ts: p.ts, database: p.database}).addKey(s)
			}
			d := p.definition()
			p.ts = p.ts[len(d.tokens):]
			if column {
				s.added = append(s.added, d)
			}
		}
		return
	}
	if column || !notColumn(p.peek()) {
		s.added = append(s.added, p.definition())
		return
	}
	p.addKey(s)
}

// addKey takes the columns of a primary or unique key.
func (p *parser) addKey(s *statement) {
	if p.accept("CONSTRAINT") && !p.peek().is("PRIMARY") && !p.peek().is("UNIQUE") {
		p.next() // its name
	}
	switch {
	case p.accept("PRIMARY", "KEY"):
	case p.accept("UNIQUE"):
		if !p.accept("KEY") {
			p.accept("INDEX")
		}
		p.accept("IF", "NOT", "EXISTS")
	default:
		return
	}
	for !p.peek().sign('(') && !p.peek().sign(',') && p.peek().kind != endToken {
		p.next() // its name, and USING BTREE
	}
	s.addKey(p.keyColumns())
}

func (s *statement) addKey(columns keyColumns) {
	if len(columns) > 0 {
		s.keys = append(s.keys, columns)
	}
}

// keyColumns takes the names in parentheses. An index of a part of a column, or of an
// expression, is no key: there are no columns then.
func (p *parser) keyColumns() (columns keyColumns) {
	if !p.peek().sign('(') {
		return nil
	}
	for p.next(); ; p.next() {
		t := p.next()
		if t.kind != wordToken && t.kind != nameToken {
			return nil
		}
		columns = append(columns, t.text)
		if !p.accept("ASC") {
			p.accept("DESC")
		}
		switch {
		case p.peek().sign(')'):
			return columns
		case !p.peek().sign(','):
			return nil
		}
	}
}

// notColumn tells whether the word after ADD or DROP begins something else than a
// column; all of these are reserved, so that a column must quote them.
func notColumn(t token) bool {
	if t.kind == wordToken {
		switch strings.ToUpper(t.text) {
		case "INDEX", "KEY", "CONSTRAINT", "UNIQUE", "PRIMARY", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK", "PARTITION":
			return true
		}
	}
	return false
}

// skipClause goes behind the next comma outside parentheses.
func (p *parser) skipClause() {
	for depth := 0; p.peek().kind != endToken; {
		switch t := p.next(); {
		case t.sign('('):
			depth++
		case t.sign(')'):
			depth--
		case t.sign(',') && depth <= 0:
			return
		}
	}
}
