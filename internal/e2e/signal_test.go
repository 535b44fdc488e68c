package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
)

const signalTable = "CREATE DATABASE ops; CREATE TABLE ops.signals (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data TEXT); "

// TestSignalsArrive sends the simplest signal by every way there is: through the
// table, whatever becomes of that, by the command while a run is at work and while
// none is, and by HTTP.
func TestSignalsArrive(t *testing.T) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "shop")
	server.Exec(t, "DROP DATABASE IF EXISTS ops; "+signalTable)
	t.Cleanup(func() { server.Exec(t, "DROP DATABASE ops") })
	options := []string{"--signal-data-collection", "ops.signals", "--http", "127.0.0.1:0", "--commit-interval", "100ms"}
	message := func(text string) string { return `{"message": "` + text + ` at {}"}` }

	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, "signal", "log", "--to", args[3], "--id", "early", "--data", message("before the run")), "signal early waits for the run")
	require.Contains(t, runs(t, "status", "--to", args[3]), "signal early waits, or is being carried out: log ")
	p := start(t, command("run", args, options...)...)
	p.says(t, "before the run at ")
	p.says(t, "following the binlog")
	server.Exec(t, "INSERT INTO ops.signals VALUES ('row', 'log', '"+message("from the table")+"')")
	p.says(t, "from the table at ")
	// Nobody else depends on the table, so that anything may be done to it.
	server.Exec(t, "TRUNCATE ops.signals; ALTER TABLE ops.signals ADD COLUMN sent TIMESTAMP DEFAULT CURRENT_TIMESTAMP; INSERT INTO ops.signals (id, type) VALUES ('bad', 'lgo'); "+
		"DROP TABLE ops.signals; "+strings.TrimPrefix(signalTable, "CREATE DATABASE ops; ")+"INSERT INTO ops.signals VALUES ('again', 'log', '"+message("from a new table")+"')")
	p.says(t, "from a new table at ")
	require.Regexp(t, `a signal is passed over.* id=bad type=lgo because="the type .*lgo.* is none of execute-snapshot,`, p.out.String())
	runs(t, "signal", "log", "--to", args[3], "--data", message("by command"))
	p.says(t, "by command at ")

	url := "http://" + regexp.MustCompile(`msg=listening.* address=(\S+)`).FindStringSubmatch(p.out.String())[1]
	code, said := post(t, url+"/signals", `{"id": "web", "type": "log", "data": {"message": "by HTTP at {}"}}`)
	require.Equal(t, http.StatusAccepted, code, said)
	require.JSONEq(t, `{"id": "web"}`, said)
	p.says(t, "by HTTP at ")
	code, said = post(t, url+"/signals", `{"type": "log", "data": "{}"}`)
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, said, "the data has no message")
	code, said = post(t, url+"/signals", `log`)
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, said, "the body is not")
	code, _ = fetch(t, url+"/healthz")
	require.Equal(t, http.StatusOK, code)

	server.Exec(t, "UPDATE shop.a SET v = 7")
	p.terminate(t)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal")
	require.NotContains(t, runs(t, "status", "--to", args[3]), "ops.", "the table itself is not replicated")
}

// TestNotifications are told of a first load, and of one that is not needed, in
// Debezium's form, by the log, by HTTP and on a topic.
func TestNotifications(t *testing.T) {
	server := servers.MySQL(t)
	broker := servers.Kafka(t)
	_, args := shop(t, server, "shop")
	const topic = "e2e_notices" // the broker is shared
	options := []string{"--name", "e2e_notices", "--notify-log", "--notify-topic", topic, "--kafka", broker.Addr, "--http", "127.0.0.1:0"}
	p := start(t, command("run", args, options...)...)
	p.says(t, "following the binlog")
	url := "http://" + regexp.MustCompile(`msg=listening.* address=(\S+)`).FindStringSubmatch(p.out.String())[1]
	_, said := fetch(t, url+"/notifications")
	p.terminate(t)
	var list []pipeline.Notification
	require.NoError(t, json.Unmarshal([]byte(said), &list))
	var types []string
	for _, n := range list {
		require.Equal(t, list[0].ID, n.ID)
		require.Equal(t, "Initial Snapshot", n.Aggregate)
		require.Equal(t, "e2e_notices", n.Data["connector_name"])
		require.Contains(t, p.out.String(), "type="+n.Type)
		types = append(types, n.Type)
	}
	require.Equal(t, "STARTED", types[0])
	require.Equal(t, "COMPLETED", types[len(types)-1])
	require.Contains(t, types, "TABLE_SCAN_COMPLETED")
	require.Equal(t, list, topicNotices(t, broker.Addr, topic, len(list)))
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	r, err := http.Post(url, "application/json", bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	return answer(t, r)
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	return answer(t, r)
}

func answer(t *testing.T, r *http.Response) (int, string) {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(b)
}

// topicNotices reads so many notifications from a topic with a client that is not
// ours.
func topicNotices(t *testing.T, broker, topic string, n int) (list []pipeline.Notification) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer c.Close()
	for len(list) < n {
		records := c.PollFetches(t.Context())
		require.NoError(t, records.Err())
		records.EachRecord(func(r *kgo.Record) {
			var x pipeline.Notification
			require.NoError(t, json.Unmarshal(r.Value, &x))
			require.JSONEq(t, `{"id": "`+x.ID+`"}`, string(r.Key))
			list = append(list, x)
		})
	}
	return list
}

// TestSnapshotOnRequest damages the lake's copy of a table, as the database's own
// history cannot: rows are changed with the binlog off. A lane makes it right again,
// asked for in each way, and while a run is at work, or before one.
func TestSnapshotOnRequest(t *testing.T) {
	t.Run("direct", func(t *testing.T) { askForSnapshots(t) })
	t.Run("embedded", func(t *testing.T) { askForSnapshots(t, "--kafka", "embedded") })
}

func askForSnapshots(t *testing.T, way ...string) {
	server := servers.MySQL(t)
	_, args := shop(t, server, "shop")
	plain := args
	args = append(args, way...)
	server.Exec(t, "DROP DATABASE IF EXISTS ops; "+signalTable)
	t.Cleanup(func() { server.Exec(t, "DROP DATABASE ops") })
	damage := func() {
		server.Exec(t, "SET sql_log_bin = 0; UPDATE shop.a SET v = v + 1, w = 7; DELETE FROM shop.b WHERE id = 1; INSERT INTO shop.b VALUES (1, RAND() * 1e9, 0); SET sql_log_bin = 1")
	}
	equal := func() { require.Contains(t, runs(t, command("verify", plain)...), "equal: 2 tables") }
	runs(t, command("run", args, "--once")...)

	damage()
	bad := start(t, command("verify", plain)...)
	require.NotZero(t, bad.wait(t), "verify finds nothing: %s", bad.out.String())
	runs(t, "snapshot", "--to", args[3], `shop\.a`, `shop\.b`)
	runs(t, command("run", args, "--once")...)
	equal()

	p := start(t, command("run", args, "--signal-data-collection", "ops.signals", "--http", "127.0.0.1:0", "--commit-interval", "50ms", "--notify-log")...)
	p.says(t, "following the binlog")
	url := "http://" + regexp.MustCompile(`msg=listening.* address=(\S+)`).FindStringSubmatch(p.out.String())[1]
	const both = `{"data-collections": ["shop.[ab]"]}`
	row := func(id, kind, data string) {
		server.Exec(t, fmt.Sprintf("INSERT INTO ops.signals VALUES ('%s', '%s', '%s')", id, kind, data))
	}
	completed := func(id string) {
		for _, table := range []string{"shop.a", "shop.b"} {
			p.saysLine(t, "notification id="+id, "type=COMPLETED", "data_collections:"+table)
		}
	}
	for id, ask := range map[string]func(id string){
		"command": func(id string) { runs(t, "signal", "execute-snapshot", "--to", args[3], "--id", id, "--data", both) },
		"web": func(id string) {
			code, said := post(t, url+"/signals", `{"id": "`+id+`", "type": "execute-snapshot", "data": `+both+`}`)
			require.Equal(t, http.StatusAccepted, code, said)
		},
		"row": func(id string) { row(id, "execute-snapshot", both) },
		"blocking": func(id string) {
			row(id, "execute-snapshot", strings.Replace(both, "{", `{"type": "BLOCKING", `, 1))
		},
	} {
		damage()
		ask(id)
		completed(id)
		equal()
	}
	p.says(t, "the stream waits until the rows are read")

	// Some rows only: the others stay as they were.
	damage()
	row("some", "execute-snapshot", `{"data-collections": ["shop.[ab]"], "additional-conditions": [{"data-collection": "shop.a", "filter": "id = 2"}]}`)
	completed("some")
	bad = start(t, command("verify", plain)...)
	require.NotZero(t, bad.wait(t))
	require.Contains(t, bad.out.String(), "shop.a: 0 missing in the lake, 0 extra, 1 different")
	row("rest", "execute-snapshot", both)
	completed("rest")
	equal()

	// What is paused goes on when it is told to.
	damage()
	row("p", "pause-snapshot", "")
	row("later", "execute-snapshot", both)
	p.saysLine(t, "notification id=p ", "type=PAUSED")
	row("r", "resume-snapshot", "")
	p.saysLine(t, "notification id=r ", "type=RESUMED")
	completed("later")
	equal()
	// Although that comes by a stream which a blocking load holds up otherwise.
	damage()
	row("pause", "pause-snapshot", "")
	row("held", "execute-snapshot", strings.Replace(both, "{", `{"type": "blocking", `, 1))
	row("resume", "resume-snapshot", "")
	completed("held")
	equal()

	row("none", "execute-snapshot", `{"data-collections": ["shop.c"]}`)
	p.says(t, "no table of that name is captured")
	p.terminate(t)
	require.NotContains(t, runs(t, "status", "--to", args[3]), "signal", "one that was carried out")
}
