package source

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
	"github.com/beluga-cdc/beluga/source/value"
)

// Config says what to read. Zero values of all but Endpoint choose the defaults
// given.
type Config struct {
	Endpoint session.Endpoint
	// Database is read as a whole unless Tables says more exactly; empty: all but
	// the system's.
	Database string
	// Tables are regular expressions, each over the whole of "database.table".
	Tables []string
	// ExcludeTables are left out of what Tables names.
	ExcludeTables []string
	Columns       Columns
	// RefuseKeyless: a captured table without a key is a fault.
	RefuseKeyless bool
	// ReloadIncompatible: a table that is altered in a way that the rows in the lake
	// cannot follow is loaded again beside the others, instead of stopping the run.
	ReloadIncompatible bool
	// SetApart: a column whose values changed so, and which tells no rows apart, begins
	// anew; what the lake has of it stays under another name.
	SetApart bool

	Connections int           // that load at the same time; 2 to 4, by the number of CPUs
	ChunkRows   int           // rows of a table that one of them takes at a time, at the most; 100,000
	ChunkTime   time.Duration // that reading these shall take, about; 0: as long as it takes
	LockWait    time.Duration // for a lock of a load; 10 s
	// ReplicaWait is how long a server that lacks some of our transactions may take
	// to receive them, as a replica does that was just made the source; 10 s.
	ReplicaWait time.Duration

	Pause Pause // of a load

	Mode     SnapshotMode // Initial
	Switches Switches     // of ConfigurationBased

	Locking snapshot.Locking // Auto
	// Filters are "PATTERN where CONDITION": of the tables of the pattern a load takes
	// only the rows of the condition.
	Filters []string
	// LaneWindow bounds, in bytes, the rows of lanes that are under way to the lake; 512 KiB.
	// A commit of other tables may come behind all of them: with 4 MiB their lag was twice
	// what it is without a lane. A log sends what it has once a batch is full, and needs more.
	LaneWindow int
	// LaneMemory bounds, in bytes, the changes held back for each table that a lane reads
	// as a whole; 4 MiB.
	LaneMemory int

	GTIDSources GTIDSources

	// MessageKeys and Partitions are those of a log that the events go to; the preflight
	// looks whether the tables can have such keys.
	MessageKeys pipeline.MessageKeys
	Partitions  int

	// SignalTable is where applications ask for loads and more by inserting rows, as
	// Debezium's signal.data.collection; zero: there is none.
	SignalTable schema.TableID
	Name        string // of the pipeline, in notifications

	Types     value.Policy
	OldImages binlog.OldImages
	ServerID  uint32        // to register as a replica; random
	Heartbeat time.Duration // of a silent binlog; 10 s
	// ActionQuery is a statement that is run on the server each ActionInterval while the
	// binlog is followed; "": none.
	ActionQuery    string
	ActionInterval time.Duration // 10 s
	Once           bool          // Run returns when all that the server had at its start is sent
}

const defaultPort = "3306"

// errURL never wraps what the standard library says of a URL, for that repeats
// the URL, and with it the password.
var errURL = errors.New("is no address of a server; write mysql://user:password@host:3306/database, with special characters of user and password percent-encoded (@ is %40, / is %2F, # is %23)")

// ParseURL reads the address of a server:
//
//	mysql://user:password@host:3306/database?tls=verify-identity&ca=ca.pem
//	mysql://user@host/database?password-file=secret&tls=required&cert=me.pem&key=me.key
//	mysql://user@/database?socket=/run/mysqld/mysqld.sock
//
// No error of it holds the password.
func ParseURL(text string) (Config, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "mysql" || u.Opaque != "" || u.Fragment != "" {
		return Config{}, fmt.Errorf("--from %w", errURL)
	}
	c := Config{Endpoint: session.Endpoint{Network: "tcp"}}
	if u.User != nil {
		password, _ := u.User.Password()
		c.Endpoint.User, c.Endpoint.Password = u.User.Username(), session.Secret(password)
	}
	if c.Endpoint.User == "" {
		return Config{}, errors.New("--from names no user: write mysql://user@host/database")
	}
	c.Database = strings.TrimPrefix(u.Path, "/")
	if strings.Contains(c.Database, "/") {
		return Config{}, fmt.Errorf("--from: %q is not the name of a database; choose tables with --tables", c.Database)
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	c.Endpoint.Address = net.JoinHostPort(u.Hostname(), port)
	if err := c.parseOptions(u.RawQuery); err != nil {
		return Config{}, err
	}
	if u.Hostname() == "" && c.Endpoint.Network != "unix" {
		return Config{}, errors.New("--from names no host: write mysql://user@host/database, or mysql://user@/database?socket=/path")
	}
	if c.Endpoint.PasswordFile != "" && c.Endpoint.Password != "" {
		return Config{}, errors.New("--from has a password and a password-file: leave one away")
	}
	if err := c.Endpoint.CheckTLS(); err != nil {
		return Config{}, fmt.Errorf("--from: %w", err)
	}
	return c, nil
}

func (c *Config) parseOptions(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("--from %w", errURL)
	}
	for name, v := range values {
		last := v[len(v)-1]
		switch name {
		case "tls":
			if c.Endpoint.TLS, err = session.ParseTLSMode(last); err != nil {
				return fmt.Errorf("--from: %w", err)
			}
		case "ca":
			c.Endpoint.CAFile = last
		case "cert":
			c.Endpoint.CertFile = last
		case "key":
			c.Endpoint.KeyFile = last
		case "password-file":
			c.Endpoint.PasswordFile = last
		case "socket":
			c.Endpoint.Network, c.Endpoint.Address = "unix", last
		default:
			return fmt.Errorf("--from has no option %q; it has tls, ca, cert, key, password-file and socket", name)
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Connections <= 0 {
		c.Connections = min(max(runtime.NumCPU(), 2), 4)
	}
	if c.ChunkRows <= 0 {
		c.ChunkRows = 100_000
	}
	if c.Locking == "" {
		c.Locking = snapshot.Auto
	}
	if c.LaneWindow <= 0 {
		c.LaneWindow = 512 << 10
	}
	if c.LaneMemory <= 0 {
		c.LaneMemory = 4 << 20
	}
	if c.LockWait <= 0 {
		c.LockWait = 10 * time.Second
	}
	if c.ReplicaWait <= 0 {
		c.ReplicaWait = 10 * time.Second
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = 10 * time.Second
	}
	if c.ActionInterval <= 0 {
		c.ActionInterval = 10 * time.Second
	}
	return c
}

// selection tells which tables are captured.
type selection struct {
	database      string
	patterns      []*regexp.Regexp
	excluded      []*regexp.Regexp
	columns       columnRules
	filters       []filterRule
	refuseKeyless bool
	text          string // for messages
}

var systemDatabases = []string{"information_schema", "mysql", "performance_schema", "sys"}

func newSelection(c Config) (selection, error) {
	s := selection{database: c.Database, refuseKeyless: c.RefuseKeyless}
	var err error
	if s.patterns, err = compile("--tables", "", c.Tables); err != nil {
		return s, err
	}
	if s.excluded, err = compile("--tables-exclude", "", c.ExcludeTables); err != nil {
		return s, err
	}
	if s.columns, err = newColumnRules(c.Columns); err != nil {
		return s, err
	}
	if s.filters, err = newFilterRules(c.Filters); err != nil {
		return s, err
	}
	switch {
	case len(c.Tables) > 0:
		s.text = "--tables " + strings.Join(c.Tables, ", ")
	case c.Database != "":
		s.text = "database " + c.Database
	default:
		s.text = "the server"
	}
	if len(c.ExcludeTables) > 0 {
		s.text += " without --tables-exclude " + strings.Join(c.ExcludeTables, ", ")
	}
	return s, nil
}

// leftOut refuses tables that the lake follows and the configuration no longer
// names: their changes would be passed over, and nothing would tell of it when
// they are named again.
func (s selection) leftOut(lake map[schema.TableID]pipeline.TableState) (list Faults) {
	for id := range lake {
		if !s.matches(id) {
			list = append(list, Fault{Fatal, "table " + id.String(), "the lake follows it, and " + s.text + " leaves it out: its changes would be lost",
				"name it in --from or --tables as before; or run without it into an empty lake (--to another folder)"})
		}
	}
	slices.SortFunc(list, func(a, b Fault) int { return strings.Compare(a.Subject, b.Subject) })
	return list
}

// matches tells whether a table is captured. System tables never are.
func (s selection) matches(id schema.TableID) bool {
	if slices.Contains(systemDatabases, strings.ToLower(id.Database)) {
		return false
	}
	name := id.String()
	if slices.ContainsFunc(s.excluded, func(re *regexp.Regexp) bool { return re.MatchString(name) }) {
		return false
	}
	if len(s.patterns) == 0 {
		return s.database == "" || s.database == id.Database
	}
	return slices.ContainsFunc(s.patterns, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}
