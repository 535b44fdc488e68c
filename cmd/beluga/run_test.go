package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

// shop is a database of a test, with its lake.
type shop struct {
	server *servers.MySQLServer
	db     *sql.DB
	name   string
	lake   string
}

// newShop makes a database with the given tables.
func newShop(t *testing.T, name, statements string, args ...string) *shop {
	t.Helper()
	s := &shop{server: servers.MySQL(t, args...), name: name, lake: filepath.Join(t.TempDir(), "lake")}
	s.db = s.server.DB(t)
	s.exec(t, "DROP DATABASE IF EXISTS "+name+"; CREATE DATABASE "+name+"; USE "+name+"; "+statements)
	return s
}

func (s *shop) exec(t *testing.T, statements string) {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "USE "+s.name)
	if err == nil || strings.HasPrefix(statements, "DROP DATABASE") {
		_, err = conn.ExecContext(t.Context(), statements)
	}
	require.NoError(t, err, statements)
}

// args are the arguments that every command on the shop has.
func (s *shop) args(command string, more ...string) []string {
	return append([]string{command, "--from", s.server.URL(s.name), "--to", s.lake}, more...)
}

// must runs a command that has to end well, and returns what it printed.
func (s *shop) must(t *testing.T, command string, more ...string) string {
	t.Helper()
	code, out, errs := runArgs(s.args(command, more...)...)
	require.Equal(t, exitOK, code, "%s\n%s", out, errs)
	return out
}

const ordersTable = `CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(40) NOT NULL, price DECIMAL(10,2));
	INSERT INTO orders VALUES (1, 'Ahab', 9.5), (2, 'Ishmael', NULL), (3, 'Queequeg', -1); `

func TestRunStatusVerify(t *testing.T) {
	s := newShop(t, "cli_run", ordersTable+"CREATE TABLE items (id INT PRIMARY KEY, note TEXT)")
	s.must(t, "run", "--once")
	s.exec(t, "UPDATE orders SET price = 3 WHERE id = 2; DELETE FROM orders WHERE id = 1; INSERT INTO items VALUES (7, 'harpoon')")
	s.must(t, "run", "--once")

	out := s.must(t, "verify")
	assert.Contains(t, out, "cli_run.orders: equal, 2 rows")
	assert.Contains(t, out, "cli_run.items: equal, 1 row\n")
	assert.Contains(t, out, "equal: 2 tables, 3 rows")

	out = s.must(t, "status")
	assert.Contains(t, out, "the lake has all that the server has")
	assert.Regexp(t, `cli_run\.orders +2 +1 +2 +1 `, out)
	var st status
	require.NoError(t, json.Unmarshal([]byte(s.must(t, "status", "--json")), &st))
	require.Len(t, st.Tables, 2)
	assert.EqualValues(t, 2, st.Cut.Number)
	assert.Zero(t, st.Server.Transactions)

	s.exec(t, "DELETE FROM items; INSERT INTO items VALUES (8, 'rope')")
	require.NoError(t, json.Unmarshal([]byte(s.must(t, "status", "--json")), &st))
	assert.EqualValues(t, 2, st.Server.Transactions)

	assert.Contains(t, s.must(t, "check"), "ok       server: can be replicated")
}

// TestVerifyFindsWhatWasNotLogged changes rows behind the binlog's back, as
// nothing but a comparison can find.
func TestVerifyFindsWhatWasNotLogged(t *testing.T) {
	s := newShop(t, "cli_verify", ordersTable)
	s.must(t, "run", "--once")
	s.exec(t, "SET sql_log_bin = 0; UPDATE orders SET price = 3 WHERE id = 2; DELETE FROM orders WHERE id = 1; INSERT INTO orders VALUES (4, 'Pip', 1)")
	code, out, errs := runArgs(s.args("verify", "orders")...)
	assert.Equal(t, exitFault, code)
	assert.Equal(t, "beluga: source and lake differ\n", errs)
	assert.Equal(t, `cli_verify.orders: 1 missing in the lake, 1 extra, 1 different; 3 rows in the source, 3 in the lake
  extra      id=1
  different  id=2
             price: 3.00 in the source, NULL in the lake
  missing    id=4
`, out)
	code, _, errs = runArgs(s.args("verify", "orderz")...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, `the source has no table "orderz"`)
}

func TestVerifyOfALakeThatIsBehind(t *testing.T) {
	s := newShop(t, "cli_behind", ordersTable)
	s.must(t, "run", "--once")
	s.exec(t, "INSERT INTO orders VALUES (4, 'Pip', 1)")
	code, out, _ := runArgs(s.args("verify", "--wait", "0s")...)
	assert.Equal(t, exitFault, code)
	assert.Contains(t, out, "1 missing in the lake")
	assert.Contains(t, out, "The lake is behind the server (by 1 transaction)")
}

// belugaPath is set in a process that is to be beluga itself.
const belugaPath = "BELUGA_TEST_IS_BELUGA"

// TestBench measures processes of this program, which is the test binary here.
func init() {
	if os.Getenv(belugaPath) != "" {
		main()
	}
}

func TestAnotherPipelinesTable(t *testing.T) {
	s := newShop(t, "cli_owner", ordersTable)
	s.must(t, "run", "--once", "--name", "first")
	code, _, errs := runArgs(s.args("run", "--once", "--name", "second")...)
	assert.Equal(t, exitFault, code)
	assert.Contains(t, errs, `the table belongs to the pipeline "first"`)
}

// TestEndedContext holds that a run ends when its context does.
func TestEndedContext(t *testing.T) {
	s := newShop(t, "cli_context", ordersTable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	assert.NotEqual(t, exitOK, run(ctx, s.args("run"), streams{&out, &out}))
}
