package servers

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// s3Gateway is the program that serves a folder by the protocol of S3. Go fetches it, and
// checks it against its public checksums.
const s3Gateway = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"

// S3Server serves one bucket.
type S3Server struct {
	Endpoint, AccessKey, SecretKey string

	lifeline *os.File
	cmd      *exec.Cmd
	ports    *ports
}

// S3 returns the server that all tests of the binary share.
func S3(t testing.TB) *S3Server {
	t.Helper()
	return sharedS3.get(t, "S3", newS3)
}

// Location returns a folder of the test's own.
func (s *S3Server) Location(t testing.TB) string {
	return "s3://lake/" + strings.ReplaceAll(t.Name(), "/", "_")
}

// Properties are what Iceberg's libraries take to get in.
func (s *S3Server) Properties() map[string]string {
	return map[string]string{"s3.endpoint": s.Endpoint, "s3.region": "us-east-1", "s3.access-key-id": s.AccessKey, "s3.secret-access-key": s.SecretKey}
}

func newS3(dir string) (*S3Server, error) {
	program, err := s3Program()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "root", "lake"), 0o755); err != nil {
		return nil, err
	}
	ports, err := takePorts(1)
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", ports.first)
	s := &S3Server{Endpoint: "http://" + addr, AccessKey: "beluga", SecretKey: "whale-song", ports: ports}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, errors.Join(err, ports.release())
	}
	defer log.Close()
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ports.release())
	}
	defer stdin.Close()
	s.lifeline = lifeline
	// The server ends when the lifeline does, which the kernel closes too if we are killed.
	s.cmd = exec.Command("bash", "-c", `"$@" </dev/null & server=$!; read -r _; kill $server; wait $server`, "s3", program, "--port", addr, "posix", filepath.Join(dir, "root"))
	s.cmd.Stdin, s.cmd.SysProcAttr = stdin, &syscall.SysProcAttr{Setsid: true}
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("running %s: %w", program, err), lifeline.Close(), ports.release())
	}
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return s, conn.Close()
		}
		if time.Now().After(until) {
			return nil, errors.Join(fmt.Errorf("the S3 server does not answer: %w; see %s", err, log.Name()), s.stop())
		}
	}
}

func (s *S3Server) stop() error {
	err := s.lifeline.Close()
	_ = s.cmd.Wait() // of a process that a signal ended
	return errors.Join(err, s.ports.release())
}

// s3Program finds the program on PATH or in the user's cache, where it is put once.
func s3Program() (string, error) {
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path, nil
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, strings.NewReplacer("/", "_", "@", "_").Replace(s3Gateway))
	path := filepath.Join(folder, "versitygw")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	var said bytes.Buffer
	cmd := exec.Command("go", "install", s3Gateway) // which puts it there whole
	cmd.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=", "CGO_ENABLED=0")
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("no versitygw is on PATH, and go install %s failed: %w\n%s", s3Gateway, err, said.String())
	}
	return path, nil
}
