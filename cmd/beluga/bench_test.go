package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestBench runs a small bench: the measured process is this test binary.
func TestBench(t *testing.T) {
	server := servers.MySQL(t)
	t.Cleanup(func() { server.Exec(t, "DROP DATABASE cli_bench") })
	t.Setenv(belugaPath, "1")
	profiles := t.TempDir()
	code, out, errs := runArgs("bench", "--from", server.URL("cli_bench"), "--tables", "2", "--rows", "500", "--inserts", "300", "--transactions", "50",
		"--transports", "direct,embedded", "--profile", profiles)
	require.Equal(t, exitOK, code, errs)
	for _, line := range []string{`load +direct +1,000 `, `inserts +embedded +300 `, `mixed +direct +200 `, `mixed +embedded +200 `} {
		assert.Regexp(t, line, out)
	}
	files, err := os.ReadDir(profiles)
	require.NoError(t, err)
	assert.Len(t, files, 6)

	code, _, errs = runArgs("bench", "prepare", "--from", server.URL("cli_bench"), "--rows", "0")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, "--rows 0 must be more than zero")
}
