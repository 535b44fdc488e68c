package lane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// Config is what lanes need. All of it must be set.
type Config struct {
	// Snapshot is how tables are read. Its Describe is asked for one table at a time.
	Snapshot snapshot.Config
	// Captured lists the tables of the server that are captured.
	Captured func(context.Context) ([]schema.TableID, error)
	// Same tells whether rows of both versions of a table decode alike.
	Same func(a, b *schema.Table) bool
	// Passing tells whether an error may go by itself, such as that of a lost connection.
	Passing func(error) bool
	// Window bounds, in bytes, the rows of lanes that are under way to the sink. What
	// comes of others behind them waits until they are written.
	Window int
	// Held bounds, in bytes, the changes of each table that are held back.
	Held int
	Log  *slog.Logger
}

// Request asks for lanes of some tables.
type Request struct {
	ID     string   // of whoever asks; in the events
	Tables []string // regular expressions, each over the whole of database.table
	// Conditions are SQL by pattern, the same as Tables' or others: of a table that one
	// matches only the rows of the condition are read. They are put in place of those
	// in the lake, and all others of the table stay.
	Conditions map[string]string
}

// Lanes loads single tables beside the stream.
type Lanes struct {
	cfg     Config
	room    *semaphore.Weighted
	wake    chan struct{} // asks the stream for a Commit
	work    chan struct{} // asks the loop that reads tables
	anew    chan struct{} // asks the loop that begins lanes anew
	enabled atomic.Bool
	open    atomic.Int64 // lanes; a look at it spares the stream the lock

	mu       sync.Mutex
	lanes    map[schema.TableID]*table
	due      map[schema.TableID]wish // what waits for the stream to begin it
	again    map[schema.TableID]wish // what waits for the stream to come behind the server's present place
	at       schema.Position         // of the last Commit
	start    schema.Position         // where the server was at Take: before that, a log may hold what comes
	canScan  bool
	paused   bool
	failures []error
	observe  func(Event)
}

// wish is a lane that is to begin.
type wish struct {
	request, condition string
	fromServer         bool // its shape is the server's, whatever the stream knows
	restarts           int
}

// maxRestarts bounds how often a lane begins anew because its table changed in a way
// that cannot be followed.
const maxRestarts = 8

// New returns lanes that do nothing before Resume.
func New(cfg Config) *Lanes {
	return &Lanes{cfg: cfg, room: semaphore.NewWeighted(int64(max(cfg.Window, 1))), wake: make(chan struct{}, 1), work: make(chan struct{}, 1), anew: make(chan struct{}, 1),
		lanes: map[schema.TableID]*table{}, due: map[schema.TableID]wish{}, again: map[schema.TableID]wish{}, observe: func(Event) {}}
}

// Observe has f called with everything that happens to lanes. It must be called
// before they run, and f must not wait for the stream.
func (l *Lanes) Observe(f func(Event)) { l.observe = f }

// ErrUnavailable says that there is no stream yet beside which a table could be loaded.
var ErrUnavailable = errors.New("a table can be loaded beside the stream only once all tables are loaded and the binlog is followed; remedy: ask again then")

// Begin asks for lanes of the tables that match; of one that is in a lane already, that it
// begins anew. It may be called from within the stream's Send: the lanes then begin
// before the next Commit.
func (l *Lanes) Begin(ctx context.Context, r Request) error {
	if !l.enabled.Load() {
		return ErrUnavailable
	}
	patterns, err := compile(r.Tables)
	if err != nil {
		return err
	}
	conditions := map[string]*regexp.Regexp{}
	for p := range r.Conditions {
		one, err := compile([]string{p})
		if err != nil {
			return err
		}
		conditions[p] = one[0]
	}
	ids, err := l.cfg.Captured(ctx)
	if err != nil {
		return fmt.Errorf("listing the tables: %w", err)
	}
	wishes := map[schema.TableID]wish{}
	for _, id := range ids {
		if !matches(patterns, id) {
			continue
		}
		w := wish{request: r.ID}
		for p, re := range conditions {
			if re.MatchString(id.String()) {
				w.condition = r.Conditions[p]
			}
		}
		wishes[id] = w
	}
	if len(wishes) == 0 {
		return fmt.Errorf("loading %v: no table of that name is captured; remedy: write regular expressions over the whole of database.table, and look at --tables", r.Tables)
	}
	return l.want(wishes)
}

// want has lanes begin with the next Commit: all of them, or none.
func (l *Lanes) want(wishes map[schema.TableID]wish) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, w := range wishes {
		_, due := l.due[id]
		_, again := l.again[id]
		if w.condition != "" && (due || again || l.lanes[id] != nil) {
			return fmt.Errorf("loading rows of table %s by a condition: all of it is being loaded; remedy: wait until that is complete, or load it without a condition", id)
		}
	}
	maps.Copy(l.due, wishes)
	l.Poke()
	return nil
}

func compile(patterns []string) (list []*regexp.Regexp, err error) {
	for _, p := range patterns {
		re, err := regexp.Compile("^(?:" + p + ")$")
		if err != nil {
			return nil, fmt.Errorf("%q is no regular expression: %w", p, err)
		}
		list = append(list, re)
	}
	return list, nil
}

func matches(patterns []*regexp.Regexp, id schema.TableID) bool {
	return slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(id.String()) })
}

// Stop ends the reading of the tables that match; none: of all. They stay hidden, as
// what came of them is not whole, until a lane of theirs is begun again.
func (l *Lanes) Stop(_ context.Context, tables []string) error {
	patterns, err := compile(tables)
	if err != nil {
		return err
	}
	wanted := func(id schema.TableID) bool { return len(tables) == 0 || matches(patterns, id) }
	l.mu.Lock()
	maps.DeleteFunc(l.due, func(id schema.TableID, _ wish) bool { return wanted(id) && l.lanes[id] != nil })
	maps.DeleteFunc(l.again, func(id schema.TableID, _ wish) bool { return wanted(id) && l.lanes[id] != nil })
	var stopped []*table
	for id, t := range l.lanes {
		if wanted(id) {
			stopped = append(stopped, t)
		}
	}
	l.mu.Unlock()
	for _, t := range stopped {
		if t.stop(true) {
			l.tell(t, Stopped, nil)
		}
	}
	l.Poke()
	return nil
}

// Pause has tables read no further until Resume. What of a range is being read
// comes to its end.
func (l *Lanes) Pause() { l.setPaused(true) }

// Resume ends a Pause.
func (l *Lanes) Resume() { l.setPaused(false) }

func (l *Lanes) setPaused(p bool) {
	l.mu.Lock()
	l.paused = p
	l.mu.Unlock()
	l.signal()
}

// Take takes up the lanes that an earlier run began. Tables without a key, and all of a
// server that has no GTIDs, are read in one snapshot, which the end of that run has ended.
// Rows that were sent after the last Commit may be of a state that another server has
// not come to, and nothing says which; there, too, a lane begins anew. now is where the
// server is.
func (l *Lanes) Take(from pipeline.Resume, canScan bool, now schema.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enabled.Store(from.Lanes != nil)
	l.at, l.start, l.canScan = from.Position, now, canScan
	elsewhere := from.Position.Server != "" && from.Position.Server != now.Server
	clear(l.lanes)
	clear(l.again)
	for id, p := range from.Lanes {
		if from.Tables[id].Table == nil {
			continue // a table that is not followed any more
		}
		t := l.newTable(schema.SchemaChange{Table: p.Table, History: from.Tables[id].Position.History}, wish{request: p.Request, condition: p.Condition})
		t.rest, t.until, t.stopped = p.Rest, p.Overlap, p.Stopped
		if t.whole && len(t.rest) == 0 {
			t.holding, t.seen = false, p.Overlap
		}
		t.voided = p.Void || (t.whole || elsewhere) && len(t.rest) > 0
		l.lanes[id] = t
		if t.voided && !t.stopped {
			l.due[id] = wish{request: p.Request, fromServer: true}
		}
	}
	l.open.Store(int64(len(l.lanes)))
	l.signal()
	l.Poke()
}

// Err returns why lanes could not come to their end.
func (l *Lanes) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.failures...)
}

// Poke asks the stream for a Commit. It never waits.
func (l *Lanes) Poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// signal wakes the loops of Run.
func (l *Lanes) signal() {
	for _, c := range []chan struct{}{l.work, l.anew} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
