//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package warehouse

import "os"

// tryLock always succeeds: without flock a second instance is found at its
// first commit, by the compare-and-swap.
func tryLock(*os.File) (bool, error) { return true, nil }
