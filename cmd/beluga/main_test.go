package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

// runArgs runs a command line in this process.
func runArgs(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(context.Background(), args, streams{&o, &e})
	return code, o.String(), e.String()
}

// TestExitCodes holds the code and the text of every wrong command line.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"frobnicate"}, exitUsage, `unknown command "frobnicate"`},
		{[]string{"vresion"}, exitUsage, "did you mean version?"},
		{[]string{"--bogus"}, exitUsage, "unknown flag: --bogus"},
		{[]string{"version", "x"}, exitUsage, `unexpected argument "x"`},
		{[]string{"version", "--from", "x"}, exitUsage, "unknown flag: --from"},
		{[]string{"version"}, exitOK, ""},
		{[]string{"--help"}, exitOK, ""},
		{nil, exitOK, ""},
	} {
		code, out, errs := runArgs(c.args...)
		assert.Equal(t, c.code, code, "%v\n%s", c.args, errs)
		if c.text == "" {
			assert.Empty(t, errs, "%v", c.args)
			assert.NotEmpty(t, out, "%v", c.args)
			continue
		}
		assert.Contains(t, errs, "beluga: ", "%v", c.args)
		assert.Contains(t, errs, c.text, "%v", c.args)
	}
}
