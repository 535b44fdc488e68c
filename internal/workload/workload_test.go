package workload

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
)

func TestMain(m *testing.M) { servers.Main(m) }

func TestSameSeedSameStatements(t *testing.T) {
	statements := func(seed uint64) (list []command) {
		s := &session{rand: rand.New(rand.NewPCG(seed, 1)), tables: tables(false, true), space: 100}
		for range 500 {
			list = append(list, s.change(s.table())...)
		}
		return list
	}
	assert.Equal(t, statements(1), statements(1))
	assert.NotEqual(t, statements(1), statements(2))
}

// TestChangesAreThoseOfTheBinlog compares the count with what a trigger on
// every table saw: triggers count inside the transactions, and are rolled back
// with them.
func TestChangesAreThoseOfTheBinlog(t *testing.T) {
	db := servers.MySQL(t).DB(t)
	w := &Workload{DB: db, Database: "workload_counts", Seed: 5, Space: 400}
	require.NoError(t, w.Create(t.Context()))
	t.Cleanup(func() { exec(t, db, "DROP DATABASE workload_counts") })
	require.NoError(t, w.Fill(t.Context()))
	filled := w.Changes()
	assert.Greater(t, filled, int64(500))

	// One counter for each connection, so that sessions do not wait for each other.
	exec(t, db, "CREATE TABLE workload_counts.seen (session BIGINT, n INT)")
	for _, table := range w.tables() {
		for _, what := range []string{"INSERT", "UPDATE", "DELETE"} {
			condition := "TRUE"
			if table.name == "audit" && what == "INSERT" {
				condition = "NEW.note <> '" + byTrigger + "'"
			}
			exec(t, db, fmt.Sprintf("CREATE TRIGGER workload_counts.%s_%s AFTER %s ON workload_counts.%s FOR EACH ROW INSERT INTO workload_counts.seen SELECT CONNECTION_ID(), 1 FROM DUAL WHERE %s",
				table.name, what, what, table.name, condition))
		}
	}
	require.NoError(t, w.Run(t.Context(), 4, 2000))
	assert.GreaterOrEqual(t, w.Changes(), filled+2000)
	// An update that changes nothing fires a trigger and is no change; one that
	// finds its key taken counts two for one row. Both are few.
	seen := count(t, db, "SELECT COUNT(*) FROM workload_counts.seen")
	assert.InDelta(t, seen, w.Changes()-filled, float64(seen)/10)
}

// TestEveryStatementOccurs counts by the server which kinds of statements have
// changed rows, and what changed rows by itself.
func TestEveryStatementOccurs(t *testing.T) {
	server := servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
	w := &Workload{DB: server.DB(t), Database: "workload_kinds", Seed: 8, Space: 400, Mixed: true}
	require.NoError(t, w.Create(t.Context()))
	require.NoError(t, w.Fill(t.Context()))
	kinds := []string{"sql/insert", "sql/insert_select", "sql/replace", "sql/update", "sql/update_multi", "sql/delete", "sql/delete_multi", "sql/load",
		"sql/savepoint", "sql/rollback_to_savepoint", "sql/rollback", "com/Prepare", "sql/xa_prepare", "sql/xa_commit", "sql/xa_rollback"}
	// What two sessions do depends on who comes first, whatever the seed: a rare kind
	// may take more rounds than one.
	for round := 0; len(kinds) > 0; round++ {
		require.Less(t, round, 100, "these kinds do not occur: %v", kinds)
		require.NoError(t, w.Run(t.Context(), 2, 6000))
		kinds = slices.DeleteFunc(kinds, func(kind string) bool {
			return count(t, w.DB, "SELECT COUNT_STAR - SUM_ERRORS FROM performance_schema.events_statements_summary_global_by_event_name WHERE EVENT_NAME = 'statement/"+kind+"'") > 0
		})
	}
	assert.Positive(t, count(t, w.DB, "SELECT COUNT(*) FROM workload_kinds.audit WHERE note = '"+byTrigger+"'"))
	assert.Positive(t, count(t, w.DB, "SELECT COUNT(*) FROM "+w.Aside()+".notes"))
	assert.GreaterOrEqual(t, w.Statements(), int64(1000))
}

// TestDeadlockOfXA lets two branches wait for each other.
func TestDeadlockOfXA(t *testing.T) {
	for name, server := range map[string]*servers.MySQLServer{"MySQL": servers.MySQL(t), "MariaDB": servers.MariaDB(t)} {
		t.Run(name, func(t *testing.T) {
			w := &Workload{DB: server.DB(t), Database: "workload_deadlock", Plain: true}
			require.NoError(t, w.Create(t.Context()))
			t.Cleanup(func() { exec(t, w.DB, "DROP DATABASE workload_deadlock") })
			exec(t, w.DB, "CREATE TABLE workload_deadlock.d (id INT PRIMARY KEY, n INT)")
			exec(t, w.DB, "INSERT INTO workload_deadlock.d VALUES (0, 0), (1, 0)")
			var g errgroup.Group
			var held sync.WaitGroup // a row by each
			held.Add(2)
			var lost atomic.Int64
			for n := range 2 {
				s, err := w.session(t.Context(), "USE workload_deadlock")
				require.NoError(t, err)
				t.Cleanup(s.close)
				id := fmt.Sprintf("'deadlock %d'", n)
				require.NoError(t, s.run(t.Context(), "XA START "+id))
				require.NoError(t, s.run(t.Context(), fmt.Sprintf("UPDATE d SET n = 1 WHERE id = %d", n)))
				held.Done()
				g.Go(func() error {
					held.Wait()
					_, err := s.exec(t.Context(), fmt.Sprintf("UPDATE d SET n = 2 WHERE id = %d", 1-n))
					if isError(err, errDeadlock) {
						lost.Add(1)
						err = nil
					}
					// The one that did not lose is given up by XA END that succeeds.
					return errors.Join(err, s.giveUp(t.Context(), id), s.run(t.Context(), "XA START "+id), s.giveUp(t.Context(), id))
				})
			}
			require.NoError(t, g.Wait())
			assert.EqualValues(t, 1, lost.Load())
		})
	}
}

// TestEveryTypeOccurs fills all columns and asks for what the tables have.
func TestEveryTypeOccurs(t *testing.T) {
	db := servers.MySQL(t).DB(t)
	w := &Workload{DB: db, Database: "workload_types", Seed: 6, Space: 600}
	require.NoError(t, w.Create(t.Context()))
	t.Cleanup(func() { exec(t, db, "DROP DATABASE workload_types") })
	require.NoError(t, w.Fill(t.Context()))
	require.NoError(t, w.Run(t.Context(), 2, 500))
	for _, c := range everyType() {
		n := count(t, db, fmt.Sprintf("SELECT COUNT(DISTINCT %s) FROM workload_types.by_integer", c.name))
		assert.GreaterOrEqual(t, n, int64(2), c.name)
	}
	// Behind them come MariaDB's own.
	for k := schema.TinyInt; k <= schema.VectorFloat; k++ {
		if _, err := (schema.Type{Kind: k, Precision: 10}).Lake(); err != nil {
			continue // has no place in the lake yet
		}
		name := k.String()
		if k == schema.Blob || k == schema.Text {
			name = "%" + name
		}
		n := count(t, db, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'workload_types' AND data_type LIKE '"+name+"'")
		assert.Positive(t, n, "no column of type %s", k)
	}
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	_, err := db.Exec(statement)
	require.NoError(t, err, statement)
}

func count(t *testing.T, db *sql.DB, query string) (n int64) {
	t.Helper()
	require.NoError(t, db.QueryRow(query).Scan(&n), query)
	return n
}

// TestAlterBesideRun: columns come, go, move and change their names while sessions
// write, and no statement of these fails for it.
func TestAlterBesideRun(t *testing.T) {
	db := servers.MySQL(t).DB(t)
	w := &Workload{DB: db, Database: "workload_alter", Seed: 3, Space: 200}
	require.NoError(t, w.Create(t.Context()))
	t.Cleanup(func() { exec(t, db, "DROP DATABASE workload_alter") })
	require.NoError(t, w.Fill(t.Context()))
	var g errgroup.Group
	g.Go(func() error { return w.Run(t.Context(), 2, 1500) })
	g.Go(func() error { return w.Alter(t.Context(), 40) })
	require.NoError(t, g.Wait())
	require.GreaterOrEqual(t, w.Altered(), int64(20))
	for table, columns := range w.alterer.columns {
		require.EqualValues(t, len(columns), count(t, db, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'workload_alter' AND column_name REGEXP '^x[0-9]' AND table_name = '"+table+"'"), table)
	}
}
