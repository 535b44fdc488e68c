package schema

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// MariaDB names a transaction by domain, server and number: 0-1-100. Within a
// domain the numbers grow, whichever server writes, so that a position needs no
// more of a domain than its last transaction. The server of that one counts too:
// 0-1-100 and 0-2-100 are of two servers that went apart.
//
// Such a GTID stands in the bytes of a UUID: a mark, which no UUID has that a
// server makes, the domain and the server. So it is as small and as quick to
// compare as MySQL's, and goes wherever that one goes. A set keeps a domain as
// the interval from 1 up to its last transaction, whatever numbers were left out
// between.

var mariaDBMark = [8]byte{'m', 'a', 'r', 'i', 'a', 'd', 'b'}

func isMariaDB(uuid *[16]byte) bool { return [8]byte(uuid[:8]) == mariaDBMark }

// MariaDBGTID returns the GTID with the name domain-server-n.
func MariaDBGTID(domain, server uint32, n int64) GTID {
	g := GTID{N: n}
	copy(g.UUID[:], mariaDBMark[:])
	binary.BigEndian.PutUint32(g.UUID[8:], domain)
	binary.BigEndian.PutUint32(g.UUID[12:], server)
	return g
}

// IsMariaDB tells whether the name is one of MariaDB's.
func (g GTID) IsMariaDB() bool { return isMariaDB(&g.UUID) }

// Domain returns the domain of a transaction of MariaDB.
func (g GTID) Domain() uint32 { return binary.BigEndian.Uint32(g.UUID[8:]) }

func appendMariaDB(b []byte, g GTID) []byte {
	b = strconv.AppendUint(b, uint64(g.Domain()), 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(binary.BigEndian.Uint32(g.UUID[12:])), 10)
	b = append(b, '-')
	return strconv.AppendInt(b, g.N, 10)
}

// domainOf returns the source under which a set keeps the transaction's domain.
func domainOf(g GTID) gtidSource {
	clear(g.UUID[12:])
	return gtidSource{uuid: g.UUID}
}

// addMariaDB adds what comes from first up to g in its domain.
func (s *GTIDSet) addMariaDB(g GTID, first int64) {
	src := domainOf(g)
	s.addLast(src, g.N+1, binary.BigEndian.Uint32(g.UUID[12:]))
	s.addInterval(src, interval{first, g.N + 1})
}

// addLast notes the server of a transaction that is about to be added, if it
// becomes the last one of its domain.
func (s *GTIDSet) addLast(src gtidSource, end int64, server uint32) {
	if list := s.m[src]; len(list) == 0 || list[len(list)-1].end < end {
		s.setLast(src, server)
	}
}

func (s *GTIDSet) setLast(src gtidSource, server uint32) {
	if s.last == nil {
		s.last = map[gtidSource]uint32{}
	}
	s.last[src] = server
}

// Last returns the last transaction of each domain of MariaDB, in no order.
func (s GTIDSet) Last() []GTID {
	list := make([]GTID, 0, len(s.last))
	for src, server := range s.last {
		n := s.m[src][len(s.m[src])-1].end - 1
		list = append(list, MariaDBGTID(GTID{UUID: src.uuid}.Domain(), server, n))
	}
	return list
}

// appendDomain writes a domain as MariaDB does: by its last transaction. What
// begins later than with the first, a difference of two positions, is written as
// 0-1-101-150.
func (s GTIDSet) appendDomain(b []byte, src gtidSource) []byte {
	for _, n := range s.m[src] {
		if len(b) > 0 {
			b = append(b, ',')
		}
		g := MariaDBGTID(GTID{UUID: src.uuid}.Domain(), s.last[src], n.first)
		if n.first == 1 {
			g.N = n.end - 1
		}
		if b = appendMariaDB(b, g); g.N < n.end-1 {
			b = append(b, '-')
			b = strconv.AppendInt(b, n.end-1, 10)
		} else if n.first > 1 { // one alone would read as all up to it
			b = append(b, '-')
			b = strconv.AppendInt(b, n.first, 10)
		}
	}
	return b
}

func (s *GTIDSet) parseDomain(part string) error {
	var n [4]uint64
	fields := strings.Split(part, "-")
	if len(fields) < 3 || len(fields) > len(n) {
		return fmt.Errorf("%q is no GTID", part)
	}
	for i, f := range fields {
		width := 63
		if i < 2 {
			width = 32
		}
		var err error
		if n[i], err = strconv.ParseUint(strings.TrimSpace(f), 10, width); err != nil || n[i] == 1<<63-1 {
			return fmt.Errorf("%q is no GTID", part)
		}
	}
	first, last := uint64(1), n[2]
	if len(fields) == len(n) {
		first, last = n[2], n[3]
	}
	if first < 1 || last < first {
		return fmt.Errorf("%q is no transaction number or range", part)
	}
	s.addMariaDB(MariaDBGTID(uint32(n[0]), uint32(n[1]), int64(last)), int64(first))
	return nil
}
