package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/cutfile"
	"github.com/beluga-cdc/beluga/sink/deletes"
	"github.com/beluga-cdc/beluga/sink/naming"
	"github.com/beluga-cdc/beluga/sink/snapshot"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// TableInfo is what Tables tells of a table.
type TableInfo struct {
	Table       *schema.Table
	Lake        naming.Identifier // what it is called there
	Pipeline    string            // that owns it
	Rows        int64             // live ones
	DataFiles   int64
	DeleteFiles int64
	Bytes       int64
	SnapshotID  int64
	CommittedAt time.Time
	Position    schema.Position
	Cut         int64
	Versions    []Version // the shapes that it had, the newest last
	Foreign     bool      // the newest snapshot is of another writer, and no cut names it
	// Load is one of the table that is not complete, so that nobody sees it; nil:
	// there is none.
	Load *LoadInfo
	// Dropped is the position at which the source had the table no more; "": it has it.
	Dropped string

	head *table.Table // as it was when it was told of
}

// LoadInfo is how far the load of a table is.
type LoadInfo struct {
	Rows    int64
	Stopped bool // by request
}

// Tables returns the tables of all pipelines in the lake, as they are now.
func (l *Lake) Tables(ctx context.Context) ([]TableInfo, error) {
	heads, err := l.heads(ctx)
	if err != nil {
		return nil, err
	}
	var infos []TableInfo
	for _, t := range heads {
		if t.Properties()[propPipeline] == "" {
			continue
		}
		info, err := tableInfo(t)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Identifier(), err)
		}
		info.head = t
		infos = append(infos, info)
	}
	return infos, nil
}

func tableInfo(t *table.Table) (TableInfo, error) {
	shape, err := decodeShape(t.Properties()[propShape])
	if err != nil {
		return TableInfo{}, err
	}
	st, err := decodeState(t.Properties()[propState])
	if err != nil {
		return TableInfo{}, err
	}
	name := naming.Identifier{Namespace: t.Identifier()[0], Name: t.Identifier()[1]}
	info := TableInfo{Table: shape, Lake: name, Pipeline: t.Properties()[propPipeline], Position: st.Position, Cut: st.Cut, Rows: st.Rows, Dropped: t.Properties()[propDropped]}
	if info.Versions, err = versionsOf(t); err != nil {
		return TableInfo{}, err
	}
	if hasLoad(t) {
		load, err := decodeLoad(t)
		if err != nil {
			return TableInfo{}, err
		}
		info.Load = &LoadInfo{Rows: load.Rows, Stopped: load.Load.Stopped}
	}
	head := t.CurrentSnapshot()
	if head == nil {
		return info, nil
	}
	info.SnapshotID, info.CommittedAt = head.SnapshotID, time.UnixMilli(head.TimestampMs)
	info.Foreign = head.Summary == nil || head.Summary.Properties[propState] == ""
	if head.Summary != nil {
		total := func(key string) int64 {
			n, _ := strconv.ParseInt(head.Summary.Properties[key], 10, 64) // of a foreign writer without sums: 0
			return n
		}
		info.DataFiles, info.DeleteFiles, info.Bytes = total("total-data-files"), total("total-delete-files"), total("total-files-size")
	}
	return info, nil
}

// Read hands over the live rows of a table at a snapshot, or if that is 0 at the
// one that was its head when Tables told of it, in no order. fn must neither keep
// a block nor release it.
//
// The table is that of Tables, and not the catalog's of now: a comparison of many
// tables takes longer than snapshots are kept. Files outlive their snapshots.
func (l *Lake) Read(ctx context.Context, info TableInfo, snapshotID int64, fn func(*schema.Block) error) error {
	s := info.head.CurrentSnapshot()
	if snapshotID != 0 {
		if s = info.head.SnapshotByID(snapshotID); s == nil {
			return fmt.Errorf("reading table %s: snapshot %d is not there any more: a snapshot is kept for %s", info.Table.ID, snapshotID, l.cfg.KeepFor)
		}
	}
	err := readSnapshot(ctx, info.head, s, fn)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading table %s: %w: a file is kept for %s after it was replaced; remedy: read fewer tables at a time", info.Table.ID, err, graceOfFiles)
	}
	if err != nil {
		return fmt.Errorf("reading table %s: %w", info.Table.ID, err)
	}
	return nil
}

func readSnapshot(ctx context.Context, t *table.Table, s *table.Snapshot, fn func(*schema.Block) error) error {
	shape, err := decodeShape(t.Properties()[propShape])
	if err != nil {
		return err
	}
	names, err := writtenNames(t)
	if err != nil {
		return err
	}
	want, err := fileColumns(shape, names, t.Schema())
	if err != nil {
		return err
	}
	files, err := warehouse.FilesOf(ctx, t)
	if err != nil {
		return err
	}
	live, err := snapshot.Live(files, s)
	if err != nil {
		return err
	}
	dead, err := deletes.Load(ctx, files, live)
	if err != nil {
		return err
	}
	for _, f := range live {
		if f.ContentType() != iceberg.EntryContentData {
			continue
		}
		rows := &liveRows{dead: dead.Positions[f.FilePath()], block: &schema.Block{Table: shape}, own: make([]schema.Vec, len(want)), fn: fn}
		if err := scanFile(ctx, files, f.FilePath(), f.FileSizeBytes(), want, rows.batch); err != nil {
			return fmt.Errorf("data file %s: %w", f.FilePath(), err)
		}
	}
	return nil
}

// liveRows makes blocks of the rows of one file that are not deleted.
type liveRows struct {
	dead  *roaring.Bitmap // nil: none
	block *schema.Block   // reused; never from the pool, since it may hold vectors of the file's reader
	own   []schema.Vec
	rows  []int
	fn    func(*schema.Block) error
}

func (l *liveRows) batch(vecs []schema.Vec, first int64, n int) error {
	l.rows = l.rows[:0]
	for i := range n {
		if l.dead == nil || !l.dead.Contains(uint32(first)+uint32(i)) {
			l.rows = append(l.rows, i)
		}
	}
	if len(l.rows) == 0 {
		return nil
	}
	l.block.Ops = l.block.Ops[:0]
	for range l.rows {
		l.block.Ops = append(l.block.Ops, schema.OpRead)
	}
	l.block.New = vecs
	if len(l.rows) < n {
		for c := range vecs {
			l.own[c].Reset(vecs[c].Kind)
			for _, r := range l.rows {
				l.own[c].AppendFrom(&vecs[c], r)
			}
		}
		l.block.New = l.own
	}
	return l.fn(l.block)
}

// Cut is one published cut.
type Cut struct {
	Number      int64
	Position    string
	SourceTime  time.Time
	PublishedAt time.Time
	Snapshots   map[string]int64 // "namespace.table" → snapshot id
}

// Cuts returns the newest n cuts of the pipeline, the newest first. It reads
// what is in the lake now.
func (l *Lake) Cuts(ctx context.Context, n int) ([]Cut, error) {
	t, err := l.dir.Catalog.LoadTable(ctx, cutsIdentifier())
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading the table of cuts: %w", err)
	}
	files, err := warehouse.FilesOf(ctx, t)
	if err != nil {
		return nil, err
	}
	live, err := snapshot.Live(files, t.CurrentSnapshot())
	if err != nil {
		return nil, fmt.Errorf("reading the table of cuts: %w", err)
	}
	slices.SortFunc(live, func(a, b snapshot.File) int { return cmp.Compare(b.Sequence, a.Sequence) })
	var cuts []Cut
	for _, f := range live {
		if len(cuts) >= n {
			break
		}
		rows, err := cutfile.Read(files, f.FilePath())
		if err != nil {
			return nil, fmt.Errorf("reading the table of cuts: %w", err)
		}
		for _, r := range slices.Backward(rows) {
			if r.Pipeline == l.cfg.Pipeline {
				cuts = append(cuts, Cut{r.Cut, r.Position, time.UnixMicro(r.SourceTime).UTC(), time.UnixMicro(r.PublishedAt).UTC(), r.Tables})
			}
		}
	}
	return cuts[:min(n, len(cuts))], nil
}
