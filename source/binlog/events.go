package binlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/beluga-cdc/beluga/schema"
)

// The events that matter, by MySQL's numbers.
const (
	evQuery          = byte(replication.QUERY_EVENT)
	evStop           = byte(replication.STOP_EVENT)
	evRotate         = byte(replication.ROTATE_EVENT)
	evFormat         = byte(replication.FORMAT_DESCRIPTION_EVENT)
	evXID            = byte(replication.XID_EVENT)
	evExecuteLoad    = byte(replication.EXECUTE_LOAD_QUERY_EVENT)
	evTableMap       = byte(replication.TABLE_MAP_EVENT)
	evWriteRows0     = byte(replication.WRITE_ROWS_EVENTv0)
	evDeleteRows0    = byte(replication.DELETE_ROWS_EVENTv0)
	evWriteRows1     = byte(replication.WRITE_ROWS_EVENTv1)
	evUpdateRows1    = byte(replication.UPDATE_ROWS_EVENTv1)
	evDeleteRows1    = byte(replication.DELETE_ROWS_EVENTv1)
	evIncident       = byte(replication.INCIDENT_EVENT)
	evPreviousGTIDs  = byte(replication.PREVIOUS_GTIDS_EVENT)
	evHeartbeat      = byte(replication.HEARTBEAT_EVENT)
	evWriteRows2     = byte(replication.WRITE_ROWS_EVENTv2)
	evUpdateRows2    = byte(replication.UPDATE_ROWS_EVENTv2)
	evDeleteRows2    = byte(replication.DELETE_ROWS_EVENTv2)
	evGTID           = byte(replication.GTID_EVENT)
	evAnonymousGTID  = byte(replication.ANONYMOUS_GTID_EVENT)
	evXAPrepare      = byte(replication.XA_PREPARE_LOG_EVENT)
	evPartialUpdate  = byte(replication.PARTIAL_UPDATE_ROWS_EVENT)
	evPayload        = byte(replication.TRANSACTION_PAYLOAD_EVENT)
	evHeartbeat2     = byte(replication.HEARTBEAT_LOG_EVENT_V2)
	evTaggedGTID     = byte(replication.GTID_TAGGED_LOG_EVENT)
	flagArtificial   = replication.LOG_EVENT_ARTIFICIAL_F
	flagIgnorable    = replication.LOG_EVENT_IGNORABLE_F
	checksumLength   = replication.BinlogChecksumLength
	fileHeaderLength = 4 // "\xfebin", before the first event
)

// harmless are events without meaning for row changes: what statement-format
// DML leaves beside its query (which is looked at), and the group
// replication's own.
var harmless = [256]bool{
	replication.INTVAR_EVENT: true, replication.RAND_EVENT: true, replication.USER_VAR_EVENT: true,
	replication.BEGIN_LOAD_QUERY_EVENT: true, replication.APPEND_BLOCK_EVENT: true, replication.DELETE_FILE_EVENT: true,
	replication.IGNORABLE_EVENT: true, replication.ROWS_QUERY_EVENT: true,
	replication.TRANSACTION_CONTEXT_EVENT: true, replication.VIEW_CHANGE_EVENT: true,
	evAnnotateRows: true, evCheckpoint: true, evStartEncryption: true,
}

// onEvent takes one event of the binlog: its header, and its body without
// checksum.
func (r *run) onEvent(ctx context.Context, h *header, body []byte) error {
	r.advance(h)
	switch h.typ {
	case evTableMap:
		if r.txn.held != nil {
			return r.hold(ctx, h, body)
		}
		return r.onTableMap(ctx, body)
	case evWriteRows2, evUpdateRows2, evDeleteRows2, evWriteRows1, evUpdateRows1, evDeleteRows1, evPartialUpdate:
		if r.txn.held != nil {
			return r.hold(ctx, h, body)
		}
		return r.takeRows(ctx, h, body)
	case evXID:
		return r.endTransaction(ctx, h)
	case evGTID, evAnonymousGTID, evTaggedGTID:
		return r.onGTID(h, body)
	case evMariaDBGTID:
		return r.onMariaDBGTID(h, body)
	case evQuery:
		return r.onQuery(ctx, h, body)
	case evExecuteLoad:
		return r.onExecuteLoad(body)
	case evPayload:
		return r.onPayload(ctx, h, body)
	case evXAPrepare:
		return r.onXAPrepare(ctx, h, body)
	case evRotate:
		return r.onRotate(ctx, h, body)
	case evFormat, evStop, evPreviousGTIDs, evGTIDList:
		return r.onFileEvent(ctx, h)
	case evHeartbeat, evHeartbeat2:
		return nil
	case evIncident:
		return fmt.Errorf("the server logged an incident at %s: changes may be missing from the binlog; remedy: load all tables again", r.where(h))
	}
	if isDeflated(h.typ) {
		return r.onDeflated(ctx, h, body)
	}
	if harmless[h.typ] || h.flags&flagIgnorable != 0 {
		return nil
	}
	return fmt.Errorf("the binlog has an event of type %d at %s, which is not known and may change rows; remedy: use a version that knows this server", h.typ, r.where(h))
}

// advance follows the place in the file.
func (r *run) advance(h *header) {
	if end, ok := h.endIn(r.offset); ok {
		r.start, r.offset = end-uint64(h.size), end
	}
}

// takeRows takes a rows event, and hands blocks on that have become large.
func (r *run) takeRows(ctx context.Context, h *header, body []byte) error {
	if err := r.onRows(ctx, h, body); err != nil {
		return err
	}
	if r.bytes >= blockBytes {
		return r.sendBlocks(ctx)
	}
	return nil
}

func (r *run) where(h *header) string { return fmt.Sprintf("%s:%d", r.file, r.start) }

// onRotate takes the name of the file that follows. The server also makes such
// an event up at the start of a dump, to tell where it begins.
func (r *run) onRotate(ctx context.Context, h *header, body []byte) error {
	c := cursor{b: body}
	offset := c.number(8)
	if c.bad {
		return errEvent
	}
	artificial := h.flags&flagArtificial != 0 || h.end == 0
	if artificial && string(c.b) == r.file && !r.connecting {
		return nil
	}
	if !artificial {
		if err := r.betweenTransactions(h); err != nil {
			return err
		}
	}
	r.connecting = false
	r.file = string(c.b)
	r.offset, r.boundary = offset, offset
	if r.until != nil && !r.gtidMode && !artificial {
		return r.checkUntil(ctx)
	}
	return nil
}

// onFileEvent takes an event that begins or ends a file. A server that has just
// begun one stands behind the first of them, with no transaction there yet.
func (r *run) onFileEvent(ctx context.Context, h *header) error {
	if err := r.betweenTransactions(h); err != nil {
		return err
	}
	if _, ok := h.endIn(r.offset); !ok || r.gtidMode {
		return nil
	}
	r.boundary = r.offset
	if r.until != nil {
		return r.checkUntil(ctx)
	}
	return nil
}

// betweenTransactions checks that a transaction is not cut off by the event.
// MySQL cuts a torn one off at its recovery, so that none should be seen.
func (r *run) betweenTransactions(h *header) error {
	if r.txn.open && r.txn.captured != nil {
		return fmt.Errorf("the binlog ends transaction %s with neither commit nor rollback, at %s; remedy: load table %s again", r.txn.id(), r.where(h), r.txn.captured.id)
	}
	if h.flags&flagArtificial == 0 && h.end != 0 {
		r.txn.open = false
	}
	return nil
}

// onGTID begins a transaction.
func (r *run) onGTID(h *header, body []byte) error {
	if err := r.betweenTransactions(h); err != nil {
		return err
	}
	r.txn = transaction{open: true, file: r.file, start: r.start, time: int64(h.time) * 1_000_000, serverID: h.serverID}
	t := &r.txn
	if h.typ == evTaggedGTID {
		if err := t.readTagged(body); err != nil {
			return err
		}
	} else if err := t.readGTID(h.typ, body); err != nil {
		return err
	}
	if r.leavesOut(t) {
		return r.resumeHalf()
	}
	if r.gtidMode && r.gtids.Contains(t.gtid) {
		// It does not say so, and goes on with the names of earlier transactions.
		return fmt.Errorf("%w: the server sends %s, which we have: it was reset and counts anew", ErrPositionLost, t.gtid)
	}
	if r.gtidMode && t.gtid.IsZero() {
		return fmt.Errorf("the server logs transactions without GTIDs (at %s), but our position is a GTID set; remedy: SET PERSIST gtid_mode=ON again, then load all tables again", r.where(h))
	}
	return r.resumeHalf()
}

// leavesOut tells whether a transaction is of a server that was left out. Such a one
// may come a second time: its server was not told that we have it.
func (r *run) leavesOut(t *transaction) bool {
	if r.cfg.LeftOut == nil || t.gtid.IsZero() {
		return false
	}
	left, known := r.leftOut[t.gtid.UUID]
	if !known {
		left = r.cfg.LeftOut(t.gtid.UUID)
		r.leftOut[t.gtid.UUID] = left
	}
	t.seen = left && r.gtidMode && r.gtids.Contains(t.gtid)
	t.passed = t.seen || left && !r.cfg.KeepRows
	return t.passed
}

// readGTID reads GTID_EVENT and ANONYMOUS_GTID_EVENT: flags, UUID, number, and
// from MySQL 8.0 on a type byte, two logical clocks and the commit times.
func (t *transaction) readGTID(typ byte, body []byte) error {
	c := cursor{b: body}
	c.take(1)
	uuid, n := c.take(16), int64(c.number(8))
	if c.bad {
		return errEvent
	}
	if typ == evGTID {
		copy(t.gtid.UUID[:], uuid)
		t.gtid.N = n
	}
	if len(c.b) >= 17+7 && c.b[0] == replication.LogicalTimestampTypeCode {
		c.take(17)
		const hasOriginal = 1 << 55
		immediate := c.number(7)
		t.time = int64(immediate &^ hasOriginal)
		if immediate&hasOriginal != 0 {
			t.time = int64(c.number(7))
		}
	}
	return c.err()
}

// readTagged reads GTID_TAGGED_LOG_EVENT, which has another encoding. Tags are
// rare enough for the library's reader of it.
func (t *transaction) readTagged(body []byte) error {
	var e replication.GtidTaggedLogEvent
	if err := e.Decode(bytes.Clone(body)); err != nil {
		return fmt.Errorf("reading a tagged GTID: %w", err)
	}
	if len(e.SID) != 16 {
		return errEvent
	}
	copy(t.gtid.UUID[:], e.SID)
	t.gtid.Tag, t.gtid.N = e.Tag.String(), e.GNO
	if e.OriginalCommitTimestamp != 0 {
		t.time = int64(e.OriginalCommitTimestamp)
	}
	return nil
}

// onQuery takes what stands in the log as a statement: the brackets of
// transactions, DDL, and DML of the statement format.
func (r *run) onQuery(ctx context.Context, h *header, body []byte) error {
	if len(body) > 5 && bytes.HasSuffix(body, []byte("BEGIN")) && body[len(body)-6] == 0 {
		r.begin(h, binary.LittleEndian.Uint32(body)) // the commonest, without the rest of the work
		return nil
	}
	q, err := parseQuery(body, 0)
	if err != nil {
		return err
	}
	q.toUTF8(r.cfg.Collations)
	if r.txn.announced {
		r.txn.announced = false
		return r.endTransaction(ctx, h)
	}
	if !r.txn.open { // a server without GTID events
		r.txn = transaction{open: true, file: r.file, start: r.start, time: int64(h.time) * 1_000_000, serverID: h.serverID}
	}
	r.txn.thread = q.thread
	return r.onStatement(ctx, h, &q)
}

func (r *run) begin(h *header, thread uint32) {
	if !r.txn.open {
		r.txn = transaction{open: true, file: r.file, start: r.start, time: int64(h.time) * 1_000_000, serverID: h.serverID}
	}
	r.txn.group, r.txn.thread = true, thread
}

func (r *run) origin(h *header) schema.Origin {
	return schema.Origin{GTID: r.txn.gtid, File: r.file, Pos: r.start, Time: r.txn.time, ServerID: h.serverID, Thread: r.txn.thread}
}
