package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/beluga-cdc/beluga/schema"
)

// HeaderKey is the key of the header that makes a record one of this log.
const HeaderKey = "b"

// Kind says what a record is.
type Kind uint8

// The kinds. Number 5 is kept for barriers.
const (
	Row   Kind = 1
	Fence Kind = 2
	Cut   Kind = 3
	DDL   Kind = 4
)

// Txn identifies what the source repeats as one piece when it is read again: a
// transaction by its GTID, or, where GTIDs are off, a rows event by its place.
// The zero Txn is no transaction at all: a row of a load.
type Txn struct {
	GTID schema.GTID
	File string
	Pos  uint64
}

// IsZero tells whether there is no transaction.
func (t Txn) IsZero() bool { return t.GTID.IsZero() && t.File == "" }

// Before tells whether everything of t lies before p.
func (t Txn) Before(p schema.Position) bool {
	return p.Covers(&schema.Origin{GTID: t.GTID, File: t.File, Pos: t.Pos})
}

// Record is the header of a record, decoded.
type Record struct {
	Kind  Kind
	Epoch int64 // of the source that wrote it: the offset of its claim
	Seq   int64 // number within the partition, from 1; a fence has none

	// Row, DDL
	Version int64 // of the table

	// Row
	Txn     Txn
	Ordinal int64 // grows within the transaction, the same in every run
	Time    int64 // when the source committed, µs since 1970
	Form    int64 // how the event is written, a number of the transport's; 0 usually

	// DDL
	Reset     bool // what stands before is void
	Continued bool // a load goes on: rows of it that follow may stand before it too
	Lane      bool // the table is loaded among its changes from here on

	// Cut
	Cut    int64 // number of the cut, growing over all sources
	Tables int64 // how many tables the log had then

	// Fence: the identity of the log; Cut, DDL: JSON of the transport's.
	Payload []byte
}

// The header, format 1, integers as unsigned varints unless said otherwise:
//
//	byte format (1), byte kind, epoch
//	FENCE  bytes to the end: identity of the log
//	other  seq, then
//	ROW    version, ordinal, time (signed), byte origin, with 16 added where the
//	       event's form follows it; then by the origin: 0 nothing;
//	       1: UUID (16 bytes), number, tag to the end;
//	       2: position, file to the end
//	CUT    cut, tables, JSON to the end
//	DDL    version, byte: 0 another shape, 1 reset, 2 continued, 3 reset for a lane,
//	       4 lane without one; JSON to the end
//
// A reader refuses a format or a kind that it does not know: to pass over one
// would be to pass over a number.
const format = 1

const (
	originNone = iota
	originGTID
	originFile
	originForm = 16
)

const (
	ddlShape = iota
	ddlReset
	ddlContinued
	ddlLane
	ddlLaneKept
)

// Append appends the record as the bytes of a header.
func (r *Record) Append(b []byte) []byte {
	b = append(b, format, byte(r.Kind))
	b = binary.AppendUvarint(b, uint64(r.Epoch))
	if r.Kind != Fence {
		b = binary.AppendUvarint(b, uint64(r.Seq))
	}
	switch r.Kind {
	case Row:
		b = binary.AppendUvarint(b, uint64(r.Version))
		b = binary.AppendUvarint(b, uint64(r.Ordinal))
		b = binary.AppendVarint(b, r.Time)
		return r.appendOrigin(b)
	case Cut:
		b = binary.AppendUvarint(b, uint64(r.Cut))
		b = binary.AppendUvarint(b, uint64(r.Tables))
	case DDL:
		b = binary.AppendUvarint(b, uint64(r.Version))
		switch {
		case r.Lane && r.Reset:
			b = append(b, ddlLane)
		case r.Lane:
			b = append(b, ddlLaneKept)
		case r.Reset:
			b = append(b, ddlReset)
		case r.Continued:
			b = append(b, ddlContinued)
		default:
			b = append(b, ddlShape)
		}
	}
	return append(b, r.Payload...)
}

// appendOrigin appends the end of a row's header.
func (r *Record) appendOrigin(b []byte) []byte {
	origin := byte(originNone)
	switch {
	case !r.Txn.GTID.IsZero():
		origin = originGTID
	case r.Txn.File != "":
		origin = originFile
	}
	if r.Form == 0 {
		b = append(b, origin)
	} else {
		b = binary.AppendUvarint(append(b, origin|originForm), uint64(r.Form))
	}
	switch origin {
	case originGTID:
		b = append(b, r.Txn.GTID.UUID[:]...)
		b = binary.AppendUvarint(b, uint64(r.Txn.GTID.N))
		return append(b, r.Txn.GTID.Tag...)
	case originFile:
		b = binary.AppendUvarint(b, r.Txn.Pos)
		return append(b, r.Txn.File...)
	}
	return b
}

var errHeader = errors.New("the record's header ends early")

// Parse reads the bytes of a header into r. Payload points into b; texts that r
// held before are kept where they are the same, so that the rows of one
// transaction cost no memory.
func (r *Record) Parse(b []byte) error {
	if len(b) < 2 {
		return errHeader
	}
	if b[0] != format {
		return fmt.Errorf("the record's header has format %d, this program reads format %d: use the version that wrote it, or a later one", b[0], format)
	}
	file, tag := r.Txn.File, r.Txn.GTID.Tag
	*r = Record{Kind: Kind(b[1])}
	p := input{b: b[2:]}
	r.Epoch = int64(p.uvarint())
	if r.Kind != Fence {
		r.Seq = int64(p.uvarint())
	}
	switch r.Kind {
	case Row:
		r.Version, r.Ordinal, r.Time = int64(p.uvarint()), int64(p.uvarint()), p.varint()
		origin := p.byte()
		if origin&originForm != 0 {
			r.Form = int64(p.uvarint())
		}
		switch origin &^ originForm {
		case originNone:
		case originGTID:
			copy(r.Txn.GTID.UUID[:], p.take(16))
			r.Txn.GTID.N = int64(p.uvarint())
			r.Txn.GTID.Tag = keep(tag, p.b)
		case originFile:
			r.Txn.Pos = p.uvarint()
			r.Txn.File = keep(file, p.b)
		default:
			return fmt.Errorf("the record's header has an unknown origin %d", origin)
		}
		if r.Txn.GTID.N < 0 || r.Txn.IsZero() && r.Txn != (Txn{}) {
			return errors.New("the record's header names a transaction that cannot be")
		}
	case Cut:
		r.Cut, r.Tables, r.Payload = int64(p.uvarint()), int64(p.uvarint()), p.b
	case DDL:
		version, form := p.uvarint(), p.byte()
		if form > ddlLaneKept {
			return fmt.Errorf("the record's header has an unknown form of DDL %d", form)
		}
		r.Version, r.Payload = int64(version), p.b
		r.Lane = form >= ddlLane
		r.Reset, r.Continued = form == ddlReset || form == ddlLane, form == ddlContinued
	case Fence:
		r.Payload = p.b
	default:
		return fmt.Errorf("the record is of kind %d, which this program does not know: use the version that wrote it, or a later one", r.Kind)
	}
	if p.short {
		return errHeader
	}
	return nil
}

func keep(old string, b []byte) string {
	if old == string(b) {
		return old
	}
	return string(b)
}

type input struct {
	b     []byte
	short bool
}

func (p *input) uvarint() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.short, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *input) varint() int64 {
	v, n := binary.Varint(p.b)
	if n <= 0 {
		p.short, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *input) take(n int) []byte {
	if len(p.b) < n {
		p.short, p.b = true, nil
		return nil
	}
	t := p.b[:n]
	p.b = p.b[n:]
	return t
}

func (p *input) byte() byte {
	if t := p.take(1); len(t) == 1 {
		return t[0]
	}
	return 0
}
