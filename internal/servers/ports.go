package servers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// ports are consecutive ports that no other test binary is given as long as they
// are held. That nobody listens on a port does not make it free: a server takes
// seconds to begin to listen, and is away while a test restarts it.
type ports struct {
	first int
	locks []*os.File
}

// takePorts returns n ports on which nobody listens. They lie below the range
// from which the kernel numbers outgoing connections: otherwise such a
// connection could take the port while the server restarts.
func takePorts(n int) (*ports, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "ports")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of the ports' locks: %w", err)
	}
	for {
		p := &ports{first: 15000 + rand.IntN(15000)}
		ok, err := p.take(dir, n)
		if err != nil {
			return nil, errors.Join(err, p.release())
		}
		if ok {
			return p, nil
		}
		if err := p.release(); err != nil {
			return nil, err
		}
	}
}

// take locks the ports one by one. The kernel gives the locks back when the
// process ends, however it ends.
func (p *ports) take(dir string, n int) (bool, error) {
	for port := p.first; port < p.first+n; port++ {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprint(port)), os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return false, fmt.Errorf("opening the lock of a port: %w", err)
		}
		p.locks = append(p.locks, f)
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false, nil // somebody listens there
		}
		if err := l.Close(); err != nil {
			return false, fmt.Errorf("trying port %d: %w", port, err)
		}
	}
	return true, nil
}

// release gives the ports back.
func (p *ports) release() error {
	var errs []error
	for _, f := range p.locks {
		errs = append(errs, f.Close())
	}
	p.locks = nil
	return errors.Join(errs...)
}

// ClosedAddr returns an address of this machine that refuses connections until
// the end of the test: somebody has it, and does not listen. A port that was
// only tried and given back may be somebody else's a moment later.
func ClosedAddr(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	syscall.CloseOnExec(fd)
	t.Cleanup(func() { require.NoError(t, syscall.Close(fd)) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	at, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)
}
