package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestCorpus replicates every case of testdata/sql: loaded whole, read from the
// binlog whole, and one after the other; each over every transport.
func TestCorpus(t *testing.T) { corpus(t, false) }

// TestCorpusOfMariaDB does so with a MariaDB server, directly and through one log:
// its transactions have other names there.
func TestCorpusOfMariaDB(t *testing.T) { corpus(t, true) }

func corpus(t *testing.T, mariaDB bool) {
	groups := map[string]*caseGroup{}
	var order []string
	for _, c := range readCases(t) {
		if mariaDB && c.options.MySQLOnly != "" || !mariaDB && c.options.MariaDBOnly != "" {
			continue
		}
		if c.stops() {
			t.Run(c.name, func(t *testing.T) { requireEnding(t, c, caseServer(t, c.options.Server, mariaDB)) })
			continue
		}
		name := strings.Join(append(c.options.Server, c.options.Beluga...), " ")
		if groups[name] == nil {
			groups[name] = &caseGroup{name: fmt.Sprintf("corpus-%d-%d", os.Getpid(), len(groups)), server: c.options.Server, beluga: c.options.Beluga, mariaDB: mariaDB}
			order = append(order, name)
		}
		groups[name].cases = append(groups[name].cases, c)
	}
	for i, name := range order {
		t.Run(fmt.Sprintf("together%d", i+1), func(t *testing.T) {
			t.Logf("options: %s", name)
			groups[name].replicate(t)
		})
	}
}

// caseGroup are cases that share a server, and a lake for each transport. A
// process for each case would take minutes to do what all together do in seconds.
type caseGroup struct {
	name           string // of the pipeline
	server, beluga []string
	mariaDB        bool
	cases          []*sqlCase
}

func caseServer(t *testing.T, options []string, mariaDB bool) *servers.MySQLServer {
	t.Helper()
	if mariaDB {
		return servers.MariaDB(t, options...)
	}
	return servers.MySQL(t, options...)
}

// Each case fills three databases: in the first all is there before Beluga
// starts, in the second what load.sql makes, and the third is not there.
func (c *sqlCase) loaded() string   { return c.options.Database + "_loaded" }
func (c *sqlCase) both() string     { return c.options.Database + "_both" }
func (c *sqlCase) streamed() string { return c.options.Database + "_streamed" }

func (c *sqlCase) databases() []string { return []string{c.loaded(), c.both(), c.streamed()} }

func (g *caseGroup) replicate(t *testing.T) {
	server := caseServer(t, g.server, g.mariaDB)
	lakes := g.lakes(t, server)
	for _, c := range g.cases {
		for _, database := range c.databases() {
			server.Exec(t, "DROP DATABASE IF EXISTS "+quoteName(database))
		}
		create(t, server, c.loaded())
		execCase(t, server, c, c.loaded(), c.load, c.stream)
		create(t, server, c.both())
		execCase(t, server, c, c.both(), c.load)
	}
	require.False(t, t.Failed(), "the SQL of some cases is faulty")
	g.run(t, lakes)
	for _, c := range g.cases {
		c.remember(t, server)
		execCase(t, server, c, c.both(), c.stream)
		create(t, server, c.streamed())
		execCase(t, server, c, c.streamed(), c.load, c.stream)
	}
	g.run(t, lakes)
	for _, l := range lakes {
		t.Run(l.transport, func(t *testing.T) { g.compare(t, server, l) })
	}
}

func create(t *testing.T, server *servers.MySQLServer, database string) {
	t.Helper()
	server.Exec(t, "CREATE DATABASE "+quoteName(database))
}

// remember keeps the tables that stream.sql will find, where it alters some.
func (c *sqlCase) remember(t *testing.T, server *servers.MySQLServer) {
	t.Helper()
	c.before = map[tableName]sourceTable{}
	if !alters.MatchString(c.stream) {
		return
	}
	db := server.DB(t)
	for _, table := range tablesOf(t, db, c.both()) {
		c.before[table] = readSource(t, db, table)
	}
}

var alters = regexp.MustCompile(`(?i)\b(ALTER|TRUNCATE|RENAME)\b`)

// execCase runs files of the case, each in a session of its own.
func execCase(t *testing.T, server *servers.MySQLServer, c *sqlCase, database string, files ...string) {
	t.Helper()
	for _, sql := range files {
		if strings.TrimSpace(sql) == "" {
			continue
		}
		db := server.DB(t)
		_, err := db.Exec(sqlFor(database, sql))
		assert.NoError(t, err, "the SQL of the case %s, in %s", c.name, database)
		require.NoError(t, db.Close())
	}
}

// caseLake is the lake of a group over one transport.
type caseLake struct{ transport, folder, config string }

func (g *caseGroup) lakes(t *testing.T, server *servers.MySQLServer) []caseLake {
	t.Helper()
	var tables []string
	for _, c := range g.cases {
		for _, database := range c.databases() {
			tables = append(tables, regexp.QuoteMeta(database)+`\..*`)
		}
	}
	dir := t.TempDir()
	lake := func(transport, kafka string) caseLake {
		l := caseLake{transport, filepath.Join(dir, transport), filepath.Join(dir, transport+".yml")}
		config := map[string]any{"name": g.name, "from": server.URL(""), "to": l.folder, "tables": tables}
		if kafka != "" {
			config["kafka"] = kafka
		}
		text, err := yaml.Marshal(config)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(l.config, text, 0o644))
		return l
	}
	if g.mariaDB { // the two logs are alike for it
		return []caseLake{lake("direct", ""), lake("embedded_broker", "embedded")}
	}
	return []caseLake{lake("direct", ""), lake("embedded_broker", "embedded"), lake("kafka", servers.Kafka(t).Addr)}
}

// run brings all lakes up to date, at the same time.
func (g *caseGroup) run(t *testing.T, lakes []caseLake) {
	t.Helper()
	var running []*process
	for _, l := range lakes {
		running = append(running, start(t, command("run", []string{"-c", l.config, "--once"}, g.beluga...)...))
	}
	for i, p := range running {
		require.Zero(t, p.wait(t), "%s:\n%s", lakes[i].transport, p.out.String())
	}
}

// compare compares the lake with the server, by Beluga's eyes and by others.
func (g *caseGroup) compare(t *testing.T, server *servers.MySQLServer, l caseLake) {
	require.Contains(t, runs(t, "verify", "-c", l.config), "equal: ")
	var databases []string
	for _, c := range g.cases {
		databases = append(databases, c.databases()...)
	}
	tables := requireSameDatabases(t, server.DB(t), databases, l.folder)
	for _, c := range g.cases {
		c.requireHistory(t, tables)
		for _, database := range c.databases() {
			got := map[string]columnTypes{}
			for n, table := range tables {
				if n.database == database {
					got[n.name] = table.Types
				}
			}
			if c.expected.Types == nil {
				c.expected.Types = got
				c.writeExpected(t)
			}
			require.Equal(t, c.expected.Types, got, "the Iceberg types of the case %s in %s", c.name, database)
		}
	}
}

// requireHistory compares what became of the columns of tables that were altered
// while Beluga followed them, and what readers of their first snapshot see.
func (c *sqlCase) requireHistory(t *testing.T, tables map[tableName]lakeTable) {
	origins, types := map[string]columnOrigins{}, map[string]columnTypes{}
	for name, was := range c.before {
		table := tables[name]
		if table.first == nil {
			continue
		}
		table.first.requireSeen(t, was, "the first snapshot of "+name.String())
		if its := table.origins(); len(its) > 0 {
			origins[name.name] = its
		}
		if its := table.formerTypes(); len(its) > 0 {
			types[name.name] = its
		}
	}
	if *updateCases && c.expected.Types == nil {
		c.expected.Columns, c.expected.Before = origins, types
	}
	require.Len(t, origins, len(c.expected.Columns))
	for name, want := range c.expected.Columns {
		require.Equal(t, want, origins[name], "the columns of %s in the case %s by their field ids", name, c.name)
	}
	require.Len(t, types, len(c.expected.Before))
	for name, want := range c.expected.Before {
		require.Equal(t, want, types[name], "the types of the first snapshot of %s in the case %s", name, c.name)
	}
}

// origins tells, by field id, what columns were that had another name at first, and
// which are new although their name is old.
func (l lakeTable) origins() columnOrigins {
	origins := columnOrigins{}
	for column, id := range l.Fields {
		origin := column
		if _, was := l.first.Fields[column]; was {
			origin = "new"
		}
		for was, its := range l.first.Fields {
			if its == id {
				origin = was
			}
		}
		if origin != column {
			origins[column] = origin
		}
	}
	return origins
}

// formerTypes are those of the first snapshot that the head has no more.
func (l lakeTable) formerTypes() columnTypes {
	types := columnTypes{}
	for column, its := range l.first.Types {
		if l.Types[column] != its {
			types[column] = its
		}
	}
	return types
}

// requireEnding runs a case that Beluga cannot follow, once from its state at the
// end, and once into it.
func requireEnding(t *testing.T, c *sqlCase, server *servers.MySQLServer) {
	database := "ending_" + c.options.Database
	for _, end := range []struct {
		name          string
		want          *ending
		before, after []string
	}{
		{"refused", c.expected.Refused, []string{c.load, c.stream}, nil},
		{"stopped", c.expected.Stopped, []string{c.load}, []string{c.stream}},
	} {
		if end.want == nil {
			continue
		}
		t.Run(end.name, func(t *testing.T) {
			server.Exec(t, "DROP DATABASE IF EXISTS "+quoteName(database))
			create(t, server, database)
			execCase(t, server, c, database, end.before...)
			run := command("run", []string{"--once", "--from", server.URL(database), "--to", filepath.Join(t.TempDir(), "lake")}, c.options.Beluga...)
			if end.after != nil {
				runs(t, run...)
				execCase(t, server, c, database, end.after...)
			}
			p := start(t, run...)
			exit := p.wait(t)
			said := inMariaDB.ReplaceAllString(p.out.String(), "SET PERSIST $1")
			got := ending{exit, numbers.ReplaceAllString(plain([]string{"DATABASE", database}, said), "${1}N")}
			if *updateCases {
				*end.want = got
				return
			}
			require.Equal(t, *end.want, got)
		})
	}
	if *updateCases {
		c.writeExpected(t)
	}
}

// numbers of transactions and places in a file depend on what ran on the server before.
var numbers = regexp.MustCompile(`(UUID:|ends at )\d+`)

// inMariaDB is how a setting is changed for good there; expect.yml has MySQL's way.
var inMariaDB = regexp.MustCompile(`SET GLOBAL (\S+=\S+), and the same in the server's configuration`)
