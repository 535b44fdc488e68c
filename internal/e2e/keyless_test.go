package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestKeylessAppend: rows that are only added need no index; the first change of
// one stops the run before anything of it is in the lake, and the remedy goes on.
func TestKeylessAppend(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, `DROP DATABASE IF EXISTS e2e_append; CREATE DATABASE e2e_append; USE e2e_append; CREATE TABLE log (line TEXT, f FLOAT);
		INSERT INTO log VALUES ('one', 0.1), ('one', 0.1), (NULL, NULL)`)
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL("e2e_append"), "--to", lake}
	runs(t, command("run", args, "--once", "--keyless", "append")...)
	server.Exec(t, "INSERT INTO e2e_append.log VALUES ('one', 0.1), (NULL, NULL); ALTER TABLE e2e_append.log ADD COLUMN n INT NOT NULL DEFAULT 7; INSERT INTO e2e_append.log VALUES ('two', 2, 2)")
	runs(t, command("run", args, "--once", "--keyless", "append")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 1 table, 6 rows")
	requireSameRows(t, server.DB(t), "e2e_append", lake)

	server.Exec(t, "DELETE FROM e2e_append.log WHERE line = 'one' LIMIT 1; UPDATE e2e_append.log SET n = 8 WHERE line IS NULL LIMIT 1")
	p := start(t, command("run", args, "--once", "--keyless", "append")...)
	require.Equal(t, fault, p.wait(t))
	require.Contains(t, p.out.String(), "writing to table e2e_append.log: rows of it were deleted or changed in MySQL, which --keyless append does not follow; start Beluga again with --keyless exact")
	runs(t, command("run", args, "--once", "--keyless", "exact")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 1 table, 5 rows")
	requireSameRows(t, server.DB(t), "e2e_append", lake)
}

// TestVerifyCountsDuplicates: of rows without a key, one too few and one too many
// are found and shown.
func TestVerifyCountsDuplicates(t *testing.T) {
	python := servers.Python(t, readers...)
	server := servers.MySQL(t)
	server.Exec(t, `DROP DATABASE IF EXISTS e2e_bag; CREATE DATABASE e2e_bag; USE e2e_bag; CREATE TABLE log (line VARCHAR(20));
		INSERT INTO log VALUES ('twice'), ('twice'), ('thrice'), ('thrice'), ('thrice'), ('gone')`)
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL("e2e_bag"), "--to", lake}
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 1 table, 6 rows")
	runPython(t, python, `
import sys
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
t = catalog.load_table("e2e_bag.log")
t.delete("line = 'gone'")
t.append(pa.Table.from_pylist([dict(line="twice"), dict(line="new")], schema=t.schema().as_arrow()))
`, lake)
	p := start(t, command("verify", args)...)
	require.Equal(t, fault, p.wait(t), p.out.String())
	said := p.out.String()
	require.Contains(t, said, "1 missing in the lake, 1 extra, 1 different; 6 rows in the source, 7 in the lake")
	require.Contains(t, said, `missing    line="gone"`)
	require.Contains(t, said, `extra      line="new"`)
	require.Contains(t, said, "different  line=\"twice\"\n             2 times in the source, 3 times in the lake")

	// A row that the lake lost is deleted in MySQL: no silence about it.
	server.Exec(t, "DELETE FROM e2e_bag.log WHERE line = 'gone'")
	p = start(t, command("run", args, "--once")...)
	require.Equal(t, fault, p.wait(t), p.out.String())
	require.Contains(t, p.out.String(), "a row was deleted or changed in MySQL that the lake's table does not have")
}
