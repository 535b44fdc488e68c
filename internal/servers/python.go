package servers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Python returns the path of a Python that has the packages, given as pip
// takes them ("pyiceberg[sql-sqlite]==0.10.0"). It lives in a virtual
// environment in the user's cache folder, made once per list of packages.
func Python(t testing.TB, packages ...string) string {
	t.Helper()
	python, err := python(packages)
	if err != nil {
		unavailable(t, "Python with "+strings.Join(packages, ", "), err)
	}
	return python
}

func python(packages []string) (string, error) {
	system, err := exec.LookPath("python3")
	if err != nil {
		return "", fmt.Errorf("%w: %w (remedy: install python3 with its venv module)", errUnavailable, err)
	}
	version, err := exec.Command(system, "-c", "import sys; print(sys.version)").Output()
	if err != nil {
		return "", fmt.Errorf("%w: asking python3 for its version: %w", errUnavailable, err)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	wanted := slices.Sorted(slices.Values(packages))
	sum := sha256.Sum256([]byte(string(version) + strings.Join(wanted, "\n")))
	venv := filepath.Join(cache, "python-"+hex.EncodeToString(sum[:6]))
	unlock, err := lockFile(venv + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()

	// A virtual environment has its own path written in it and cannot be made
	// elsewhere and renamed, so a file tells that it is whole.
	whole := filepath.Join(venv, "complete")
	interpreter := filepath.Join(venv, "bin", "python")
	if _, err := os.Stat(whole); err == nil {
		return interpreter, nil
	}
	if err := run(system, "-m", "venv", "--clear", venv); err != nil {
		return "", fmt.Errorf("%w: %w (remedy: install python3's venv module)", errUnavailable, err)
	}
	install := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, wanted...)
	if err := run(interpreter, install...); err != nil {
		return "", fmt.Errorf("%w: %w", errUnavailable, err)
	}
	if err := os.WriteFile(whole, []byte(strings.Join(wanted, "\n")), 0o644); err != nil {
		return "", fmt.Errorf("marking the virtual environment complete: %w", err)
	}
	return interpreter, nil
}

// cacheDir is the folder that testdata/servers/lifecycle.sh uses too.
func cacheDir() (string, error) {
	dir := os.Getenv("BELUGA_SERVERS_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding the cache folder: %w", err)
		}
		dir = filepath.Join(user, "beluga", "servers")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the cache folder: %w", err)
	}
	return dir, nil
}

// lockFile keeps other processes out until unlock is called: the packages'
// test binaries run at once and would make the same environment.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	return func() { f.Close() }, nil
}

func run(program string, args ...string) error {
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
