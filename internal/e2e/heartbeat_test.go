package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
)

// TestHeartbeatActionQuery has a server on which nothing happens but the statement,
// run by a user who may do too little at first. What it fails at is repaired while
// it runs.
func TestHeartbeatActionQuery(t *testing.T) {
	server := servers.MySQL(t, "--sync-binlog=0")
	lake, args := shop(t, server, "e2e_beat")
	server.Exec(t, "CREATE DATABASE ops; CREATE TABLE ops.beat (id INT PRIMARY KEY, at DATETIME(6), n INT DEFAULT 0); INSERT INTO ops.beat VALUES (1, NOW(6), 0); "+
		"CREATE USER few; GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO few")
	few := *server
	few.User = "few"
	args = append([]string{"--from", few.URL("")}, args[2:]...)
	beat := []string{"--heartbeat-action-query", "REPLACE INTO ops.beat (id, at) VALUES (1, NOW(6))", "--heartbeat-interval", "20ms", "--commit-interval", "100ms"}

	checked := said(t, command("check", args, beat[:4]...)...)
	require.Contains(t, checked, "warning  heartbeat.action-query: the user may not run it: ")
	for _, sql := range remedies(checked) {
		server.Exec(t, sql)
	}
	require.NotContains(t, runs(t, command("check", args, beat[:4]...)...), "heartbeat")
	wrong := []string{"--heartbeat-action-query", "REPLACE INTO ops.beat (nothing) VALUES (1)"}
	require.Contains(t, runs(t, command("check", args, wrong...)...), "heartbeat.action-query: the server refuses it: ")

	db := server.DB(t)
	executed := func() (set schema.GTIDSet) {
		var text string
		require.NoError(t, db.QueryRow("SELECT @@global.gtid_executed").Scan(&text))
		set, err := schema.ParseGTIDSet(text)
		require.NoError(t, err)
		return set
	}
	p := start(t, command("run", args, beat...)...)
	p.says(t, "following the binlog")
	before := executed()
	p.until(t, "some beats", func() bool { return executed().Subtract(before).Count() >= 3 })
	server.Exec(t, "REVOKE INSERT ON ops.beat FROM few")
	p.says(t, "heartbeat.action-query fails")
	server.Exec(t, "GRANT INSERT ON ops.beat TO few")
	p.says(t, "heartbeat.action-query succeeds again")
	reached := executed()
	require.GreaterOrEqual(t, reached.Subtract(before).Count(), int64(6))
	// The lake comes to stand behind the beats, and so does a cut of it.
	p.until(t, "a cut behind the beats", func() bool {
		m := regexp.MustCompile(`[0-9a-f-]{36}:[0-9:-]+`).FindString(runs(t, "status", "--to", lake))
		position, err := schema.ParseGTIDSet(m)
		require.NoError(t, err)
		return position.ContainsSet(reached)
	})
	p.terminate(t)
	require.Equal(t, 1, strings.Count(p.out.String(), "heartbeat.action-query fails"), p.out.String())
	runs(t, command("run", args, "--once")...) // a beat may have come after the last that was read
	require.Contains(t, runs(t, command("verify", args)...), "equal: 3 tables, 5 rows")
}
