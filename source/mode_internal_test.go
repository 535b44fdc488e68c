package source

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

func TestModeRules(t *testing.T) {
	at := schema.Position{File: "binlog.000001", Offset: 4, History: 1}
	empty, known, unfinished := pipeline.Resume{}, pipeline.Resume{Position: at, History: 1}, pipeline.Resume{Position: at, History: 2}
	const refused = action(255)
	for _, c := range []struct {
		config                   Config
		empty, known, unfinished action
		loadsAgain               bool
	}{
		{Config{}, load, goOn, load, false},
		{Config{Mode: Initial}, load, goOn, load, false},
		{Config{Mode: Always}, load, load, load, false},
		{Config{Mode: InitialOnly}, load, rest, load, false},
		{Config{Mode: NoData}, define, goOn, define, false},
		{Config{Mode: Recovery}, refused, goOn, refused, false},
		{Config{Mode: WhenNeeded}, load, goOn, load, true},
		{Config{Mode: Never}, oldest, goOn, refused, false},
		{Config{Mode: ConfigurationBased, Switches: Switches{Stream: true}}, oldest, goOn, refused, false},
		{Config{Mode: ConfigurationBased, Switches: Switches{Data: true}}, load, load, load, false},
		{Config{Mode: ConfigurationBased, Switches: Switches{Schema: true}}, define, rest, define, false},
		{Config{Mode: ConfigurationBased, Switches: Switches{Schema: true, Stream: true}}, define, goOn, define, false},
		{Config{Mode: ConfigurationBased, Switches: Switches{Stream: true, OnDataError: true}}, oldest, goOn, refused, true},
	} {
		for _, from := range []struct {
			resume pipeline.Resume
			want   action
		}{{empty, c.empty}, {known, c.known}, {unfinished, c.unfinished}} {
			got, err := c.config.rules().first(from.resume)
			if from.want == refused {
				require.ErrorContains(t, err, "snapshot.mode "+string(c.config.Mode)+" goes on from the lake's position", "%+v", c.config)
				continue
			}
			require.NoError(t, err, "%+v", c.config)
			require.Equal(t, from.want, got, "%+v from %+v", c.config, from.resume)
		}
		for _, lost := range []error{&AheadError{}, &PositionLostError{}, fmt.Errorf("dump: %w", ErrPositionLost)} {
			require.Equal(t, c.loadsAgain, c.config.rules().loadsAfter(lost), "%+v", c.config)
		}
	}
}

// recorder keeps the file offsets of Commits.
type recorder struct{ commits []uint64 }

func (*recorder) Resume() pipeline.Resume     { return pipeline.Resume{} }
func (*recorder) Close(context.Context) error { return nil }
func (r *recorder) Send(_ context.Context, e schema.Event) error {
	r.commits = append(r.commits, e.(schema.Commit).Position.Offset)
	return nil
}

// TestOverlapHoldsCommits: before the end of an overlap nothing may be published,
// but where a new load would have to go on is known all the same.
func TestOverlapHoldsCommits(t *testing.T) {
	at := func(offset uint64) schema.Position {
		return schema.Position{Server: "s", File: "binlog.000001", Offset: offset}
	}
	out := &recorder{}
	tail := &tail{Writer: out, overlap: at(30), reached: new(atomic.Pointer[schema.Position])}
	for _, offset := range []uint64{10, 20, 30, 25, 40} {
		require.NoError(t, tail.Send(t.Context(), schema.Commit{Position: at(offset)}))
		require.Equal(t, at(offset), tail.at)
	}
	require.Equal(t, []uint64{30, 25, 40}, out.commits)
}
