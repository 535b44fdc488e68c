package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
)

// holdServer, in the environment, makes this binary start a server, print where
// it is, and do nothing until it is killed.
const holdServer = "BELUGA_TEST_HOLD_SERVER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdServer); dir != "" {
		s := &MySQLServer{product: mySQL, dir: dir, args: []string{"--innodb-redo-log-capacity=8M"}}
		if err := s.start(); err != nil {
			fmt.Println("error:", err)
			return
		}
		fmt.Println(s.Addr)
		select {}
	}
	Main(m)
}

func query(t *testing.T, s *MySQLServer, statement string) string {
	t.Helper()
	var value string
	require.NoError(t, s.DB(t).QueryRow(statement).Scan(&value))
	return value
}

func TestMySQLServesQueries(t *testing.T) {
	s := MySQL(t)
	require.Equal(t, "1", query(t, s, "SELECT 1"))
	require.Same(t, s, MySQL(t), "without options all tests get the same server")
}

func TestMySQLLogsWhatBelugaReads(t *testing.T) {
	s := MySQL(t)
	for variable, want := range map[string]string{
		"gtid_mode": "ON", "log_bin": "1", "binlog_format": "ROW",
		"binlog_row_image": "FULL", "binlog_row_metadata": "FULL",
	} {
		require.Equal(t, want, query(t, s, "SELECT @@global."+variable), variable)
	}
}

func TestMariaDBLogsWhatBelugaReads(t *testing.T) {
	s := MariaDB(t)
	require.Contains(t, query(t, s, "SELECT VERSION()"), "MariaDB")
	for variable, want := range map[string]string{
		"log_bin": "1", "binlog_format": "ROW", "binlog_row_image": "FULL", "binlog_row_metadata": "FULL", "gtid_strict_mode": "1",
	} {
		require.Equal(t, want, query(t, s, "SELECT @@global."+variable), variable)
	}
	require.Same(t, s, MariaDB(t), "without options all tests get the same server")
	other := MariaDB(t, "--gtid-domain-id=7")
	require.Equal(t, "7", query(t, other, "SELECT @@global.gtid_domain_id"))
	require.NotEqual(t, query(t, s, "SELECT @@server_id"), query(t, other, "SELECT @@server_id"))
}

func TestMySQLOptionsReachTheServer(t *testing.T) {
	s := MySQL(t, "--binlog-row-metadata=MINIMAL")
	require.Equal(t, "MINIMAL", query(t, s, "SELECT @@global.binlog_row_metadata"))
}

func TestMySQLServersHaveTheirOwnUUID(t *testing.T) {
	one, other := MySQL(t, "--max-connections=50"), MySQL(t, "--max-connections=50")
	require.NotEqual(t, one.Addr, other.Addr)
	require.NotEqual(t, query(t, one, "SELECT @@server_uuid"), query(t, other, "SELECT @@server_uuid"))
	require.NotEqual(t, query(t, one, "SELECT @@server_id"), query(t, other, "SELECT @@server_id"))
}

func TestMySQLRestartKeepsData(t *testing.T) {
	s := MySQL(t, "--max-connections=50")
	s.Exec(t, "CREATE DATABASE kept; CREATE TABLE kept.rows_of_one (id INT PRIMARY KEY); INSERT INTO kept.rows_of_one VALUES (7)")
	addr, uuid := s.Addr, query(t, s, "SELECT @@server_uuid")
	s.Restart(t)
	require.Equal(t, addr, s.Addr)
	require.Equal(t, uuid, query(t, s, "SELECT @@server_uuid"))
	require.Equal(t, "7", query(t, s, "SELECT id FROM kept.rows_of_one"))
}

func TestMySQLStops(t *testing.T) {
	s := MySQL(t, "--max-connections=50")
	socket := s.Socket
	s.Stop(t)
	requireGone(t, s.Addr)
	if socket != "" {
		require.NoDirExists(t, filepath.Dir(socket))
	}
	s.Start(t)
	require.Equal(t, "1", query(t, s, "SELECT 1"))
}

// A port is held from before its server starts until the test is over, whether
// the server listens or not.
func TestPortsAreHeld(t *testing.T) {
	p, err := takePorts(2)
	require.NoError(t, err)
	dir, err := cacheDir()
	require.NoError(t, err)
	for _, first := range []int{p.first - 1, p.first, p.first + 1} {
		other := &ports{first: first}
		ok, err := other.take(filepath.Join(dir, "ports"), 2)
		require.NoError(t, err)
		require.False(t, ok, "ports %d and %d are held", p.first, p.first+1)
		require.NoError(t, other.release())
	}
	require.NoError(t, p.release())

	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p.first))
	require.NoError(t, err)
	defer l.Close()
	ok, err := p.take(filepath.Join(dir, "ports"), 2)
	require.NoError(t, err)
	require.False(t, ok, "somebody listens")
	require.NoError(t, p.release())
}

func TestClosedAddrRefuses(t *testing.T) {
	_, err := net.Dial("tcp", ClosedAddr(t))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestMySQLThatCannotStartFails(t *testing.T) {
	s := &MySQLServer{product: mySQL, dir: t.TempDir(), args: []string{"--no-such-option"}}
	err := s.start()
	if errors.Is(err, errUnavailable) {
		Skip(t, err.Error())
	}
	require.ErrorContains(t, err, "no-such-option", "the reason is in the error")
}

func TestServerDiesWithTheTestBinary(t *testing.T) {
	MySQL(t) // the machine can run one, or the test is skipped here
	dir := filepath.Join(t.TempDir(), "held")
	require.NoError(t, os.Mkdir(dir, 0o755))
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), holdServer+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	addr, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	addr = strings.TrimSpace(addr)
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err, "the server runs")
	conn.Close()

	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	// The holder removes the folder last; until then the server may be stopping.
	for {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	requireGone(t, addr)
}

func requireGone(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		conn.Close()
	}
	require.Error(t, err, "nobody listens at %s any more", addr)
}

func TestKafkaAnswersMetadata(t *testing.T) {
	broker := Kafka(t)
	client := &kafka.Client{Addr: kafka.TCP(broker.Addr)}
	created, err := client.CreateTopics(context.Background(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: t.Name(), NumPartitions: 3, ReplicationFactor: 1}},
	})
	require.NoError(t, err)
	require.NoError(t, created.Errors[t.Name()], "a broker that is ready can create topics")
	metadata, err := client.Metadata(context.Background(), &kafka.MetadataRequest{Topics: []string{t.Name()}})
	require.NoError(t, err)
	require.Len(t, metadata.Brokers, 1)
	require.Equal(t, broker.Addr, net.JoinHostPort(metadata.Brokers[0].Host, fmt.Sprint(metadata.Brokers[0].Port)))
	require.Len(t, metadata.Topics[0].Partitions, 3)
}

func TestPythonHasThePackages(t *testing.T) {
	python := Python(t, "iniconfig==2.0.0")
	out, err := exec.Command(python, "-c", "import iniconfig; print(iniconfig.__name__)").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "iniconfig\n", string(out))
	require.Equal(t, python, Python(t, "iniconfig==2.0.0"), "the second request finds the first's environment")
}

func TestSkipIsRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "skips")
	t.Setenv("BELUGA_TEST_SKIPS", file)
	t.Setenv("BELUGA_TEST_NO_SKIPS", "")
	var skipped bool
	t.Run("without a server", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		unavailable(t, "MySQL", fmt.Errorf("%w: no remedy", errUnavailable))
	})
	require.True(t, skipped)
	recorded, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "TestSkipIsRecorded/without_a_server: MySQL is not available here: no remedy\n", string(recorded))
}

// A test that skipped itself would be a hole that neither the record nor
// BELUGA_TEST_NO_SKIPS shows.
func TestEverySkipIsSeen(t *testing.T) {
	root, err := moduleRoot()
	require.NoError(t, err)
	skips := regexp.MustCompile(`\b(t|tb|b|f)\.Skip(f|Now)?\(`)
	var found []string
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if skips.Match(text) {
			found = append(found, strings.TrimPrefix(path, root))
		}
		return err
	}))
	require.Equal(t, []string{"/internal/servers/shared.go"}, found, "only Skip skips")
}

// What a starter says when there is no way to get its server, and with which
// status it exits, is what tells a skip from a failure.
func TestStarterWithoutAnyWayIsUnavailable(t *testing.T) {
	empty := t.TempDir()
	for _, name := range []string{"bash", "sh", "basename", "dirname", "mkdir", "id", "timeout", "cat", "flock", "find", "sort", "head", "rm", "tail", "sed"} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(empty, name)))
	}
	t.Setenv("PATH", empty)
	t.Setenv("BELUGA_SERVERS_CACHE", t.TempDir())
	t.Setenv("BELUGA_TEST_MYSQL", "")
	t.Setenv("BELUGA_TEST_KAFKA", "")
	for script, remedy := range map[string]string{"mysql.sh": "BELUGA_TEST_MYSQL=host:port", "kafka.sh": "BELUGA_TEST_KAFKA=host:port"} {
		_, err := startServer(script, t.TempDir(), 15000)
		require.ErrorIs(t, err, errUnavailable, script)
		require.ErrorContains(t, err, remedy)
	}
}
