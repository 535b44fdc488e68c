package servers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
)

// Where tests ask for servers they share, these start once, at the first
// request. They are variables of the package because the test binary is their
// scope: a test function has nothing longer-lived to hold them in.
var (
	sharedMySQL   shared[*MySQLServer]
	sharedMariaDB shared[*MySQLServer]
	sharedKafka   shared[*KafkaBroker]
	sharedS3      shared[*S3Server]
)

// shared starts a server at the first request and keeps it for all later ones.
type shared[S interface{ stop() error }] struct {
	mu     sync.Mutex
	dir    string
	server S
	err    error
}

// get returns the server. A failed start is remembered: the tests that follow
// fail or skip at once, for the same reason.
func (s *shared[S]) get(t testing.TB, name string, start func(dir string) (S, error)) S {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		// Not the test's own folder: the server outlives the test.
		s.dir, s.err = os.MkdirTemp("", "beluga-servers-") //nolint:usetesting // see above
		if s.err == nil {
			s.server, s.err = start(s.dir)
		}
	}
	if s.err != nil {
		unavailable(t, name, s.err)
	}
	return s.server
}

// stop stops the server if there is one, and removes its files.
func (s *shared[S]) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return nil
	}
	var err error
	if s.err == nil {
		err = s.server.stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Main runs the tests of a package and stops the servers they shared:
//
//	func TestMain(m *testing.M) { servers.Main(m) }
func Main(m *testing.M) {
	m.Run()
	// After Run the testing package exits with its result, and the starters
	// stop the servers then at the latest. Stopping here waits for them.
	if err := errors.Join(sharedMySQL.stop(), sharedMariaDB.stop(), sharedKafka.stop(), sharedS3.stop()); err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
	}
}

// unavailable skips the test where the machine has no way to get what it
// needs, and fails it where getting it went wrong.
func unavailable(t testing.TB, name string, err error) {
	t.Helper()
	if !errors.Is(err, errUnavailable) {
		t.Fatalf("getting %s: %v", name, err)
	}
	Skip(t, fmt.Sprintf("%s is %v", name, err))
}

// Skip skips the test aloud. No test skips itself in another way. `go test` shows the reason of a skip only with
// -v, so it is also appended to the file that BELUGA_TEST_SKIPS names, which
// `make test` prints. BELUGA_TEST_NO_SKIPS makes a skip a failure, for machines
// that are known to have everything.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("BELUGA_TEST_NO_SKIPS") != "" {
		t.Fatalf("this test must not be skipped here (BELUGA_TEST_NO_SKIPS is set): %s", reason)
	}
	if path := os.Getenv("BELUGA_TEST_SKIPS"); path != "" {
		if err := appendLine(path, t.Name()+": "+reason); err != nil {
			t.Fatalf("recording a skip: %v", err)
		}
	}
	t.Skip(reason)
}

func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, line+"\n")
	return errors.Join(err, f.Close())
}

// tail returns the last lines of a log, or why they cannot be read.
func tail(path string) string {
	const most = 4 << 10
	log, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-most):])
}
