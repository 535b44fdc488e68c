package binlog

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/beluga-cdc/beluga/schema"
)

// errEnough ends a walk over a file.
var errEnough = errors.New("enough was read")

// findPrepared returns where the XA transaction begins that is committed at the
// present event. It was prepared before this run began, or before the
// connection was lost, mostly a moment before: so files are searched from the
// newest to the oldest. An identifier may be used again; the last use counts.
func (r *run) findPrepared(ctx context.Context, id string) (place, error) {
	files, err := r.listFiles(ctx)
	if err != nil {
		return place{}, err
	}
	end := r.txn.start // of the search in the newest file
	for i := len(files) - 1; i >= 0; i-- {
		r.cfg.Logger.Info("looking in the binlog for an XA transaction that was prepared before", "xid", id, "file", files[i])
		at, err := r.findIn(ctx, files[i], end, id)
		if err != nil || at.file != "" {
			return at, err
		}
		end = math.MaxUint64
	}
	return place{}, &UnknownXAError{id, fmt.Sprintf("%s:%d", r.file, r.start), files[0]}
}

// listFiles returns the server's binlog files up to the one that is being read.
func (r *run) listFiles(ctx context.Context) (files []string, err error) {
	d := r.newDialer()
	defer d.close()
	defer context.AfterFunc(ctx, d.close)()
	conn, err := r.connect(ctx, d)
	if err != nil {
		return nil, classify(err)
	}
	result, err := conn.Execute("SHOW BINARY LOGS")
	if err != nil {
		return nil, classify(fmt.Errorf("listing the binary logs: %w", err))
	}
	// The names lie within the result. Close would give it to whoever asks next, on
	// any connection, to write into.
	for i := range result.RowNumber() {
		name, err := result.GetString(i, 0)
		if err != nil {
			return nil, fmt.Errorf("listing the binary logs: %w", err)
		}
		files = append(files, name)
		if name == r.file {
			return files, nil
		}
	}
	return nil, connectionError{fmt.Errorf("the server does not list the file %s that it sends; the address may lead to several servers", r.file)}
}

// findIn returns where the last XA transaction with the identifier begins that
// the file holds before the place; the zero place, if it holds none.
func (r *run) findIn(ctx context.Context, file string, end uint64, id string) (found place, err error) {
	begin, started := place{file: file}, false
	err = r.walk(ctx, place{file, fileHeaderLength}, func(h *header, body []byte, at uint64) error {
		switch h.typ {
		case evGTID, evAnonymousGTID, evTaggedGTID:
			if at >= end {
				return errEnough
			}
			begin.start, started = at, false
		case evMariaDBGTID:
			if at >= end {
				return errEnough
			}
			var t transaction
			if err := t.readMariaDBGTID(body, h.serverID); err != nil {
				return err
			}
			begin.start, started = at, t.xid == id
		case evQuery:
			q, err := parseQuery(body, 0)
			if err != nil {
				return err
			}
			if ts := tokens(q.text[:min(len(q.text), len("XA START "))], 0); len(ts) > 1 && ts[0].is("XA") && ts[1].is("START") {
				started = xid(q.text) == id
			}
		case evXAPrepare:
			if started {
				found = begin
			}
		}
		return nil
	})
	return found, err
}

// readAgain replays the rows of the XA transaction that begins at the place.
func (r *run) readAgain(ctx context.Context, commit *header, id string, at place) error {
	r.cfg.Logger.Debug("reading a prepared XA transaction again", "xid", id, "file", at.file, "offset", at.start)
	started, complete := false, false
	var packed deflated
	err := r.walk(ctx, at, func(h *header, body []byte, start uint64) error {
		if isDeflated(h.typ) {
			plain, b, err := packed.event(h, body)
			if err != nil {
				return err
			}
			h, body = &plain, b
		}
		switch h.typ {
		case evMariaDBGTID:
			started = started || start == at.start // it names the XA transaction, which was looked for
		case evQuery:
			q, err := parseQuery(body, 0)
			if err != nil {
				return err
			}
			started = started || xid(q.text) == id
		case evTableMap, evWriteRows2, evUpdateRows2, evDeleteRows2, evWriteRows1, evUpdateRows1, evDeleteRows1, evPartialUpdate:
			if started {
				return r.replay(ctx, commit, h.typ, body)
			}
		case evXAPrepare:
			complete = started
			return errEnough
		}
		return nil
	})
	if err == nil && !complete {
		return fmt.Errorf("the XA transaction %s is not at %s:%d any more: %w", id, at.file, at.start, errEvent)
	}
	return err
}

// walk reads one file of the binlog, over a connection of its own, from a place
// on, and calls f with each event, those within compressed transactions too,
// and where it starts. errEnough of f ends it, as does the end of the file.
func (r *run) walk(ctx context.Context, from place, f func(h *header, body []byte, at uint64) error) error {
	d := r.newDialer()
	defer d.close()
	defer context.AfterFunc(ctx, d.close)()
	first := from.start
	if first > math.MaxUint32 { // where no dump can begin
		first = fileHeaderLength
	}
	// Never the id of the stream: MariaDB ends the older of two dumps with the same.
	dump, err := r.open(ctx, d, randomID(), schema.Position{File: from.file, Offset: first}, false)
	if err != nil {
		return classify(err)
	}
	inflater, err := newInflater()
	if err != nil {
		return err
	}
	defer inflater.Close()
	for offset := first; ; {
		h, body, err := dump.next()
		if err != nil {
			return classify(err)
		}
		if h.typ == evRotate { // made up at the beginning, to tell the file; at the end it leads to the next
			if c := (cursor{b: body}); c.take(8) == nil || string(c.b) != from.file {
				return c.err()
			}
			continue
		}
		behind, ok := h.endIn(offset)
		if !ok && r.cfg.MariaDB && h.end == 0 && h.flags&flagArtificial == 0 && h.typ != evFormat && h.typ != evHeartbeat {
			behind, ok = offset+uint64(h.size), true // within a transaction, events do not say where they end
		}
		if !ok {
			continue
		}
		at := behind - uint64(h.size)
		if offset = behind; at < from.start {
			continue
		}
		if h.typ == evPayload {
			err = inflate(inflater, body, func(h *header, body []byte) error { return f(h, body, at) })
		} else {
			err = f(&h, body, at)
		}
		if errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
