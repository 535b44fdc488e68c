package debezium

import (
	"bytes"
	"strconv"

	"github.com/beluga-cdc/beluga/schema"
)

// sourceBlock writes everything that follows the row images. All of it but the
// row's number and the op is the same for the rows of an origin, so it is made
// once for them: that is two thirds of a small event.
type sourceBlock struct {
	cfg Config
	// Constant parts.
	first string // up to the value of source.ts_ms
	db    string // "db":"…","sequence":null,"ts_us":
	table string // "table":"…","server_id":

	origin schema.Origin
	load   bool
	valid  bool
	server []byte // text of the GTID's server and tag, which hardly ever change

	head, middle, tail []byte // up to the row's number; up to the op; the rest
}

func newSourceBlock(id schema.TableID, cfg Config) sourceBlock {
	return sourceBlock{
		cfg:   cfg,
		first: `,"source":{"version":` + quote(cfg.Version) + `,"connector":"mysql","name":` + quote(cfg.Name) + `,"ts_ms":`,
		db:    `,"db":` + quote(id.Database) + `,"sequence":null,"ts_us":`,
		table: `,"table":` + quote(id.Name) + `,"server_id":`,
	}
}

// set prepares for rows of an origin. Origins are compared by value: the memory
// that o points at is used again for other ones.
func (s *sourceBlock) set(o *schema.Origin, load bool) {
	if s.valid && s.load == load && s.origin == *o {
		return
	}
	if s.origin.GTID.UUID != o.GTID.UUID || s.origin.GTID.Tag != o.GTID.Tag || len(s.server) == 0 {
		s.server = o.GTID.Append(s.server[:0])
		s.server = s.server[:bytes.LastIndexAny(s.server, ":-")+1] // the latter in MariaDB's
	}
	s.origin, s.load, s.valid = *o, load, true
	s.setHead(o, load)
	s.setTail(o, load)
}

// setHead writes what stands before the row's number.
func (s *sourceBlock) setHead(o *schema.Origin, load bool) {
	var digits [24]byte
	at := timeTexts(digits[:0], o.Time*1000)
	h := append(s.head[:0], s.first...)
	h = append(h, at[0]...)
	if load {
		h = append(h, `,"snapshot":"true"`...)
	} else {
		h = append(h, `,"snapshot":"false"`...)
	}
	h = append(h, s.db...)
	h = append(h, at[1]...)
	h = append(h, `,"ts_ns":`...)
	h = append(h, at[2]...)
	h = append(h, s.table...)
	h = strconv.AppendUint(h, uint64(o.ServerID), 10)
	if o.GTID.IsZero() {
		h = append(h, `,"gtid":null,"file":`...)
	} else {
		h = append(h, `,"gtid":"`...)
		h = append(h, s.server...)
		h = strconv.AppendInt(h, o.GTID.N, 10)
		h = append(h, `","file":`...)
	}
	h, _ = appendText(h, []byte(o.File))
	h = append(h, `,"pos":`...)
	h = strconv.AppendUint(h, o.Pos, 10)
	s.head = append(h, `,"row":`...)
}

// setTail writes what stands between the row's number and the op, and behind
// the op.
func (s *sourceBlock) setTail(o *schema.Origin, load bool) {
	m := append(s.middle[:0], `,"thread":`...)
	if load {
		m = append(m, "null"...)
	} else {
		m = strconv.AppendUint(m, uint64(o.Thread), 10)
	}
	s.middle = append(m, `,"query":null},"transaction":null,"op":"`...)

	var digits [24]byte
	now := timeTexts(digits[:0], s.cfg.Now().UnixNano())
	t := append(s.tail[:0], `","ts_ms":`...)
	t = append(t, now[0]...)
	t = append(t, `,"ts_us":`...)
	t = append(t, now[1]...)
	t = append(t, `,"ts_ns":`...)
	t = append(t, now[2]...)
	s.tail = append(t, '}')
}

// timeTexts writes a time in ms, µs and ns. All three are the same digits, cut
// at different places.
func timeTexts(buf []byte, ns int64) [3][]byte {
	b := strconv.AppendInt(buf, ns, 10)
	if ns < 1_000_000 { // 1970 and before: where clocks are not set
		ms, _ := floorDiv(ns, 1_000_000)
		us, _ := floorDiv(ns, 1_000)
		return [3][]byte{strconv.AppendInt(nil, ms, 10), strconv.AppendInt(nil, us, 10), b}
	}
	return [3][]byte{b[:len(b)-6], b[:len(b)-3], b}
}

// append appends the source block and what follows it, for a row of the block
// whose origin was set.
func (s *sourceBlock) append(dst []byte, row int, op schema.Op) []byte {
	n := 0
	if !s.load {
		n = s.origin.EventRow + row - s.origin.Row
	}
	dst = append(dst, s.head...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, s.middle...)
	dst = append(dst, byte(op))
	return append(dst, s.tail...)
}
