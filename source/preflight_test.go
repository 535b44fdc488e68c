package source_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

func TestMain(m *testing.M) { servers.Main(m) }

func config(t *testing.T, server *servers.MySQLServer, database string) source.Config {
	t.Helper()
	c, err := source.ParseURL(server.URL(database))
	require.NoError(t, err)
	c.Connections = 2
	return c
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func preflight(t *testing.T, c source.Config) source.Faults {
	t.Helper()
	faults, err := source.New(c, quiet()).Preflight(t.Context())
	require.NoError(t, err)
	return faults
}

// want finds a fault by its subject, and requires its text.
func want(t *testing.T, faults source.Faults, severity source.Severity, subject, problem, remedy string) {
	t.Helper()
	for _, f := range faults {
		if f.Subject == subject {
			require.Equal(t, severity, f.Severity, subject)
			require.Contains(t, f.Problem, problem)
			require.Contains(t, f.Remedy, remedy)
			return
		}
	}
	require.Failf(t, "fault not found", "no fault about %q in:\n%v", subject, faults)
}

// TestPreflightFaults has two servers on which everything is wrong.
func TestPreflightFaults(t *testing.T) {
	t.Run("settings", func(t *testing.T) {
		server := servers.MySQL(t, "--binlog-format=STATEMENT", "--binlog-row-image=MINIMAL", "--binlog-row-metadata=MINIMAL", "--binlog-row-value-options=PARTIAL_JSON",
			"--sync-binlog=0", "--binlog-expire-logs-seconds=3600", "--gtid-mode=OFF_PERMISSIVE", "--innodb-native-foreign-keys=ON", "--binlog-ignore-db=hidden",
			"--show-gipk-in-create-table-and-information-schema=OFF")
		server.Exec(t, `SET NAMES utf8mb4; CREATE DATABASE shop; CREATE DATABASE hidden; CREATE TABLE hidden.t (id INT PRIMARY KEY);
			CREATE TABLE shop.parent (id INT PRIMARY KEY);
			CREATE TABLE shop.child (id INT PRIMARY KEY, p INT, CONSTRAINT own FOREIGN KEY (p) REFERENCES shop.parent (id) ON DELETE CASCADE);
			CREATE TABLE shop.nokey (a INT, UNIQUE (a)); CREATE TABLE shop.nearkey (a INT NOT NULL, UNIQUE (a));
			CREATE TABLE shop.aria (id INT PRIMARY KEY) ENGINE=MyISAM;
			CREATE TABLE shop.blank (id ENUM('a', '') PRIMARY KEY);
			CREATE TABLE shop.moods (id INT PRIMARY KEY, mood ENUM('😀', 'b') CHARACTER SET utf8mb4)`)
		unloaded := config(t, server, "")
		unloaded.Mode = source.NoData
		want(t, preflight(t, unloaded), source.Warning, "table shop.nokey", "snapshot.mode no_data does not load the rows", "load it with another snapshot.mode")
		refusing := config(t, server, "")
		refusing.RefuseKeyless = true
		faults := preflight(t, refusing)
		want(t, faults, source.Fatal, "binlog_format", "it is STATEMENT", "SET PERSIST binlog_format = 'ROW'")
		want(t, faults, source.Fatal, "binlog_row_image", "it is MINIMAL", "SET PERSIST binlog_row_image = 'FULL'")
		want(t, faults, source.Fatal, "binlog_row_value_options", "PARTIAL_JSON", "SET PERSIST binlog_row_value_options = ''")
		want(t, faults, source.Warning, "binlog_row_metadata", "it is MINIMAL", "SET PERSIST binlog_row_metadata = 'FULL'")
		want(t, faults, source.Warning, "gtid_mode", "it is OFF_PERMISSIVE", "enforce_gtid_consistency")
		want(t, faults, source.Warning, "sync_binlog", "it is 0", "SET PERSIST sync_binlog = 1")
		want(t, faults, source.Warning, "binlog_expire_logs_seconds", "a pause of more than 1h0m0s loses the position", "SET PERSIST binlog_expire_logs_seconds")
		want(t, faults, source.Fatal, "table shop.nokey", "it has neither a primary key", "ALTER TABLE `shop`.`nokey` ADD COLUMN")
		want(t, faults, source.Fatal, "table shop.nokey", "it has neither a primary key", "leave the table out with --tables")
		want(t, faults, source.Fatal, "table shop.aria", "its engine is MyISAM", "ALTER TABLE `shop`.`aria` ENGINE=InnoDB")
		want(t, faults, source.Fatal, "table shop.blank, column id", "two keys would become one", "or take the column out of the primary key")
		want(t, faults, source.Fatal, "table shop.moods, column mood", "beyond the BMP, which information_schema shows as question marks", "SET PERSIST binlog_row_metadata = 'FULL'")
		want(t, faults, source.Fatal, "database hidden", "keeps its changes out of the binary log", "binlog-ignore-db")
		want(t, faults, source.Warning, "table shop.child", "foreign key own (ON DELETE CASCADE", "in the application")
		want(t, faults, source.Warning, "sql_require_primary_key", "without a key stops the run", "SET PERSIST sql_require_primary_key = ON")
		want(t, faults, source.Warning, "show_gipk_in_create_table_and_information_schema", "hides the keys", "SET PERSIST show_gipk_in_create_table_and_information_schema = ON")
		want(t, faults, source.Warning, "binlog-do-db, binlog-ignore-db", "they choose DDL by the database that its session uses", "or USE the table's database before")
		require.Len(t, faults.Fatal(), 8)
		require.Len(t, faults.Warnings(), 8)
		require.NotContains(t, ddlOf(t, server, "hidden", "ALTER TABLE shop.parent COMMENT 'unseen'"), "unseen")
		require.Contains(t, ddlOf(t, server, "shop", "ALTER TABLE shop.parent COMMENT 'seen'"), "COMMENT 'seen'")

		text := faults.Err().Error()
		require.True(t, strings.HasPrefix(text, "the server cannot be replicated, for 8 reasons:\n 1. "), text)
		require.Contains(t, text, "\n 8. ")
		require.NotContains(t, text, "sync_binlog", "a warning is no reason")

		// What is left out does no harm.
		c := config(t, server, "shop")
		c.Tables = []string{`shop\.parent`}
		for _, f := range preflight(t, c) {
			require.False(t, strings.HasPrefix(f.Subject, "table "), f.Subject)
		}
	})
	t.Run("no binary log", func(t *testing.T) {
		server := servers.MySQL(t, "--skip-log-bin")
		server.Exec(t, "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY)")
		faults := preflight(t, config(t, server, "shop"))
		want(t, faults, source.Fatal, "log_bin", "the binary log is off", "start mysqld with log_bin=binlog")
		require.Len(t, faults.Fatal(), 1)
		require.True(t, strings.HasPrefix(faults.Error(), "the server cannot be replicated: log_bin: "), faults.Error())
	})
	t.Run("no tables", func(t *testing.T) {
		server := servers.MySQL(t)
		faults := preflight(t, config(t, server, "nothing_here"))
		want(t, faults, source.Fatal, "tables", "no table that the user may see matches database nothing_here", "check the database in --from")
		require.Len(t, faults, 1)
	})
	t.Run("nothing", func(t *testing.T) {
		server := servers.MySQL(t)
		server.Exec(t, "CREATE DATABASE IF NOT EXISTS fine; CREATE TABLE IF NOT EXISTS fine.t (id INT PRIMARY KEY)")
		faults := preflight(t, config(t, server, "fine"))
		require.NoError(t, faults.Err())
		require.Empty(t, faults)
	})
}

// ddlOf runs a statement in a database, and returns what the binlog has since.
func ddlOf(t *testing.T, server *servers.MySQLServer, database, statement string) string {
	t.Helper()
	server.Exec(t, "FLUSH BINARY LOGS; USE "+database+"; "+statement)
	rows, err := server.DB(t).Query("SHOW BINARY LOGS")
	require.NoError(t, err)
	var file, size, encrypted string
	for rows.Next() {
		require.NoError(t, rows.Scan(&file, &size, &encrypted))
	}
	require.NoError(t, rows.Err())
	rows, err = server.DB(t).Query("SHOW BINLOG EVENTS IN '" + file + "'")
	require.NoError(t, err)
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var log, pos, kind, id, end, info string
		require.NoError(t, rows.Scan(&log, &pos, &kind, &id, &end, &info))
		text.WriteString(info + "\n")
	}
	require.NoError(t, rows.Err())
	return text.String()
}

func TestConnectFaults(t *testing.T) {
	server := servers.MySQL(t)
	closed := servers.ClosedAddr(t)
	faults := preflight(t, source.Config{Endpoint: session.Endpoint{Network: "tcp", Address: closed, User: "root"}})
	want(t, faults, source.Fatal, "connection", "no server listens at "+closed, "check host and port in --from")
	require.NotContains(t, faults[0].Remedy, "dial tcp", "the library's text says nothing more")

	server.Exec(t, "DROP USER IF EXISTS known@'%'; CREATE USER known@'%' IDENTIFIED BY 'right'")
	faults = preflight(t, source.Config{Endpoint: session.Endpoint{Network: "tcp", Address: server.Addr, User: "known", Password: "wrong"}})
	want(t, faults, source.Fatal, "connection", `refuses user "known"`, "set the password with BELUGA_PASSWORD")
}

func TestMissingGrants(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "CREATE DATABASE IF NOT EXISTS granted; CREATE TABLE IF NOT EXISTS granted.t (id INT PRIMARY KEY)")
	all := []string{"REPLICATION SLAVE ON *.*", "REPLICATION CLIENT ON *.*", "FLUSH_TABLES ON *.*", "SELECT ON `granted`.*"}
	for i, left := range append(all, "nothing") {
		t.Run(left, func(t *testing.T) {
			user := fmt.Sprintf("least%d", i)
			server.Exec(t, fmt.Sprintf("DROP USER IF EXISTS %[1]s@'%%'; CREATE USER %[1]s@'%%' IDENTIFIED BY 'p'", user))
			for _, g := range all {
				if g != left {
					server.Exec(t, fmt.Sprintf("GRANT %s TO %s@'%%'", g, user))
				}
			}
			c := config(t, server, "granted")
			c.Endpoint.User, c.Endpoint.Password, c.Locking = user, "p", snapshot.Global
			faults := preflight(t, c)
			if left == "nothing" {
				require.Empty(t, faults)
				// These are enough indeed.
				s, _, err := source.New(c, quiet()).OpenSnapshot(t.Context())
				require.NoError(t, err)
				s.Close()
				return
			}
			privilege := strings.TrimSuffix(strings.TrimSuffix(left, " ON *.*"), " ON `granted`.*")
			subject := "privilege " + privilege
			if privilege == "SELECT" {
				subject += " on granted"
			}
			remedy := fmt.Sprintf("GRANT %s TO '%s'@'%%'", left, user)
			want(t, faults, source.Fatal, subject, "does not have it", remedy)
			// The statement printed is one that repairs it.
			server.Exec(t, remedy)
			require.NoError(t, preflight(t, c).Err())
		})
	}
	t.Run("LOCK TABLES", func(t *testing.T) {
		server.Exec(t, `DROP USER IF EXISTS nolock@'%'; CREATE USER nolock@'%' IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE, REPLICATION CLIENT, FLUSH_TABLES ON *.* TO nolock@'%';
			GRANT SELECT ON granted.* TO nolock@'%'`)
		c := config(t, server, "granted")
		c.Endpoint.User, c.Endpoint.Password, c.Locking = "nolock", "p", snapshot.Tables
		remedy := "GRANT LOCK TABLES ON `granted`.* TO 'nolock'@'%'"
		want(t, preflight(t, c), source.Fatal, "privilege LOCK TABLES on granted", "needed for snapshot.locking tables", remedy)
		server.Exec(t, remedy)
		require.Empty(t, preflight(t, c))
		for _, locking := range []snapshot.Locking{snapshot.Auto, snapshot.None} {
			c.Locking = locking
			require.Empty(t, preflight(t, c))
		}
	})
	t.Run("without GTIDs", func(t *testing.T) {
		server := servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
		server.Exec(t, "CREATE DATABASE granted; CREATE TABLE granted.t (id INT PRIMARY KEY); CREATE USER few; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO few")
		c := config(t, server, "granted")
		c.Endpoint.User = "few"
		want(t, preflight(t, c), source.Fatal, "privilege FLUSH_TABLES", "give all connections of the load the same state", "GRANT FLUSH_TABLES ON *.* TO 'few'@'%'")
		c.Locking = snapshot.None
		want(t, preflight(t, c), source.Fatal, "snapshot.locking", "gtid_mode is OFF", "choose auto, global or tables")
		server.Exec(t, "GRANT LOCK TABLES ON *.* TO few")
		c.Locking = snapshot.Auto
		require.NoError(t, preflight(t, c).Err())
	})
	t.Run("by a role", func(t *testing.T) {
		server.Exec(t, `DROP USER IF EXISTS member@'%'; DROP ROLE IF EXISTS reader; CREATE ROLE reader; CREATE USER member@'%' IDENTIFIED BY 'p';
			GRANT REPLICATION SLAVE, REPLICATION CLIENT, RELOAD, SELECT ON *.* TO reader; GRANT reader TO member@'%'; SET DEFAULT ROLE ALL TO member@'%'`)
		c := config(t, server, "granted")
		c.Endpoint.User, c.Endpoint.Password = "member", "p"
		require.Empty(t, preflight(t, c))
	})
}
