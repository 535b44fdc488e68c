package servers

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MySQLServer is a running MySQL or MariaDB with GTIDs, the row format and full
// row metadata, where the options of the test did not say otherwise.
type MySQLServer struct {
	Addr           string // host:port
	User, Password string
	Socket         string // path; empty where the server runs elsewhere or in a container
	Datadir        string // empty where the server is not ours

	product product
	dir     string
	args    []string
	shared  bool
	running *starter // nil while stopped, and always where the server is not ours
	ports   *ports   // held while stopped too
}

// product is a server that speaks MySQL's protocol.
type product struct {
	name    string
	script  string // its starter
	address string // environment variable of one that runs already; with _USER and _PASSWORD
}

var (
	mySQL   = product{"MySQL", "mysql.sh", "BELUGA_TEST_MYSQL"}
	mariaDB = product{"MariaDB", "mariadb.sh", "BELUGA_TEST_MARIADB"}
)

// MySQL returns a server that answers. Without options it is one server for
// all tests of the binary; a test that stops, restarts or reconfigures it asks
// for one of its own by giving at least one option of mysqld, such as
// "--binlog-row-metadata=FULL".
func MySQL(t testing.TB, args ...string) *MySQLServer {
	t.Helper()
	return serverOf(t, mySQL, &sharedMySQL, args)
}

// MariaDB is MySQL with a MariaDB server.
func MariaDB(t testing.TB, args ...string) *MySQLServer {
	t.Helper()
	return serverOf(t, mariaDB, &sharedMariaDB, args)
}

func serverOf(t testing.TB, p product, common *shared[*MySQLServer], args []string) *MySQLServer {
	t.Helper()
	if len(args) == 0 {
		return common.get(t, p.name, p.newShared)
	}
	s := &MySQLServer{product: p, User: "root", dir: t.TempDir(), args: args}
	if err := s.start(); err != nil {
		unavailable(t, p.name, err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", p.name, tail(filepath.Join(s.dir, "log")))
		}
		if err := errors.Join(s.stop(), s.ports.release()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (p product) newShared(dir string) (*MySQLServer, error) {
	if addr := os.Getenv(p.address); addr != "" {
		user := os.Getenv(p.address + "_USER")
		if user == "" {
			user = "root"
		}
		return &MySQLServer{product: p, Addr: addr, User: user, Password: os.Getenv(p.address + "_PASSWORD"), shared: true}, nil
	}
	s := &MySQLServer{product: p, User: "root", dir: dir, shared: true}
	return s, s.start()
}

// start starts the server on the port it had, or on a free one.
func (s *MySQLServer) start() (err error) {
	if s.ports == nil {
		if s.ports, err = takePorts(1); err != nil {
			return err
		}
	}
	running, err := startServer(s.product.script, s.dir, s.ports.first, s.args...)
	if err != nil {
		return err
	}
	s.running, s.Addr, s.Datadir = running, running.addr, filepath.Join(s.dir, "data")
	socket, err := os.ReadFile(filepath.Join(s.dir, "socket"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the path of the socket: %w", err)
	}
	s.Socket = strings.TrimSpace(string(socket))
	return nil
}

func (s *MySQLServer) stop() error {
	if s.running == nil {
		return nil
	}
	running := s.running
	s.running = nil
	return running.stop()
}

// Stop shuts the server down in order, and waits until it is gone. Start starts
// it again, with its data and address.
func (s *MySQLServer) Stop(t testing.TB) {
	t.Helper()
	s.mustBeOwn(t)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// Start starts a server that was stopped.
func (s *MySQLServer) Start(t testing.TB) {
	t.Helper()
	s.mustBeOwn(t)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Restart is Stop and Start.
func (s *MySQLServer) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

func (s *MySQLServer) mustBeOwn(t testing.TB) {
	t.Helper()
	if s.shared {
		t.Fatalf("this %s serves the other tests too and must not be stopped: give servers.%[1]s an option to get one of your own", s.product.name)
	}
}

// DB opens a pool to the server that is closed at the end of the test. A
// statement may be several, separated by semicolons.
func (s *MySQLServer) DB(t testing.TB) *sql.DB {
	t.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd = s.User, s.Password
	config.Net, config.Addr = "tcp", s.Addr
	config.MultiStatements = true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatalf("configuring the connection to %s: %v", s.Addr, err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// Exec runs statements, separated by semicolons, on one connection, and fails
// the test where one fails.
func (s *MySQLServer) Exec(t testing.TB, statements string) {
	t.Helper()
	db := s.DB(t)
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatalf("executing %.200s: %v", statements, err)
	}
}

// URL is the server's address as `beluga run --from` takes it; an empty
// database means all.
func (s *MySQLServer) URL(database string) string {
	user := url.User(s.User)
	if s.Password != "" {
		user = url.UserPassword(s.User, s.Password)
	}
	return (&url.URL{Scheme: "mysql", User: user, Host: s.Addr, Path: "/" + database}).String()
}
