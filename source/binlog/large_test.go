package binlog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
)

// TestLargeRow sends rows that are larger than a packet of the protocol (16 MiB),
// larger than a block, and larger than any buffer that is kept; plain and in
// compressed transactions.
func TestLargeRow(t *testing.T) {
	d := newDatabase(t, servers.MySQL(t, "--max-allowed-packet=1G"))
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)")
	for id, size := range map[int]string{1: "64 << 20", 2: "(16 << 20) - 60", 3: "1"} {
		_, err := d.conn.ExecContext(t.Context(), "INSERT INTO t VALUES (?, REPEAT('x', "+size+"))", id)
		require.NoError(t, err)
	}
	// Packets whose events end just around a packet's end.
	d.exec(t, "INSERT INTO t WITH RECURSIVE n AS (SELECT 10 i UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i, 'x' FROM n")
	for _, size := range []string{"0xffffff - 90", "0xffffff - 80", "0xffffff - 70", "0xffffff - 60", "0xffffff - 50", "0xffffff - 40"} {
		d.exec(t, "UPDATE t SET v = REPEAT('y', "+size+") WHERE id = 3; UPDATE t SET v = '' WHERE id = 3")
	}
	d.exec(t, "SET SESSION binlog_transaction_compression = ON; UPDATE t SET v = CONCAT(v, 'z') WHERE id = 1; SET SESSION binlog_transaction_compression = OFF")
	d.exec(t, "UPDATE t SET v = CONCAT('last ', LENGTH(v)) WHERE id <= 3")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t")
	require.Equal(t, "id=1 v=last 67108865 ", l.rows[schema.TableID{Database: d.name, Name: "t"}]["1"])
}
