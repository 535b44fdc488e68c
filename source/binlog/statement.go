package binlog

import (
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// statementKind is what a statement of the log may do to rows or tables.
type statementKind uint8

const (
	otherStatement    statementKind = iota // unknown
	harmlessStatement                      // changes neither rows nor shapes of tables
	dmlStatement
	createTable
	alterTable
	dropTable
	dropDatabase
	truncateTable
	renameTable
)

// statement is a statement as far as the stream cares.
type statement struct {
	kind      statementKind
	temporary bool
	replaces  bool             // createTable: OR REPLACE
	database  string           // dropDatabase
	tables    []schema.TableID // that it is about
	targets   []schema.TableID // names that tables get, or tables that give their rows away
	added     []definition     // ADD COLUMN
	dropped   []string         // DROP COLUMN
	renamed   []schema.Rename  // RENAME COLUMN, and CHANGE where it gives another name
	defined   []definition     // MODIFY and CHANGE, by the name after it
	keys      []keyColumns     // that are unique from now on
	unkeyed   bool             // a key or an index is dropped
	says      bool             // something of COMMENT or DEFAULT
	ignore    bool             // MariaDB's ALTER IGNORE: what does not fit is made to
	removes   string           // the clause of ALTER TABLE that removes or exchanges rows without row events
	partition bool             // it is about partitions, and makes no table
}

// keyColumns are the columns of a key by their names.
type keyColumns []string

// lowerNames writes the names as a server keeps them that knows only lower case.
func (s *statement) lowerNames() {
	s.database = strings.ToLower(s.database)
	for _, ids := range [...][]schema.TableID{s.tables, s.targets} {
		for i, id := range ids {
			ids[i] = lower(id)
		}
	}
}

func lower(id schema.TableID) schema.TableID {
	return schema.TableID{Database: strings.ToLower(id.Database), Name: strings.ToLower(id.Name)}
}

// parser walks over tokens.
type parser struct {
	ts       []token
	database string // current
}

func (p *parser) peek() token { return p.ts[0] }

func (p *parser) next() token {
	t := p.ts[0]
	if t.kind != endToken {
		p.ts = p.ts[1:]
	}
	return t
}

// accept takes the keywords if they come next.
func (p *parser) accept(keywords ...string) bool {
	if len(p.ts) < len(keywords) {
		return false
	}
	for i, k := range keywords {
		if !p.ts[i].is(k) {
			return false
		}
	}
	p.ts = p.ts[len(keywords):]
	return true
}

// tableName takes "name" or "database.name".
func (p *parser) tableName() schema.TableID {
	id := schema.TableID{Database: p.database, Name: p.next().text}
	if p.peek().sign('.') {
		p.next()
		id.Database, id.Name = id.Name, p.next().text
	}
	return id
}

func parseStatement(ts []token, database string) statement {
	p := &parser{ts: ts, database: database}
	switch verb := strings.ToUpper(p.next().text); verb {
	case "CREATE":
		return p.create()
	case "ALTER":
		p.accept("ONLINE")
		ignore := p.accept("IGNORE")
		if p.accept("TABLE") {
			s := p.alter()
			s.ignore = ignore
			return s
		}
		return statement{kind: harmlessStatement}
	case "DROP":
		return p.drop()
	case "TRUNCATE":
		p.accept("TABLE")
		return statement{kind: truncateTable, tables: []schema.TableID{p.tableName()}}
	case "RENAME":
		if p.accept("TABLE") || p.accept("TABLES") {
			return p.rename()
		}
		return statement{kind: harmlessStatement}
	case "SET":
		if p.accept("STATEMENT") { // MariaDB's settings for one statement, which follows
			for p.peek().kind != endToken {
				if p.accept("FOR") {
					return parseStatement(p.ts, database)
				}
				p.next()
			}
		}
		return statement{kind: harmlessStatement}
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH", "CALL":
		return statement{kind: dmlStatement}
	case "GRANT", "REVOKE", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK", "FLUSH", "INSTALL", "UNINSTALL", "USE", "LOCK", "UNLOCK":
		return statement{kind: harmlessStatement}
	}
	return statement{}
}

func (p *parser) create() statement {
	replaces := p.accept("OR", "REPLACE")
	temporary := p.accept("TEMPORARY")
	if p.accept("UNIQUE", "INDEX") {
		return p.createIndex()
	}
	if !p.accept("TABLE") {
		return statement{kind: harmlessStatement}
	}
	p.accept("IF", "NOT", "EXISTS")
	return statement{kind: createTable, temporary: temporary, replaces: replaces, tables: []schema.TableID{p.tableName()}}
}

// createIndex takes CREATE UNIQUE INDEX, which is a clause of ALTER TABLE by another
// name.
func (p *parser) createIndex() statement {
	p.accept("IF", "NOT", "EXISTS")
	p.next() // its name
	s := statement{kind: alterTable}
	for p.peek().kind != endToken {
		if p.accept("ON") {
			s.tables = []schema.TableID{p.tableName()}
			p.wait()
			s.addKey(p.keyColumns())
			return s
		}
		p.next()
	}
	return statement{kind: harmlessStatement}
}

func (p *parser) drop() statement {
	temporary := p.accept("TEMPORARY")
	if p.accept("DATABASE") || p.accept("SCHEMA") {
		p.accept("IF", "EXISTS")
		return statement{kind: dropDatabase, database: p.next().text}
	}
	if p.accept("INDEX") {
		p.accept("IF", "EXISTS")
		p.next() // its name
		if p.accept("ON") {
			return statement{kind: alterTable, tables: []schema.TableID{p.tableName()}, unkeyed: true}
		}
	}
	if !p.accept("TABLE") && !p.accept("TABLES") {
		return statement{kind: harmlessStatement}
	}
	p.accept("IF", "EXISTS")
	s := statement{kind: dropTable, temporary: temporary}
	for {
		s.tables = append(s.tables, p.tableName())
		if !p.peek().sign(',') {
			return s
		}
		p.next()
	}
}

func (p *parser) rename() statement {
	p.accept("IF", "EXISTS")
	s := statement{kind: renameTable}
	for {
		s.tables = append(s.tables, p.tableName())
		p.wait()
		p.accept("TO")
		s.targets = append(s.targets, p.tableName())
		if !p.peek().sign(',') {
			return s
		}
		p.next()
	}
}

// alter walks over the clauses of ALTER TABLE.
func (p *parser) alter() statement {
	p.accept("IF", "EXISTS")
	s := statement{kind: alterTable, tables: []schema.TableID{p.tableName()}}
	p.wait()
	s.says = slices.ContainsFunc(p.ts, func(t token) bool { return t.is("COMMENT") || t.is("DEFAULT") })
	for p.peek().kind != endToken {
		p.clause(&s)
		p.skipClause()
	}
	return s
}

// wait passes over how long MariaDB is to wait for a lock.
func (p *parser) wait() {
	if p.accept("WAIT") {
		p.next()
		return
	}
	p.accept("NOWAIT")
}

// mentions calls f with each name that might be a table.
func mentions(ts []token, database string, f func(schema.TableID) bool) (schema.TableID, bool) {
	for i, t := range ts {
		if t.kind != wordToken && t.kind != nameToken {
			continue
		}
		id := schema.TableID{Database: database, Name: t.text}
		if i >= 2 && ts[i-1].sign('.') {
			id.Database = ts[i-2].text
		}
		if f(id) {
			return id, true
		}
	}
	return schema.TableID{}, false
}
