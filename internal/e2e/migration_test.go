package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// migration is a table that a tool alters while it is written to, beside another one.
type migration struct {
	server   *servers.MySQLServer
	db       *sql.DB
	database string
	rows     int
	clauses  string // of the ALTER TABLE

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
// rows of before can be read still, and that cuts of the other table did not wait.
func (m *migration) migrate(t *testing.T, tool func(t *testing.T, m *migration), options ...string) {
	m.db = m.server.DB(t)
	m.exec(t, "DROP DATABASE IF EXISTS "+m.database+"; CREATE DATABASE "+m.database+`; USE `+m.database+`; SET cte_max_recursion_depth = 10000000;
		CREATE TABLE a (id INT PRIMARY KEY, v INT, w VARCHAR(20)); CREATE TABLE b (id INT PRIMARY KEY, v INT); INSERT INTO b VALUES (1, 1);
		INSERT INTO a WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+fmt.Sprint(m.rows)+`) SELECT i, i, CONCAT('row ', i) FROM n`)
	m.ids = m.rows
	lake := filepath.Join(t.TempDir(), "lake")
	run := append(command("run", []string{"--from", m.server.URL(m.database), "--to", lake, "--commit-interval", "100ms"}), options...)
	runs(t, append(run, "--once")...)
	name := tableName{m.database, "a"}
	before := readLake(t, lake, []tableName{name})[name]

	writing, stop := context.WithCancel(t.Context())
	defer stop()
	written := make(chan error, 2)
	go func() { written <- m.write(writing) }()
	go func() { written <- m.writeOther(writing) }()
	p := start(t, append(run, "--snapshot-chunk-rows", "1000")...)
	p.says(t, "following the binlog")
	begun := time.Now()
	tool(t, m)
	p.saysLine(t, laneEnds, "table="+m.database+".a ")
	ended := time.Now()
	stop()
	require.NoError(t, <-written)
	require.NoError(t, <-written)
	p.terminate(t)
	runs(t, append(run, "--once")...)
	verify := []string{"verify", "--from", m.server.URL(m.database), "--to", lake}
	for i, o := range options {
		if o == "--tables-exclude" {
			verify = append(verify, o, options[i+1])
		}
	}
	require.Contains(t, runs(t, verify...), "equal: ")
	after := readLake(t, lake, []tableName{name})[name]
	for column, id := range before.fields {
		require.Equal(t, id, after.fields[column], column)
	}
	require.Contains(t, after.fields, "extra")
	require.Len(t, after.first.Rows, m.rows, "the rows of before")
	want := sourceRows(t, m.db, name)
	slices.Sort(want)
	slices.Sort(after.rows)
	require.True(t, slices.Equal(want, after.rows), "%s", firstDifferences(want, after.rows))
	lags := lagsBetween(t, lake, begun, ended)
	require.NotEmpty(t, lags, "no cut while the tool was at work")
	t.Logf("%d rows migrated in %v; median lag %v over %d cuts", m.rows, ended.Sub(begun).Round(time.Millisecond), median(lags), len(lags))
	require.Less(t, median(lags), max(ended.Sub(begun)/3, 2*time.Second), "the others waited for the table")
}

func (m *migration) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := m.db.Exec(statement)
	require.NoError(t, err, "%.200s", statement)
}

const traffic = "/* traffic */"

// write changes rows of the table, one at a time.
func (m *migration) write(ctx context.Context) error {
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

// blocked tells whether the writer of the table waits for a lock: then all that it has
// done was told.
func (m *migration) blocked(t *testing.T) bool {
	rows, err := m.db.Query("SHOW FULL PROCESSLIST")
	require.NoError(t, err)
	defer rows.Close()
	found := false
	for rows.Next() {
		columns, err := rows.Columns()
		require.NoError(t, err)
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		found = found || strings.Contains(values[7].String, traffic) && strings.Contains(values[6].String, "lock")
	}
	require.NoError(t, rows.Err())
	return found
}
