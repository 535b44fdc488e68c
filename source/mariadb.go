package source

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// checkDomains is checkGTIDs for MariaDB: of each domain, the server must have our
// last transaction, and all that come after it.
func (m *MySQL) checkDomains(ctx context.Context, s *session.Session, ours schema.GTIDSet) error {
	for begin := time.Now(); ; {
		extra, err := unknown(ctx, s, ours)
		if err != nil {
			return err
		}
		if extra.IsEmpty() {
			break
		}
		// A replica may have yet to receive it.
		if time.Since(begin) >= m.cfg.ReplicaWait {
			return &AheadError{Extra: extra, remedy: m.cfg.rules().remedy()}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(firstPause):
		}
	}
	purged, err := purgedDomains(ctx, s)
	if err != nil {
		return err
	}
	if missing := purged.Subtract(ours); !missing.IsEmpty() {
		return &PositionLostError{Missing: missing, remedy: m.cfg.rules().remedy()}
	}
	return nil
}

// unknown returns what the server does not have of our last transactions. The
// state of its binlog has the last of each domain and server, so that one of
// another server with the same number, or a higher one, is not taken for ours.
// What it received without logging it counts where it stands exactly there.
func unknown(ctx context.Context, s *session.Session, ours schema.GTIDSet) (extra schema.GTIDSet, err error) {
	r, err := s.Query(ctx, "SELECT @@global.gtid_binlog_state, @@global.gtid_slave_pos")
	if err != nil {
		return extra, fmt.Errorf("reading gtid_binlog_state: %w", err)
	}
	logged, _ := r.GetString(0, 0)
	received, _ := r.GetString(0, 1)
	last := map[[16]byte]int64{} // by domain and server
	var all schema.GTIDSet
	for part := range strings.SplitSeq(logged, ",") {
		one, err := schema.ParseGTIDSet(part)
		if err != nil {
			return extra, fmt.Errorf("reading gtid_binlog_state: %w", err)
		}
		for _, g := range one.Last() {
			last[g.UUID] = g.N
			all.Add(g)
		}
	}
	slave, err := schema.ParseGTIDSet(received)
	if err != nil {
		return extra, fmt.Errorf("reading gtid_slave_pos: %w", err)
	}
	at := map[schema.GTID]bool{}
	for _, g := range slave.Last() {
		at[g] = true
		all.Add(g)
	}
	extra = ours.Subtract(all) // of MySQL too
	for _, g := range ours.Last() {
		if last[g.UUID] < g.N && !at[g] {
			extra.Add(g)
		}
	}
	return extra, nil
}

// purgedDomains returns what comes before the oldest file that the server has.
func purgedDomains(ctx context.Context, s *session.Session) (schema.GTIDSet, error) {
	const magic = 4 // bytes before a file's first event
	r, err := s.Query(ctx, "SHOW BINARY LOGS")
	if err != nil {
		return schema.GTIDSet{}, fmt.Errorf("listing the binary logs: %w", err)
	}
	if r.RowNumber() == 0 {
		return schema.GTIDSet{}, nil
	}
	oldest, err := r.GetString(0, 0)
	if err != nil {
		return schema.GTIDSet{}, fmt.Errorf("listing the binary logs: %w", err)
	}
	return session.GTIDsAt(ctx, s, oldest, magic)
}

// mariaDBDefault reads COLUMN_DEFAULT as MariaDB shows it: as it stands in SQL.
// expression tells that it is none that has one value; isBytes: the column holds bytes.
func mariaDBDefault(shown *string, isBytes bool) (text *string, expression bool) {
	if shown == nil || *shown == "NULL" {
		return nil, false
	}
	s := *shown
	if strings.HasPrefix(s, "'") {
		if labels, err := parseLabels("(" + s + ")"); err == nil && len(labels) == 1 {
			return &labels[0], false
		}
		return shown, true
	}
	c := s[0]
	if strings.HasPrefix(s, "b'") || isBytes && strings.HasPrefix(s, "x'") || c >= '0' && c <= '9' || len(s) > 1 && (c == '-' || c == '+' || c == '.') && !strings.Contains(s, "(") {
		return shown, false
	}
	return shown, true
}

// versionedFault: the rows that a table had before stand in it too, and in the
// binlog, with hidden columns that tell when.
func versionedFault(id schema.TableID) Fault {
	name := session.Quote(id.Database) + "." + session.Quote(id.Name)
	return Fault{Fatal, "table " + id.String(), "it is system-versioned; the binlog mixes its history with its rows",
		fmt.Sprintf("ALTER TABLE %s DROP SYSTEM VERSIONING; or leave the table out with --tables", name)}
}
