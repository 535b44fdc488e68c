package binlog_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

// TestDefaultsOfEarlierRuns: a run that comes to the first row of a new column knows the
// default of the statement that added it, although that statement is behind the run's
// begin, and others came between.
func TestDefaultsOfEarlierRuns(t *testing.T) {
	five := binlog.Default{Kind: binlog.NumberDefault, Text: "5", Strict: true}
	for name, c := range map[string]struct {
		steps string // a run ends behind each
		want  map[string]binlog.Default
	}{
		"changed":     {"ALTER TABLE t ADD a INT DEFAULT 5|ALTER TABLE t ALTER COLUMN a SET DEFAULT 6", map[string]binlog.Default{"a": five}},
		"once":        {"ALTER TABLE t ADD a INT DEFAULT 4; ALTER TABLE t DROP a; ALTER TABLE t ADD a INT DEFAULT 5|INSERT INTO u VALUES (1)", map[string]binlog.Default{"a": five}},
		"renamed":     {"ALTER TABLE t ADD a INT DEFAULT 5|ALTER TABLE t RENAME COLUMN a TO b", map[string]binlog.Default{"b": five}},
		"other names": {"ALTER TABLE t ADD a INT DEFAULT 5|ALTER TABLE t RENAME COLUMN v TO w|INSERT INTO u VALUES (2)", map[string]binlog.Default{"a": five}},
		"two": {"ALTER TABLE t ADD a INT DEFAULT 5|FLUSH BINARY LOGS; ALTER TABLE t ADD b VARCHAR(9) NOT NULL DEFAULT 'x'|FLUSH BINARY LOGS; TRUNCATE u",
			map[string]binlog.Default{"a": five, "b": {Kind: binlog.TextDefault, Text: "x", Strict: true}}},
		"rows of others":   {"ALTER TABLE t ADD a INT DEFAULT 5; CREATE TABLE IF NOT EXISTS t (x INT); ANALYZE TABLE t|INSERT INTO u VALUES (1), (2)", map[string]binlog.Default{"a": five}},
		"another table":    {"ALTER TABLE t ADD a INT DEFAULT 4|DROP TABLE t; CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1)|SET sql_log_bin=0; ALTER TABLE t ADD a INT DEFAULT 6; SET sql_log_bin=1", map[string]binlog.Default{"a": {}}},
		"not in the log":   {"ALTER TABLE t ADD b INT; ALTER TABLE t DROP b|SET sql_log_bin=0; ALTER TABLE t ADD a INT DEFAULT 6; SET sql_log_bin=1", map[string]binlog.Default{"a": {}}},
		"left to a server": {"ALTER TABLE t ADD a INT DEFAULT (5 + 1)|INSERT INTO u VALUES (1)", map[string]binlog.Default{"a": {Strict: true}}},
	} {
		for kind, start := range map[string]func() *database{
			"GTIDs": func() *database { return newDatabase(t, servers.MySQL(t)) },
			"files": func() *database {
				return newDatabase(t, servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"))
			},
			"compressed": func() *database { return newDatabase(t, servers.MySQL(t, "--binlog-transaction-compression=ON")) },
			"mariadb":    func() *database { return newDatabase(t, servers.MariaDB(t)) },
			"deflated": func() *database {
				return newDatabase(t, servers.MariaDB(t, "--log-bin-compress=1", "--log-bin-compress-min-len=10"))
			},
		} {
			if kind != "GTIDs" && name != "changed" && name != "two" {
				continue // the same for all
			}
			t.Run(name+" "+kind, func(t *testing.T) {
				d := start()
				found := map[string]binlog.Default{}
				d.config.Fill = func(_ context.Context, s *schema.Table, added []binlog.Added) (*schema.Block, error) {
					for _, a := range added {
						found[s.Columns[a.Column].Name] = a.Default
					}
					return nil, nil
				}
				d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE u (id INT PRIMARY KEY); INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (0)")
				l := newLake()
				require.NoError(t, d.goOn(t, l))
				for step := range strings.SplitSeq(c.steps, "|") {
					d.exec(t, step)
					require.NoError(t, d.goOn(t, l))
				}
				require.Empty(t, found)
				d.exec(t, "INSERT INTO t (id) VALUES (2)")
				require.NoError(t, d.goOn(t, l))
				require.Equal(t, c.want, found)
			})
		}
	}
}

// TestGivenUpAlterIsNotRecalled: of an ALTER that MariaDB logs when it begins, and again
// when it is given up, nothing stands in the table.
func TestGivenUpAlterIsNotRecalled(t *testing.T) {
	d := newDatabase(t, servers.MariaDB(t))
	var found []binlog.Added
	d.config.Fill = func(_ context.Context, _ *schema.Table, added []binlog.Added) (*schema.Block, error) {
		found = added
		return nil, nil
	}
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 1); SET SESSION binlog_alter_two_phase = 1")
	l := newLake()
	require.NoError(t, d.goOn(t, l))
	_, err := d.conn.ExecContext(t.Context(), "ALTER TABLE t ADD a INT DEFAULT 4, ADD UNIQUE (v), ALGORITHM=COPY")
	require.ErrorContains(t, err, "Duplicate entry")
	d.exec(t, "ALTER TABLE t ADD a INT DEFAULT 5")
	require.NoError(t, d.goOn(t, l))
	d.exec(t, "INSERT INTO t VALUES (3, 3, 3)")
	require.NoError(t, d.goOn(t, l))
	require.Equal(t, []binlog.Added{{Column: 2, Default: binlog.Default{Kind: binlog.NumberDefault, Text: "5", Strict: true}}}, found)
}

// TestSearchEndsWhereTheShapeWasWhole: what is said before the place that the lake names
// is not looked at.
func TestSearchEndsWhereTheShapeWasWhole(t *testing.T) {
	for name, options := range map[string][]string{"GTIDs": nil, "files": {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase(t, servers.MySQL(t, options...))
			var found []binlog.Added
			d.config.Fill = func(_ context.Context, _ *schema.Table, added []binlog.Added) (*schema.Block, error) {
				found = added
				return nil, nil
			}
			log := new(strings.Builder)
			d.config.Logger = slog.New(slog.NewTextHandler(log, nil))
			d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)")
			l := newLake()
			require.NoError(t, d.goOn(t, l))
			d.exec(t, "ALTER TABLE t ADD a INT DEFAULT 4; FLUSH BINARY LOGS; ALTER TABLE t DROP a; INSERT INTO t VALUES (2)")
			since := d.position(t)
			d.exec(t, "SET sql_log_bin = 0; ALTER TABLE t ADD a INT DEFAULT 6; SET sql_log_bin = 1; INSERT INTO t VALUES (3, 3)")
			id := schema.TableID{Database: d.name, Name: "t"}
			from := pipeline.Resume{Position: since, Tables: map[schema.TableID]pipeline.TableState{id: {Table: l.shapes[id], Position: since, Since: since.String()}}}
			cfg, until := d.config, d.position(t)
			cfg.Until = &until
			require.NoError(t, binlog.New(cfg).Run(t.Context(), from, l))
			require.Equal(t, []binlog.Added{{Column: 1}}, found)
			require.Equal(t, 1, strings.Count(log.String(), "looking in the binlog"), log)
		})
	}
}
