package binlog_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/source/binlog"
)

// proxy stands between a stream and its server, and plays the network's part.
type proxy struct {
	target string
	addr   string
	// limit returns after how many bytes from the server the nth connection is lost;
	// 0: never. It is called from one goroutine.
	limit func(n int64) int64
	// silent lets bytes vanish instead of closing the connection.
	silent bool

	wg    sync.WaitGroup
	conns atomic.Int64
	lost  atomic.Int64
}

// newProxy starts a proxy that ends with the test.
func newProxy(t *testing.T, target string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{target: target, addr: l.Addr().String(), limit: func(int64) int64 { return 0 }}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			limit := p.limit(p.conns.Add(1))
			p.wg.Go(func() { p.serve(c, limit) })
		}
	})
	t.Cleanup(func() { l.Close(); p.wg.Wait() })
	return p
}

func (p *proxy) serve(client net.Conn, limit int64) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.wg.Go(func() { io.Copy(server, client); server.Close() })
	if limit == 0 {
		io.Copy(client, server)
		return
	}
	if n, _ := io.CopyN(client, server, limit); n == limit { // else the client left by itself
		p.lost.Add(1)
	}
	if p.silent {
		io.Copy(io.Discard, server) // until the client gives up
	}
}

// through makes the database's stream go through the proxy.
func (d *database) through(p *proxy) {
	d.config.Login = func() (binlog.Login, error) {
		return binlog.Login{Addr: p.addr, User: d.server.User, Password: d.server.Password}, nil
	}
}

// TestCutAtAnyByte loses connections at random bytes: within the handshake, the
// header of an event, a row, a transaction, between transactions. Each time a few
// more bytes get through, so that the stream comes to its end.
func TestCutAtAnyByte(t *testing.T) {
	verifyNoLeak(t)
	// The large transaction comes whole through one connection or not at all, and
	// is larger than any of the short ones carries: so all of these are lost.
	const short, most = 24, 1 << 20
	for _, options := range [][]string{nil, {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}} {
		t.Run(fmt.Sprint(options), func(t *testing.T) {
			d := newDatabase(t, servers.MySQL(t, options...))
			d.exec(t, threeTables)
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rnd := rand.New(rand.NewPCG(seed, 3))
			if options == nil {
				workload(t, d, rnd, 120)
			}
			// Compressed, as the workload may have left it, the large transaction would be
			// smaller than what one connection carries.
			d.exec(t, "SET SESSION binlog_transaction_compression = OFF; INSERT INTO b VALUES ('first', 1)")
			before := d.position(t)
			large(t, d)
			require.Greater(t, d.position(t).Offset, before.Offset+most)
			d.exec(t, "UPDATE big SET k = 5 WHERE id % 3 = 0; FLUSH BINARY LOGS; INSERT INTO b VALUES ('last', 1)")
			p := newProxy(t, d.server.Addr)
			p.limit = func(n int64) int64 {
				switch {
				case n < 6:
					return rnd.Int64N(2000) + 1
				case n <= short:
					return rnd.Int64N(most) + 1
				}
				return rnd.Int64N(40<<20) + 20<<20
			}
			d.through(p)
			l := newLake()
			require.NoError(t, d.stream(t, l))
			d.requireEqual(t, l, "a", "b", "c", "big")
			require.GreaterOrEqual(t, p.lost.Load(), int64(short), "one that carried all of the large transaction carried more than it could")
		})
	}
}

// TestSilentNetwork: a connection from which nothing comes, not even a heartbeat,
// is given up and made again.
func TestSilentNetwork(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t))
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY)")
	for i := range 50 {
		d.exec(t, fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
	}
	p := newProxy(t, d.server.Addr)
	p.silent = true
	p.limit = func(n int64) int64 { return (4 - min(n, 4)) * 1500 } // 4500, 3000, 1500, no limit
	d.through(p)
	d.config.Heartbeat = 100 * time.Millisecond
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t")
	require.Equal(t, int64(4), p.conns.Load())
}

// TestSlowSink: a sink that takes nothing for longer than the heartbeats' limit
// is no dead server, and the server waits for it, though its own patience
// (net_write_timeout) is a second.
func TestSlowSink(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t, "--sync-binlog=1"))
	large(t, d)
	d.exec(t, "SET GLOBAL net_write_timeout = 1")
	connects := d.countConnections()
	d.config.Heartbeat = 100 * time.Millisecond
	l := newLake()
	l.onBlock = func(n int) {
		if n == 2 {
			time.Sleep(3 * time.Second)
		}
	}
	require.NoError(t, d.stream(t, l))
	d.exec(t, "SET GLOBAL net_write_timeout = 60") // we may be slow too
	d.requireEqual(t, l, "big")
	require.Equal(t, 1, *connects)
}

// TestSameServerID: two streams may register under one id: the server tells
// replicas apart by a UUID that each connection makes anew.
func TestSameServerID(t *testing.T) {
	verifyNoLeak(t)
	d := newDatabase(t, servers.MySQL(t))
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)")
	d.config.ServerID = 4711
	connects := d.countConnections()
	l := newLake()
	l.onBlock = func(int) {
		l.onBlock = nil
		other := newLake()
		require.NoError(t, d.stream(t, other))
		d.requireEqual(t, other, "t")
	}
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t")
	require.Equal(t, 2, *connects, "neither had to connect again")
}
