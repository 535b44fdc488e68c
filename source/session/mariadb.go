package session

import (
	"context"
	"fmt"

	"github.com/beluga-cdc/beluga/schema"
)

// mariaDBSettings are settings where MariaDB has other names for them, or more of
// them.
var mariaDBSettings = []string{
	"NAMES utf8mb4",
	"SESSION time_zone = '+00:00'",
	"SESSION sql_mode = ''",
	"SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", // the variable has another name before 11.1
	"SESSION max_statement_time = 0",
	"SESSION sql_select_limit = DEFAULT",
	"SESSION net_write_timeout = 86400",
	"SESSION wait_timeout = 604800",
	"SESSION idle_transaction_timeout = 0", // a slow sink keeps a load's transactions waiting
	"SESSION idle_readonly_transaction_timeout = 0",
}

// Supported tells whether a server of this version can be replicated.
func (v Version) Supported() bool {
	if v.MariaDB {
		return !v.Less(10, 11, 0)
	}
	return !v.Less(8, 0, 0)
}

// LogStatus is the statement that shows where the binlog stands.
func (v Version) LogStatus() string {
	switch {
	case v.MariaDB:
		return "SHOW BINLOG STATUS"
	case v.Less(8, 2, 0):
		return "SHOW MASTER STATUS"
	}
	return "SHOW BINARY LOG STATUS"
}

// ReplicaStatus is the statement that tells how far a replica is behind its sources.
func (v Version) ReplicaStatus() string {
	switch {
	case v.MariaDB:
		return "SHOW ALL SLAVES STATUS"
	case v.Less(8, 0, 22):
		return "SHOW SLAVE STATUS"
	}
	return "SHOW REPLICA STATUS"
}

// Persist is how a setting is changed for good.
func (v Version) Persist(name, value string) string {
	if v.MariaDB {
		return fmt.Sprintf("SET GLOBAL %s = %s, and write it into the [mysqld] section of the server's configuration", name, value)
	}
	return fmt.Sprintf("SET PERSIST %s = %s", name, value)
}

// GTIDsAt returns MariaDB's position at a place in a file of its binlog.
func GTIDsAt(ctx context.Context, s *Session, file string, offset uint64) (schema.GTIDSet, error) {
	r, err := s.Query(ctx, "SELECT BINLOG_GTID_POS(?, ?)", file, offset)
	if err != nil {
		return schema.GTIDSet{}, fmt.Errorf("finding the GTIDs before %s:%d: %w", file, offset, err)
	}
	if null, err := r.IsNull(0, 0); err != nil || null {
		return schema.GTIDSet{}, fmt.Errorf("finding the GTIDs before %s:%d: the server does not have them", file, offset)
	}
	text, _ := r.GetString(0, 0)
	return schema.ParseGTIDSet(text)
}
