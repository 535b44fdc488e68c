package lane

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// errVoid says that what is being read is of no use any more: the lane began anew,
// ended, or was stopped.
var errVoid = errors.New("what is read of the table is void")

// table is a table in a lane.
type table struct {
	id   schema.TableID
	wish wish
	rows atomic.Int64 // sent
	// behind: the reading waits for the stream.
	behind atomic.Bool

	// mu orders what the stream and the readers send of the table: both send under it.
	mu      sync.Mutex
	shape   *schema.Table // under which the next rows stand
	history int64
	// generation counts the shapes; rows that were read under another one are void.
	generation int
	keyer      *schema.Keyer
	windows    map[*window]struct{}
	rest       []schema.Range
	until      schema.Position // what the rows that were sent may show
	stopped    bool            // for good, also for later runs
	failed     bool            // until the process ends
	// voided: the stream passes over the table's changes, until the lane begins anew.
	voided bool
	// removed: the lane has ended, or another took its place.
	removed bool

	// Of a table that is read as a whole, in one snapshot.
	whole     bool
	holding   bool            // changes wait until the rows of the snapshot are sent
	seen      schema.Position // of the snapshot: changes before it are in the rows
	held      []*schema.Block
	heldBytes int
	let       chan struct{} // closed when changes are not held back any more
}

// newTable returns the lane that a change of shape begins.
func (l *Lanes) newTable(c schema.SchemaChange, w wish) *table {
	t := &table{id: c.Table.ID, wish: w, shape: c.Table, history: c.History, keyer: schema.NewKeyer(c.Table),
		windows: map[*window]struct{}{}, rest: []schema.Range{{}}, whole: c.Table.Keyless() || !l.canScan}
	t.holding, t.let = t.whole, make(chan struct{})
	return t
}

// window notes the keys that the stream changes while a range of the table is read.
type window struct{ keys map[schema.Key]struct{} }

// openWindow begins to note, for rows of the generation.
func (t *table) openWindow(generation int) (*window, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.void(generation) {
		return nil, errVoid
	}
	w := &window{keys: map[schema.Key]struct{}{}}
	t.windows[w] = struct{}{}
	return w, nil
}

func (t *table) closeWindow(w *window) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.windows, w)
}

func (t *table) void(generation int) bool {
	return t.idleLocked() || t.generation != generation
}

// note enters the keys of a block of the stream into all windows.
func (t *table) note(b *schema.Block) {
	for w := range t.windows {
		for i, op := range b.Ops {
			if op != schema.OpDelete {
				w.keys[t.keyer.Key(b.New, i)] = struct{}{}
			}
			if op == schema.OpUpdate || op == schema.OpDelete {
				w.keys[t.keyer.Key(b.Old, i)] = struct{}{}
			}
		}
	}
}

// put sends rows that were read, but for those whose keys the stream has changed
// since the window was opened. sent is called once they have gone on.
func (t *table) put(ctx context.Context, out pipeline.Writer, generation int, w *window, b *schema.Block, sent func()) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.void(generation) {
		b.Release()
		sent()
		return errVoid
	}
	t.rows.Add(int64(b.Rows()))
	if b = t.untouched(w, b); b.Rows() == 0 {
		b.Release()
		sent()
		return nil
	}
	b.Table = t.shape // under which the stream's rows stand, so that both fold together
	b.OnRelease(sent)
	return out.Send(ctx, b)
}

// untouched returns the rows of a block that no window has noted.
func (t *table) untouched(w *window, b *schema.Block) *schema.Block {
	if w == nil || len(w.keys) == 0 {
		return b
	}
	var rows []int
	for i := range b.Rows() {
		if _, noted := w.keys[t.keyer.Key(b.New, i)]; !noted {
			rows = append(rows, i)
		}
	}
	if len(rows) == b.Rows() {
		return b
	}
	defer b.Release()
	kept := schema.NewBlock(b.Table)
	kept.Origins = append(kept.Origins, b.Origins[0])
	for _, i := range rows {
		kept.Ops = append(kept.Ops, b.Ops[i])
		for c := range b.New {
			kept.New[c].AppendFrom(&b.New[c], i)
		}
	}
	return kept
}

// stop ends the reading, for good or until the process ends, and tells whether it was
// going on.
func (t *table) stop(forGood bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped || t.failed || t.removed || len(t.rest) == 0 && !t.voided {
		return false // or all of it is there
	}
	if forGood {
		t.stopped = true
	} else {
		t.failed = true
	}
	t.letGo()
	return true
}

// setVoid ends the reading until the lane begins anew.
func (t *table) setVoid() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.voided = true
	t.letGo()
}

// remove ends the lane.
func (t *table) remove() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removed = true
	t.letGo()
}

// letGo drops the changes that are held back, and lets go who waits for room for more.
func (t *table) letGo() {
	for _, b := range t.held {
		b.Release()
	}
	t.held, t.heldBytes = nil, 0
	select {
	case <-t.let:
	default:
		close(t.let)
	}
}

// idle tells whether nothing more comes of the lane.
func (t *table) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stopped || t.failed
}

// idleLocked tells whether nothing of the table is to be read.
func (t *table) idleLocked() bool { return t.stopped || t.failed || t.removed || t.voided }

// progress returns how far the lane is; done: all of it is at the position.
func (t *table) progress(at schema.Position) (p schema.Progress, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p = schema.Progress{Table: t.shape, Load: schema.Load{
		Overlap: t.until, Rest: t.rest, Request: t.wish.request, Condition: t.wish.condition, Stopped: t.stopped, Void: t.voided}}
	return p, len(t.rest) == 0 && !t.voided && at.Contains(t.until)
}

func (t *table) isVoided() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.voided
}
