package binlog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

const xaTables = "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(100)); CREATE TABLE u (id INT PRIMARY KEY, c VARCHAR(100)); CREATE TABLE other.t (id INT PRIMARY KEY)"

// newXA makes a database with tables for XA transactions, and one that is not
// captured.
func newXA(t *testing.T, server *servers.MySQLServer) *database {
	d := newDatabase(t, server)
	d.exec(t, "DROP DATABASE IF EXISTS other; CREATE DATABASE other")
	d.exec(t, xaTables)
	return d
}

// prepare runs statements in an XA transaction up to its PREPARE.
func (d *database) prepare(t *testing.T, id, statements string) {
	t.Helper()
	statements = fmt.Sprintf("XA START %[1]s; %[2]s; XA END %[1]s; XA PREPARE %[1]s", id, statements)
	if !d.maria {
		d.exec(t, statements)
		return
	}
	// A session of MariaDB does nothing else until the outcome; one that has ended
	// leaves the transaction to others.
	db := d.server.DB(t)
	db.SetMaxOpenConns(1)
	var session int
	require.NoError(t, db.QueryRow("SELECT CONNECTION_ID()").Scan(&session))
	_, err := db.Exec("USE " + d.name + "; " + statements)
	require.NoError(t, err, statements)
	require.NoError(t, db.Close())
	for there := 1; there > 0; {
		require.NoError(t, d.db.QueryRow(fmt.Sprintf("SELECT COUNT(*) FROM information_schema.processlist WHERE id = %d", session)).Scan(&there))
	}
}

// goOn streams from where the lake stands to where the server stands.
func (d *database) goOn(t *testing.T, l *lake) error {
	t.Helper()
	from := pipeline.Resume{Position: d.start, Tables: map[schema.TableID]pipeline.TableState{}}
	if len(l.commits) > 0 {
		from.Position = l.commits[len(l.commits)-1].Position
	}
	for id, shape := range l.shapes {
		from.Tables[id] = pipeline.TableState{Table: shape, Position: from.Position}
	}
	cfg, until := d.config, d.position(t)
	cfg.Until = &until
	return binlog.New(cfg).Run(t.Context(), from, l)
}

// TestXA: rows of XA transactions appear with their COMMIT, in the order of
// commits, and never when they are rolled back. The stream is cut at each step
// in the second round, so that every outcome is one of a transaction that was
// prepared before the run began.
func TestXA(t *testing.T) {
	for name, options := range map[string][]string{
		"GTIDs":      nil,
		"files":      {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"},
		"compressed": {"--binlog-transaction-compression=ON"},
	} {
		for _, cut := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s cut=%t", name, cut), func(t *testing.T) {
				d := newXA(t, servers.MySQL(t, options...))
				l := newLake()
				step := func(statements string) {
					t.Helper()
					d.exec(t, statements)
					if cut {
						require.NoError(t, d.goOn(t, l))
						d.requireEqual(t, l, "t", "u")
					}
				}
				step("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three'); INSERT INTO u VALUES (1, 'u')")
				d.prepare(t, "'a'", "UPDATE t SET id = 100, c = 'a' WHERE id = 1; INSERT INTO u VALUES (7, 'a'), (8, 'a')")
				step("INSERT INTO other.t VALUES (1)")
				d.prepare(t, "'b','q',7", "DELETE FROM t WHERE id = 2; UPDATE u SET c = 'b' WHERE id = 1")
				step("INSERT INTO t VALUES (50, 'between')")
				d.prepare(t, "X'00ff20'", "INSERT INTO t VALUES (9, 'gone'); DELETE FROM t WHERE id = 3")
				step("FLUSH BINARY LOGS")
				step("XA COMMIT 'b','q',7")
				step("XA ROLLBACK X'00ff20'")
				step("XA START 'one'; INSERT INTO t VALUES (9, 'one phase'); DELETE FROM t WHERE id = 3; XA END 'one'; XA COMMIT 'one' ONE PHASE")
				step("XA COMMIT 'a'; UPDATE t SET c = concat(c, '!')")
				d.prepare(t, "'a'", "INSERT INTO t VALUES (10, 'the name once more')")
				d.prepare(t, "'elsewhere'", "INSERT INTO other.t VALUES (2)")
				step("XA COMMIT 'elsewhere'")
				step("XA COMMIT 'a'")
				require.NoError(t, d.goOn(t, l))
				d.requireEqual(t, l, "t", "u")
				require.Contains(t, l.rows[schema.TableID{Database: d.name, Name: "t"}], "10")
			})
		}
	}
}

// TestLargeXA: what does not fit into memory is read again, after a lost
// connection too.
func TestLargeXA(t *testing.T) {
	d := newXA(t, servers.MySQL(t, "--max-binlog-size=1G"))
	d.exec(t, "CREATE TABLE big (id INT PRIMARY KEY, k INT, c VARCHAR(120)); SET SESSION cte_max_recursion_depth = 1000000")
	d.exec(t, "INSERT INTO t VALUES (1, 'one')")
	rows := func(from int) string {
		return fmt.Sprintf("INSERT INTO big WITH RECURSIVE n AS (SELECT %d AS i UNION ALL SELECT i+1 FROM n WHERE i < %d) SELECT i, i %% 7, repeat('x', 100) FROM n", from, from+60_000)
	}
	d.prepare(t, "'large'", rows(0))
	d.prepare(t, "'dropped'", rows(200_000))
	d.exec(t, "XA ROLLBACK 'dropped'; XA COMMIT 'large'")
	d.exec(t, "XA START 'one phase'; "+rows(100_000)+"; XA END 'one phase'; XA COMMIT 'one phase' ONE PHASE; INSERT INTO t VALUES (2, 'last')")
	// The first connection is lost within the second PREPARE, the next soon after,
	// and the sixth in the middle of the second reading: the fourth and the fifth
	// were for finding where that begins.
	p := newProxy(t, d.server.Addr)
	p.limit = func(n int64) int64 { return map[int64]int64{1: 10 << 20, 2: 1 << 20, 6: 3 << 20}[n] }
	d.through(p)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t", "big")
	require.Less(t, l.largest, 8<<20)
	require.Equal(t, int64(3), p.lost.Load())
	require.Greater(t, p.conns.Load(), int64(10))
}

// TestFilesKeepTheirNames: other connections, such as those of a lane, do not write
// over the names of the files that are about to be searched.
func TestFilesKeepTheirNames(t *testing.T) {
	d := newXA(t, servers.MySQL(t))
	last := d.position(t).File
	conn, err := client.Connect(d.server.Addr, d.server.User, d.server.Password, "")
	require.NoError(t, err)
	defer conn.Close()
	for range 20 {
		files, err := binlog.ListFiles(t.Context(), d.config, last)
		require.NoError(t, err)
		_, err = conn.Execute("SELECT 'xxxxxxxxxxxxx'") // as long as a file's name
		require.NoError(t, err)
		require.Contains(t, files, last)
		require.NotContains(t, strings.Join(files, " "), "xx")
	}
}

// TestPurgedXA: rows that are nowhere any more stop the stream.
func TestPurgedXA(t *testing.T) {
	d := newXA(t, servers.MySQL(t, "--sync-binlog=1"))
	d.prepare(t, "'gone'", "INSERT INTO t VALUES (1, 'x')")
	d.exec(t, "FLUSH BINARY LOGS; INSERT INTO u VALUES (1, 'u')")
	l := newLake()
	require.NoError(t, d.goOn(t, l))
	d.exec(t, fmt.Sprintf("PURGE BINARY LOGS TO '%s'; XA COMMIT 'gone'", d.position(t).File))
	err := d.goOn(t, l)
	require.ErrorIs(t, err, binlog.ErrPositionLost)
	require.ErrorContains(t, err, "the XA transaction X'676f6e65',X'',1, committed at "+d.position(t).File)
	require.ErrorContains(t, err, "was prepared in a part of the binlog that the server has purged")
	require.False(t, strings.Contains(err.Error(), "remedy"), "the source adds it")
}
