package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/workload"
)

const storageDatabase = "e2e_s3"

// TestLakeInS3: a lake whose files are in S3 is as exact as one in a folder. It is loaded,
// followed, killed, read by the commands and by PyIceberg; and of two instances, which no
// lock keeps apart there, one at least ends by a commit that it loses.
func TestLakeInS3(t *testing.T) {
	server, storage := servers.MySQL(t, fast...), servers.S3(t)
	const database = storageDatabase
	w := &workload.Workload{DB: server.DB(t), Database: database, Seed: 6, Space: 500}
	require.NoError(t, w.Create(t.Context()))
	require.NoError(t, w.Fill(t.Context()))
	catalog := filepath.Join(t.TempDir(), "catalog.db")
	t.Setenv("S3_SECRET", storage.SecretKey)
	lake := []string{"--to", storage.Location(t), "--catalog-uri", catalog, "--storage-endpoint", storage.Endpoint, "--storage-region", "us-east-1",
		"--storage-access-key", storage.AccessKey, "--storage-secret-key", "${env:S3_SECRET}"}
	args := append([]string{"--from", server.URL(database)}, lake...)

	require.Contains(t, runs(t, command("check", args)...), "ok       lake: there is none yet; it will be made in s3://lake/TestLakeInS3")
	refused(t, []string{"CATALOG", catalog}, fault, "beluga: catalog CATALOG: no lake there: the file does not exist; check catalog.uri, or make it with beluga run\n", command("status", lake)...)
	for range 3 {
		p := start(t, command("run", args, "--commit-interval", "100ms")...)
		p.says(t, "following the binlog")
		require.NoError(t, w.Run(t.Context(), sessions, 1000))
		p.killAfter(t, 300*time.Millisecond)
	}
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal")
	require.Contains(t, runs(t, command("tables", lake)...), database)
	require.Contains(t, runs(t, command("status", lake)...), database)
	pyIcebergCounts(t, storage, catalog, server)

	first := start(t, command("run", args, "--commit-interval", "100ms")...)
	first.says(t, "following the binlog")
	second := start(t, command("run", args, "--commit-interval", "100ms")...)
	second.says(t, "following the binlog")
	require.NoError(t, w.Run(t.Context(), sessions, 500))
	loser, other := first, second
	select {
	case err := <-first.done:
		first.done <- err
	case err := <-second.done:
		second.done <- err
		loser, other = second, first
	}
	require.Equal(t, instance, loser.wait(t), loser.out.String())
	require.Contains(t, loser.out.String(), "another instance is at work")
	_ = other.cmd.Process.Kill() // where each won a table, it has ended too
	other.wait(t)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal")
}

// pyIcebergCounts compares the rows of each table, as a reader that is not ours counts
// them in the files, with the server's.
func pyIcebergCounts(t *testing.T, storage *servers.S3Server, catalog string, server *servers.MySQLServer) {
	t.Helper()
	var want string
	args := []string{catalog, storage.Endpoint, storage.AccessKey, storage.SecretKey}
	for _, table := range tablesOf(t, server.DB(t), storageDatabase) {
		var rows int
		require.NoError(t, server.DB(t).QueryRow(fmt.Sprintf("SELECT COUNT(*) FROM `%s`.`%s`", table.database, table.name)).Scan(&rows))
		args = append(args, table.name)
		want += fmt.Sprintln(table, rows)
	}
	require.Equal(t, want, runPython(t, servers.Python(t, readers...), `
import sys
from pyiceberg.catalog.sql import SqlCatalog
uri, endpoint, key, secret, *names = sys.argv[1:]
c = SqlCatalog("beluga", **{"uri": "sqlite:///" + uri, "s3.endpoint": endpoint, "s3.region": "us-east-1", "s3.access-key-id": key, "s3.secret-access-key": secret})
for name in names:
    print(f"e2e_s3.{name}", len(c.load_table(("e2e_s3", name)).scan().to_arrow()))
`, args...))
}
