package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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

// TestMain is also the main of the child whose broker is killed: it serves, and
// trims the topic to the offsets that its parent writes, until that closes the
// pipe.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		b, err := embedded.Start(dir, embedded.Config{})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(b.Addr())
		for offset := int64(0); ; {
			if _, err := fmt.Scanln(&offset); err != nil {
				break
			}
			fmt.Println(b.Trim(topic, 0, offset))
		}
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
		b := start(t, dir, embedded.Config{})
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

// process is a broker in a process of its own.
type process struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

func child(t *testing.T, dir string) (p process, firstLine string) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	p.Cmd = exec.Command(exe)
	p.Env = append(os.Environ(), childEnv+"="+dir)
	p.Stderr = os.Stderr
	in, err := p.StdinPipe()
	require.NoError(t, err)
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	p.in, p.out = in, bufio.NewReader(out)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = in.Close() })
	return p, p.line(t)
}

func (p process) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// TestTrim kills a broker that has trimmed its log: what was behind is there, new
// records get the next offsets, and the disk is free.
func TestTrim(t *testing.T) {
	const size, n = 1 << 20, 50
	dir := t.TempDir()
	value := make([]byte, size)
	fill := func(c *kafka.Client) {
		for range n {
			r, err := c.Produce(t.Context(), &kafka.ProduceRequest{Topic: topic, RequiredAcks: kafka.RequireAll,
				Records: kafka.NewRecordReader(kafka.Record{Value: protocol.NewBytes(value)})})
			require.NoError(t, err)
			require.NoError(t, r.Error)
		}
	}
	ends := func(c *kafka.Client) (first, last int64) {
		r, err := c.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)}}})
		require.NoError(t, err)
		require.NoError(t, r.Topics[topic][0].Error)
		return r.Topics[topic][0].FirstOffset, r.Topics[topic][0].LastOffset
	}
	for round := range int64(3) {
		p, addr := child(t, dir)
		c := client(t, addr)
		if round == 0 {
			createTopic(t, c)
		}
		first, last := ends(c)
		require.Equal(t, round*n, last, "the end after a kill")
		// The next to the last record of the last round must still be readable from, not more.
		require.LessOrEqual(t, first, max(0, last-1))
		require.Greater(t, first, last-32, "what a kill may bring back is less than two segments")
		fill(c)
		for _, before := range []int64{last + n, 0, last + n} {
			_, err := fmt.Fprintln(p.in, before)
			require.NoError(t, err)
			require.Equal(t, "<nil>", p.line(t))
		}
		first, last = ends(c)
		require.Equal(t, [2]int64{(round+1)*n - 1, (round + 1) * n}, [2]int64{first, last})
		require.Less(t, diskUsage(t, dir), int64(2*16<<20))
		require.NoError(t, p.Process.Kill())
		require.Error(t, p.Wait())
	}
	b := start(t, dir, embedded.Config{})
	require.ErrorContains(t, b.Trim(topic, 0, 3*n+2), "topic shop.shop.orders, partition 0, up to offset 152: ")
	require.EqualError(t, b.Trim("other", 0, 1), "topic other has no partition 0")
}

func diskUsage(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		bytes += info.Size()
		return err
	}))
	return bytes
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
