package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

const printRows = `
import sys
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
t = catalog.load_table((sys.argv[2], "t"))
print(" ".join(f"{f.name}:{f.field_type}" for f in t.schema().fields))
for row in sorted(t.scan().to_arrow().to_pylist(), key=lambda r: r["k"]): print(" ".join(str(v) for v in row.values()))
`

// TestForms takes columns in forms that were chosen through load and stream,
// directly and through the log. They keep their forms when the options change,
// which count for the columns that come after.
func TestForms(t *testing.T) {
	for _, option := range [][]string{nil, {"--kafka", "embedded"}} {
		database := "e2e_forms" + strings.ReplaceAll(strings.Join(option, ""), "--", "_")
		t.Run(database, func(t *testing.T) { replicateForms(t, database, option) })
	}
}

func replicateForms(t *testing.T, database string, options []string) {
	server := servers.MySQL(t)
	exec := func(statements string) { server.Exec(t, "SET sql_mode = ''; USE "+database+"; "+statements) }
	server.Exec(t, "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database)
	exec(`CREATE TABLE t (k TIME(3) PRIMARY KEY, b TINYINT(1), i TINYINT, d DATE NOT NULL, at TIMESTAMP NULL);
		INSERT INTO t VALUES ('-838:59:58.999', TRUE, 7, '0000-00-00', '0000-00-00 00:00:00'), ('25:00:00', FALSE, -7, '2024-02-29', NULL)`)
	lake := filepath.Join(t.TempDir(), "lake")
	args := append([]string{"--from", server.URL(database), "--to", lake, "--name", database}, options...)
	chosen := []string{"--once", "--types-time", "long", "--types-tinyint1", "boolean", "--types-zero-date", "epoch"}
	python := servers.Python(t, readers...)
	lakeHas := func(want string) {
		t.Helper()
		require.Equal(t, strings.TrimSpace(want), strings.TrimSpace(runPython(t, python, printRows, lake, database)))
		require.Contains(t, runs(t, command("verify", args[:6])...), "equal: 1 table,")
	}
	require.Contains(t, runs(t, command("check", args, chosen[1:]...)...), "can be replicated")
	runs(t, command("run", args, chosen...)...)
	lakeHas(`
k:long b:boolean i:int d:date at:timestamptz
-3020398999000 True 7 1970-01-01 1970-01-01 00:00:00+00:00
90000000000 False -7 2024-02-29 None`)

	exec(`UPDATE t SET k = '26:00:00.001', b = NULL WHERE k = '25:00:00'; DELETE FROM t WHERE i = 7;
		INSERT INTO t VALUES ('-00:00:00.001', 1, 1, '2024-02-00', NOW());
		UPDATE t SET at = '0000-00-00 00:00:00' WHERE b;
		ALTER TABLE t ADD COLUMN l TIME, ADD COLUMN c TINYINT(1) NOT NULL DEFAULT 1; INSERT INTO t VALUES ('01:00:00', 0, 2, '2024-01-01', NULL, '-01:00:00', FALSE)`)
	runs(t, command("run", args, chosen...)...)
	lakeHas(`
k:long b:boolean i:int d:date at:timestamptz l:long c:boolean
-1000 True 1 1970-01-01 1970-01-01 00:00:00+00:00 None True
3600000000 False 2 2024-01-01 None -3600000000 False
93600001000 None -7 2024-02-29 None None True`)

	exec(`UPDATE t SET l = '-02:00:00', d = '0000-00-00' WHERE k = '01:00:00'; DELETE FROM t WHERE b; UPDATE t SET b = TRUE WHERE i = -7;
		ALTER TABLE t ADD COLUMN s TIME(1), ADD COLUMN n TINYINT(1), ADD COLUMN z DATE; UPDATE t SET s = '-100:00:00.5', n = 9`)
	runs(t, command("run", args, "--once", "--types-time", "string", "--types-zero-date", "stop")...)
	lakeHas(`
k:long b:boolean i:int d:date at:timestamptz l:long c:boolean s:string n:int z:date
3600000000 False 2 1970-01-01 None -7200000000 False -100:00:00.5 9 None
93600001000 True -7 2024-02-29 None None True -100:00:00.5 9 None`)

	require.Regexp(t, `warning +--types-tinyint1: 2 columns that are in the lake, such as `+database+`.t.b, stay as they came`, runs(t, command("check", args, "--types-tinyint1", "int")...))
	exec("UPDATE t SET z = '2024-00-00'")
	said := said(t, command("run", args, "--once", "--types-zero-date", "stop")...)
	require.Contains(t, said, "table "+database+".t, column z: the value 2024-00-00 is no date\n    remedy: choose --types-zero-date null or epoch")
	require.Contains(t, said, "--types-zero-date: 2 columns that are in the lake, such as "+database+".t.at, stay as they came")
	runs(t, command("run", args, "--once")...) // the remedy
	require.Contains(t, runs(t, command("verify", args[:6])...), "equal: 1 table, 2 rows")
}
