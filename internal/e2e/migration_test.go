package e2e

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

var migratedRows = flag.Int("migrated-rows", 5_000, "rows of the tables that tools for schema changes alter")

// migratedBy is what the tools do to the table: columns come, move and become wider.
const migratedBy = "ADD COLUMN extra INT NOT NULL DEFAULT 3, MODIFY w VARCHAR(200) AFTER id, MODIFY v BIGINT, ADD KEY (v)"

// migration is a table that a tool alters while it is written to, beside another one.
type migration struct {
	server         *servers.MySQLServer
	db             *sql.DB
	database, lake string
	rows           int
	run            *process
	others         int // rows of the other table

	mu      sync.Mutex
	changes []rowChange // of the table, that the tool has not taken
	ids     int
}

// rowChange is what the binlog tells a tool of a row.
type rowChange struct {
	id, v int
	kind  string // INSERT, UPDATE or DELETE
}

// migrate replicates the tables while the tool alters one of them, and requires that the
// lake is equal after it, that its columns have the field ids that they had, that the
// rows of before can be read still, and that the other table did not wait: neither for
// the tool nor for the lane in which its result is loaded, which is held until then.
func migrate(t *testing.T, database string, tool func(t *testing.T, m *migration), options ...string) {
	m := &migration{server: servers.MySQL(t), database: database, lake: filepath.Join(t.TempDir(), "lake"), rows: *migratedRows}
	m.create(t)
	run := append(command("run", []string{"--from", m.server.URL(m.database), "--to", m.lake, "--commit-interval", "100ms", "--shutdown-timeout", "1h"}), options...)
	runs(t, append(run, "--once")...)
	name := tableName{m.database, "a"}
	before := readLake(t, m.lake, []tableName{name})[name]

	stop := m.write(t)
	m.run = start(t, append(run, "--snapshot-chunk-rows", "1000", "--notify-log")...)
	m.run.says(t, "following the binlog")
	alone := time.Now()
	for range 5 {
		m.othersGoOn(t)
	}
	m.signal(t, "pause-snapshot", "PAUSED")
	begun := time.Now()
	tool(t, m)
	m.run.saysLine(t, laneBegins, "table="+m.database+".a ")
	m.othersGoOn(t)
	require.NotContains(t, m.run.out.String(), laneEnds)
	m.signal(t, "resume-snapshot", "RESUMED")
	m.run.saysLine(t, laneEnds, "table="+m.database+".a ")
	ended := time.Now()
	stop()
	m.run.terminate(t)
	runs(t, append(run, "--once")...)
	m.requireEqual(t, name, before, options)
	without, with := lagsBetween(t, m.lake, alone, begun), lagsBetween(t, m.lake, begun, ended)
	t.Logf("%d rows migrated in %v; median lag of all %v over %d cuts before, %v over %d cuts meanwhile",
		m.rows, ended.Sub(begun).Round(time.Millisecond), median(without), len(without), median(with), len(with))
}

func (m *migration) create(t *testing.T) {
	m.db = m.server.DB(t)
	m.exec(t, "DROP DATABASE IF EXISTS "+m.database+"; CREATE DATABASE "+m.database+`; USE `+m.database+`; SET cte_max_recursion_depth = 10000000;
		CREATE TABLE a (id INT PRIMARY KEY, v INT, w VARCHAR(20)); CREATE TABLE b (id INT PRIMARY KEY, v INT); INSERT INTO b VALUES (1, 1);
		INSERT INTO a WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+fmt.Sprint(m.rows)+`) SELECT i, i, CONCAT('row ', i) FROM n`)
	m.ids, m.others = m.rows, 1
}

func (m *migration) requireEqual(t *testing.T, name tableName, before lakeTable, options []string) {
	verify := []string{"verify", "--from", m.server.URL(m.database), "--to", m.lake}
	require.Contains(t, runs(t, append(verify, options...)...), "equal: ")
	after := readLake(t, m.lake, []tableName{name})[name]
	for column, id := range before.Fields {
		require.Equal(t, id, after.Fields[column], column)
	}
	require.Contains(t, after.Fields, "extra")
	require.Equal(t, "long", after.Types["v"])
	require.Len(t, after.first.Rows, m.rows, "the rows of before")
	after.requireSeen(t, readSource(t, m.db, name), "table "+name.String())
}

// othersGoOn has the other table get a row, and waits until that is in the lake.
func (m *migration) othersGoOn(t *testing.T) {
	t.Helper()
	m.others++
	m.exec(t, fmt.Sprintf("INSERT INTO %s.b VALUES (%d, 0)", m.database, m.others))
	m.run.until(t, "the row of the other table", func() bool {
		for line := range strings.Lines(runs(t, "status", "--to", m.lake)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == m.database+".b" {
				return f[1] == strconv.Itoa(m.others)
			}
		}
		return false
	})
}

// signal tells the run something, and waits until it has heard.
func (m *migration) signal(t *testing.T, kind, heard string) {
	t.Helper()
	runs(t, "signal", kind, "--to", m.lake, "--id", kind)
	m.run.saysLine(t, "notification id="+kind+" ", "type="+heard)
}

func (m *migration) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := m.db.Exec(statement)
	require.NoError(t, err, "%.200s", statement)
}

const traffic = "/* traffic */"

// write changes rows of both tables until the function is called that it returns.
func (m *migration) write(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan error, 2)
	go func() { written <- m.writeMigrated(ctx) }()
	go func() { written <- m.writeOther(ctx) }()
	return func() {
		cancel()
		require.NoError(t, errors.Join(<-written, <-written))
	}
}

// writeMigrated changes rows of the table, one at a time.
func (m *migration) writeMigrated(ctx context.Context) error {
	c, err := m.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for n := 0; ctx.Err() == nil; n++ {
		change := rowChange{id: 1 + n*7919%m.rows, v: -n, kind: "UPDATE"}
		statement := fmt.Sprintf("UPDATE %s %s.a SET v = %d WHERE id = %d", traffic, m.database, change.v, change.id)
		switch n % 5 {
		case 1:
			m.ids++
			change.id, change.kind = m.ids, "INSERT"
			statement = fmt.Sprintf("INSERT %s INTO %s.a (id, v, w) VALUES (%d, %d, 'new')", traffic, m.database, change.id, change.v)
		case 3:
			change.kind = "DELETE"
			statement = fmt.Sprintf("DELETE %s FROM %s.a WHERE id = %d", traffic, m.database, change.id)
		}
		if _, err := c.ExecContext(context.WithoutCancel(ctx), statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		m.mu.Lock()
		m.changes = append(m.changes, change)
		m.mu.Unlock()
		time.Sleep(3 * time.Millisecond)
	}
	return nil
}

func (m *migration) writeOther(ctx context.Context) error {
	for ctx.Err() == nil {
		if _, err := m.db.ExecContext(context.WithoutCancel(ctx), "UPDATE "+m.database+".b SET v = v + 1"); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// take returns the changes since the last time.
func (m *migration) take() []rowChange {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.changes
	m.changes = nil
	return c
}

// untilWaiting waits until a statement with the text waits for a lock.
func (m *migration) untilWaiting(t *testing.T, text string) {
	t.Helper()
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		err := m.db.QueryRow("SELECT COUNT(*) > 0 FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND state LIKE '%lock%' AND INSTR(info, ?)", text).Scan(&waiting)
		require.NoError(t, err)
	}
}
