package protocol_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
)

func next(t *testing.T, a *protocol.Aligner) protocol.Step {
	t.Helper()
	s, ok, err := a.Next()
	require.NoError(t, err)
	require.Equal(t, ok, s != protocol.Step{})
	return s
}

// TestTornResetIsVoid: a load that began in one partition only, and again in
// all, leaves nothing of its first attempt.
func TestTornResetIsVoid(t *testing.T) {
	a := protocol.NewAligner()
	a.AddTable(1, map[int]int64{0: 0, 1: 0})
	next(t, a)
	a.AtVersion(0, 1, true)
	require.Zero(t, next(t, a))
	a.AtVersion(1, 2, true)
	require.Zero(t, next(t, a))
	require.True(t, a.Running(0))
	require.True(t, a.Void(0, 1))
	a.AtVersion(0, 2, true)
	require.Equal(t, protocol.Step{Table: 1, Version: 2}, next(t, a))
	require.False(t, a.Void(0, 2))
}

// TestCutWaitsForTables: a cut names how many tables take part in it, and one of
// them may not be known yet.
func TestCutWaitsForTables(t *testing.T) {
	a := protocol.NewAligner()
	a.AddTable(1, map[int]int64{0: 0})
	next(t, a)
	a.AtCut(0, 5, 2)
	require.Zero(t, next(t, a))
	a.AddTable(2, map[int]int64{1: 4})
	require.Zero(t, next(t, a))
	require.True(t, a.Running(1), "born behind cut 4, which all have passed")
	a.AtCut(1, 5, 2)
	require.Equal(t, protocol.Step{Cut: 5}, next(t, a))
}

// TestAheadIsHeld: a table that stands behind cut 7 alone waits until the others
// have passed it, and does not hold it up.
func TestAheadIsHeld(t *testing.T) {
	a := protocol.NewAligner()
	a.AddTable(1, map[int]int64{0: 6})
	a.AddTable(2, map[int]int64{1: 7})
	require.Zero(t, next(t, a))
	require.True(t, a.Running(0))
	require.False(t, a.Running(1))
	a.AtCut(0, 7, 2)
	require.Equal(t, protocol.Step{Cut: 7}, next(t, a))
	require.Zero(t, next(t, a))
	require.True(t, a.Running(1))
}

// TestSkippedVersionIsAFault: only a reset may pass a version by.
func TestSkippedVersionIsAFault(t *testing.T) {
	a := protocol.NewAligner()
	a.AddTable(1, map[int]int64{0: 0, 1: 0})
	next(t, a)
	a.AtVersion(0, 2, false)
	a.AtVersion(1, 3, false)
	_, _, err := a.Next()
	require.Error(t, err)
}
