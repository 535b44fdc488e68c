package verify

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// State is one side at one unchanging moment.
type State interface {
	Position() schema.Position
	// Exact tells whether the state is exactly that of Position; else it may hold
	// rows of later transactions.
	Exact() bool
	// Table returns the shape of a table; nil: it is not there.
	Table(id schema.TableID) *schema.Table
	// Read passes all rows of a table to fn, as the new images of blocks, in any
	// order, one block at a time. fn does not keep them.
	Read(ctx context.Context, id schema.TableID, fn func(*schema.Block) error) error
	Close() error
}

// Side opens the newest state of a source or a lake.
type Side interface {
	Open(ctx context.Context) (State, error)
}

// Options bound a comparison.
type Options struct {
	Wait   time.Duration // how long a lake that is behind may stand still
	Show   int           // differing rows of each table that the result holds in full
	Memory int64         // bytes for rows that are being compared
	// Most is how many differing rows of a table are followed; when there are more,
	// counting ends.
	Most int
	// Rounds is how often rows that keep changing are looked at.
	Rounds int
}

// Verifier compares a source and a lake.
type Verifier struct {
	Source, Lake Side
	Options      Options
	Log          *slog.Logger
	Rows         atomic.Int64 // rows read so far, of both sides
}

// Result is what was found of one table.
type Result struct {
	Table                     schema.TableID
	SourceRows, LakeRows      int64 // when all rows were read last
	Missing, Extra, Different int64
	// Undecided rows had another value in every round: they change faster than
	// the lake follows, and nothing is known about them.
	Undecided int64
	More      bool   // there are more differences than were followed
	Fault     string // why rows cannot be compared at all: a table or column that one side does not have
	Shown     []Row  // the first differing rows
}

// Equal tells whether every row was seen to be the same on both sides.
func (r *Result) Equal() bool {
	return r.Missing+r.Extra+r.Different+r.Undecided == 0 && r.Fault == ""
}

// Report is the result of a comparison.
type Report struct {
	Tables       []Result
	Source, Lake schema.Position // of the last round
	Rounds       int
	// Behind: the lake did not reach the source's position while it was waited
	// for, so that differences may be no more than what it has not read yet.
	Behind bool
}

// Equal tells whether all tables are.
func (r *Report) Equal() bool {
	return !slices.ContainsFunc(r.Tables, func(t Result) bool { return !t.Equal() })
}

// Run compares the tables.
func (v *Verifier) Run(ctx context.Context, tables []schema.TableID) (*Report, error) {
	v.Options.setDefaults()
	report := &Report{}
	var open []*comparison
	for _, id := range tables {
		open = append(open, &comparison{v: v, result: Result{Table: id}, all: true})
	}
	all := slices.Clone(open)
	for len(open) > 0 && report.Rounds < v.Options.Rounds && !report.Behind {
		var err error
		if open, err = v.round(ctx, report, open); err != nil {
			return nil, err
		}
	}
	for _, c := range all {
		c.result.Undecided += int64(len(c.pending))
		if c.all && c.result.Fault == "" {
			c.result.Fault = fmt.Sprintf("more than %d rows differ, and both sides keep changing; compare again when there are fewer writes", v.Options.Most)
		}
		report.Tables = append(report.Tables, c.result)
	}
	return report, nil
}

func (o *Options) setDefaults() {
	o.Memory = cmp.Or(o.Memory, 256<<20)
	o.Most = cmp.Or(o.Most, 1_000_000)
	o.Rounds = cmp.Or(o.Rounds, 12)
}

// round looks at the tables that are not settled in a new pair of states, and
// returns those that still are not.
func (v *Verifier) round(ctx context.Context, report *Report, open []*comparison) (left []*comparison, err error) {
	source, err := v.Source.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a snapshot of the source: %w", err)
	}
	defer func() { err = closing(err, source, "source") }()
	lake, err := v.openLake(ctx, source.Position(), report)
	if err != nil {
		return nil, fmt.Errorf("opening the lake: %w", err)
	}
	defer func() { err = closing(err, lake, "lake") }()
	report.Rounds++
	report.Source, report.Lake = source.Position(), lake.Position()
	r := round{
		source: source, lake: lake, last: report.Behind,
		same: source.Exact() && source.Position().Contains(lake.Position()) && lake.Position().Contains(source.Position()),
	}
	for _, c := range open {
		if err := c.compare(ctx, &r); err != nil {
			return nil, fmt.Errorf("comparing table %s: %w", c.result.Table, err)
		}
		if !c.settled() {
			left = append(left, c)
		}
	}
	return left, nil
}

func closing(err error, s State, side string) error {
	if cerr := s.Close(); cerr != nil && err == nil {
		return fmt.Errorf("closing the state of the %s: %w", side, cerr)
	}
	return err
}

// poll is how often the lake is asked for a new cut.
const poll = 200 * time.Millisecond

// openLake opens the lake: in the first round as it is, later when it contains
// the source's position. A lake that comes nearer is waited for, however far
// behind it is.
func (v *Verifier) openLake(ctx context.Context, want schema.Position, report *Report) (State, error) {
	until := time.Now().Add(v.Options.Wait)
	waiting, at := false, ""
	for {
		lake, err := v.Lake.Open(ctx)
		if err != nil || report.Rounds == 0 || lake.Position().Contains(want) {
			return lake, err
		}
		if p := lake.Position().String(); p != at {
			at, until = p, time.Now().Add(v.Options.Wait)
		}
		if time.Now().After(until) {
			report.Behind = true
			return lake, nil
		}
		if !waiting {
			waiting = true
			v.Log.Info("rows differ; waiting for the lake to reach the source", "missing_transactions", Missing(want, lake.Position()), "timeout", v.Options.Wait)
		}
		if err := closing(nil, lake, "lake"); err != nil {
			return nil, err
		}
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Missing returns the number of transactions that the lake does not have; -1
// where positions do not tell.
func Missing(source, lake schema.Position) int64 {
	if source.UsesGTIDs() {
		return source.GTIDs.Subtract(lake.GTIDs).Count()
	}
	if lake.Contains(source) {
		return 0
	}
	return -1
}
