package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// runDuckDB runs SQL from standard input, after installing the extensions from
// Python's packages, so that the INSTALL of the snippet has nothing to fetch.
const runDuckDB = `
import glob, os, sys, duckdb, duckdb_extension_avro, duckdb_extension_iceberg
for package in (duckdb_extension_avro, duckdb_extension_iceberg):
    [path] = glob.glob(os.path.join(os.path.dirname(package.__file__), "extensions", "*", "*.duckdb_extension"))
    duckdb.sql(f"INSTALL '{path}'")
for statement in sys.stdin.read().split(";"):
    if statement.strip():
        print(duckdb.sql(statement))
`

// readerPackages are those of the sink's tests: one environment serves both.
var readerPackages = []string{"pyiceberg[sql-sqlite,pyarrow]", "duckdb", "duckdb-extension-iceberg", "duckdb-extension-avro"}

// TestSnippets runs what status prints, as a user would who pastes it, on a
// lake whose names need quoting.
func TestSnippets(t *testing.T) {
	s := newShop(t, "cli_snippets", "CREATE TABLE `whale's log` (id INT PRIMARY KEY, note VARCHAR(20)); INSERT INTO `whale's log` VALUES (1, 'Moby'), (2, 'Dick'), (3, 'Ahab')")
	s.lake += "-of-O'Brien"
	s.must(t, "run", "--once")
	s.exec(t, "DELETE FROM `whale's log` WHERE id = 3")
	s.must(t, "run", "--once")

	t.Run("pyiceberg", func(t *testing.T) {
		cmd := exec.Command(servers.Python(t, readerPackages...), "-c", s.must(t, "status", "--snippets=pyiceberg"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "Moby")
		assert.NotContains(t, string(out), "Ahab")
		assert.Contains(t, string(out), "2 rows")
	})
	t.Run("duckdb", func(t *testing.T) {
		cmd := exec.Command(servers.Python(t, readerPackages...), "-c", runDuckDB)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir()) // where DuckDB keeps its extensions
		cmd.Stdin = strings.NewReader(s.must(t, "status", "--snippets=duckdb"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "Moby")
		assert.NotContains(t, string(out), "Ahab")
	})
	all := s.must(t, "status", "--snippets")
	for _, title := range []string{"PyIceberg", "DuckDB", "Spark SQL"} {
		assert.Contains(t, all, "\n"+title+"\n")
	}
	code, _, errs := runArgs("status", "--to", s.lake, "--snippets=excel")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, "it takes all, pyiceberg, duckdb, spark")
}
