package servers

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Percona runs a tool of the Percona Toolkit to its end, which must be good, and
// returns what it said.
func Percona(t testing.TB, tool string, args ...string) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(root, "testdata", "servers", "percona.sh")
	if out, err := exec.Command("bash", script, "fetch", tool).CombinedOutput(); err != nil {
		err = fmt.Errorf("obtaining %s: %w: %s", tool, err, strings.TrimSpace(string(out)))
		if status := (*exec.ExitError)(nil); errors.As(err, &status) && status.ExitCode() == exitUnavailable {
			err = fmt.Errorf("%w: %w", errUnavailable, err)
		}
		unavailable(t, tool, err)
	}
	out, err := exec.Command("bash", append([]string{script, "run", tool}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
	return string(out)
}
