package source_test

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/source"
)

// address is one that moves from server to server, as in a failover.
type address struct {
	net.Listener
	target atomic.Pointer[string]
}

func newAddress(t *testing.T, target string) *address {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	a := &address{Listener: l}
	a.target.Store(&target)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go a.serve(c)
		}
	}()
	t.Cleanup(func() { l.Close() })
	return a
}

func (a *address) serve(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", *a.target.Load())
	if err != nil {
		return
	}
	defer s.Close()
	go func() { io.Copy(s, c); s.Close() }()
	io.Copy(c, s)
}

// replicaOf makes one server the replica of another.
func replicaOf(t *testing.T, replica, of *servers.MySQLServer) {
	_, port, err := net.SplitHostPort(of.Addr)
	require.NoError(t, err)
	replica.Exec(t, fmt.Sprintf("STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=%s, SOURCE_USER='root', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1; START REPLICA", port))
}

// catchUp waits until a server has what another has.
func catchUp(t *testing.T, behind, ahead source.Config) {
	t.Helper()
	want := position(t, ahead)
	for !position(t, behind).GTIDs.ContainsSet(want.GTIDs) {
		time.Sleep(20 * time.Millisecond)
	}
}

// TestFailover moves the address from a server to its replica and back, while
// the stream runs, and then to a replica that lags.
func TestFailover(t *testing.T) {
	a, b := servers.MySQL(t, "--sync-binlog=1"), servers.MySQL(t, "--sync-binlog=1", "--skip-replica-start")
	prepare(t, a, "failover")
	replicaOf(t, b, a)
	ca, cb := config(t, a, "failover"), config(t, b, "failover")
	catchUp(t, cb, ca)
	at := newAddress(t, a.Addr)
	c := ca
	c.Endpoint.Address = at.Addr().String()
	c.Heartbeat = 200 * time.Millisecond
	c.ReplicaWait = time.Second

	m := newMemory()
	stop := start(t, c, pipeline.Resume{}, m)
	write := func(to *servers.MySQLServer, id int) {
		to.Exec(t, fmt.Sprintf("INSERT INTO failover.a VALUES (%[1]d, 'x'); UPDATE failover.a SET v = '%[1]d' WHERE id = 1; BEGIN; INSERT INTO failover.b VALUES ('k%[1]d', 1); DELETE FROM failover.a WHERE id = %[1]d; COMMIT", id))
	}
	m.wait(t, position(t, ca))
	write(a, 100)
	m.wait(t, position(t, ca))
	catchUp(t, cb, ca)

	// b is promoted, and a becomes its replica.
	at.target.Store(&b.Addr)
	b.Exec(t, "STOP REPLICA; RESET REPLICA ALL")
	write(b, 200)
	a.Restart(t) // which ends the stream's connection
	replicaOf(t, a, b)
	m.wait(t, position(t, cb))
	m.requireEqual(t, cb)

	// And back.
	catchUp(t, ca, cb)
	at.target.Store(&a.Addr)
	a.Exec(t, "STOP REPLICA; RESET REPLICA ALL")
	write(a, 300)
	b.Restart(t)
	m.wait(t, position(t, ca))
	m.requireEqual(t, ca)
	require.NoError(t, stop())
	require.Equal(t, 7, m.reads)

	// A replica that lacks what the lake has is waited for, and then refused.
	at.target.Store(&b.Addr)
	lacks := position(t, ca).GTIDs.Subtract(position(t, cb).GTIDs)
	err := source.New(c, quiet()).Run(t.Context(), m.state(), m)
	var ahead *source.AheadError
	require.ErrorAs(t, err, &ahead)
	require.True(t, ahead.Extra.Equal(lacks), "%s instead of %s", ahead.Extra, lacks)
	require.ErrorContains(t, err, "the lake holds transactions that the server does not have: "+lacks.String())

	c.ReplicaWait, c.Once = time.Minute, true
	result := make(chan error, 1)
	go func() { result <- source.New(c, quiet()).Run(t.Context(), m.state(), m) }()
	replicaOf(t, b, a)
	require.NoError(t, <-result)
	m.requireEqual(t, ca)
}
