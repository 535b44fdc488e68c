package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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
	assert.Contains(t, out, "cli_run.items: equal, 1 rows")
	assert.Contains(t, out, "equal: 2 tables, 3 rows")

	out = s.must(t, "status")
	assert.Contains(t, out, "the lake has all that the server has")
	assert.Regexp(t, `cli_run\.orders +2 +2 +1 `, out)
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
	assert.Contains(t, out, "The lake is behind the server (by 1 transactions)")
}

// belugaPath is set in a process that is to be beluga itself.
const belugaPath = "BELUGA_TEST_IS_BELUGA"

func init() {
	if os.Getenv(belugaPath) != "" {
		main()
	}
}

// background is a beluga that runs as a process of its own.
type background struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

// Write collects what the process says.
func (b *background) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *background) said(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.out.String(), text)
}

// start starts this test binary as beluga.
func start(t *testing.T, args ...string) *background {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	b := &background{cmd: exec.Command(self, args...)}
	b.cmd.Env = append(os.Environ(), belugaPath+"=1")
	b.cmd.Stdout, b.cmd.Stderr = b, b
	require.NoError(t, b.cmd.Start())
	t.Cleanup(func() {
		if b.cmd.ProcessState == nil {
			_ = b.cmd.Process.Kill() // it may have ended by now
			_ = b.cmd.Wait()         // killed is no success
		}
	})
	return b
}

// until waits until the condition holds while the process is alive.
func (b *background) until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for !condition() {
		require.NoError(t, b.cmd.Process.Signal(syscall.Signal(0)), "waiting for %s, beluga ended:\n%s", what, &b.out)
		time.Sleep(20 * time.Millisecond)
	}
}

// rows returns how many rows the lake has in a table.
func (s *shop) rows(t *testing.T, table string) int64 {
	t.Helper()
	code, out, _ := runArgs("status", "--to", s.lake, "--json")
	if code != exitOK {
		return -1 // not there yet
	}
	var st status
	require.NoError(t, json.Unmarshal([]byte(out), &st))
	for _, x := range st.Tables {
		if x.Table == s.name+"."+table && st.Cut != nil {
			return x.Rows
		}
	}
	return -1
}

// TestSigtermCommits stops a run that would commit only after an hour: what it
// has read is in the lake all the same, and it ends well.
func TestSigtermCommits(t *testing.T) {
	s := newShop(t, "cli_sigterm", ordersTable)
	s.must(t, "run", "--once")
	b := start(t, s.args("run", "--commit-interval", "1h")...)
	b.until(t, "the stream", func() bool { return b.said("following the binlog") })
	// The server says of the thread that serves us when it has sent everything.
	for i := range 50 {
		s.exec(t, "INSERT INTO orders VALUES ("+string(rune('1'+i/10))+string(rune('0'+i%10))+"0, 'Starbuck', 1)")
	}
	b.until(t, "the server to send all", func() bool {
		var n int
		require.NoError(t, s.db.QueryRow("SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%' AND state LIKE '%has sent all binlog%'").Scan(&n))
		return n > 0
	})
	require.EqualValues(t, 3, s.rows(t, "orders"), "nothing is committed before the signal")
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, b.cmd.Wait(), "%s", &b.out)
	assert.True(t, b.said("stopping: committing what has been read"), "%s", &b.out)
	assert.Greater(t, s.rows(t, "orders"), int64(3))
	s.must(t, "run", "--once")
	s.must(t, "verify")
}

func TestSecondInstance(t *testing.T) {
	s := newShop(t, "cli_second", ordersTable)
	b := start(t, s.args("run", "--commit-interval", "100ms")...)
	b.until(t, "the load", func() bool { return s.rows(t, "orders") == 3 })
	code, _, errs := runArgs(s.args("run", "--once")...)
	assert.Equal(t, exitInstance, code, errs)
	assert.Contains(t, errs, "another instance")
	// A running pipeline is compared while it runs.
	s.exec(t, "UPDATE orders SET price = 77")
	assert.Contains(t, s.must(t, "verify"), "equal: 1 tables, 3 rows")
}

func TestAnotherPipelinesTable(t *testing.T) {
	s := newShop(t, "cli_owner", ordersTable)
	s.must(t, "run", "--once", "--name", "first")
	code, _, errs := runArgs(s.args("run", "--once", "--name", "second")...)
	assert.Equal(t, exitFault, code)
	assert.Contains(t, errs, `the table belongs to the pipeline "first"`)
}

func TestPositionLost(t *testing.T) {
	s := newShop(t, "cli_lost", ordersTable, "--max-binlog-size=4096")
	s.must(t, "run", "--once")
	s.exec(t, "INSERT INTO orders VALUES (4, 'Pip', 1); FLUSH BINARY LOGS; INSERT INTO orders VALUES (5, 'Pip', 1); FLUSH BINARY LOGS")
	var file string
	var size, encrypted string
	rows, err := s.db.Query("SHOW BINARY LOGS")
	require.NoError(t, err)
	for rows.Next() {
		require.NoError(t, rows.Scan(&file, &size, &encrypted))
	}
	require.NoError(t, rows.Err())
	s.exec(t, "PURGE BINARY LOGS TO '"+file+"'")
	code, _, errs := runArgs(s.args("run", "--once")...)
	assert.Equal(t, exitPosition, code)
	assert.Contains(t, errs, "the server has purged transactions")

	s.exec(t, "RESET BINARY LOGS AND GTIDS; INSERT INTO orders VALUES (6, 'Pip', 1)")
	code, _, errs = runArgs(s.args("run")...)
	assert.Equal(t, exitPosition, code)
	assert.Contains(t, errs, "the lake holds transactions that the server does not have")
}

// TestEndedContext holds that a run ends when its context does.
func TestEndedContext(t *testing.T) {
	s := newShop(t, "cli_context", ordersTable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	assert.NotEqual(t, exitOK, run(ctx, s.args("run"), streams{&out, &out}))
}
