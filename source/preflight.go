package source

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/source/session"
)

// Preflight looks for everything that stands in the way of replicating the
// server, and changes nothing. The error is for a look that could not be
// finished; a server that cannot be reached, or refuses the user, is a fault.
func (m *MySQL) Preflight(ctx context.Context) (Faults, error) {
	return m.preflight(ctx, true)
}

func (m *MySQL) preflight(ctx context.Context, load bool) (Faults, error) {
	sel, err := newSelection(m.cfg)
	if err != nil {
		return nil, err
	}
	if err := m.cfg.GTIDSources.Check(); err != nil {
		return nil, err
	}
	s, err := session.Open(ctx, m.cfg.Endpoint)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return Faults{connectFault(err)}, nil
	}
	defer s.Close()
	v := s.Version()
	if fault, bad := versionFault(v); bad {
		return Faults{fault}, nil // of such a server nothing else can be said
	}
	vars, err := readVariables(ctx, s)
	if err != nil {
		return nil, err
	}
	faults := append(vars.faults(v), vars.definitionFaults(v, sel.refuseKeyless)...)
	if m.cfg.Endpoint.TLS == session.TLSPreferred && s.Endpoint().TLS == session.TLSDisabled {
		faults = append(faults, Fault{Warning, "tls=preferred", "the connection is not encrypted: the server has no TLS",
			"configure TLS on the server (ssl_cert, ssl_key) and say tls=required, or say tls=disabled if the network between is safe"})
	}
	g, err := readGrants(ctx, s)
	if err != nil {
		return nil, err
	}
	tables, err := readDictionary(ctx, s, sel.matches, nil)
	if err != nil {
		return nil, err
	}
	missing := g.faults(tables, sel)
	if load {
		missing = append(missing, g.lockFaults(m.cfg.Locking, tables, vars, v)...)
	}
	faults = append(faults, missing...)
	// Who lacks SELECT sees no tables; that there are none cannot be told then.
	if len(tables) == 0 && !missing.about("privilege SELECT") {
		faults = append(faults, Fault{Fatal, "tables", "no table that the user may see matches " + sel.text,
			"check the database in --from and --tables, and that the user has SELECT on the tables"})
	}
	for _, t := range tables {
		faults = append(faults, t.faults(sel)...)
		if m.cfg.rules().passesRowsOver() && t.key() == nil {
			faults = append(faults, Fault{Warning, "table " + t.id.String(), fmt.Sprintf("it has no key, and snapshot.mode %s does not load the rows that it has: the first deletion or change of one of them stops the run", m.cfg.Mode),
				"load it with another snapshot.mode, or make a key, or leave the table out with --tables"})
		}
		if vars.is("binlog_row_metadata", "FULL") {
			continue
		}
		faults = append(faults, t.labelFaults()...)
		if shape, errs := m.shapeOf(t, sel); len(errs) == 0 && len(shape.LeftOut) > 0 {
			faults = append(faults, Fault{Fatal, "table " + t.id.String(), fmt.Sprintf("its columns %s are left out, but the binlog does not name the columns", strings.Join(shape.LeftOut, ", ")),
				v.Persist("binlog_row_metadata", "'FULL'")})
		}
	}
	faults = append(faults, m.messageKeyFaults(tables, sel)...)
	faults = append(faults, gtidSourceFaults(m.sources, m.cfg.GTIDSources.KeepRows, vars, v, tables)...)
	more, err := filterFaults(ctx, s, g, tables)
	if err != nil {
		return nil, err
	}
	faults = append(faults, more...)
	if more, err = rowFilterFaults(ctx, s, sel, tables); err != nil {
		return nil, err
	}
	faults = append(faults, more...)
	if load {
		if more, err = pauseFaults(ctx, s, g, m.cfg.Pause); err != nil {
			return nil, err
		}
		faults = append(faults, more...)
	}
	if more, err = heartbeatFaults(ctx, s, g, m.cfg.ActionQuery); err != nil {
		return nil, err
	}
	faults = append(faults, more...)
	if more, err = m.signalFaults(ctx, s, sel); err != nil {
		return nil, err
	}
	faults = append(faults, more...)
	if more, err = cascadeFaults(ctx, s, vars, tables); err != nil {
		return nil, err
	}
	return append(faults, more...), nil
}

// Connection is the subject of the fault that the server cannot be reached, or
// does not let the user in; then nothing else is known of it.
const Connection = "connection"

// connectFault makes a fault of the sentence that session.Explain made: what
// stands after its first semicolon is the remedy.
func connectFault(err error) Fault {
	problem, remedy := session.Sentence(err)
	if remedy == "" {
		remedy = "check --from"
	}
	return Fault{Fatal, Connection, problem, remedy}
}

func versionFault(v session.Version) (Fault, bool) {
	switch {
	case v.Supported():
		return Fault{}, false
	case v.MariaDB:
		return Fault{Fatal, "server version " + v.Text, "it is older than 10.11",
			"upgrade the server to MariaDB 10.11 or newer, or replicate a newer replica of it"}, true
	default:
		return Fault{Fatal, "server version " + v.Text, "it is older than 8.0, and its binlog does not name the columns",
			"upgrade the server to MySQL 8.0 or newer, or replicate a newer replica of it"}, true
	}
}

// variables are the global settings that matter, by name.
type variables map[string]string

func readVariables(ctx context.Context, s *session.Session) (variables, error) {
	// This form tolerates names that the version does not have. gtid_executed is
	// not among them, which it would cut off.
	r, err := s.Query(ctx, `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_metadata',
		'binlog_row_value_options', 'gtid_mode', 'sync_binlog', 'binlog_expire_logs_seconds', 'log_replica_updates', 'log_slave_updates',
		'innodb_native_foreign_keys', 'gtid_strict_mode', 'lower_case_table_names', 'sql_require_primary_key', 'sql_mode', 'explicit_defaults_for_timestamp', 'show_gipk_in_create_table_and_information_schema')`)
	if err != nil {
		return nil, fmt.Errorf("reading the server's settings: %w", err)
	}
	v := variables{}
	for i := range r.RowNumber() {
		name, _ := r.GetString(i, 0)
		v[strings.ToLower(name)], _ = r.GetString(i, 1)
	}
	return v, nil
}

func (v variables) is(name, want string) bool { return strings.EqualFold(v[name], want) }

const shortRetention = 24 * time.Hour

func (v variables) faults(version session.Version) (list Faults) {
	add := func(s Severity, subject, problem, remedy string) {
		list = append(list, Fault{s, subject, problem, remedy})
	}
	if !v.is("log_bin", "ON") {
		add(Fatal, "log_bin", "the binary log is off, so that changes cannot be followed",
			"start mysqld with log_bin=binlog in [mysqld] (and without skip_log_bin); this needs a restart")
	}
	if !v.is("binlog_format", "ROW") {
		add(Fatal, "binlog_format", fmt.Sprintf("it is %s; the log then holds statements, not rows", v["binlog_format"]),
			version.Persist("binlog_format", "'ROW'")+"; then reconnect all applications: their sessions keep the old one")
	}
	if !v.is("binlog_row_image", "FULL") {
		add(Fatal, "binlog_row_image", fmt.Sprintf("it is %s; the log then lacks columns of changed rows", v["binlog_row_image"]),
			version.Persist("binlog_row_image", "'FULL'")+"; then reconnect all applications: their sessions keep the old one")
	}
	if strings.Contains(strings.ToUpper(v["binlog_row_value_options"]), "PARTIAL_JSON") {
		add(Fatal, "binlog_row_value_options", "it is PARTIAL_JSON; the log then holds pieces of JSON values",
			"SET PERSIST binlog_row_value_options = ''; then reconnect all applications: their sessions keep the old one")
	}
	switch {
	case v.is("binlog_row_metadata", "FULL"):
	case version.MariaDB:
		add(Fatal, "binlog_row_metadata", fmt.Sprintf("it is %s; the log then does not name the columns", v["binlog_row_metadata"]),
			version.Persist("binlog_row_metadata", "'FULL'"))
	default:
		add(Warning, "binlog_row_metadata", fmt.Sprintf("it is %s; the log then does not name the columns, and they are looked up as they are now: rows from before an ALTER may stop the run", v["binlog_row_metadata"]),
			version.Persist("binlog_row_metadata", "'FULL'"))
	}
	if version.MariaDB && !v.is("gtid_strict_mode", "ON") {
		add(Warning, "gtid_strict_mode", "it is OFF; a replica with transactions of its own can then log numbers that do not grow, where the run stops",
			version.Persist("gtid_strict_mode", "ON"))
	}
	if !version.MariaDB && !v.is("gtid_mode", "ON") {
		add(Warning, "gtid_mode", fmt.Sprintf("it is %s; positions are then places in this server's files, and a failover to another needs a new load", v["gtid_mode"]),
			"SET PERSIST enforce_gtid_consistency = ON; then gtid_mode = OFF_PERMISSIVE, ON_PERMISSIVE and ON, one after the other")
	}
	if v["sync_binlog"] != "1" {
		add(Warning, "sync_binlog", fmt.Sprintf("it is %s; when the server's machine crashes, it can lose transactions that were replicated already", v["sync_binlog"]),
			version.Persist("sync_binlog", "1"))
	}
	if n, err := strconv.ParseInt(v["binlog_expire_logs_seconds"], 10, 64); err == nil && n > 0 && time.Duration(n)*time.Second < shortRetention {
		add(Warning, "binlog_expire_logs_seconds", fmt.Sprintf("it is %d: a pause of more than %s loses the position, and needs a new load", n, time.Duration(n)*time.Second),
			version.Persist("binlog_expire_logs_seconds", "604800"))
	}
	return list
}

// filterFaults finds what keeps changes of captured tables out of the binlog. It
// needs the privilege for its position, whose lack is a fault of its own.
func filterFaults(ctx context.Context, s *session.Session, g grants, tables []*dictionaryTable) (list Faults, err error) {
	if !g.global(g.monitor, "SUPER") {
		return nil, nil
	}
	r, err := s.Query(ctx, s.Version().LogStatus())
	if err != nil {
		return nil, fmt.Errorf("reading the state of the binary log: %w", err)
	}
	if r.RowNumber() == 0 {
		return nil, nil
	}
	w := row{r: r, n: 2}
	do, ignore := splitList(w.text()), splitList(w.text())
	if len(do)+len(ignore) > 0 && len(tables) > 0 {
		list = append(list, Fault{Warning, "binlog-do-db, binlog-ignore-db", "they choose DDL by the database that its session uses, not by the table's: an ALTER TABLE from a session in another database can be missing in the binary log",
			"take them out of mysqld's configuration, which needs a restart; or USE the table's database before each ALTER, DROP, RENAME and TRUNCATE"})
	}
	var seen []string
	for _, t := range tables {
		db := t.id.Database
		out := slices.Contains(ignore, db) || len(do) > 0 && !slices.Contains(do, db)
		if out && !slices.Contains(seen, db) {
			seen = append(seen, db)
			list = append(list, Fault{Fatal, "database " + db, "binlog-do-db or binlog-ignore-db keeps its changes out of the binary log",
				"take it out of binlog-ignore-db, or add it to binlog-do-db, in mysqld's configuration; this needs a restart"})
		}
	}
	if r, err = s.Query(ctx, s.Version().ReplicaStatus()); err != nil {
		return list, nil //nolint:nilerr // MariaDB wants a privilege of its own for it, and the check is one of comfort
	}
	if r.RowNumber() > 0 {
		vars, err := readVariables(ctx, s)
		if err != nil {
			return nil, err
		}
		if vars.is("log_replica_updates", "OFF") || vars.is("log_slave_updates", "OFF") {
			list = append(list, Fault{Fatal, "log_replica_updates", "this server is a replica and does not log what it receives",
				"set log_replica_updates=ON in mysqld's configuration and restart, or replicate its source"})
		}
	}
	return list, nil
}

func splitList(s string) (list []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// cascadeFaults warns of foreign keys whose effects the storage engine carries
// out by itself: they never reach the binlog. A server that has
// innodb_native_foreign_keys, and has it off, logs them.
func cascadeFaults(ctx context.Context, s *session.Session, v variables, tables []*dictionaryTable) (list Faults, err error) {
	if v.is("innodb_native_foreign_keys", "OFF") {
		return nil, nil
	}
	r, err := s.Query(ctx, `SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS
		WHERE DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL') ORDER BY 1, 2, 3`)
	if err != nil {
		return nil, fmt.Errorf("reading the foreign keys: %w", err)
	}
	remedy := "make these changes in the application"
	if !s.Version().MariaDB {
		remedy += ", or upgrade the server to a version that logs them (innodb_native_foreign_keys=OFF)"
	}
	for i := range r.RowNumber() {
		w := row{r: r, i: i}
		id, name, onDelete, onUpdate := w.id(), w.text(), w.text(), w.text()
		if w.err != nil {
			return nil, fmt.Errorf("reading the foreign keys: %w", w.err)
		}
		if !slices.ContainsFunc(tables, func(t *dictionaryTable) bool { return t.id == id }) {
			continue
		}
		list = append(list, Fault{Warning, "table " + id.String(),
			fmt.Sprintf("foreign key %s (ON DELETE %s, ON UPDATE %s): what it changes by itself is not in the binary log of this server", name, onDelete, onUpdate),
			remedy})
	}
	return list, nil
}
