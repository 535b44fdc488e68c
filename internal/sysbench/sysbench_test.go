package sysbench

import (
	"database/sql"
	"math/rand/v2"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

func TestDigits(t *testing.T) {
	a := appendDigits(nil, rand.New(rand.NewPCG(1, 2)), groupsC)
	b := appendDigits(nil, rand.New(rand.NewPCG(1, 2)), groupsC)
	c := appendDigits(nil, rand.New(rand.NewPCG(1, 3)), groupsC)
	assert.Equal(t, a, b)
	assert.NotEqual(t, a, c)
	assert.Regexp(t, regexp.MustCompile(`^\d{11}(-\d{11}){9}$`), string(a))
	assert.Len(t, appendDigits(nil, rand.New(rand.NewPCG(1, 2)), groupsPad), 59)
}

func TestMain(m *testing.M) { servers.Main(m) }

func open(t *testing.T) *sql.DB {
	server := servers.MySQL(t)
	db, err := Open(Server{Network: "tcp", Address: server.Addr, User: server.User, Password: server.Password})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// count returns a number that a query gives.
func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(query).Scan(&n), query)
	return n
}

// TestWriteCounts holds that every stage changes as many rows as it says, with
// sessions that run into each other's locks.
func TestWriteCounts(t *testing.T) {
	db := open(t)
	tables := &Tables{DB: db, Database: "sysbench_counts", Count: 2, Rows: 50, Seed: 7}
	t.Cleanup(func() { _, _ = db.Exec("DROP DATABASE sysbench_counts") })
	require.NoError(t, tables.Create(t.Context(), false))
	var rows atomic.Int64
	report := func(n int) { rows.Add(int64(n)) }
	require.NoError(t, tables.Fill(t.Context(), report))
	assert.EqualValues(t, 100, rows.Swap(0))
	assert.Equal(t, 50, count(t, db, "SELECT COUNT(*) FROM sysbench_counts.sbtest2 WHERE id <= 50"))

	require.NoError(t, tables.Write(t.Context(), 300, 6, report))
	assert.EqualValues(t, 300*RowsPerTransaction, rows.Swap(0))
	assert.Equal(t, 100, count(t, db, "SELECT (SELECT COUNT(*) FROM sysbench_counts.sbtest1) + (SELECT COUNT(*) FROM sysbench_counts.sbtest2)"),
		"each transaction puts back the row that it takes")

	require.NoError(t, tables.Insert(t.Context(), 12_345, report))
	assert.EqualValues(t, 12_345, rows.Swap(0))
	assert.Equal(t, 12_445, count(t, db, "SELECT (SELECT COUNT(*) FROM sysbench_counts.sbtest1) + (SELECT COUNT(*) FROM sysbench_counts.sbtest2)"))
}

func TestAddColumn(t *testing.T) {
	db := open(t)
	tables := &Tables{DB: db, Database: "sysbench_column", Count: 2, Rows: 50, Seed: 7}
	t.Cleanup(func() { _, _ = db.Exec("DROP DATABASE sysbench_column") })
	require.NoError(t, tables.Create(t.Context(), false))
	require.NoError(t, tables.Fill(t.Context(), nil))
	rows := 0
	require.NoError(t, tables.AddColumn(t.Context(), "note", func(n int) { rows += n }))
	assert.Equal(t, 10, rows)
	assert.Equal(t, 45, count(t, db, "SELECT COUNT(*) FROM sysbench_column.sbtest1 WHERE note = 'as before'"))
}

func TestForeignTablesStay(t *testing.T) {
	db := open(t)
	_, err := db.Exec("DROP DATABASE IF EXISTS sysbench_foreign; CREATE DATABASE sysbench_foreign; CREATE TABLE sysbench_foreign.sbtest2 (precious INT); INSERT INTO sysbench_foreign.sbtest2 VALUES (1)")
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = db.Exec("DROP DATABASE sysbench_foreign") })
	tables := &Tables{DB: db, Database: "sysbench_foreign", Count: 2, Rows: 5}
	err = tables.Create(t.Context(), false)
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, "sbtest2")
	assert.Equal(t, 1, count(t, db, "SELECT COUNT(*) FROM sysbench_foreign.sbtest2"))
	assert.Zero(t, count(t, db, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'sysbench_foreign' AND table_name = 'sbtest1'"))

	require.NoError(t, tables.Create(t.Context(), true))
	require.NoError(t, tables.Create(t.Context(), false), "its own tables it may make anew")
}
