package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

func TestMain(m *testing.M) {
	servers.Main(m)
	if err := os.RemoveAll(built); err != nil {
		fmt.Fprintln(os.Stderr, "removing the binary:", err)
	}
}

// built is the folder of the binary; empty until a test needs it.
var built string

// beluga returns the path of the binary, built once for all tests from the tree
// that is tested.
var beluga = sync.OnceValues(func() (string, error) {
	var err error
	if built, err = os.MkdirTemp("", "beluga-e2e-"); err != nil {
		return "", err
	}
	path := filepath.Join(built, "beluga")
	out, err := exec.Command("go", "build", "-o", path, "github.com/beluga-cdc/beluga/cmd/beluga").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building beluga: %w\n%s", err, out)
	}
	return path, nil
})

// process is a running beluga and what it said.
type process struct {
	cmd  *exec.Cmd
	out  transcript // standard output and error, as they came
	done chan error
}

// transcript may be read while the process writes.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes what the process says.
func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start starts beluga with the arguments.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := beluga()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(path, args...), done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	require.NoError(t, p.cmd.Start())
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill() // it may have ended by now
			<-p.done
		}
	})
	return p
}

// wait waits for the end and returns the exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	err := <-p.done
	p.done <- err
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// runs runs beluga to its end, which must be good, and returns what it said.
func runs(t *testing.T, args ...string) string {
	t.Helper()
	p := start(t, args...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("beluga %v ended with %d:\n%s", args, code, p.out.String())
	}
	return p.out.String()
}

// until waits until the condition holds, and fails if the process ends before.
func (p *process) until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for !condition() {
		select {
		case err := <-p.done:
			p.done <- err
			t.Fatalf("waiting for %s, beluga ended: %v\n%s", what, err, p.out.String())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// says waits until the process has said the text.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	p.until(t, fmt.Sprintf("%q", text), func() bool { return strings.Contains(p.out.String(), text) })
}

// saysLine waits until one line of what the process has said has all the texts.
func (p *process) saysLine(t *testing.T, texts ...string) {
	t.Helper()
	p.until(t, fmt.Sprintf("a line with %q", texts), func() bool {
		for line := range strings.Lines(p.out.String()) {
			all := true
			for _, text := range texts {
				all = all && strings.Contains(line, text)
			}
			if all {
				return true
			}
		}
		return false
	})
}

// terminate sends the process SIGTERM and requires a good end.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.wait(t), p.out.String())
}

// killAfter kills the process at the moment, and fails if it ended by itself
// before.
func (p *process) killAfter(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		t.Fatalf("beluga ended by itself: %v\n%s", err, p.out.String())
	case <-time.After(d):
	}
	require.NoError(t, p.cmd.Process.Kill())
	err := <-p.done
	p.done <- err
}
