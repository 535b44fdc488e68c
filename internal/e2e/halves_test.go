package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/workload"
)

// TestSourceAndSinks: a source and two sinks, each with its own tables, are processes
// of their own, which are killed at random, and the source replaced by another; a
// third sink comes late. In the end each has every row of its tables, of which some share
// a topic.
func TestSourceAndSinks(t *testing.T) {
	server, broker := servers.MySQL(t, fast...), servers.Kafka(t)
	const database, mine, others = "e2e_halves", `e2e_halves\.by_.*`, `e2e_halves\.hot`
	lake := filepath.Join(t.TempDir(), "lake")
	w := &workload.Workload{DB: server.DB(t), Database: database, Seed: 11, Space: 1500}
	require.NoError(t, w.Create(t.Context()))
	require.NoError(t, w.Fill(t.Context()))

	name := fmt.Sprintf("%s-%d", database, os.Getpid())
	log := []string{"--kafka", broker.Addr, "--kafka-log", name}
	source := command("source", log, "--from", server.URL(database), "--kafka-partitions", "2", "--kafka-topic-regex", `(.*)\.by_\w++`, "--kafka-topic-replacement", "$1.by")
	sink := func(name, lake string, options ...string) []string {
		return append(command("sink", log, "--to", lake, "--name", name, "--commit-interval", "200ms"), options...)
	}
	late := filepath.Join(t.TempDir(), "late")
	parts := [][]string{source, sink("keyed", lake, "--tables", mine), sink("rest", lake, "--tables-exclude", mine)}

	load, stop := context.WithCancel(t.Context())
	defer stop()
	loaded := loading(load, t, w)
	rng := rand.New(rand.NewPCG(11, 5))
	running := make([]*process, len(parts))
	for i, part := range parts {
		running[i] = start(t, part...)
	}
	running[0].says(t, "following the binlog")
	for range 16 {
		i := rng.IntN(len(parts))
		running[i].killAfter(t, time.Duration(50+rng.IntN(1200))*time.Millisecond)
		running[i] = start(t, parts[i]...)
	}
	running[0].says(t, "following the binlog")
	before := running[0]
	running[0] = start(t, source...)
	require.Equal(t, instance, before.wait(t), "a source that was replaced: %s", &before.out)
	running[0].says(t, "following the binlog")
	stop()
	require.NoError(t, <-loaded)
	for _, p := range running {
		p.terminate(t)
	}
	waitForServer(t, server.DB(t), database)

	runs(t, append(source, "--once")...)
	for _, part := range append(parts[1:], sink("late", late, "--tables", others)) {
		runs(t, append(part, "--once")...)
	}
	requireSameRows(t, w.DB, database, lake)
	for part, tables := range map[string][]string{"keyed": {"--tables", mine}, "rest": {"--tables", database + `\..*`, "--tables-exclude", mine}} {
		require.Contains(t, runs(t, append([]string{"verify", "--from", server.URL(database), "--to", lake, "--name", part}, tables...)...), "equal: ")
	}
	require.Contains(t, runs(t, "verify", "--from", server.URL(database), "--to", late, "--name", "late", "--tables", others), "equal: 1 table")
	t.Logf("%d row changes", w.Changes())
}

// TestSinkEndsWithinATransaction: what a source that was killed left unfinished does
// not keep --once from committing what is whole.
func TestSinkEndsWithinATransaction(t *testing.T) {
	server, broker := servers.MySQL(t), servers.Kafka(t)
	database := "e2e_within"
	lake, _ := shop(t, server, database)
	log := []string{"--kafka", broker.Addr, "--name", fmt.Sprintf("%s-%d", database, os.Getpid())}
	source, sink := command("source", log, "--from", server.URL(database)), command("sink", log, "--to", lake, "--once")
	none := start(t, sink...)
	require.Equal(t, fault, none.wait(t))
	require.Contains(t, none.out.String(), "remedy: start beluga source")

	p := start(t, source...)
	p.says(t, "following the binlog")
	server.Exec(t, "UPDATE "+database+".a SET v = 5")
	require.Contains(t, runs(t, sink...), "stopped")
	tx := server.DB(t)
	_, err := tx.Exec("INSERT INTO " + database + ".b SELECT 10 + a.id * 1000000 + s.n, 1, 1 FROM " + database + ".a, (WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200000) SELECT /*+ SET_VAR(cte_max_recursion_depth = 1000000) */ n FROM s) s")
	require.NoError(t, err)
	p.killAfter(t, 150*time.Millisecond)
	runs(t, sink...)
	runs(t, append(source, "--once")...)
	runs(t, sink...)
	requireSameRows(t, server.DB(t), database, lake)
}

// TestSharedTopic: all tables travel through one topic and come out as themselves, also
// one that is made later.
func TestSharedTopic(t *testing.T) {
	server := servers.MySQL(t)
	database := "e2e_shared"
	_, args := shop(t, server, database)
	run := command("run", args, "--once", "--kafka", "embedded", "--kafka-topic-regex", "(.*)", "--kafka-topic-replacement", "all_records", "--kafka-partitions", "2")
	runs(t, run...)
	server.Exec(t, strings.ReplaceAll("CREATE TABLE DB.c LIKE DB.a; INSERT INTO DB.c VALUES (1, 1, 1), (2, 2, 2); UPDATE DB.a SET id = id + 10; DELETE FROM DB.b WHERE id = 1; ALTER TABLE DB.c ADD COLUMN more INT; UPDATE DB.c SET more = 5", "DB", database))
	runs(t, run...)
	requireSameRows(t, server.DB(t), database, args[3])

	refused := start(t, append(run, "--kafka-key-field-regex", "(")...)
	require.Equal(t, usage, refused.wait(t))
	require.Contains(t, refused.out.String(), "kafka.key-field-replacement: missing")
}
