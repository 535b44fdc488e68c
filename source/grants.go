package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// grants are the privileges of the session's user, those of its active roles
// included.
type grants struct {
	account string // 'user'@'host', quoted
	monitor string // the privilege that shows the binlog's position
	list    []grant
}

// grant is one line of SHOW GRANTS.
type grant struct {
	revoke          bool // a partial revoke, which takes away what a wider grant gave
	privileges      []string
	database, table string // "*" for all; the database is a pattern of LIKE
}

func readGrants(ctx context.Context, s *session.Session) (grants, error) {
	g := grants{monitor: "REPLICATION CLIENT"}
	if s.Version().MariaDB {
		g.monitor = "BINLOG MONITOR"
	}
	r, err := s.Query(ctx, "SELECT CURRENT_USER()")
	if err != nil {
		return g, fmt.Errorf("reading the user's name: %w", err)
	}
	account, _ := r.GetString(0, 0)
	at := strings.LastIndexByte(account, '@')
	g.account = quoteText(account[:at]) + "@" + quoteText(account[at+1:])
	if r, err = s.Query(ctx, "SHOW GRANTS"); err != nil {
		return g, fmt.Errorf("reading the user's grants: %w", err)
	}
	for i := range r.RowNumber() {
		line, _ := r.GetString(i, 0)
		if parsed, ok := parseGrant(line); ok {
			g.list = append(g.list, parsed)
		}
	}
	return g, nil
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// parseGrant reads "GRANT SELECT, RELOAD ON `shop`.* TO …". It passes over
// grants of roles, of routines and of PROXY.
func parseGrant(line string) (grant, bool) {
	var g grant
	rest, ok := strings.CutPrefix(line, "GRANT ")
	if !ok {
		if rest, ok = strings.CutPrefix(line, "REVOKE "); !ok {
			return g, false
		}
		g.revoke = true
	}
	privileges, rest, ok := strings.Cut(rest, " ON ")
	if !ok || strings.HasPrefix(privileges, "`") || privileges == "PROXY" {
		return g, false
	}
	for _, p := range splitPrivileges(privileges) {
		// A privilege on single columns does not read a table.
		if !strings.Contains(p, "(") {
			g.privileges = append(g.privileges, p)
		}
	}
	if g.database, rest, ok = cutIdentifier(rest); !ok || !strings.HasPrefix(rest, ".") {
		return g, false
	}
	g.table, _, ok = cutIdentifier(rest[1:])
	return g, ok
}

// splitPrivileges splits at commas outside of parentheses.
func splitPrivileges(s string) (list []string) {
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				list = append(list, strings.TrimSpace(s[start:i]))
				start = i + 1
			}
		}
	}
	return append(list, strings.TrimSpace(s[start:]))
}

func cutIdentifier(s string) (name, rest string, ok bool) {
	if after, found := strings.CutPrefix(s, "*"); found {
		return "*", after, true
	}
	if !strings.HasPrefix(s, "`") {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '`' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '`' {
			b.WriteByte('`')
			i++
			continue
		}
		return b.String(), s[i+1:], true
	}
	return "", "", false
}

// global tells whether the user has one of the privileges on everything.
func (g grants) global(privileges ...string) bool {
	return slices.ContainsFunc(g.list, func(x grant) bool {
		return !x.revoke && x.database == "*" && x.table == "*" && x.hasOne(privileges)
	})
}

func (x grant) hasOne(privileges []string) bool {
	return slices.ContainsFunc(x.privileges, func(p string) bool {
		return p == "ALL PRIVILEGES" && x.table == "*" || slices.Contains(privileges, p)
	})
}

// may tells whether the user has a privilege on all of a table.
func (g grants) may(privilege string, id schema.TableID) bool {
	may := g.global(privilege)
	for _, x := range g.list {
		switch {
		case x.database == "*" || !x.hasOne([]string{privilege}):
		case x.revoke:
			may = may && x.database != id.Database
		case x.table == "*":
			may = may || like(x.database, id.Database)
		default:
			may = may || x.database == id.Database && x.table == id.Name
		}
		if x.table != "*" && x.database == id.Database && x.table == id.Name && slices.Contains(x.privileges, "ALL PRIVILEGES") {
			may = may || !x.revoke
		}
	}
	return may
}

// like compares a name with the pattern of a grant: % stands for any text, _ for
// any character, a backslash before either for itself.
func like(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	switch c := pattern[0]; {
	case c == '%':
		return like(pattern[1:], name) || name != "" && like(pattern, name[1:])
	case name == "":
		return false
	case c == '_':
		return like(pattern[1:], name[1:])
	case c == '\\' && len(pattern) > 1:
		return pattern[1] == name[0] && like(pattern[2:], name[1:])
	default:
		return c == name[0] && like(pattern[1:], name[1:])
	}
}

// faults tells which privileges are missing, with the statements that grant
// them.
func (g grants) faults(tables []*dictionaryTable, sel selection) (list Faults) {
	missing := func(privilege, why string) {
		list = append(list, Fault{Fatal, "privilege " + privilege, fmt.Sprintf("user %s does not have it; it is needed to %s", g.account, why),
			fmt.Sprintf("GRANT %s ON *.* TO %s", privilege, g.account)})
	}
	if !g.global("REPLICATION SLAVE") {
		missing("REPLICATION SLAVE", "read the binlog")
	}
	if !g.global(g.monitor, "SUPER") {
		missing(g.monitor, "read the binlog's position")
	}
	return append(list, g.selectFaults(tables, sel)...)
}

// selectFaults tells which databases cannot be read. A table that the user has no
// privilege on at all is not even shown, so a database that was asked for by name
// counts too.
func (g grants) selectFaults(tables []*dictionaryTable, sel selection) (list Faults) {
	var databases []string
	add := func(id schema.TableID) {
		if !g.may("SELECT", id) && !slices.Contains(databases, id.Database) {
			databases = append(databases, id.Database)
		}
	}
	for _, t := range tables {
		add(t.id)
	}
	if sel.database != "" && len(tables) == 0 && len(sel.patterns) == 0 {
		add(schema.TableID{Database: sel.database})
	}
	for _, d := range databases {
		list = append(list, Fault{Fatal, "privilege SELECT on " + d, fmt.Sprintf("user %s does not have it; it is needed to load the tables", g.account),
			fmt.Sprintf("GRANT SELECT ON %s.* TO %s", session.Quote(d), g.account)})
	}
	return list
}
