package binlog

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	mathrand "math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

const (
	// writeTimeout is how long the server waits for us to read while the sink is
	// slow. Its default of a minute would cut the connection at every longer commit.
	writeTimeout = time.Hour
	readBuffer   = 512 << 10
	maxPacket    = 1<<24 - 1 // a longer event comes in several
	keepLong     = 16 << 20  // a buffer for long events that is larger goes back to the heap
)

var errChecksum = errors.New("the checksum of a binlog event is wrong; the server's disk or the network damages data")

// dump is a connection that the server dumps its binlog into.
//
// The library makes the connection (authentication, TLS) and we read from it:
// its own syncer copies each event twice and allocates for it half a dozen times,
// which is several times the cost of everything else that happens to a row of a
// small transaction. It also starts again by itself in the middle of one.
type dump struct {
	conn     *client.Conn
	br       *bufio.Reader
	long     []byte // an event that does not fit into br
	checksum bool   // events end in a CRC32, says the file's format description
}

func (r *run) newDialer() *dialer {
	return &dialer{timeout: 3 * r.cfg.Heartbeat}
}

// randomID returns the id of a replica, of a range that people do not use.
func randomID() uint32 { return 1<<30 + mathrand.Uint32N(1<<30) }

// open connects and asks for the binlog behind a position.
func (r *run) open(ctx context.Context, d *dialer, id uint32, at schema.Position, gtids bool) (*dump, error) {
	conn, err := r.connect(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := r.register(conn, id); err != nil {
		return nil, err
	}
	switch {
	case gtids && r.cfg.MariaDB:
		err = requestMariaDB(conn, id, at.GTIDs)
	case gtids:
		err = requestGTIDs(conn, id, at)
	case at.Offset > math.MaxUint32:
		err = fmt.Errorf("%w: %s lies beyond 4 GiB of its file, where only GTIDs can begin; remedy: SET PERSIST gtid_mode=ON, then load all tables again", ErrPositionLost, at)
	default:
		err = requestFile(conn, id, at.File, uint32(max(at.Offset, fileHeaderLength)))
	}
	if err != nil {
		return nil, err
	}
	return &dump{conn: conn, br: bufio.NewReaderSize(conn.Conn.Conn, readBuffer)}, nil
}

func (r *run) connect(ctx context.Context, d *dialer) (*client.Conn, error) {
	login, err := r.cfg.Login()
	if err != nil {
		return nil, err
	}
	if d.dialContext = login.Dial; d.dialContext == nil {
		d.dialContext = new(net.Dialer).DialContext
	}
	conn, err := client.ConnectWithDialer(ctx, "", login.Addr, login.User, login.Password, "", d.dial, func(c *client.Conn) error {
		c.SetTLSConfig(login.TLS)
		c.SetAttributes(map[string]string{"_client_role": "binary_log_listener"})
		return nil
	})
	if err != nil && r.cfg.Retry(err) {
		return nil, connectionError{err}
	}
	return conn, err
}

// register makes the session a replica's. The UUID is a fresh one each time: the
// server ends the older of two dumps with the same.
func (r *run) register(conn *client.Conn, id uint32) error {
	var u [16]byte
	rand.Read(u[:])
	uuid := fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
	for _, sql := range []string{
		fmt.Sprintf("SET SESSION net_write_timeout = %d", int(writeTimeout/time.Second)),
		// Says that we know checksums; the events keep those that they were written with.
		"SET @source_binlog_checksum = 'NONE', @master_binlog_checksum = 'NONE'",
		fmt.Sprintf("SET @source_heartbeat_period = %d, @master_heartbeat_period = %[1]d", r.cfg.Heartbeat.Nanoseconds()),
		fmt.Sprintf("SET @replica_uuid = '%s', @slave_uuid = '%[1]s'", uuid),
	} {
		if _, err := conn.Execute(sql); err != nil {
			return fmt.Errorf("preparing the binlog session: %w", err)
		}
	}
	if r.cfg.MariaDB {
		if err := registerMariaDB(conn); err != nil {
			return err
		}
	}
	host, _ := os.Hostname() // only shown by SHOW REPLICAS
	host = host[:min(len(host), 60)]
	b := binary.LittleEndian.AppendUint32([]byte{mysql.COM_REGISTER_SLAVE}, id)
	b = append(append(b, byte(len(host))), host...)
	b = append(b, make([]byte, 1+1+2+4+4)...) // user, password, port, rank, source's id
	if err := command(conn, b); err != nil {
		return err
	}
	_, err := conn.ReadOKPacket()
	return err
}

func requestFile(conn *client.Conn, id uint32, file string, offset uint32) error {
	b := binary.LittleEndian.AppendUint32([]byte{mysql.COM_BINLOG_DUMP}, offset)
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, id)
	return command(conn, append(b, file...))
}

func requestGTIDs(conn *client.Conn, id uint32, at schema.Position) error {
	set, err := mysql.ParseMysqlGTIDSet(at.GTIDs.String())
	if err != nil {
		return fmt.Errorf("position %s: %w", at, err)
	}
	encoded := set.Encode()
	b := binary.LittleEndian.AppendUint32([]byte{mysql.COM_BINLOG_DUMP_GTID, 0, 0}, id)
	b = binary.LittleEndian.AppendUint32(b, 0) // no file name
	b = binary.LittleEndian.AppendUint64(b, fileHeaderLength)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(encoded)))
	return command(conn, append(b, encoded...))
}

func command(conn *client.Conn, b []byte) error {
	conn.ResetSequence()
	return conn.WritePacket(append(make([]byte, 4, 4+len(b)), b...))
}

// next returns the next event: its header, and its body without checksum. Both
// are valid until the next call.
func (d *dump) next() (header, []byte, error) {
	p, err := d.packet()
	if err != nil {
		return header{}, nil, err
	}
	if len(p) == 0 {
		return header{}, nil, errEvent
	}
	switch p[0] {
	case mysql.OK_HEADER:
		return d.event(p[1:])
	case mysql.ERR_HEADER:
		return header{}, nil, d.conn.HandleErrorPacket(p)
	}
	return header{}, nil, io.EOF // the server ends the dump
}

func (d *dump) event(b []byte) (header, []byte, error) {
	h, err := parseHeader(b)
	if err != nil {
		return h, nil, err
	}
	if int(h.size) != len(b) {
		return h, nil, fmt.Errorf("an event of %d bytes says that it has %d: %w", len(b), h.size, errEvent)
	}
	if h.typ == evFormat { // the algorithm stands before the checksum, which is there even if it is none
		if len(b) < headerSize+1+checksumLength {
			return h, nil, errEvent
		}
		d.checksum = b[len(b)-checksumLength-1] == 1
	}
	if !d.checksum {
		return h, b[headerSize:], nil
	}
	n := len(b) - checksumLength
	if n < headerSize {
		return h, nil, errEvent
	}
	if crc32.ChecksumIEEE(b[:n]) != binary.LittleEndian.Uint32(b[n:]) {
		return h, nil, errChecksum
	}
	return h, b[headerSize:n], nil
}

// packet returns the payload of the next packet, or of several that belong
// together.
func (d *dump) packet() ([]byte, error) {
	const head = 4
	if cap(d.long) > keepLong {
		d.long = nil
	}
	d.long = d.long[:0]
	for {
		h, err := d.br.Peek(head)
		if err != nil {
			return nil, err
		}
		n := int(h[0]) | int(h[1])<<8 | int(h[2])<<16
		if len(d.long) == 0 && n+head <= d.br.Size() {
			b, err := d.br.Peek(head + n)
			if err != nil {
				return nil, err
			}
			_, err = d.br.Discard(head + n) // within what was peeked: the bytes stay until the next read
			return b[head:], err
		}
		if _, err := d.br.Discard(head); err != nil {
			return nil, err
		}
		start := len(d.long)
		d.long = append(d.long, make([]byte, n)...)
		if _, err := io.ReadFull(d.br, d.long[start:]); err != nil {
			return nil, err
		}
		if n < maxPacket {
			return d.long, nil
		}
	}
}

// dialer makes connections whose reads end when the server's heartbeat stays
// away, and that can be closed from outside. A deadline that was set when the
// last event arrived would take a slow sink for a dead server.
type dialer struct {
	dialContext func(ctx context.Context, network, address string) (net.Conn, error)
	timeout     time.Duration

	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.dialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.Join(net.ErrClosed, c.Close())
	}
	d.conn = c
	return &watchedConn{Conn: c, timeout: d.timeout}, nil
}

// close ends the connection, and with it a read that waits. The server notices
// at its next heartbeat.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil && !d.closed {
		_ = d.conn.Close() // it is not needed any more, and nothing was written to it
	}
	d.closed = true
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
