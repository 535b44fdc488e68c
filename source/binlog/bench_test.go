package binlog_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

type counter struct{ rows, blocks, commits int }

func (c *counter) Send(_ context.Context, e schema.Event) error {
	switch e := e.(type) {
	case *schema.Block:
		c.rows += e.Rows()
		c.blocks++
		e.Release()
	case schema.Commit:
		c.commits++
	}
	return nil
}

// BenchmarkCatchUp reads transactions of sysbench's shape (two updates, a delete
// and an insert each) from a server, the network included, and reports the CPU
// that this process took for a row.
func BenchmarkCatchUp(b *testing.B) {
	const transactions = 15_000
	d := newDatabase(b, servers.MySQL(b))
	d.exec(b, "CREATE TABLE sbtest1 (id INT PRIMARY KEY AUTO_INCREMENT, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY (k))")
	d.exec(b, "SET GLOBAL sync_binlog = 0, GLOBAL innodb_flush_log_at_trx_commit = 0")
	d.exec(b, `CREATE PROCEDURE w(n INT) BEGIN
		DECLARE i INT DEFAULT 0;
		WHILE i < n DO
			START TRANSACTION;
			INSERT INTO sbtest1 VALUES (i + 10, i, repeat('68487932199-', 9), repeat('22195207048-', 4));
			UPDATE sbtest1 SET k = k + 1 WHERE id = i;
			UPDATE sbtest1 SET c = repeat('83868641912-', 9) WHERE id = i + 5;
			DELETE FROM sbtest1 WHERE id = i - 7;
			COMMIT;
			SET i = i + 1;
		END WHILE;
	END`)
	d.exec(b, "CALL w(15000)")
	b.ResetTimer()
	var c counter
	start := binlog.ProcessorTime()
	for range b.N {
		require.NoError(b, d.stream(b, &c))
	}
	b.ReportMetric(float64((binlog.ProcessorTime()-start).Nanoseconds())/1e3/float64(c.rows), "cpu-µs/row")
	b.ReportMetric(float64(transactions)/float64(c.commits/b.N), "transactions/commit")
}
