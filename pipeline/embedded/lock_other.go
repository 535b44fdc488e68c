//go:build !unix

package embedded

import (
	"errors"
	"os"
)

var errLocked = errors.New("locked by another process")

func lockFile(string) (*os.File, error) {
	return nil, errors.New("the embedded broker needs file locks, which this system has not; give the address of a Kafka broker")
}
