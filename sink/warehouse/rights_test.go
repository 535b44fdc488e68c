package warehouse

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// An operator's mistakes with rights. Root has them all, so where the tests run
// as root, this one is run by somebody else.
func TestRefusesWithoutRights(t *testing.T) {
	if os.Geteuid() == 0 {
		runAsNobody(t)
		return
	}
	for mode, want := range map[os.FileMode]string{0o555: "is not writable", 0o000: "the right to read and write it"} {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, mode))
		_, err := Open(t.Context(), Options{Dir: dir, Pipeline: "p"})
		require.ErrorContains(t, err, want)
		require.NoError(t, os.Chmod(dir, 0o755))
	}
}

// runAsNobody runs the calling test in a process of a user without any rights.
// The test binary is copied, for it lies in a folder that only its owner enters;
// so does t.TempDir.
func runAsNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	dir, err := os.MkdirTemp("", "beluga-nobody-") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chown(dir, nobody, nobody))
	binary := filepath.Join(dir, "test")
	copyProgram(t, binary)

	cmd := exec.Command(binary, "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name(), "it did not run")
}

func copyProgram(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	from, err := os.Open(self)
	require.NoError(t, err)
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(f, from)
	require.NoError(t, err)
	require.NoError(t, f.Chmod(0o755), "whatever the umask is")
	require.NoError(t, f.Close())
}
