package binlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/beluga-cdc/beluga/schema"
)

const (
	firstPause = 100 * time.Millisecond
	longPause  = 10 * time.Second
	// writeTimeout is how long the server waits for us to read while the sink is
	// slow. Its default of a minute would cut the connection at every longer commit.
	writeTimeout = time.Hour
)

// follow reads the binlog, and connects again where the connection is lost:
// from the last transaction's end. The library's own way of going on repeats half
// a transaction without a word, and is off.
func (r *run) follow(ctx context.Context) error {
	pause := firstPause
	for {
		before := r.eventsSeen()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !retryable(err) {
			return err
		}
		if r.eventsSeen() != before {
			pause = firstPause
		}
		r.cfg.Logger.Warn("binlog connection lost, connecting again", "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// eventsSeen tells whether a connection got anywhere.
func (r *run) eventsSeen() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events
}

// session is one connection's life.
func (r *run) session(ctx context.Context) error {
	r.mu.Lock()
	at := r.position()
	r.connecting = true
	r.mu.Unlock()
	if r.cfg.Check != nil {
		if err := r.cfg.Check(ctx, at); err != nil {
			return classify(err)
		}
	}
	var fault error // of the handler; the library's copy of it has lost its type
	handle := func(e *replication.BinlogEvent) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events++
		fault = r.onRawEvent(ctx, e)
		return fault
	}
	d := &dialer{dialContext: r.cfg.Dial, timeout: 3 * r.cfg.Heartbeat}
	syncer := replication.NewBinlogSyncer(r.syncerConfig(d, handle))
	stop := context.AfterFunc(ctx, d.close)
	err := read(ctx, syncer, at)
	stop()
	d.close()
	syncer.Close() // waits for the library's reader: from here on nobody else has the state
	r.mu.Lock()
	defer r.mu.Unlock()
	if fault != nil {
		return fault
	}
	r.cutTransaction()
	clear(r.maps)
	return classify(err)
}

// read dumps the binlog from a position into the syncer's handler until the
// connection ends, and returns why.
func read(ctx context.Context, syncer *replication.BinlogSyncer, at schema.Position) error {
	var stream *replication.BinlogStreamer
	var err error
	switch {
	case at.UsesGTIDs():
		var set mysql.GTIDSet
		if set, err = mysql.ParseMysqlGTIDSet(at.GTIDs.String()); err != nil {
			return fmt.Errorf("position %s: %w", at, err)
		}
		stream, err = syncer.StartSyncGTID(set)
	case at.Offset > math.MaxUint32:
		return fmt.Errorf("%w: %s lies beyond 4 GiB of its file, where only GTIDs can begin; remedy: SET PERSIST gtid_mode=ON, then load all tables again", ErrPositionLost, at)
	default:
		stream, err = syncer.StartSync(mysql.Position{Name: at.File, Pos: uint32(at.Offset)})
	}
	if err != nil {
		return err
	}
	_, err = stream.GetEvent(context.WithoutCancel(ctx)) // events go to the handler; only the end comes here
	return err
}

// onRawEvent strips what the library leaves of an event.
func (r *run) onRawEvent(ctx context.Context, e *replication.BinlogEvent) error {
	h, err := parseHeader(e.RawData)
	if err != nil {
		return err
	}
	g, ok := e.Event.(*replication.GenericEvent)
	if ok {
		return r.onEvent(ctx, &h, g.Data)
	}
	body := e.RawData[headerSize:]
	if rotate, ok := e.Event.(*replication.RotateEvent); ok {
		body = body[:min(len(body), 8+len(rotate.NextLogName))] // without the checksum
	}
	return r.onEvent(ctx, &h, body)
}

func (r *run) syncerConfig(d *dialer, handle handlerFunc) replication.BinlogSyncerConfig {
	host, port := r.cfg.Addr, uint64(0) // the library takes an address without port as it is
	if h, p, err := net.SplitHostPort(r.cfg.Addr); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err == nil {
			host, port = h, n
		}
	}
	id := r.cfg.ServerID
	if id == 0 {
		id = 1<<30 + rand.Uint32N(1<<30) // a fresh one each time: the server ends the older of two equal ones
	}
	return replication.BinlogSyncerConfig{
		ServerID: id, Flavor: mysql.MySQLFlavor, Host: host, Port: uint16(port), User: r.cfg.User, Password: r.cfg.Password, TLSConfig: r.cfg.TLS,
		// Raw: the library checks and frames events, and leaves them to us. Its
		// own parsing of a small transaction costs more than all else that happens to it.
		RawModeEnabled:          true,
		VerifyChecksum:          true,
		DiscardGTIDSet:          true,
		DisableRetrySync:        true,
		HeartbeatPeriod:         r.cfg.Heartbeat,
		SynchronousEventHandler: handle,
		Dialer:                  d.dial,
		Logger:                  slog.New(slog.DiscardHandler), // it logs what it also returns
		Option: func(c *client.Conn) error {
			_, err := c.Execute(fmt.Sprintf("SET SESSION net_write_timeout = %d", int(writeTimeout/time.Second)))
			return err
		},
	}
}

type handlerFunc func(*replication.BinlogEvent) error

// HandleEvent calls f.
func (f handlerFunc) HandleEvent(e *replication.BinlogEvent) error { return f(e) }

// dialer makes connections whose reads end when the server's heartbeat stays
// away. The library's own timeout counts from the last event's arrival, and so
// would take a slow sink for a dead server.
type dialer struct {
	dialContext func(ctx context.Context, network, address string) (net.Conn, error)
	timeout     time.Duration

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	if closed { // the library connects once more to KILL its thread; a closed socket ends that too
		return nil, net.ErrClosed
	}
	c, err := d.dialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c = &watchedConn{Conn: c, timeout: d.timeout}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(d.conns, c)
	if d.closed {
		c.Close()
	}
	return c, nil
}

func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, c := range d.conns {
		c.Close() // a second close has nothing to say
	}
}

type watchedConn struct {
	net.Conn
	timeout time.Duration
}

func (c *watchedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// connectionError is an error after which a new connection may do.
type connectionError struct{ err error }

func (e connectionError) Error() string { return e.err.Error() }
func (e connectionError) Unwrap() error { return e.err }

func retryable(err error) bool {
	var c connectionError
	return errors.As(err, &c)
}

// retryCodes are server errors that pass: shutting down, too many connections,
// killed, network trouble.
var retryCodes = map[uint16]bool{1040: true, 1053: true, 1077: true, 1079: true, 1152: true, 1158: true, 1159: true, 1160: true, 1161: true, 1184: true,
	1203: true, 1317: true, 3032: true, 3168: true, 3169: true, 4031: true}

// classify sorts an error of the connection: position lost, to be tried again,
// or fatal.
func classify(err error) error {
	if errors.Is(err, ErrPositionLost) {
		return err
	}
	var my *mysql.MyError
	if errors.As(err, &my) {
		switch {
		case my.Code == 1789 || my.Code == 1236 && positionLost(my.Message):
			return fmt.Errorf("%w: %s", ErrPositionLost, my.Message)
		case my.Code == 1236 && strings.Contains(my.Message, "max_allowed_packet"):
			return fmt.Errorf("reading the binlog: %w; remedy: raise max_allowed_packet on the server to 1 GiB", err)
		case retryCodes[my.Code] || my.Code == 1236 && strings.Contains(my.Message, "same server"):
			return connectionError{err}
		}
		return fmt.Errorf("reading the binlog: %w", err)
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, mysql.ErrBadConn) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return connectionError{err}
	}
	return fmt.Errorf("reading the binlog: %w", err)
}

// positionLost tells by the text of error 1236, which stands for many faults,
// whether the log after our position is gone.
func positionLost(message string) bool {
	m := strings.ToLower(message)
	for _, s := range []string{"purged", "could not find first log file", "impossible position", "more gtids", "could not open log file"} {
		if strings.Contains(m, s) {
			return true
		}
	}
	return false
}
