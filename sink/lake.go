package sink

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/naming"
	"github.com/beluga-cdc/beluga/sink/parquetfile"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// Lake is an opened lake. It implements pipeline.Sink. Define, Write and Commit
// are for one goroutine; Tables, Read and Cuts look at the catalog anew and may
// be called at any time.
type Lake struct {
	cfg     Config
	enc     encoding
	log     *slog.Logger
	dir     *warehouse.Warehouse
	workers *parquetfile.Workers
	writer  string       // in the state of every commit, and in file names
	files   atomic.Int64 // named so far

	resumed bool
	tables  map[schema.TableID]*lakeTable
	foreign map[naming.Identifier]string // tables in the lake that are not ours, and whose they are
	cuts    *cutLog
	cut     int64                   // the highest number that a table or a cut carries
	ahead   map[schema.TableID]bool // tables that stand beyond the last published cut
	uses    int64                   // counts uses of open files

	checkpoints int64 // of loads, by this process
	err         error // after a failure nothing goes on: what is in memory may not be what is in the lake
}

var _ pipeline.Sink = (*Lake)(nil)

// Open opens the lake, and creates it where there is none yet.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Lake, error) {
	cfg = cfg.withDefaults()
	enc, err := encodingFor(cfg.Readers)
	if err != nil {
		return nil, err
	}
	if cfg.Pipeline == "" && !cfg.ReadOnly {
		return nil, errors.New("the pipeline has no name")
	}
	id := make([]byte, 6)
	_, _ = rand.Read(id) // never fails
	w, err := warehouse.Open(ctx, warehouse.Options{Dir: cfg.Dir, Remote: cfg.Remote, Pipeline: cfg.Pipeline, ReadOnly: cfg.ReadOnly})
	if err != nil {
		return nil, err
	}
	return &Lake{
		cfg: cfg, enc: enc, log: log, dir: w, workers: parquetfile.NewWorkers(0), writer: hex.EncodeToString(id),
		tables: map[schema.TableID]*lakeTable{}, foreign: map[naming.Identifier]string{}, ahead: map[schema.TableID]bool{},
	}, nil
}

// Close gives up what is not committed, and the lock. Nothing of the batch
// becomes durable by it.
func (l *Lake) Close() error {
	var errs []error
	for _, t := range l.tables {
		errs = append(errs, t.abort())
	}
	return errors.Join(append(errs, l.dir.Close())...)
}

// Resume returns what the lake holds of this pipeline.
func (l *Lake) Resume(ctx context.Context) (pipeline.Resume, error) {
	if err := l.load(ctx); err != nil {
		return pipeline.Resume{}, err
	}
	r := pipeline.Resume{Position: l.cuts.state.Position, Tables: map[schema.TableID]pipeline.TableState{},
		Loads: map[schema.TableID]schema.Progress{}, Lanes: map[schema.TableID]schema.Progress{}}
	r.History = r.Position.History
	for id, t := range l.tables {
		if t.inLane() {
			r.Tables[id] = pipeline.TableState{Table: t.shape, Position: t.position()}
			r.Lanes[id] = schema.Progress{Table: t.shape, Load: t.staged.Load}
			continue
		}
		if t.head.state != "" {
			// Of one that was dropped nothing is to be followed, unless a crash left it
			// beyond the last cut: the source comes to its rows again.
			if !t.dropped || l.ahead[id] {
				r.Tables[id] = pipeline.TableState{Table: t.shown, Position: t.state.Position, Dropped: t.dropped, Since: since(t.versions)}
			}
			r.History = max(r.History, t.state.Position.History)
		}
		if t.staged != nil {
			r.History = max(r.History, t.history)
		}
	}
	for id, t := range l.tables {
		if t.staged != nil && !t.inLane() && t.history == r.History {
			r.Loads[id] = schema.Progress{Table: t.shape, Load: t.staged.Load}
		}
	}
	return r, nil
}

// load reads the heads of all tables, once.
func (l *Lake) load(ctx context.Context) error {
	if l.resumed {
		return nil
	}
	heads, err := l.heads(ctx)
	if err != nil {
		return err
	}
	var otherwise NamesError // all at once
	for _, h := range heads {
		name := naming.Identifier{Namespace: h.Identifier()[0], Name: h.Identifier()[1]}
		if name.Namespace == cutsNamespace {
			continue
		}
		if owner := h.Properties()[propPipeline]; owner == "" || owner != l.cfg.Pipeline {
			l.foreign[name] = owner
			continue
		}
		t, err := l.adopt(ctx, h)
		if other := (NamesError)(nil); errors.As(err, &other) {
			otherwise = append(otherwise, other...)
			continue
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		l.tables[t.shape.ID] = t
		l.cut = max(l.cut, t.state.Cut)
		if t.inLane() {
			l.cut = max(l.cut, t.staged.Lane.Cut)
		}
	}
	if len(otherwise) > 0 {
		return otherwise
	}
	if l.cuts, err = l.openCuts(ctx); err != nil {
		return err
	}
	l.cut = max(l.cut, l.cuts.state.Cut)
	for id, t := range l.tables {
		if t.isVoid(l.cuts.state.Position.History) && !l.cfg.ReadOnly {
			if t, err = l.giveUp(ctx, t); err != nil {
				return err
			}
		}
		if !l.cuts.state.Position.Contains(t.position()) {
			l.ahead[id] = true
		}
		if t.head.state == "" || l.cfg.ReadOnly {
			continue
		}
		if err := t.head.fs.PublishHead(t.head.t); err != nil {
			return fmt.Errorf("table %s: %w", id, err)
		}
	}
	l.resumed = true
	if err := failpoint(stepStateLoaded); err != nil {
		return err
	}
	return l.removeDropped(ctx)
}

// heads loads the head of every table of the catalog.
func (l *Lake) heads(ctx context.Context) ([]*table.Table, error) {
	spaces, err := l.dir.Catalog.ListNamespaces(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("listing the namespaces of the catalog: %w", err)
	}
	var ids []table.Identifier
	for _, ns := range spaces {
		if len(ns) != 1 {
			continue // we make none with several parts, so it is somebody else's
		}
		for id, err := range l.dir.Catalog.ListTables(ctx, ns) {
			if err != nil {
				return nil, fmt.Errorf("listing the tables of %s: %w", ns, err)
			}
			ids = append(ids, id)
		}
	}
	heads := make([]*table.Table, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelCommits)
	for i, id := range ids {
		g.Go(func() (err error) {
			if heads[i], err = l.dir.Catalog.LoadTable(ctx, id); err != nil {
				return fmt.Errorf("loading table %s from the catalog: %w", id, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(heads, func(a, b *table.Table) int { return slices.Compare(a.Identifier(), b.Identifier()) })
	return heads, nil
}

// adopt takes up a table that this pipeline made.
func (l *Lake) adopt(ctx context.Context, it *table.Table) (*lakeTable, error) {
	if err := checkRollback(it); err != nil {
		return nil, err
	}
	if !it.Spec().IsUnpartitioned() {
		return nil, errors.New("another writer partitioned the lake's table, which this version does not write; drop it in the lake and load it again")
	}
	// Who only reads declares no readers.
	if v := it.Metadata().Version(); !l.cfg.ReadOnly && v > l.enc.formatVersion() {
		return nil, fmt.Errorf("the lake's table has format version %d, which not all of the readers %v read; drop it in the lake and load it again, or change readers", v, l.cfg.Readers)
	}
	shape, err := decodeShape(it.Properties()[propShape])
	if err != nil {
		return nil, err
	}
	if err := l.sameNames(it, shape); err != nil {
		return nil, err
	}
	names, err := l.namesOf(it)
	if err != nil {
		return nil, err
	}
	h, err := newHead(ctx, l.dir.Catalog, l.log, it, propState)
	if err != nil {
		return nil, err
	}
	t := &lakeTable{lake: l, head: h, names: names, shape: shape, shown: shape, keyer: schema.NewKeyer(shape), remove: map[string]bool{}}
	if t.columns, err = fileColumns(shape, names, it.Schema()); err != nil {
		return nil, err
	}
	if err := checkRequired(shape, names, it.Schema()); err != nil {
		return nil, err
	}
	if t.state, err = decodeState(h.state); err != nil {
		return nil, err
	}
	t.history = t.state.Position.History
	if uuid := it.Metadata().TableUUID().String(); h.state != "" && t.state.Table != uuid {
		return nil, fmt.Errorf("the table is a copy: its state is of table %s, it is %s; drop it in the lake and load it again", t.state.Table, uuid)
	}
	if t.versions, err = decodeHistory(it); err != nil {
		return nil, err
	}
	t.dropped = it.Properties()[propDropped] != "" && !hasLoad(it) // which is of another table of the name
	t.orphan = h.state == "" && !hasLoad(it)
	if hasLoad(it) {
		return t, t.adoptLoad()
	}
	return t, nil
}

// vectors tells whether the table's deletes are deletion vectors: a table keeps
// the format that it was made with.
func (t *lakeTable) vectors() bool { return t.head.t.Metadata().Version() >= 3 }

// fileName returns a name that no other file has. It begins with the time, so
// that a search for orphans can leave alone what may still be in the making.
func (l *Lake) fileName(ext string) string {
	return fmt.Sprintf("%s-%s-%05d.%s", time.Now().UTC().Format("20060102T150405"), l.writer, l.files.Add(1), ext)
}

// enter begins a call of the sink. leave ends it: a failed call leaves what is
// in memory undefined, so that nothing may follow it.
func (l *Lake) enter(ctx context.Context) error {
	if l.err != nil {
		return fmt.Errorf("the lake is not usable after an error: %w", l.err)
	}
	if l.cfg.ReadOnly {
		return errors.New("the lake was opened for reading only")
	}
	return l.load(ctx)
}

func (l *Lake) leave(err error) error {
	if err != nil && l.err == nil {
		l.err = err
	}
	return err
}
