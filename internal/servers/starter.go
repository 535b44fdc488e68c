package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// errUnavailable says that there is no way to get the server on this machine.
var errUnavailable = errors.New("not available here")

// Exit statuses of the starters, see testdata/servers/lifecycle.sh.
const exitUnavailable = 3

// starter is one running `mysql.sh run` or `kafka.sh run`.
type starter struct {
	cmd *exec.Cmd
	// lifeline is the starter's standard input. The script stops the server
	// when it closes, which the kernel does too if we are killed. It is a file,
	// not exec's pipe, so that no goroutine of ours outlives a test.
	lifeline *os.File
	addr     string
}

// startServer runs the script with its files in dir and waits until the server
// answers. What the script has to say goes to dir/starter.log.
func startServer(script, dir string, port int, args ...string) (*starter, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	messages, err := os.Create(filepath.Join(dir, "starter.log"))
	if err != nil {
		return nil, fmt.Errorf("creating the starter's log: %w", err)
	}
	defer messages.Close()
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("opening the starter's lifeline: %w", err)
	}
	defer stdin.Close()

	cmd := exec.Command("bash", append([]string{filepath.Join(root, "testdata", "servers", script), "run", dir, fmt.Sprint(port)}, args...)...)
	cmd.Stdin, cmd.Stderr = stdin, messages
	// A session of its own: a signal to the group of `go test` must not kill the
	// one that stops the server.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		lifeline.Close()
		return nil, fmt.Errorf("opening the starter's output: %w", err)
	}
	if err := cmd.Start(); err != nil {
		lifeline.Close()
		return nil, fmt.Errorf("running %s: %w", script, err)
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		lifeline.Close()
		return nil, startFailure(script, messages.Name(), cmd.Wait(), err)
	}
	return &starter{cmd: cmd, lifeline: lifeline, addr: strings.TrimSpace(addr)}, nil
}

// startFailure tells why the starter ended without an address.
func startFailure(script, log string, exit, read error) error {
	said, err := os.ReadFile(log)
	if err != nil {
		return fmt.Errorf("starting by %s: %w", script, errors.Join(exit, read, err))
	}
	if status := (*exec.ExitError)(nil); errors.As(exit, &status) {
		if status.ExitCode() == exitUnavailable {
			return fmt.Errorf("%w: %s", errUnavailable, strings.TrimSpace(string(said)))
		}
		return fmt.Errorf("starting by %s: %w\n%s", script, exit, said)
	}
	return fmt.Errorf("starting by %s: %w\n%s", script, errors.Join(exit, read), said)
}

// stop ends the server, keeps its files, and waits until it is gone.
func (s *starter) stop() error {
	_, err := io.WriteString(s.lifeline, "stop\n")
	err = errors.Join(err, s.lifeline.Close(), s.cmd.Wait())
	if err != nil {
		return fmt.Errorf("stopping the server at %s: %w", s.addr, err)
	}
	return nil
}

// moduleRoot finds the folder of go.mod: tests run in the folder of their
// package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the module: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("finding the module: no go.mod above the working directory")
		}
	}
}
