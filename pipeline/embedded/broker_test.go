package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beluga-cdc/beluga/pipeline/embedded"
)

const childEnv = "BELUGA_TEST_BROKER_DIR"

// TestMain is also the main of the child whose broker TestKill kills: it serves
// until its parent closes the pipe.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		b, err := embedded.Start(dir, embedded.Config{})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(b.Addr())
		_, _ = io.Copy(io.Discard, os.Stdin)
		if err := b.Close(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const topic = "shop.shop.orders"

func client(t *testing.T, addr string) *kafka.Client {
	transport := &kafka.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(addr), Transport: transport}
}

func createTopic(t *testing.T, c *kafka.Client) {
	t.Helper()
	r, err := c.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
	require.NoError(t, err)
	require.NoError(t, r.Errors[topic])
}

// produce writes a batch of numbers and returns once they are acknowledged.
func produce(ctx context.Context, c *kafka.Client, from, n int) error {
	var rs []kafka.Record
	for i := range n {
		rs = append(rs, kafka.Record{Value: protocol.NewBytes([]byte(strconv.Itoa(from + i)))})
	}
	r, err := c.Produce(ctx, &kafka.ProduceRequest{Topic: topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(rs...)})
	if err != nil {
		return err
	}
	return r.Error
}

// consume reads all values of the partition.
func consume(t *testing.T, c *kafka.Client) (values []int) {
	t.Helper()
	for offset := int64(0); ; {
		r, err := c.Fetch(t.Context(), &kafka.FetchRequest{Topic: topic, Offset: offset, MinBytes: 1, MaxBytes: 1 << 20})
		require.NoError(t, err)
		require.NoError(t, r.Error)
		if offset >= r.HighWatermark {
			return values
		}
		for {
			rec, err := r.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			text, err := protocol.ReadAll(rec.Value)
			require.NoError(t, err)
			if rec.Offset < offset { // a fetch begins with the whole batch
				continue
			}
			x, err := strconv.Atoi(string(text))
			require.NoError(t, err)
			values = append(values, x)
			offset = rec.Offset + 1
		}
	}
}

func start(t *testing.T, dir string, cfg embedded.Config) *embedded.Broker {
	t.Helper()
	b, err := embedded.Start(dir, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	var cluster string
	for round := range 3 {
		b := start(t, dir, embedded.Config{SyncWrites: round == 0, KeepBytes: int64(round) << 30})
		host, _, err := net.SplitHostPort(b.Addr())
		require.NoError(t, err)
		require.True(t, net.ParseIP(host).IsLoopback(), "address %s", b.Addr())
		c := client(t, b.Addr())
		if round == 0 {
			createTopic(t, c)
		}
		m, err := c.Metadata(t.Context(), &kafka.MetadataRequest{})
		require.NoError(t, err)
		if round > 0 {
			require.Equal(t, cluster, m.ClusterID, "the log keeps its identity")
		}
		cluster = m.ClusterID
		require.NoError(t, produce(t.Context(), c, round*100, 100))
		require.Equal(t, upTo((round+1)*100), consume(t, c))
		require.NoError(t, b.Close())
	}
}

// child starts a broker in a process of its own.
func child(t *testing.T, dir string) (cmd *exec.Cmd, firstLine string) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd = exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return cmd, strings.TrimSpace(line)
}

// TestKill kills the broker's process while records are on their way, several
// times over one log: what was acknowledged is there, once and in order.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(1, 1))
	next := 0 // the next number to write: all below are acknowledged
	for round := range 4 {
		cmd, addr := child(t, dir)
		c := client(t, addr)
		if round == 0 {
			createTopic(t, c)
		}
		// The number whose batch was under way may be in the log, or not.
		got := consume(t, c)
		require.GreaterOrEqual(t, len(got), next, "acknowledged records after SIGKILL")
		require.Equal(t, upTo(len(got)), got)
		next = len(got)
		kill := next + 50 + rnd.IntN(500)
		for {
			n := 1 + rnd.IntN(20)
			if next >= kill {
				go func() { _ = cmd.Process.Kill() }()
			}
			if err := produce(t.Context(), c, next, n); err != nil {
				break
			}
			next += n
		}
		require.Error(t, cmd.Wait())
	}
	c := client(t, start(t, dir, embedded.Config{}).Addr())
	got := consume(t, c)
	require.GreaterOrEqual(t, len(got), next)
	require.Equal(t, upTo(len(got)), got)
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir, embedded.Config{})
	_, err := embedded.Start(dir, embedded.Config{})
	require.ErrorContains(t, err, "the log in "+dir+" is in use by another process")
	cmd, line := child(t, dir)
	require.Error(t, cmd.Wait())
	require.Contains(t, line, "is in use by another process")
	require.NoError(t, b.Close())
	start(t, dir, embedded.Config{})
}

func TestBadConfig(t *testing.T) {
	_, err := embedded.Start(t.TempDir(), embedded.Config{KeepBytes: 1})
	require.ErrorContains(t, err, "a bound of 1 bytes for each partition is too small; give 536870912 or more")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dir := t.TempDir()
	_, err = embedded.Start(dir, embedded.Config{Port: l.Addr().(*net.TCPAddr).Port})
	require.ErrorContains(t, err, "address already in use")
	start(t, dir, embedded.Config{}) // the lock was given back
}

// TestDeletedTopic: what is left of a topic that was deleted is no damage.
func TestDeletedTopic(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir, embedded.Config{})
	c := client(t, b.Addr())
	createTopic(t, c)
	require.NoError(t, produce(t.Context(), c, 0, 10))
	r, err := c.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	require.NoError(t, err)
	require.NoError(t, r.Errors[topic])
	require.NoError(t, b.Close())
	c = client(t, start(t, dir, embedded.Config{}).Addr())
	createTopic(t, c)
	require.Empty(t, consume(t, c))
}
