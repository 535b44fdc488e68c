package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
)

// SnapshotMode says when tables are loaded. The names and their meaning are
// Debezium's.
type SnapshotMode string

// The modes. The empty one is Initial.
const (
	Initial            SnapshotMode = "initial"      // load where there is no position, then follow
	Always             SnapshotMode = "always"       // load at each start, then follow
	InitialOnly        SnapshotMode = "initial_only" // load where there is no position, then end
	NoData             SnapshotMode = "no_data"      // begin with empty tables and follow from now on
	Recovery           SnapshotMode = "recovery"     // follow, if the tables have the shapes that the lake knows
	WhenNeeded         SnapshotMode = "when_needed"  // Initial; and load again whenever the position is gone from the server
	Never              SnapshotMode = "never"        // follow, from the oldest binlog where there is no position
	ConfigurationBased SnapshotMode = "configuration_based"
)

// Switches are what ConfigurationBased is made of. Like Debezium's they do not
// ask whether there is a position.
type Switches struct {
	Data          bool // load at each start
	Schema        bool // without Data: define the tables where there is no position, else compare their shapes with the lake's
	OnDataError   bool // load again when the position is gone from the server
	OnSchemaError bool // compare the shapes, and load again when they differ
	Stream        bool // follow the binlog
}

// moment is when a mode does something at a start.
type moment uint8

const (
	never   moment = iota
	whenNew        // without a position, or after a load that did not end
	everyStart
)

// rules are what a mode means.
type rules struct {
	mode                  SnapshotMode
	data, schema          moment
	onData, onSchema      bool // load again where the position is gone, or shapes differ
	stream, needsPosition bool
}

func (c Config) rules() rules {
	r := rules{mode: c.Mode, stream: true}
	switch c.Mode {
	case Always:
		r.data = everyStart
	case InitialOnly:
		r.data, r.stream = whenNew, false
	case NoData:
		r.schema = whenNew
	case Recovery:
		r.schema, r.needsPosition = everyStart, true
	case WhenNeeded:
		r.data, r.onData = whenNew, true
	case Never:
	case ConfigurationBased:
		s := c.Switches
		r.onData, r.onSchema, r.stream = s.OnDataError, s.OnSchemaError, s.Stream
		if s.Data {
			r.data = everyStart
		}
		if s.Schema {
			r.schema = everyStart
		}
	default:
		r.mode, r.data = Initial, whenNew
	}
	return r
}

// passesRowsOver tells whether tables begin without the rows that they have.
func (r rules) passesRowsOver() bool { return r.data == never && r.schema == whenNew }

// action is what a start does before it follows the binlog.
type action uint8

const (
	goOn    action = iota // from the lake's position
	load                  // all tables
	proceed               // with a load that was interrupted
	define                // all tables, without rows
	oldest                // begin with the oldest binlog
	rest                  // nothing is to be done at all
)

// first returns the action that a start begins with.
func (r rules) first(from pipeline.Resume) (action, error) {
	fresh := from.Position.IsZero() || from.Unfinished()
	due := func(m moment) bool { return m == everyStart || m == whenNew && fresh }
	switch {
	case due(r.data):
		return load, nil
	case !r.stream && (!fresh || !due(r.schema)):
		return rest, nil
	case !fresh:
		return goOn, nil
	case r.needsPosition, from.Unfinished() && !due(r.schema):
		return rest, noPositionError(r.mode, from)
	case due(r.schema):
		return define, nil
	}
	return oldest, nil
}

func noPositionError(mode SnapshotMode, from pipeline.Resume) error {
	what := "there is none yet"
	if from.Unfinished() {
		what = "a load of its tables was begun and not finished"
	}
	return fmt.Errorf("snapshot.mode %s goes on from the lake's position, and %s; remedy: load the tables: run once with --snapshot-mode initial", mode, what)
}

// mayLoad tells whether a run in this mode may come to load tables, and needs the
// rights for it.
func (r rules) mayLoad(first action) bool {
	return first == load || first == proceed || first == define || r.onData || r.onSchema
}

// loadsAfter tells whether the error of a run is one that this mode answers with
// a new load.
func (r rules) loadsAfter(err error) bool {
	var shapes *ShapesError
	return r.onData && IsPositionLost(err) || r.onSchema && errors.As(err, &shapes)
}

// LoadsAfter tells whether a run answers such an error of CheckResume with a new
// load of all tables.
func (m *MySQL) LoadsAfter(err error) bool { return m.cfg.rules().loadsAfter(err) }

// IsPositionLost tells whether the error says that the server cannot continue our
// position: it has purged what follows, or does not have what comes before.
func IsPositionLost(err error) bool {
	var ahead *AheadError
	return errors.Is(err, ErrPositionLost) || errors.As(err, &ahead)
}

// remedy is what to do in this mode where the position is gone.
func (r rules) remedy() string {
	if r.mode == Always {
		return "start again: snapshot.mode always loads all tables anew"
	}
	how := "run with --snapshot-mode when_needed, now and from now on, or once with always"
	if r.mode == ConfigurationBased {
		how = "set snapshot.configuration-based.on-data-error, or run once with --snapshot-mode always"
	}
	return "load the tables again: " + how + "; or with an empty lake (--to another folder)"
}

// ShapesError says that tables of the server have other columns than the lake
// knows, at a start that was to make sure that they have not.
type ShapesError struct{ Differences []string }

func (e *ShapesError) Error() string {
	slices.Sort(e.Differences)
	return "the server's tables are not those that the lake knows: " + strings.Join(e.Differences, "; ") +
		"; remedy: go on with --snapshot-mode initial if the binlog after the lake's position holds the change; else load the tables again: run once with --snapshot-mode always"
}
