package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// incompatible are tables, each of which is altered in a way that the rows in the lake
// cannot follow. Column n, and id where there is one, stay what they are.
var incompatible = []struct {
	name, columns, rows string
	alters              []string
	fresh               []string // columns that get new field ids
}{
	{"narrower", "id INT PRIMARY KEY, n INT, v INT", "(1, 0, 40000), (2, 0, 7)", []string{"MODIFY v SMALLINT", "MODIFY v TINYINT; ALTER TABLE narrower MODIFY v INT"}, nil},
	{"converted", "id INT PRIMARY KEY, n INT, v BIGINT, w INT", "(1, 0, 5, 6)", []string{"MODIFY v INT, CHANGE w renamed VARCHAR(9) FIRST"}, []string{"renamed", "v"}},
	{"sign", "id INT PRIMARY KEY, n INT, v INT", "(1, 0, -5), (2, 0, 5)", []string{"MODIFY v INT UNSIGNED"}, nil},
	{"rounded", "id INT PRIMARY KEY, n INT, v DECIMAL(9,3)", "(1, 0, 1.255)", []string{"MODIFY v DECIMAL(9,2)"}, []string{"v"}},
	{"cut", "id INT PRIMARY KEY, n INT, v VARCHAR(20), w TEXT", "(1, 0, 'abcdefg', REPEAT('x', 300))", []string{"MODIFY v VARCHAR(5)", "MODIFY w TINYTEXT"}, nil},
	{"labels", "id INT PRIMARY KEY, n INT, v ENUM('a', 'b', 'c')", "(1, 0, 'a'), (2, 0, 'c')", []string{"MODIFY v ENUM('b', 'a')"}, nil},
	{"keyed", "id INT PRIMARY KEY, n INT", "(1, 0), (2, 0)", []string{"MODIFY id VARCHAR(9)", "DROP PRIMARY KEY, ADD k INT NOT NULL DEFAULT 3 FIRST, ADD PRIMARY KEY (k, id)"}, []string{"id", "k"}},
	{"unkeyed", "id INT, n INT, v INT", "(1, 0, 1), (1, 0, 1), (2, 0, NULL)", []string{"MODIFY v VARCHAR(5)", "MODIFY v VARCHAR(3) NOT NULL"}, []string{"v"}},
	{"filled", "id INT PRIMARY KEY, n INT", "(1, 0), (2, 0)", []string{"ADD v INT AUTO_INCREMENT UNIQUE"}, []string{"v"}},
}

// TestIncompatible: tables that are altered so are loaded again beside the others, through
// whatever way and however often the run is killed meanwhile.
func TestIncompatible(t *testing.T) {
	for name, c := range map[string]struct {
		start   func(testing.TB, ...string) *servers.MySQLServer
		options []string
		way     func(*testing.T) []string
	}{
		"mysql":    {servers.MySQL, nil, func(*testing.T) []string { return nil }},
		"minimal":  {servers.MySQL, []string{"--binlog-row-metadata=MINIMAL"}, func(*testing.T) []string { return nil }},
		"mariadb":  {servers.MariaDB, nil, func(*testing.T) []string { return nil }},
		"embedded": {servers.MySQL, nil, func(*testing.T) []string { return []string{"--kafka", "embedded"} }},
		"kafka": {servers.MySQL, nil, func(t *testing.T) []string {
			return []string{"--kafka", servers.Kafka(t).Addr, "--kafka-partitions", "3"}
		}},
	} {
		t.Run(name, func(t *testing.T) { alterIncompatibly(t, "e2e_incompatible_"+name, c.start(t, c.options...), c.way(t)) })
	}
}

func alterIncompatibly(t *testing.T, database string, server *servers.MySQLServer, way []string) {
	exec := func(sql string) { server.Exec(t, "SET sql_mode = ''; USE "+database+"; "+sql) }
	server.Exec(t, "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database)
	exec("CREATE TABLE other (id INT PRIMARY KEY, n INT); INSERT INTO other VALUES (1, 0)")
	names := []tableName{{database, "other"}}
	for _, c := range incompatible {
		exec(fmt.Sprintf("CREATE TABLE %[1]s (%[2]s); INSERT INTO %[1]s VALUES %[3]s", c.name, c.columns, c.rows))
		names = append(names, tableName{database, c.name})
	}
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL(database), "--to", lake, "--name", fmt.Sprintf("%s-%d", database, os.Getpid())} // the broker is shared
	run := append(command("run", args, "--on-incompatible", "reload", "--commit-interval", "50ms"), way...)
	runs(t, append(run, "--once")...)
	before := readLake(t, lake, names)

	rng := rand.New(rand.NewPCG(3, 4))
	for step := range 2 {
		p := start(t, append(run, "--notify-log")...)
		p.says(t, "following the binlog")
		for _, c := range incompatible {
			if step < len(c.alters) {
				exec(fmt.Sprintf("UPDATE %[1]s SET n = n + 1; ALTER TABLE %[1]s %[2]s; UPDATE other SET n = n + 1; UPDATE %[1]s SET n = n + 1 WHERE id = 1", c.name, c.alters[step]))
			}
		}
		p.killAfter(t, time.Duration(rng.IntN(700))*time.Millisecond)
	}
	said := runs(t, append(run, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), fmt.Sprintf("equal: %d tables", len(names)), said)
	after := readLake(t, lake, names)
	for _, name := range names {
		want := sourceRows(t, server.DB(t), name)
		slices.Sort(want)
		slices.Sort(after[name].Rows)
		require.Equal(t, want, after[name].Rows, name)
	}
	for _, c := range incompatible {
		name := tableName{database, c.name}
		for column, id := range after[name].Fields {
			require.Equal(t, slices.Contains(c.fresh, column), before[name].Fields[column] != id, "%s.%s", c.name, column)
		}
	}
}

// TestIncompatibleIsTold: a run stays, and goes on with other tables; that a table is
// loaded again is told with the statement, and so is its history.
func TestIncompatibleIsTold(t *testing.T) {
	server := servers.MySQL(t)
	const database = "e2e_incompatible_told"
	lake, args := shop(t, server, database)
	run := command("run", args, "--on-incompatible", "reload", "--commit-interval", "50ms", "--notify-log")
	runs(t, append(run, "--once")...)
	p := start(t, run...)
	p.says(t, "following the binlog")
	runs(t, "signal", "pause-snapshot", "--to", lake, "--id", "pause")
	p.saysLine(t, "notification id=pause ", "type=PAUSED")
	const statement = "ALTER TABLE e2e_incompatible_told.a MODIFY v SMALLINT, MODIFY w VARCHAR(3)"
	server.Exec(t, statement+"; UPDATE "+database+".b SET v = 8; INSERT INTO "+database+".b VALUES (3, 3, 3)")
	p.saysLine(t, laneBegins, "table="+database+".a ")
	p.until(t, "the row of the other table", func() bool { return slices.Equal(rowsOf(t, lake), []string{"2", "3"}) })
	require.Contains(t, runs(t, "status", "--to", lake), database+".a is being loaded")
	require.Equal(t, "int", readLake(t, lake, []tableName{{database, "a"}})[tableName{database, "a"}].Types["w"], "readers see what was there before")
	p.killAfter(t, 0) // the statement is remembered, and so is the pause
	runs(t, "signal", "resume-snapshot", "--to", lake)
	said := p.out.String() + runs(t, append(run, "--once")...)
	require.Contains(t, said, "kinds:type_changed,type_changed")
	require.Contains(t, said, "column w changed from int to string, column v changed from int to smallint")
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables")
	var tables []struct {
		Versions []struct {
			Statement string
			Columns   []shownColumn
		}
	}
	require.NoError(t, json.Unmarshal([]byte(runs(t, "tables", "a", "--history", "--json", "--to", lake)), &tables))
	require.Len(t, tables[0].Versions, 2)
	require.Equal(t, statement, tables[0].Versions[0].Statement)
	for i, want := range []shownColumn{
		{Name: "v", Type: "smallint", Nullable: true, FieldID: 2, Field: "v", FieldType: "int"},
		{Name: "w", Type: "varchar(3)", Nullable: true, FieldID: 4, Field: "w", FieldType: "string"},
	} {
		require.Equal(t, want, tables[0].Versions[0].Columns[i+1])
	}
}
