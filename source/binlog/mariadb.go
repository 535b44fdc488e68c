package binlog

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/beluga-cdc/beluga/schema"
)

// The events that only MariaDB has.
const (
	evAnnotateRows    = byte(replication.MARIADB_ANNOTATE_ROWS_EVENT)
	evCheckpoint      = byte(replication.MARIADB_BINLOG_CHECKPOINT_EVENT)
	evMariaDBGTID     = byte(replication.MARIADB_GTID_EVENT)
	evGTIDList        = byte(replication.MARIADB_GTID_LIST_EVENT)
	evStartEncryption = byte(replication.MARIADB_START_ENCRYPTION_EVENT)
	evQueryDeflated   = byte(replication.MARIADB_QUERY_COMPRESSED_EVENT)
	evWriteDeflated1  = byte(replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1)
	evDeleteDeflated1 = byte(replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1)
	evWriteDeflated2  = evDeleteDeflated1 + 1
	evDeleteDeflated2 = evDeleteDeflated1 + 3
)

// Flags of MariaDB's GTID event.
const (
	gtidStandalone    = 1 << 0 // a single statement follows, which ends the transaction
	gtidGroupCommit   = 1 << 1
	gtidPreparedXA    = 1 << 6
	gtidCompletedXA   = 1 << 7
	gtidMoreEngines   = 1 << 0 // of the second byte
	gtidStartAlter    = 1 << 1
	gtidCommitAlter   = 1 << 2
	gtidRollbackAlter = 1 << 3
	gtidThread        = 1 << 4
)

// registerMariaDB says what the server would not send else: GTID events, to which
// it gives no BEGIN then.
func registerMariaDB(conn *client.Conn) error {
	const knowsGTIDs = 4
	for _, sql := range []string{
		fmt.Sprintf("SET @mariadb_slave_capability = %d", knowsGTIDs),
		"SET @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0",
	} {
		if _, err := conn.Execute(sql); err != nil {
			return fmt.Errorf("preparing the binlog session: %w", err)
		}
	}
	return nil
}

// requestMariaDB asks for what comes after the last transactions of all domains.
// The command is the one for a place in a file; that it is GTIDs is said before.
func requestMariaDB(conn *client.Conn, id uint32, gtids schema.GTIDSet) error {
	if _, err := conn.Execute(fmt.Sprintf("SET @slave_connect_state = '%s'", gtids)); err != nil {
		return fmt.Errorf("asking for the binlog after %s: %w", gtids, err)
	}
	return requestFile(conn, id, "", fileHeaderLength)
}

// onMariaDBGTID begins a transaction. There is no BEGIN: the event says whether an
// end will come.
func (r *run) onMariaDBGTID(h *header, body []byte) error {
	if err := r.betweenTransactions(h); err != nil {
		return err
	}
	r.txn = transaction{open: true, file: r.file, start: r.start, time: int64(h.time) * 1_000_000, serverID: h.serverID}
	t := &r.txn
	if err := t.readMariaDBGTID(body, h.serverID); err != nil {
		return err
	}
	if t.held != nil {
		t.held.place = place{t.file, t.start}
	}
	if r.gtids.Contains(t.gtid) {
		// Numbers that do not grow, in a domain that several servers write to, look alike.
		return fmt.Errorf("%w: the server sends %s after %s: it was reset and counts anew, or several servers write to domain %d (SET GLOBAL gtid_strict_mode = ON refuses that)", ErrPositionLost, t.gtid, r.gtids, t.gtid.Domain())
	}
	return r.resumeHalf()
}

func (t *transaction) readMariaDBGTID(body []byte, server uint32) error {
	c := cursor{b: body}
	n, domain, flags := c.number(8), uint32(c.number(4)), c.number(1)
	if n == 0 || n >= 1<<63-1 {
		return errEvent
	}
	t.gtid = schema.MariaDBGTID(domain, server, int64(n))
	t.group = flags&gtidStandalone == 0
	if flags&gtidGroupCommit != 0 {
		c.take(8)
	}
	if flags&(gtidPreparedXA|gtidCompletedXA) != 0 {
		format, global, branch := c.number(4), int(c.number(1)), int(c.number(1))
		id := fmt.Sprintf("X'%x',X'%x',%d", c.take(global), c.take(branch), format)
		if flags&gtidPreparedXA != 0 {
			t.xid, t.held = id, &held{}
		}
	}
	if c.bad {
		return errEvent
	}
	more := cursor{b: c.b}
	extra := more.number(1)
	if extra&gtidMoreEngines != 0 {
		more.take(1)
	}
	if extra&(gtidCommitAlter|gtidRollbackAlter) != 0 {
		more.take(8)
	}
	if thread := uint32(more.number(4)); extra&gtidThread != 0 && !more.bad {
		t.thread = thread
	}
	// An ALTER that is logged when it begins and again when it has ended counts then.
	t.announced = extra&(gtidStartAlter|gtidRollbackAlter) != 0
	return nil
}

// onDeflated takes an event whose last part is compressed (log_bin_compress).
func (r *run) onDeflated(ctx context.Context, h *header, body []byte) error {
	plain, b, err := r.deflated.event(h, body)
	if err != nil {
		return fmt.Errorf("compressed event at %s: %w", r.where(h), err)
	}
	return r.onEvent(ctx, &plain, b)
}

func isDeflated(typ byte) bool { return typ >= evQueryDeflated && typ <= evDeleteDeflated2 }

// queryHead returns the length of what stands before the text of a statement.
func queryHead(body []byte) (int, error) {
	q, err := parseQuery(body, 0)
	return len(body) - len(q.text), err
}

// rowsHead returns the length of what stands before the images of a rows event.
func rowsHead(body []byte, typ byte) (int, error) {
	c := cursor{b: body}
	c.take(8)
	if typ >= evWriteRows2 {
		c.take(int(c.number(2)) - 2)
	}
	n := (c.packed() + 7) / 8
	c.take(n)
	if rowsOp(typ) == schema.OpUpdate {
		c.take(n)
	}
	return len(body) - len(c.b), c.err()
}

// deflated undoes MariaDB's compression of parts of events: a byte of which the
// lower bits are the length of a big-endian size, and the upper ones the
// algorithm, of which there is one; the size; a zlib stream.
type deflated struct {
	in  bytes.Reader
	z   io.ReadCloser
	out []byte
}

// event returns the event that was compressed. It is valid until the next call.
func (d *deflated) event(h *header, body []byte) (plain header, b []byte, err error) {
	plain = *h
	var head int
	switch {
	case h.typ == evQueryDeflated:
		plain.typ = evQuery
		head, err = queryHead(body)
	case h.typ >= evWriteDeflated2:
		plain.typ = evWriteRows2 + h.typ - evWriteDeflated2
		head, err = rowsHead(body, plain.typ)
	default:
		plain.typ = evWriteRows1 + h.typ - evWriteDeflated1
		head, err = rowsHead(body, plain.typ)
	}
	if err == nil {
		b, err = d.plain(body[:head], body[head:])
	}
	return plain, b, err
}

var errDeflated = errors.New("its compression is damaged, or none that is known")

// plain returns the head and what was compressed behind it.
func (d *deflated) plain(head, packed []byte) ([]byte, error) {
	c := cursor{b: packed}
	form := c.number(1)
	size := 0
	for _, b := range c.take(int(form & 7)) {
		size = size<<8 | int(b)
	}
	if c.bad || form&0xf8 != 0x80 || size > maxEvent {
		return nil, errDeflated
	}
	d.in.Reset(c.b)
	var err error
	if d.z == nil {
		d.z, err = zlib.NewReader(&d.in)
	} else {
		err = d.z.(zlib.Resetter).Reset(&d.in, nil)
	}
	if err != nil {
		d.z = nil
		return nil, fmt.Errorf("inflating: %w", err)
	}
	if cap(d.out) > keepLong {
		d.out = nil
	}
	d.out = append(d.out[:0], head...)
	d.out = append(d.out, make([]byte, size)...)
	if _, err := io.ReadFull(d.z, d.out[len(head):]); err != nil {
		return nil, fmt.Errorf("inflating: %w", err)
	}
	return d.out, nil
}

// isSequence tells whether the names are those of a SEQUENCE: an object of the
// server that keeps its state in a table, and logs it as rows. It is no table to
// those who use it.
func isSequence(names [][]byte) bool {
	const columns = "next_not_cached_value,minimum_value,maximum_value,start_value,increment,cache_size,cycle_option,cycle_count"
	return len(names) == strings.Count(columns, ",")+1 && string(bytes.Join(names, []byte(","))) == columns
}

// nameTypes gives columns the types that a table map of MariaDB does not tell from
// strings of bytes. What the table has now is asked of the dictionary each time a
// map is new; where it has changed since, the difference from the shape that was
// announced stops the table.
func (r *run) nameTypes(ctx context.Context, shape *schema.Table) error {
	mayDiffer := func(c schema.Column) bool {
		return c.Type.Kind == schema.Binary && (c.Type.Length == 4 || c.Type.Length == 16)
	}
	if !slices.ContainsFunc(shape.Columns, mayDiffer) {
		return nil
	}
	now, err := r.cfg.Describe(ctx, shape.ID)
	if err != nil {
		return fmt.Errorf("reading the columns of %s: %w", shape.ID, err)
	}
	if now == nil { // a later statement says so
		return nil
	}
	for i := range shape.Columns {
		c := &shape.Columns[i]
		j := now.Column(c.Name)
		if j < 0 || !mayDiffer(*c) {
			continue
		}
		switch k := now.Columns[j].Type.Kind; k {
		case schema.UUID, schema.INET6, schema.INET4:
			if (k == schema.INET4) == (c.Type.Length == 4) {
				c.Type = now.Columns[j].Type
			}
		}
	}
	return shape.Prepare()
}

// persist is how a setting of the server is changed for good.
func (r *run) persist(name, value string) string {
	if r.cfg.MariaDB {
		return fmt.Sprintf("SET GLOBAL %s=%s, and the same in the server's configuration", name, value)
	}
	return fmt.Sprintf("SET PERSIST %s=%s", name, value)
}
