package e2e

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline/embedded"
)

// messageKeyTables: a table with two columns in its key, one with one, and one
// without a key. The pause between the two is where the changes begin.
const messageKeyTables = `DROP DATABASE IF EXISTS DB; CREATE DATABASE DB; USE DB;
	CREATE TABLE orders (customer INT, id INT, note VARCHAR(9), PRIMARY KEY (id, customer)); INSERT INTO orders VALUES (1, 10, 'a'), (2, 20, 'b'), (1, 11, NULL);
	CREATE TABLE plain (id INT PRIMARY KEY, note VARCHAR(9)); INSERT INTO plain VALUES (1, 'x');
	CREATE TABLE nokey (a INT, b INT); INSERT INTO nokey VALUES (1, 1), (1, 1), (2, NULL)`

const messageKeyChanges = `USE DB; UPDATE orders SET id = 21 WHERE id = 20; UPDATE orders SET customer = 3 WHERE id = 10; DELETE FROM orders WHERE id = 11;
	UPDATE plain SET note = 'y'; UPDATE nokey SET b = 2 WHERE a = 1 LIMIT 1; UPDATE nokey SET a = 5 WHERE a = 2; DELETE FROM nokey WHERE a = 1 AND b = 1`

// TestMessageKeyColumns has a consumer that is not ours look at the keys: what it
// sees of each is one order of changes, and the lake ends equal.
func TestMessageKeyColumns(t *testing.T) {
	server := servers.MySQL(t)
	broker, err := embedded.Start(t.TempDir(), embedded.Config{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, broker.Close()) }()
	for name, c := range map[string]struct {
		partitions int
		rules      string
		keys       map[string][]string // of each table: keys and what came of them, in order
	}{
		"part of the key": {3, `.*\.orders:customer;.*\.nokey:a`, map[string][]string{
			"orders": {`{"customer":1}: r r d - d -`, `{"customer":2}: r u`, `{"customer":3}: c`},
			"plain":  {`{"id":1}: r u`},
			"nokey":  {`{"a":1}: r r u d -`, `{"a":2}: r d -`, `{"a":5}: c`},
		}},
		"any columns": {1, `.*\.orders:note;.*\.plain:note,id`, map[string][]string{
			"orders": {`{"note":"a"}: r u`, `{"note":"b"}: r u`, `{"note":null}: r d -`},
			"plain":  {`{"id":1,"note":"x"}: r d -`, `{"id":1,"note":"y"}: c`},
			"nokey":  {`: r r r u u d`},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			database := fmt.Sprintf("e2e_keys_%d", c.partitions)
			server.Exec(t, strings.ReplaceAll(messageKeyTables, "DB", database))
			args := []string{"--from", server.URL(database), "--to", filepath.Join(t.TempDir(), "lake")}
			options := []string{"--kafka", broker.Addr(), "--name", database, "--kafka-partitions", fmt.Sprint(c.partitions)}
			run := command("run", args, append(options, "--once", "--kafka-message-key-columns", c.rules)...)
			runs(t, run...)
			server.Exec(t, strings.ReplaceAll(messageKeyChanges, "DB", database))
			runs(t, run...)
			for table, want := range c.keys {
				require.ElementsMatch(t, want, keysSeen(t, broker.Addr(), database+"."+database+"."+table, c.partitions), table)
			}
			verify := command("verify", args, "--name", database)
			require.Contains(t, runs(t, verify...), "equal: 3 tables")

			// Another choice where nothing waits in the log, and no tombstones.
			server.Exec(t, "USE "+database+"; INSERT INTO orders VALUES (4, 40, 'n'); UPDATE orders SET note = 'z' WHERE id = 21; DELETE FROM orders WHERE id = 40")
			runs(t, command("run", args, append(options, "--once", "--kafka-tombstones-on-delete=false")...)...)
			require.Contains(t, runs(t, verify...), "equal: 3 tables")
			require.Contains(t, strings.Join(keysSeen(t, broker.Addr(), database+"."+database+".orders", c.partitions), "\n")+"\n", `{"id":40,"customer":4}: c d`+"\n")
		})
	}
	t.Run("refused", func(t *testing.T) {
		const database = "e2e_keys_refused"
		server.Exec(t, strings.ReplaceAll(messageKeyTables, "DB", database))
		args := []string{"--from", server.URL(database), "--to", filepath.Join(t.TempDir(), "lake"), "--kafka", broker.Addr(), "--name", database,
			"--kafka-message-key-columns", `.*\.orders:note;.*\.plain:nothing;elsewhere:id`}
		said := said(t, command("check", args, "--kafka-partitions", "3")...)
		require.Contains(t, said, "names its column note, which is not of its primary key, and its topic has 3 partitions")
		require.Contains(t, said, "names its column nothing, which it does not have")
		require.Contains(t, said, "--kafka-message-key-columns elsewhere:id: it counts for no captured table")
		p := start(t, command("run", args)...)
		require.Equal(t, fault, p.wait(t))
		require.Contains(t, p.out.String(), "names its column nothing, which it does not have")
	})
}

// keysSeen returns the keys of a topic's records, each with its operations in their
// order; a tombstone is a dash. All records of a key must be in one partition.
func keysSeen(t *testing.T, addr, topic string, partitions int) (list []string) {
	t.Helper()
	where, seen := map[string]int{}, map[string]string{}
	for p := range partitions {
		for _, m := range recordsOf(t, addr, topic, p) {
			if m.Key == nil && m.Value == nil {
				continue // a control record, or the tombstone of a row without a key
			}
			key, op := string(m.Key), "-"
			if m.Value != nil {
				_, rest, ok := strings.Cut(string(m.Value), `"op":"`)
				require.True(t, ok, string(m.Value))
				op = rest[:1]
			}
			if at, ok := where[key]; ok {
				require.Equal(t, at, p, "key %s stands in two partitions", key)
			}
			where[key] = p
			seen[key] += " " + op
		}
	}
	for key, ops := range seen {
		list = append(list, key+":"+ops)
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}

func recordsOf(t *testing.T, addr, topic string, partition int) (list []kafka.Message) {
	t.Helper()
	conn, err := kafka.DialLeader(t.Context(), "tcp", addr, topic, partition)
	require.NoError(t, err)
	defer conn.Close()
	end, err := conn.ReadLastOffset()
	require.NoError(t, err)
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: topic, Partition: partition, MaxWait: 10 * time.Millisecond})
	defer r.Close()
	for at := int64(0); at < end; {
		m, err := r.ReadMessage(context.Background())
		require.NoError(t, err)
		list, at = append(list, m), m.Offset+1
	}
	return list
}
