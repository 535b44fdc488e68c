package binlog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// alters makes random statements that alter a table of INT and VARCHAR columns, each
// with DEFAULT 7, and writes them in as many ways as MySQL reads.
type alters struct {
	*rand.Rand
	database, table string
	ansi            bool // "name" is a name
	plain           bool // a backslash is a letter
	columns         []alterColumn
}

type alterColumn struct {
	name, typ string
	key       bool
}

// alterNames are names that look like something else. The database compares them
// without regard to case and accents.
var alterNames = []string{"a", "B", "c1", "first", "after", "add", "drop", "column", "rename", "to", "comment", "default", "visible", "wait", "modify", "import", "discard", "columns", "period", "system", "größe", "Ж", "名", "a b", "x`y", `q"r`, "it's", "p,q", "(", ")", `back\slash`, `\`, "--", "#no", "/*", "*/", "/*!", ";", "1a", "$", "a.b", "=", "_u"}

// statement returns a statement, and whether it is one that can be followed. The
// server may refuse it.
func (g *alters) statement() (text string, followed bool) {
	followed = true
	var clauses []string
	for range 1 + g.IntN(4) {
		text, ok := g.clause()
		clauses, followed = append(clauses, text), followed && ok
	}
	list := clauses[0]
	for _, c := range clauses[1:] {
		if g.IntN(8) == 0 {
			list += "/*!50000 ," + g.gap() + c + " */"
			continue
		}
		list += g.pick("", g.gap()) + "," + g.pick("", g.gap()) + c
	}
	if g.IntN(6) == 0 {
		list += " /*!99999 , DROP COLUMN " + g.name(g.any().name) + " */"
	}
	if g.IntN(12) == 0 { // its own commas end no clause
		list = g.word("ORDER BY") + g.gap() + g.name(g.any().name) + "," + g.name(g.any().name) + g.word(" DESC") + "," + g.name(g.any().name)
		followed = true
	}
	head := g.word("ALTER") + g.gap() + g.word("TABLE") + g.gap() + g.pick("", g.quoted(g.database)+g.pick("", " ")+"."+g.pick("", " ")) + g.name(g.table)
	return g.pick("", "/* ALTER TABLE x RENAME TO y */", "-- it's\n") + head + g.gap() + list + g.pick("", g.gap(), " -- ; DROP COLUMN a"), followed
}

func (g *alters) clause() (text string, followed bool) {
	column := g.word(g.pick("", "COLUMN "))
	switch g.IntN(15) {
	case 0, 1:
		return g.word("ADD ") + column + g.definition(g.fresh(), g.newType()) + g.place(), true
	case 2:
		return g.word("ADD ") + column + g.pick("", g.gap()) + "(" + g.definition(g.fresh(), g.newType()) + g.pick("", g.gap()) + "," + g.definition(g.fresh(), g.newType()) + g.pick("", ", INDEX (id)") + g.pick("", g.gap()) + ")", true
	case 3, 4:
		return g.word("DROP ") + column + g.name(g.noKey().name), true
	case 5, 6:
		return g.word("RENAME COLUMN") + g.gap() + g.name(g.any().name) + g.gap() + g.word("TO") + g.gap() + g.name(g.fresh()), true
	case 7: // a swap
		a, b := g.any().name, g.any().name
		return g.word("RENAME COLUMN ") + g.name(a) + g.word(" TO ") + g.name(b) + "," + g.word("RENAME COLUMN ") + g.name(b) + g.gap() + g.word("TO ") + g.name(a), true
	case 8, 9:
		c := g.noKey()
		return g.word("CHANGE ") + column + g.name(c.name) + g.gap() + g.definition(g.pick(c.name, g.fresh()), g.wider(c.typ)) + g.place(), true
	case 10, 11:
		c := g.noKey()
		return g.word("MODIFY ") + column + g.definition(c.name, g.wider(c.typ)) + g.place(), true
	case 12:
		return g.word("ALTER ") + column + g.name(g.noKey().name) + g.word(" SET DEFAULT ") + "7", true
	case 13:
		if g.IntN(4) == 0 {
			return g.word("MODIFY ") + g.definition(g.noKey().name, "TINYINT"), false
		}
		return g.word("ADD INDEX ") + g.name(g.fresh()) + "(" + g.name(g.any().name) + ")", true
	}
	return g.pick("DROP INDEX i", "DROP KEY i", "RENAME INDEX i TO j", "RENAME KEY j TO i", "ADD KEY i (id)", "ADD UNIQUE u (id)", "DROP INDEX u", "ADD CONSTRAINT c CHECK (id > 0)", "DROP CHECK c", "DROP CONSTRAINT c", "ADD CONSTRAINT CHECK (1)",
		"LOCK=SHARED", "DEFAULT CHARACTER SET utf8mb4", "FORCE", "ENGINE=InnoDB", "COMMENT="+g.text(), "COMMENT "+g.text(), "ROW_FORMAT = DYNAMIC", "ADD CHECK (1 < 2)", "ALGORITHM=COPY", "ALTER INDEX i INVISIBLE", "AUTO_INCREMENT=5"), true
}

// definition is a name with what defines a column.
func (g *alters) definition(name, typ string) string {
	s := g.name(name) + g.gap() + g.word(typ) + g.pick("", g.gap()+g.word("NOT NULL")) + g.gap() + g.word("DEFAULT") + g.gap() + g.pick("7", "'7'")
	return s + g.pick("", "", g.gap()+g.word("COMMENT")+g.gap()+g.text())
}

func (g *alters) newType() string {
	if g.IntN(2) == 0 {
		return "INT"
	}
	return fmt.Sprintf("VARCHAR(%d)", 10+g.IntN(10))
}

// wider is a type that holds all values of another, and is followed.
func (g *alters) wider(typ string) string {
	if typ == "int" {
		return g.pick("INT", "INTEGER", "INT(11)")
	}
	length := 0
	_, _ = fmt.Sscanf(typ, "varchar(%d)", &length) // of what is no VARCHAR any more the server decides
	return fmt.Sprintf("VARCHAR(%d)", length+g.IntN(10))
}

func (g *alters) place() string {
	return g.pick("", "", g.gap()+g.word("FIRST"), g.gap()+g.word("AFTER")+g.gap()+g.name(g.any().name))
}

func (g *alters) any() alterColumn { return g.columns[g.IntN(len(g.columns))] }

func (g *alters) noKey() alterColumn {
	for range 20 {
		if c := g.any(); !c.key {
			return c
		}
	}
	return alterColumn{name: "nothing", typ: "int"}
}

func (g *alters) fresh() string { return alterNames[g.IntN(len(alterNames))] }

func (g *alters) pick(of ...string) string { return of[g.IntN(len(of))] }

// word writes keywords in any case.
func (g *alters) word(s string) string {
	switch g.IntN(3) {
	case 0:
		return strings.ToLower(s)
	case 1:
		return strings.ReplaceAll(s, " ", g.gap())
	}
	return s
}

// gap is what may stand between two words.
func (g *alters) gap() string {
	return g.pick(" ", " ", " ", "\n", "\t", "\r\n", "\f", "\v", "/**/", "/* , DROP COLUMN a */", "-- it's, \"\n", "# /* `\n", "/*!50000 */", "/*!*/ ", " /*+ x */ ", "/*!99999 x */")
}

// name writes a name, quoted unless it needs no quotes.
func (g *alters) name(s string) string {
	bare := len(s) > 0 && !slices.Contains([]string{"add", "drop", "column", "rename", "to", "default", "1a", "="}, s)
	for _, r := range s {
		bare = bare && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '$' || r >= 0x80)
	}
	if bare && g.IntN(2) == 0 {
		return s
	}
	return g.quoted(s)
}

func (g *alters) quoted(s string) string {
	if g.ansi && g.IntN(2) == 0 {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return "`" + strings.ReplaceAll(s, "`", "``") + "`"
}

// text is a text that looks like something else.
func (g *alters) text() string {
	s := g.pick("", "it''s", "a, DROP COLUMN id", "`", "/*", "-- ", "#", "FIRST", `""`)
	if g.plain {
		s += g.pick("", `\`)
	} else {
		s += g.pick("", `\'`, `\\`, `\"`)
	}
	if !g.ansi && g.IntN(2) == 0 {
		return `"` + strings.ReplaceAll(s, `""`, `'`) + `"`
	}
	return "'" + s + "'"
}
