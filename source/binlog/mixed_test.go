package binlog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestNonTransactionalTables mixes tables that cannot roll back into
// transactions that do. The server logs the rows of such a table at once, before
// the transaction around them and apart from it; what is left of a statement that
// failed stays, and is logged.
func TestNonTransactionalTables(t *testing.T) {
	d := newDatabase(t, servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"))
	d.exec(t, "CREATE TABLE i (id INT PRIMARY KEY, c VARCHAR(20)); CREATE TABLE m (id INT PRIMARY KEY, c VARCHAR(20)) ENGINE=MyISAM; CREATE TABLE g (id INT PRIMARY KEY, c VARCHAR(20))")
	d.exec(t, "CREATE TRIGGER x AFTER INSERT ON g FOR EACH ROW INSERT INTO m VALUES (NEW.id, 'trigger')")
	d.exec(t, "INSERT INTO i VALUES (1, 'i'), (2, 'i'); INSERT INTO m VALUES (1, 'm'), (2, 'm')")
	d.exec(t, "BEGIN; INSERT INTO i VALUES (10, 'gone'); INSERT INTO m VALUES (10, 'stays'); UPDATE i SET c = 'gone'; ROLLBACK")
	d.exec(t, "BEGIN; INSERT INTO i VALUES (11, 'stays'); SAVEPOINT s; INSERT INTO i VALUES (12, 'gone'); INSERT INTO m VALUES (12, 'stays'); ROLLBACK TO s; INSERT INTO m VALUES (13, 'stays'); COMMIT")
	d.exec(t, "BEGIN; INSERT INTO g VALUES (20, 'gone'); ROLLBACK")
	d.exec(t, "BEGIN; SAVEPOINT s; INSERT INTO g VALUES (21, 'gone'); ROLLBACK TO s; INSERT INTO i VALUES (21, 'stays'); COMMIT")
	d.exec(t, "BEGIN; UPDATE i, m SET i.c = 'gone', m.c = 'stays' WHERE i.id = m.id; ROLLBACK")
	d.exec(t, "BEGIN; CREATE TEMPORARY TABLE tmp (id INT); INSERT INTO i VALUES (30, 'gone'); INSERT INTO m VALUES (30, 'stays'); ROLLBACK")
	d.exec(t, "BEGIN; INSERT INTO i VALUES (31, 'stays'); SAVEPOINT a; INSERT INTO i VALUES (32, 'gone'); CREATE TEMPORARY TABLE tmp2 (id INT); SAVEPOINT b; INSERT INTO i VALUES (33, 'gone'); ROLLBACK TO a; COMMIT")
	_, err := d.conn.ExecContext(t.Context(), "INSERT INTO m VALUES (40, 'stays'), (41, 'stays'), (1, 'is there'), (42, 'never was')")
	require.ErrorContains(t, err, "Duplicate")
	_, err = d.conn.ExecContext(t.Context(), "INSERT INTO g VALUES (43, 'gone'), (40, 'its trigger fails')")
	require.ErrorContains(t, err, "Duplicate")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "i", "m", "g")
}
