package e2e

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Where the cases are, and the files of one; testdata/sql/README.md describes them.
const (
	casesFolder  = "../../testdata/sql"
	loadFile     = "load.sql"
	streamFile   = "stream.sql"
	optionsFile  = "options.yml"
	expectedFile = "expect.yml"
)

var (
	chosenCases = flag.String("case", "", "run only the cases of testdata/sql whose name matches the regular expression")
	updateCases = flag.Bool("update", false, "write the cases' expect.yml, instead of comparing: types, or the text of the end")
)

// sqlCase is a folder of testdata/sql.
type sqlCase struct {
	name         string
	load, stream string
	options      caseOptions
	expected     expectation
	before       map[tableName]sourceTable // after load.sql, where stream.sql alters them
}

type caseOptions struct {
	// Database is the beginning of the names of the case's databases; the case's
	// name where it is empty.
	Database string
	// Server and Beluga are options of mysqld and of beluga run. Cases with the
	// same ones share a server and a lake.
	Server, Beluga []string
	// MySQLOnly says why the case does not run on MariaDB.
	MySQLOnly string `yaml:"mysql-only"`
	// MariaDBOnly says why it runs nowhere else.
	MariaDBOnly string `yaml:"mariadb-only"`
}

// expectation is what a case must lead to: types, or an end.
type expectation struct {
	Types map[string]columnTypes `yaml:",omitempty"` // by table
	// Columns says of the columns of tables that stream.sql alters whose field id they
	// have: that of another column, as load.sql left it, or a new one although the name
	// is old. Columns that are not named kept their own, or are new.
	Columns map[string]columnOrigins `yaml:",omitempty"`
	// Before has the types, as load.sql left them, of columns of such tables that are not
	// there any more by this name and with this type.
	Before map[string]columnTypes `yaml:",omitempty"`
	// Refused is the end of a run that begins after load.sql and stream.sql;
	// Stopped that of a run that begins after load.sql, and meets stream.sql.
	Refused, Stopped *ending `yaml:",omitempty"`
}

// columnOrigins are columns of load.sql, or "new", by the columns' names now.
type columnOrigins map[string]string

// ending is how a run ends that cannot go on.
type ending struct {
	Exit int
	Says string // all of it but log lines; DATABASE, UUID and N stand for what differs
}

func (c *sqlCase) stops() bool { return c.expected.Refused != nil || c.expected.Stopped != nil }

// sqlFor returns the statements for the database.
func sqlFor(database, sql string) string {
	return "USE " + quoteName(database) + "; " + strings.ReplaceAll(sql, "${database}", strings.ReplaceAll(database, "`", "``"))
}

// readCases returns the cases that were chosen.
func readCases(t *testing.T) (cases []*sqlCase) {
	t.Helper()
	chosen, err := regexp.Compile("^(?:" + *chosenCases + ")$")
	require.NoError(t, err)
	entries, err := os.ReadDir(casesFolder)
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && (*chosenCases == "" || chosen.MatchString(e.Name())) {
			cases = append(cases, readCase(t, e.Name()))
		}
	}
	require.NotEmpty(t, cases, "no case matches %q", *chosenCases)
	return cases
}

func readCase(t *testing.T, name string) *sqlCase {
	t.Helper()
	c := &sqlCase{name: name}
	c.load, c.stream = string(readFile(t, name, loadFile)), string(readFile(t, name, streamFile))
	require.NotEmpty(t, c.load, "%s: %s is missing or empty", name, loadFile)
	decodeStrictly(t, name, optionsFile, &c.options)
	decodeStrictly(t, name, expectedFile, &c.expected)
	if c.options.Database == "" {
		c.options.Database = name
	}
	if *updateCases {
		c.expected.Types = nil // the first database that is compared gives them
	} else {
		require.NotEqual(t, c.stops(), len(c.expected.Types) > 0, "%s: %s must say either types, or how the run ends", name, expectedFile)
	}
	return c
}

// readFile returns a file of the case; nothing where it does not have it.
func readFile(t *testing.T, name, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(casesFolder, name, file))
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return data
}

func decodeStrictly(t *testing.T, name, file string, into any) {
	t.Helper()
	data := readFile(t, name, file)
	if len(data) == 0 {
		return
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	require.NoError(t, d.Decode(into), "%s: %s", name, file)
}

// writeExpected writes what is expected of the case.
func (c *sqlCase) writeExpected(t *testing.T) {
	t.Helper()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	require.NoError(t, e.Encode(c.expected))
	require.NoError(t, os.WriteFile(filepath.Join(casesFolder, c.name, expectedFile), b.Bytes(), 0o644))
}
