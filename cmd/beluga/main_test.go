package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/source"
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

// TestExitCodesOfErrors holds which kind of end each class of error is, however
// deep it comes from.
func TestExitCodesOfErrors(t *testing.T) {
	for code, list := range map[int][]error{
		exitFault:    {errors.New("anything else"), sink.ErrForeignCommit, &deadlineError{}},
		exitUsage:    {configError{{text: "wrong"}}, usageError{errors.New("wrong"), "right"}, &kafkalog.SelectionError{Was: "a", Is: "b", Pending: 1}},
		exitPosition: {source.ErrPositionLost, &source.PositionLostError{}, &source.AheadError{}, &kafkalog.LostError{Cause: errors.New("gone")}},
		exitInstance: {sink.ErrAnotherInstance, kafkalog.ErrSuperseded},
	} {
		for _, err := range list {
			assert.Equal(t, code, exitCode(fmt.Errorf("running: %w", errors.Join(err, errors.New("closing failed too")))), "%T %v", err, err)
		}
	}
}
