package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// The exit codes, as the user's scripts know them.
const (
	fault    = 1
	usage    = 2
	position = 3
	instance = 4
)

// refused runs beluga, requires the exit code, and requires that what it says
// besides log lines is exactly the text. In the text, the names stand for what
// differs from run to run: "SERVER", addr, "DIR", dir, …; UUID stands for the
// server's, and N for the number of a file.
func refused(t *testing.T, names []string, code int, text string, args ...string) {
	t.Helper()
	p := start(t, args...)
	require.Equal(t, code, p.wait(t), "beluga %v:\n%s", args, p.out.String())
	require.Equal(t, strings.TrimPrefix(text, "\n"), plain(names, p.out.String()), "beluga %v", args)
}

var (
	serverUUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	checkFile  = regexp.MustCompile(`(/\.beluga-check-)\d+`)
	logLine    = regexp.MustCompile(`(?m)^time=.*\n`)
)

func plain(names []string, said string) string {
	said = logLine.ReplaceAllString(said, "")
	for i := 0; i < len(names); i += 2 {
		said = strings.ReplaceAll(said, names[i+1], names[i])
	}
	return checkFile.ReplaceAllString(serverUUID.ReplaceAllString(said, "UUID"), "${1}N")
}

// remedies returns the SQL that a message proposes: what stands behind each
// "remedy: ", up to a semicolon, where it is a statement.
func remedies(said string) (list []string) {
	for _, m := range regexp.MustCompile(`remedy: ((?:GRANT|SET|ALTER) [^;\n]*)`).FindAllStringSubmatch(said, -1) {
		list = append(list, m[1])
	}
	return list
}

// said runs beluga, whatever comes of it, and returns what it says.
func said(t *testing.T, args ...string) string {
	t.Helper()
	p := start(t, args...)
	p.wait(t)
	return p.out.String()
}

func TestRefusesWrongCommandLines(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "beluga.yml")
	require.NoError(t, os.WriteFile(file, []byte("from: mysql://root:secret@host:port/shop\ntoo: ./lake\ncommit:\n  interval: soon\n  row: 5\nlog: {level: loud}\n"), 0o644))
	broken := filepath.Join(dir, "broken.yml")
	require.NoError(t, os.WriteFile(broken, []byte("to: ./lake\nfrom: [a\nname: x\n"), 0o644))
	for name, c := range map[string]struct {
		text string
		args []string
	}{
		"unknown flag": {"beluga: unknown flag: --frm\ndid you mean --from? beluga run --help lists what there is\n",
			[]string{"run", "--frm", "x"}},
		"unknown command": {"beluga: unknown command \"rnu\"\ndid you mean run? the commands are bench, check, run, signal, sink, snapshot, source, status, tables, verify, version\n",
			[]string{"rnu"}},
		"an argument": {"beluga: unexpected argument \"DIR/beluga.yml\"\na configuration file is given by -c: beluga run -c DIR/beluga.yml\n",
			[]string{"run", file}},
		"nothing": {`
beluga: configuration: 2 faults
  from: missing; say where MySQL is: --from mysql://user@host/database
  to: missing; name the folder of the lake: --to ./lake
`, []string{"run"}},
		"bad URL": {"beluga: configuration: from: is no address of a server; write mysql://user:password@host:3306/database, " +
			"with special characters of user and password percent-encoded (@ is %40, / is %2F, # is %23)\n",
			[]string{"run", "--from", "mysql://root:secret@host:port/shop", "--to", dir}},
		"URL with two databases": {"beluga: configuration: from: \"shop/orders\" is not the name of a database; choose tables with --tables\n",
			[]string{"check", "--from", "mysql://root@host/shop/orders", "--to", dir}},
		"bad values": {`
beluga: configuration: 3 faults
  --commit-interval: "5x" is no duration; write it as 500ms, 10s, 5m or 7d
  tables: "(" is no regular expression: error parsing regexp: missing closing ): ` + "`(`" + `
  kafka.brokers: "nope" is not host:port, nor the word "embedded"
`, []string{"run", "--from", "mysql://root@host/shop", "--to", dir, "--commit-interval", "5x", "--kafka", "nope", "--tables", "("}},
		"a file full of faults": {`
beluga: configuration: 6 faults
  DIR/beluga.yml:2: too: unknown option; did you mean to?
  DIR/beluga.yml:4: commit.interval: "soon" is no duration; write it as 500ms, 10s, 5m or 7d
  DIR/beluga.yml:5: commit.row: unknown option; did you mean commit.rows?
  DIR/beluga.yml:6: log.level: "loud" is none of debug, info, warn, error
  from: is no address of a server; write mysql://user:password@host:3306/database, with special characters of user and password percent-encoded (@ is %40, / is %2F, # is %23)
  to: missing; name the folder of the lake: --to ./lake
`, []string{"run", "-c", file}},
		"a file that is no YAML": {"beluga: configuration: DIR/broken.yml:2: did not find expected ',' or ']'\n", []string{"run", "-c", broken}},
		"no file":                {"beluga: configuration: reading the file: open DIR/none.yml: no such file or directory\n", []string{"run", "-c", dir + "/none.yml"}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, []string{"DIR", dir}, usage, c.text, c.args...) })
	}
}

func TestRefusesServersOutOfReach(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP USER IF EXISTS e2e_known@'%'; CREATE USER e2e_known@'%' IDENTIFIED BY 'right'")
	closed := servers.ClosedAddr(t)
	lake := filepath.Join(t.TempDir(), "lake")
	names := []string{"CLOSED", closed, "SERVER", server.Addr, "LAKE", lake}
	for name, c := range map[string]struct{ from, cause, remedy string }{
		"connection refused": {"mysql://root@" + closed + "/shop", "no server listens at CLOSED",
			"check host and port in --from, and that mysqld runs with a bind_address that is reachable"},
		"unknown host": {"mysql://root@no-such-host.invalid/shop", `no server has the name "no-such-host.invalid"`, "check the host in --from"},
		"wrong password": {"mysql://e2e_known:c4n4ry@" + server.Addr + "/shop",
			`the server at SERVER refuses user "e2e_known": the user does not exist for this host or the password is wrong`, "set the password with BELUGA_PASSWORD or in --from; if SHOW CREATE USER says REQUIRE SSL, add tls=required to --from"},
		"unknown user": {"mysql://e2e_nobody:c4n4ry@" + server.Addr + "/shop",
			`the server at SERVER refuses user "e2e_nobody": the user does not exist for this host or the password is wrong`, "set the password with BELUGA_PASSWORD or in --from; if SHOW CREATE USER says REQUIRE SSL, add tls=required to --from"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, names, fault, fmt.Sprintf("beluga: the server cannot be replicated: connection: %s\n    remedy: %s\n", c.cause, c.remedy), "run", "--from", c.from, "--to", lake)
			refused(t, names, fault, fmt.Sprintf(`
FAULT    connection: %s
         remedy: %s
ok       lake: there is none yet; it will be made in LAKE
beluga: check: 1 of the above must be repaired first
`, c.cause, c.remedy), "check", "--from", c.from, "--to", lake)
			require.NoDirExists(t, lake, "a run that could not begin leaves nothing behind")
		})
	}
}

// TestMissingGrants takes each privilege away, and requires that the statements
// that are printed give it back.
func TestMissingGrants(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP DATABASE IF EXISTS e2e_grants; CREATE DATABASE e2e_grants; CREATE TABLE e2e_grants.t (id INT PRIMARY KEY); INSERT INTO e2e_grants.t VALUES (1)")
	lake := filepath.Join(t.TempDir(), "lake")
	names := []string{"SERVER", server.Addr, "LAKE", lake}
	needed := []struct{ privilege, on, subject, why string }{
		{"REPLICATION SLAVE", "*.*", "REPLICATION SLAVE", "read the binlog"},
		{"REPLICATION CLIENT", "*.*", "REPLICATION CLIENT", "read the binlog's position"},
		{"SELECT", "`e2e_grants`.*", "SELECT on e2e_grants", "load the tables"},
		{"FLUSH_TABLES", "*.*", "FLUSH_TABLES", "give all connections of the load the same state (FLUSH TABLES WITH READ LOCK, for some milliseconds)"},
	}
	create := func(user string) {
		server.Exec(t, fmt.Sprintf("DROP USER IF EXISTS %[1]s@'%%'; CREATE USER %[1]s@'%%' IDENTIFIED BY 'p'", user))
	}
	args := func(command, user string) []string {
		return []string{command, "--from", "mysql://" + user + ":p@" + server.Addr + "/e2e_grants", "--to", lake, "--snapshot-locking", "global"}
	}
	wanted := func(user string, i int) string {
		n := needed[i]
		return fmt.Sprintf("FAULT    privilege %s: user '%s'@'%%' does not have it; it is needed to %s\n         remedy: GRANT %s ON %s TO '%s'@'%%'\n",
			n.subject, user, n.why, n.privilege, n.on, user)
	}
	const lakeOK = "ok       lake: there is none yet; it will be made in LAKE\n"
	for i, n := range needed {
		t.Run(n.privilege, func(t *testing.T) {
			user := fmt.Sprintf("e2e_lacks%d", i)
			create(user)
			for j, other := range needed {
				if j != i {
					server.Exec(t, fmt.Sprintf("GRANT %s ON %s TO %s@'%%'", other.privilege, other.on, user))
				}
			}
			check := args("check", user)
			refused(t, names, fault, wanted(user, i)+lakeOK+"beluga: check: 1 of the above must be repaired first\n", check...)
			repair := remedies(said(t, check...))
			require.Len(t, repair, 1)
			server.Exec(t, repair[0])
			runs(t, check...)
		})
	}
	t.Run("all", func(t *testing.T) {
		create("e2e_lacks_all")
		check := args("check", "e2e_lacks_all")
		var all strings.Builder
		for i := range needed {
			all.WriteString(wanted("e2e_lacks_all", i))
		}
		refused(t, names, fault, all.String()+lakeOK+"beluga: check: 4 of the above must be repaired first\n", check...)
		for _, repair := range remedies(said(t, check...)) {
			server.Exec(t, repair)
		}
		runs(t, check...)
		runs(t, append(args("run", "e2e_lacks_all"), "--once")...)
		require.Contains(t, runs(t, args("verify", "e2e_lacks_all")...), "equal: 1 table, 1 row,")
	})
}

// TestFaultyServer has a server on which much is wrong at once. All of it is
// told in one message, and the statements in it repair all that statements can.
func TestFaultyServer(t *testing.T) {
	server := servers.MySQL(t, "--binlog-format=STATEMENT", "--binlog-row-image=MINIMAL", "--binlog-row-value-options=PARTIAL_JSON")
	server.Exec(t, `CREATE DATABASE shop; CREATE TABLE shop.nokey (a INT); CREATE TABLE shop.blank (id ENUM('a', '') PRIMARY KEY); CREATE TABLE shop.fine (id INT PRIMARY KEY);
		INSERT INTO shop.nokey VALUES (1), (1); INSERT INTO shop.fine VALUES (1)`)
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL("shop"), "--to", lake, "--keyless", "refuse"}
	refused(t, nil, fault, `
beluga: the server cannot be replicated, for 5 reasons:
 1. binlog_format: it is STATEMENT; the log then holds statements, not rows
    remedy: SET PERSIST binlog_format = 'ROW'; then reconnect all applications: their sessions keep the old one
 2. binlog_row_image: it is MINIMAL; the log then lacks columns of changed rows
    remedy: SET PERSIST binlog_row_image = 'FULL'; then reconnect all applications: their sessions keep the old one
 3. binlog_row_value_options: it is PARTIAL_JSON; the log then holds pieces of JSON values
    remedy: SET PERSIST binlog_row_value_options = ''; then reconnect all applications: their sessions keep the old one
 4. table shop.blank, column id: it is part of the key, and has labels that are empty or look alike: two keys would become one
    remedy: give the labels texts of their own, or take the column out of the primary key, or leave the table out with --tables
 5. table shop.nokey: it has neither a primary key nor a unique one without NULL, and --keyless refuse is set
    remedy: ALTER TABLE `+"`shop`.`nokey`"+` ADD COLUMN my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY INVISIBLE; or make a key of columns it has, or leave the table out with --tables, or let --keyless exact replicate it by whole rows
`, append([]string{"run", "--once"}, args...)...)
	require.NoDirExists(t, lake)

	repair := remedies(said(t, append([]string{"check"}, args...)...))
	require.Len(t, repair, 5) // the last is of a warning
	for _, statement := range repair[:3] {
		server.Exec(t, statement)
	}
	// What is left out does no harm.
	runs(t, append([]string{"check", "--tables", `shop\.fine`}, args...)...)
	server.Exec(t, repair[3])
	args = append(args, "--tables", `shop\.(fine|nokey)`)
	runs(t, append([]string{"run", "--once"}, args...)...)
	server.Exec(t, "INSERT INTO shop.nokey VALUES (2), (2); DELETE FROM shop.nokey WHERE a = 1 LIMIT 1")
	runs(t, append([]string{"run", "--once"}, args...)...)
	require.Contains(t, runs(t, "verify", "--from", server.URL("shop"), "--to", lake, "--tables", `shop\.(fine|nokey)`), "equal: 2 tables, 4 rows")
}

func TestRefusesServerWithoutBinlog(t *testing.T) {
	server := servers.MySQL(t, "--skip-log-bin")
	server.Exec(t, "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY)")
	refused(t, nil, fault, `
beluga: the server cannot be replicated: log_bin: the binary log is off, so that changes cannot be followed
    remedy: start mysqld with log_bin=binlog in [mysqld] (and without skip_log_bin); this needs a restart
`, "run", "--from", server.URL("shop"), "--to", filepath.Join(t.TempDir(), "lake"))
}

func TestRefusesToReplicateNothing(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "CREATE DATABASE IF NOT EXISTS e2e_empty; DROP DATABASE IF EXISTS e2e_missing")
	lake := filepath.Join(t.TempDir(), "lake")
	for name, c := range map[string]struct {
		matches string
		args    []string
	}{
		"a database that does not exist": {"database e2e_missing", []string{"--from", server.URL("e2e_missing")}},
		"an empty database":              {"database e2e_empty", []string{"--from", server.URL("e2e_empty")}},
		"no table matches":               {`--tables e2e_empty\.orders`, []string{"--from", server.URL(""), "--tables", `e2e_empty\.orders`}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, nil, fault, "beluga: the server cannot be replicated: tables: no table that the user may see matches "+c.matches+
				"\n    remedy: check the database in --from and --tables, and that the user has SELECT on the tables\n", append([]string{"run", "--to", lake}, c.args...)...)
		})
	}
}
