package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestVerifySeesForeignWrites lets another writer delete a row, change one and
// add one, each in a table of its own, after the last cut.
func TestVerifySeesForeignWrites(t *testing.T) {
	python := servers.Python(t, readers...)
	server := servers.MySQL(t)
	server.Exec(t, `DROP DATABASE IF EXISTS e2e_verify; CREATE DATABASE e2e_verify; USE e2e_verify;
		CREATE TABLE deleted (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO deleted VALUES (1, 'a'), (77, 'b'), (3, NULL);
		CREATE TABLE changed (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO changed SELECT * FROM deleted;
		CREATE TABLE added (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO added SELECT * FROM deleted;
		CREATE TABLE same (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO same SELECT * FROM deleted`)
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL("e2e_verify"), "--to", lake}
	runs(t, append([]string{"run", "--once"}, args...)...)
	require.Contains(t, runs(t, append([]string{"verify"}, args...)...), "equal: 4 tables, 12 rows")

	runPython(t, python, `
import sys
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
def rows(table, *values):
    return pa.Table.from_pylist([dict(id=i, v=v) for i, v in values], schema=table.schema().as_arrow())
catalog.load_table("e2e_verify.deleted").delete("id = 77")
t = catalog.load_table("e2e_verify.changed"); t.overwrite(rows(t, (3, "")), "id = 3")
t = catalog.load_table("e2e_verify.added"); t.append(rows(t, (4, "new")))
`, lake)
	p := start(t, append([]string{"verify"}, args...)...)
	require.Equal(t, 1, p.wait(t), p.out.String())
	said := p.out.String()
	require.Contains(t, said, "e2e_verify.same: equal")
	require.Regexp(t, `e2e_verify\.deleted: .*1 missing`, said)
	require.Regexp(t, `e2e_verify\.changed: .*1 different`, said)
	require.Regexp(t, `e2e_verify\.added: .*1 extra`, said)
	require.Contains(t, said, "77")
}
