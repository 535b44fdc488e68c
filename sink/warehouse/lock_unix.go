//go:build linux || darwin || freebsd || netbsd || openbsd

package warehouse

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the advisory lock on f, and tells whether it got it. The kernel
// gives it back when the process ends, however it ends.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
