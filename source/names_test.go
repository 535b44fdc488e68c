package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source"
)

// TestLowerCaseNames: a server that keeps names in lower case logs statements as
// they were written. A TRUNCATE under another case would pass unseen, and its rows
// stay in the lake.
func TestLowerCaseNames(t *testing.T) {
	server := servers.MySQL(t, "--lower-case-table-names=1")
	const database = "lowered"
	prepare(t, server, database)
	c := config(t, server, database)
	m := newMemory()
	stop := start(t, c, pipeline.Resume{}, m)
	m.wait(t, position(t, c))
	server.Exec(t, "CREATE DATABASE Elsewhere; USE Lowered; CREATE TABLE Made (id INT PRIMARY KEY); ALTER TABLE MADE ADD n INT; INSERT INTO MADE VALUES (1, 2); UPDATE A SET v = 'x' WHERE id = 1; TRUNCATE TABLE LOWERED.B; INSERT INTO B (n, k) VALUES (7, 'x')")
	m.wait(t, position(t, c))
	require.NoError(t, stop())
	m.requireEqual(t, c)
	require.Contains(t, m.shapes, schema.TableID{Database: database, Name: "made"})
	require.Len(t, m.shapes, 3)

	from := m.state()
	server.Exec(t, "RENAME TABLE Lowered.MADE TO Elsewhere.Made")
	c.Once = true
	renamed := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), from, renamed))
	require.Contains(t, renamed.shapes, schema.TableID{Database: database, Name: "made"}, "that it is gone was not told")

	from.Position = position(t, c)
	const statement = "SET SESSION binlog_format = 'STATEMENT'; DELETE FROM LOWERED.B"
	server.Exec(t, statement)
	require.ErrorContains(t, source.New(c, quiet()).Run(t.Context(), from, newMemory()), "table lowered.", statement)
}
