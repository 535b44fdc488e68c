package source

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// GTIDSources choose transactions by the server that committed them first. At
// most one of the lists may be given; patterns are regular expressions over the
// whole of a server's UUID.
type GTIDSources struct {
	Includes, Excludes []string
	// KeepRows: only positions pass over the others, rows do not.
	KeepRows bool
}

// gtidSources are GTIDSources that were compiled. The zero value leaves nothing out.
type gtidSources struct {
	includes, excludes []*regexp.Regexp
}

// Check finds lists that make no sense whatever the server is.
func (g GTIDSources) Check() error {
	_, err := newGTIDSources(g)
	return err
}

func newGTIDSources(g GTIDSources) (s gtidSources, err error) {
	if s.includes, err = compile("--gtid-source-includes", anyCase, g.Includes); err != nil {
		return s, err
	}
	if s.excludes, err = compile("--gtid-source-excludes", anyCase, g.Excludes); err != nil {
		return s, err
	}
	switch some := len(g.Includes)+len(g.Excludes) > 0; {
	case len(g.Includes) > 0 && len(g.Excludes) > 0:
		return s, errors.New("--gtid-source-excludes cannot stand beside --gtid-source-includes: what is not included is excluded")
	case g.KeepRows && !some:
		return s, errors.New("--gtid-source-filter-rows is off, but there are no --gtid-source-includes or --gtid-source-excludes")
	}
	return s, nil
}

func (s gtidSources) isEmpty() bool { return len(s.includes)+len(s.excludes) == 0 }

// leavesOut tells whether transactions of a server are passed over.
func (s gtidSources) leavesOut(server [16]byte) bool {
	if s.isEmpty() {
		return false
	}
	h := hex.EncodeToString(server[:])
	uuid := h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	among := func(list []*regexp.Regexp) bool {
		return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(uuid) })
	}
	if len(s.includes) > 0 {
		return !among(s.includes)
	}
	return among(s.excludes)
}

// counted returns the transactions of a set that positions are compared by.
func (s gtidSources) counted(set schema.GTIDSet) schema.GTIDSet {
	if s.isEmpty() {
		return set
	}
	return set.Only(func(server [16]byte) bool { return !s.leavesOut(server) })
}

// ask returns what a connection has to say it has, so that the server sends what
// lies behind a position. Of the sources that are left out the server may have less
// than we passed, which it would take for a fault of ours, or may have purged what
// we never saw, which it would refuse to go on without.
func (s gtidSources) ask(executed, purged, ours schema.GTIDSet) (asked, passed schema.GTIDSet) {
	passed = purged.Only(s.leavesOut)
	asked = s.counted(ours).Clone()
	left := ours.Only(s.leavesOut)
	asked.AddSet(left.Subtract(left.Subtract(executed)))
	asked.AddSet(passed)
	return asked, passed
}

// askGTIDs is ask of the server.
func (m *MySQL) askGTIDs(ctx context.Context, ours schema.GTIDSet) (asked, passed schema.GTIDSet, err error) {
	s, err := m.reach(ctx)
	if err != nil {
		return asked, passed, err
	}
	defer s.Close()
	executed, err := readGTIDs(ctx, s, "gtid_executed")
	if err != nil {
		return asked, passed, err
	}
	purged, err := readGTIDs(ctx, s, "gtid_purged")
	if err != nil {
		return asked, passed, err
	}
	asked, passed = m.sources.ask(executed, purged, ours)
	return asked, passed, nil
}

// gtidSourceFaults finds servers whose GTIDs name no source, and tables whose rows
// cannot be told from those that were passed over.
func gtidSourceFaults(s gtidSources, keepRows bool, vars variables, v session.Version, tables []*dictionaryTable) (list Faults) {
	if s.isEmpty() {
		return nil
	}
	option := "--gtid-source-excludes"
	if len(s.includes) > 0 {
		option = "--gtid-source-includes"
	}
	switch {
	case v.MariaDB:
		return Faults{{Fatal, option, "MariaDB's GTIDs have no UUID of the server that committed them", "leave the option out; domains that are not wanted can be kept from a replica with IGNORE_DOMAIN_IDS"}}
	case !vars.is("gtid_mode", "ON"):
		return Faults{{Fatal, option, fmt.Sprintf("gtid_mode is %s, and without GTIDs nothing tells which server committed a transaction", vars["gtid_mode"]),
			"SET PERSIST enforce_gtid_consistency = ON; then gtid_mode = OFF_PERMISSIVE, ON_PERMISSIVE and ON, one after the other; or leave the option out"}}
	case keepRows:
		return nil
	}
	for _, t := range tables {
		if t.key() == nil {
			list = append(list, Fault{Fatal, "table " + t.id.String(), option + " leaves out changes of its rows, and it has no key: the first deletion of such a row could not be followed",
				"give it a primary key, or leave it out with --tables-exclude"})
		}
	}
	return list
}
