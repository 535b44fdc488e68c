package schema

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// GTID names one transaction: the server (and, since MySQL 8.3, a tag) that
// committed it first, and its number there. The zero GTID means none. One of
// MariaDB (see MariaDBGTID) has a domain and a server in the place of the UUID.
type GTID struct {
	UUID [16]byte
	Tag  string
	N    int64 // from 1
}

// IsZero tells whether there is no GTID.
func (g GTID) IsZero() bool { return g.N == 0 }

// String writes the GTID as MySQL does.
func (g GTID) String() string { return string(g.Append(nil)) }

// Append appends the text of the GTID.
func (g GTID) Append(b []byte) []byte {
	if isMariaDB(&g.UUID) {
		return appendMariaDB(b, g)
	}
	b = appendSource(b, gtidSource{g.UUID, g.Tag})
	b = append(b, ':')
	return strconv.AppendInt(b, g.N, 10)
}

type gtidSource struct {
	uuid [16]byte
	tag  string
}

func appendSource(b []byte, s gtidSource) []byte {
	b = appendUUID(b, s.uuid)
	if s.tag != "" {
		b = append(b, ':')
		b = append(b, s.tag...)
	}
	return b
}

func appendUUID(b []byte, u [16]byte) []byte {
	for i, n := range [...]int{0, 4, 6, 8, 10} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, u[n:[...]int{4, 6, 8, 10, 16}[i]])
	}
	return b
}

func compareSource(a, b gtidSource) int {
	if c := bytes.Compare(a.uuid[:], b.uuid[:]); c != 0 {
		return c
	}
	return strings.Compare(a.tag, b.tag)
}

// interval is the transactions from first up to and without end, as on
// MySQL's wire.
type interval struct{ first, end int64 }

// GTIDSet is a set of transactions. The zero value is the empty set. Positions
// are sets and never "the largest GTID": after a failover transactions of
// several servers, and gaps, stand side by side. Of MariaDB's transactions a
// position is the last one of each domain, and stands for all before it.
type GTIDSet struct {
	m    map[gtidSource][]interval // sorted, disjoint, not adjacent, never an empty list
	last map[gtidSource]uint32     // of MariaDB's domains: the server of the last transaction
}

// IsEmpty tells whether nothing is in the set.
func (s GTIDSet) IsEmpty() bool { return len(s.m) == 0 }

// Clone returns a set that shares nothing with s.
func (s GTIDSet) Clone() GTIDSet {
	c := GTIDSet{m: make(map[gtidSource][]interval, len(s.m))}
	for k, v := range s.m {
		c.m[k] = slices.Clone(v)
	}
	c.last = maps.Clone(s.last)
	return c
}

// Add puts one transaction into the set, in place; one of MariaDB with all that
// come before it in its domain.
func (s *GTIDSet) Add(g GTID) {
	if isMariaDB(&g.UUID) {
		s.addMariaDB(g, 1)
		return
	}
	s.addInterval(gtidSource{g.UUID, g.Tag}, interval{g.N, g.N + 1})
}

func (s *GTIDSet) addInterval(src gtidSource, n interval) {
	if s.m == nil {
		s.m = map[gtidSource][]interval{}
	}
	list := s.m[src]
	// The common case: the next transaction of the only interval that grows.
	if k := len(list); k > 0 && list[k-1].end == n.first {
		list[k-1].end = n.end
		return
	}
	i, _ := slices.BinarySearchFunc(list, n.first, func(v interval, first int64) int { return cmp.Compare(v.end, first) })
	j := i // list[i:j] touch n
	for j < len(list) && list[j].first <= n.end {
		n.first, n.end = min(n.first, list[j].first), max(n.end, list[j].end)
		j++
	}
	s.m[src] = slices.Replace(list, i, j, n)
}

// AddSet puts all of o into s, in place.
func (s *GTIDSet) AddSet(o GTIDSet) {
	for src, list := range o.m {
		if server, ok := o.last[src]; ok {
			s.addLast(src, list[len(list)-1].end, server)
		}
		for _, n := range list {
			s.addInterval(src, n)
		}
	}
}

// Contains tells whether the transaction is in the set.
func (s GTIDSet) Contains(g GTID) bool {
	src := gtidSource{g.UUID, g.Tag}
	if isMariaDB(&g.UUID) {
		src = domainOf(g)
	}
	list := s.m[src]
	i, _ := slices.BinarySearchFunc(list, g.N, func(v interval, n int64) int { return cmp.Compare(v.end, n+1) })
	return i < len(list) && list[i].first <= g.N
}

// ContainsSet tells whether all of o is in s.
func (s GTIDSet) ContainsSet(o GTIDSet) bool { return o.Subtract(s).IsEmpty() }

// Equal tells whether both hold the same transactions.
func (s GTIDSet) Equal(o GTIDSet) bool {
	if len(s.m) != len(o.m) {
		return false
	}
	for src, list := range s.m {
		if !slices.Equal(list, o.m[src]) {
			return false
		}
	}
	return maps.Equal(s.last, o.last)
}

// Subtract returns what is in s and not in o.
func (s GTIDSet) Subtract(o GTIDSet) GTIDSet {
	var r GTIDSet
	for src, list := range s.m {
		cut := o.m[src]
		for _, n := range list {
			for _, c := range cut {
				if c.end <= n.first {
					continue
				}
				if c.first >= n.end {
					break
				}
				if c.first > n.first {
					r.addInterval(src, interval{n.first, c.first})
				}
				n.first = c.end
			}
			if n.first < n.end {
				r.addInterval(src, n)
			}
		}
		if server, ok := s.last[src]; ok && len(r.m[src]) > 0 {
			r.setLast(src, server)
		}
	}
	return r
}

// Only returns the transactions that were first committed on servers that keep
// accepts.
func (s GTIDSet) Only(keep func(server [16]byte) bool) GTIDSet {
	var r GTIDSet
	for src, list := range s.m {
		if !keep(src.uuid) {
			continue
		}
		for _, n := range list {
			r.addInterval(src, n)
		}
		if server, ok := s.last[src]; ok {
			r.setLast(src, server)
		}
	}
	return r
}

// Count returns the number of transactions in the set.
func (s GTIDSet) Count() int64 {
	var n int64
	for _, list := range s.m {
		for _, v := range list {
			n += v.end - v.first
		}
	}
	return n
}

// String writes the set as MySQL does: sources in order, the tags of one
// server behind its UUID.
func (s GTIDSet) String() string {
	srcs := make([]gtidSource, 0, len(s.m))
	for src := range s.m {
		srcs = append(srcs, src)
	}
	slices.SortFunc(srcs, compareSource)
	var b []byte
	for i, src := range srcs {
		if isMariaDB(&src.uuid) {
			b = s.appendDomain(b, src)
			continue
		}
		switch {
		case i > 0 && srcs[i-1].uuid == src.uuid:
			b = append(b, ':')
			b = append(b, src.tag...)
		default:
			if i > 0 {
				b = append(b, ',')
			}
			b = appendSource(b, src)
		}
		for _, n := range s.m[src] {
			b = append(b, ':')
			b = strconv.AppendInt(b, n.first, 10)
			if n.end > n.first+1 {
				b = append(b, '-')
				b = strconv.AppendInt(b, n.end-1, 10)
			}
		}
	}
	return string(b)
}

// MarshalText writes the set as String does.
func (s GTIDSet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseGTIDSet.
func (s *GTIDSet) UnmarshalText(b []byte) error {
	p, err := ParseGTIDSet(string(b))
	if err == nil {
		*s = p
	}
	return err
}

// ParseGTIDSet reads MySQL's text form, with white space anywhere between the
// parts: "uuid:1-5:7,uuid:tag:1-3"; and MariaDB's: "0-1-100,7-2-5".
func ParseGTIDSet(text string) (GTIDSet, error) {
	var s GTIDSet
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		parse := s.parseSource
		if !strings.Contains(part, ":") {
			parse = s.parseDomain
		}
		if err := parse(part); err != nil {
			return GTIDSet{}, fmt.Errorf("GTID set %q: %w", part, err)
		}
	}
	return s, nil
}

func (s *GTIDSet) parseSource(part string) error {
	fields := strings.Split(part, ":")
	uuid, err := ParseUUID(strings.TrimSpace(fields[0]))
	if err != nil {
		return err
	}
	if isMariaDB(&uuid) {
		return errors.New("no server of MySQL has this UUID")
	}
	src, some := gtidSource{uuid: uuid}, false
	for _, f := range fields[1:] {
		f = strings.TrimSpace(f)
		if f != "" && (f[0] == '_' || f[0] >= 'a' && f[0] <= 'z' || f[0] >= 'A' && f[0] <= 'Z') {
			src.tag = strings.ToLower(f)
			continue
		}
		from, to, isRange := strings.Cut(f, "-")
		first, err := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
		last := first
		if err == nil && isRange {
			last, err = strconv.ParseInt(strings.TrimSpace(to), 10, 64)
		}
		if err != nil || first < 1 || last < first || last == 1<<63-1 {
			return fmt.Errorf("%q is no transaction number or range", f)
		}
		s.addInterval(src, interval{first, last + 1})
		some = true
	}
	if !some {
		return errors.New("no transaction number")
	}
	return nil
}

// ParseUUID reads a UUID with or without hyphens.
func ParseUUID(text string) ([16]byte, error) {
	var u [16]byte
	h := strings.ReplaceAll(text, "-", "")
	if len(h) != 32 {
		return u, fmt.Errorf("%q is no UUID", text)
	}
	if _, err := hex.Decode(u[:], []byte(h)); err != nil {
		return u, fmt.Errorf("%q is no UUID", text)
	}
	return u, nil
}
