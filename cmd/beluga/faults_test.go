package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFaults holds what a user reads when something is not as it must be, and
// the exit code. The texts of each fault of a server are tested where they are
// made; here, that they come through whole, with their remedy.
func TestFaults(t *testing.T) {
	s := newShop(t, "cli_faults", ordersTable)
	s.exec(t, `DROP USER IF EXISTS 'cli_weak'@'%'; CREATE USER 'cli_weak'@'%' IDENTIFIED BY 'sesame'; GRANT SELECT ON cli_faults.* TO 'cli_weak'@'%'`)
	t.Cleanup(func() { _, _ = s.db.Exec("DROP USER 'cli_weak'@'%'") })
	s.exec(t, "DROP DATABASE IF EXISTS cli_paths; CREATE DATABASE cli_paths; CREATE TABLE cli_paths.`a/b` (id INT PRIMARY KEY)")
	t.Cleanup(func() { _, _ = s.db.Exec("DROP DATABASE cli_paths") })
	addr := s.server.Addr
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("no lake"), 0o600))
	foreign := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "thesis.tex"), nil, 0o600))
	for _, c := range []struct {
		name, from, to string
		more           []string
		code           int
		want           []string
	}{
		{"no such server", "mysql://root@127.0.0.1:1/x", s.lake, nil, exitFault, []string{"127.0.0.1:1", "remedy: "}},
		{"wrong password", "mysql://cli_weak:wrong@" + addr + "/cli_faults", s.lake, nil, exitFault, []string{"cli_weak", "password", "remedy: "}},
		{"missing grant", "mysql://cli_weak:sesame@" + addr + "/cli_faults", s.lake, nil, exitFault, []string{"REPLICATION", "GRANT"}},
		{"no such database", "mysql://root@" + addr + "/cli_nowhere", s.lake, nil, exitFault, []string{"no table that the user may see matches database cli_nowhere"}},
		{"no such table", "mysql://root@" + addr, s.lake, []string{"--tables", `cli_faults\.nothing`}, exitFault, []string{`cli_faults\.nothing`}},
		{"a name that no lake takes", s.server.URL("cli_paths"), filepath.Join(t.TempDir(), "lake"), nil, exitFault, []string{`no Iceberg catalog takes a table whose name, or whose namespace's name, is "a/b"`, "--names-rename"}},
		{"a file for a lake", s.server.URL(s.name), file, nil, exitFault, []string{file}},
		{"a folder that is no lake", s.server.URL(s.name), foreign, nil, exitFault, []string{foreign}},
		{"a parent that cannot be", s.server.URL(s.name), file + "/lake", nil, exitFault, []string{file}},
		{"unknown reader", s.server.URL(s.name), s.lake, []string{"--readers", "excel"}, exitFault, []string{`reader "excel" is not known`, "duckdb"}},
		{"unknown flag", s.server.URL(s.name), s.lake, []string{"--commit-intervall", "1s"}, exitUsage, []string{"did you mean --commit-interval?"}},
		{"an argument", s.server.URL(s.name), s.lake, []string{"beluga.yml"}, exitUsage, []string{`unexpected argument "beluga.yml"`}},
		{"no broker", s.server.URL(s.name), filepath.Join(t.TempDir(), "lake"), []string{"--kafka", "127.0.0.1:1"}, exitFault, []string{"127.0.0.1:1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, command := range []string{"run", "check"} {
				args := append([]string{command, "--from", c.from, "--to", c.to}, c.more...)
				if command == "run" {
					args = append(args, "--once")
				} else if c.name == "unknown flag" {
					continue
				}
				code, out, errs := runArgs(args...)
				assert.Equal(t, c.code, code, "%s: %s%s", command, out, errs)
				for _, want := range c.want {
					assert.Contains(t, out+errs, want, command)
				}
				assert.NotContains(t, out+errs, "sesame")
			}
		})
	}
	_, err := os.Stat(s.lake)
	assert.ErrorIs(t, err, os.ErrNotExist, "a run that cannot begin, and a check, leave no lake behind")
}

// TestAllFaultsAtOnce holds that a fault of one part does not hide those of
// another.
func TestAllFaultsAtOnce(t *testing.T) {
	s := newShop(t, "cli_all", ordersTable)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	code, _, errs := runArgs("run", "--from", "mysql://root@"+s.server.Addr+"/cli_none", "--to", file)
	assert.Equal(t, exitFault, code)
	assert.Contains(t, errs, file)
	assert.Contains(t, errs, "cli_none")
	code, out, _ := runArgs("check", "--from", "mysql://root@"+s.server.Addr+"/cli_none", "--to", file)
	assert.Equal(t, exitFault, code)
	assert.Equal(t, 2, strings.Count(out, "FAULT"), out)
}

func TestServerThatLogsStatements(t *testing.T) {
	s := newShop(t, "cli_statement", ordersTable, "--binlog-format=STATEMENT")
	code, _, errs := runArgs(s.args("run", "--once")...)
	assert.Equal(t, exitFault, code)
	assert.Contains(t, errs, "SET PERSIST binlog_format = 'ROW'")
}

func TestServerWithoutBinlog(t *testing.T) {
	s := newShop(t, "cli_nolog", ordersTable, "--skip-log-bin")
	code, _, errs := runArgs(s.args("run", "--once")...)
	assert.Equal(t, exitFault, code)
	assert.Contains(t, errs, "the binary log is off")
}

func TestTableWithoutKey(t *testing.T) {
	s := newShop(t, "cli_keyless", "CREATE TABLE notes (note TEXT)")
	for _, command := range [][]string{{"check", "--keyless", "refuse"}, {"run", "--once", "--keyless", "refuse"}} {
		code, out, errs := runArgs(s.args(command[0], command[1:]...)...)
		assert.Equal(t, exitFault, code)
		assert.Contains(t, out+errs, "cli_keyless.notes")
		assert.Contains(t, out+errs, "PRIMARY KEY")
	}
	code, _, errs := runArgs(s.args("run", "--once")...)
	assert.Equal(t, exitOK, code, errs)
}

// TestPasswordFromTheEnvironment holds that a password need not stand on the
// command line.
func TestPasswordFromTheEnvironment(t *testing.T) {
	s := newShop(t, "cli_password", ordersTable)
	s.exec(t, `DROP USER IF EXISTS 'cli_env'@'%'; CREATE USER 'cli_env'@'%' IDENTIFIED BY 'p@ss/word'; GRANT ALL ON *.* TO 'cli_env'@'%'`)
	t.Cleanup(func() { _, _ = s.db.Exec("DROP USER 'cli_env'@'%'") })
	t.Setenv(passwordVariable, "p@ss/word")
	code, _, errs := runArgs("run", "--once", "--from", "mysql://cli_env@"+s.server.Addr+"/cli_password", "--to", s.lake)
	require.Equal(t, exitOK, code, errs)
}
