package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/cutfile"
	"github.com/beluga-cdc/beluga/sink/snapshot"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

const (
	cutsNamespace = "_beluga"
	cutsName      = "cuts"

	// The newest file of cuts is written anew with every cut until it has so many
	// rows, or names so many snapshots.
	cutsPerFile      = 256
	snapshotsPerFile = 16 << 10
)

// cutLog is the lake's table of cuts, as far as this pipeline writes it.
type cutLog struct {
	head      *head // nil: the table is not there yet
	state     cutState
	tail      []cutfile.Row // rows of the file state.Tail
	tailRead  bool          // or there was none to read
	snapshots int           // named in tail
}

// cutState is the pipeline's property of the table of cuts: a restart needs no
// more of it.
type cutState struct {
	Format   int             `json:"format"`
	Writer   string          `json:"writer"`
	Cut      int64           `json:"cut"`
	Position schema.Position `json:"position"`
	Time     time.Time       `json:"time"`
	Tail     string          `json:"tail,omitempty"` // the file that the next cut is added to
}

func cutsIdentifier() table.Identifier { return table.Identifier{cutsNamespace, cutsName} }

// openCuts reads the pipeline's last published cut.
func (l *Lake) openCuts(ctx context.Context) (*cutLog, error) {
	c := &cutLog{}
	t, err := l.dir.Catalog.LoadTable(ctx, cutsIdentifier())
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading the table of cuts: %w", err)
	}
	return c, c.open(ctx, l, t)
}

func (c *cutLog) open(ctx context.Context, l *Lake, t *table.Table) (err error) {
	if c.head, err = newHead(ctx, l.dir.Catalog, l.log, t, propCutPrefix+l.cfg.Pipeline); err != nil {
		return err
	}
	c.head.shared = true
	if c.head.state == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(c.head.state), &c.state); err != nil {
		return fmt.Errorf("decoding the last cut: %w", err)
	}
	if c.state.Format != stateFormat {
		return fmt.Errorf("decoding the last cut: format %d was written by another version of Beluga", c.state.Format)
	}
	return nil
}

// publish makes a cut durable and visible.
func (c *cutLog) publish(ctx context.Context, l *Lake, number int64, cut schema.Commit, tables map[string]int64) error {
	if err := c.prepare(ctx, l); err != nil {
		return err
	}
	full := len(c.tail) >= cutsPerFile || c.snapshots+len(tables) > snapshotsPerFile
	if full {
		c.tail, c.snapshots, c.state.Tail = nil, 0, ""
	}
	c.tail = append(c.tail, cutfile.Row{
		Pipeline: l.cfg.Pipeline, Cut: number, Position: cut.Position.String(), SourceTime: cutfile.Micros(cut.Time),
		PublishedAt: cutfile.Micros(time.Now()), Tables: tables,
	})
	c.snapshots += len(tables)
	location := c.head.t.Location() + "/data/" + l.fileName("parquet")
	file, err := cutfile.Write(c.head.fs, location, c.tail)
	if err != nil {
		return err
	}
	if err := c.head.fs.SyncFolder(warehouse.FolderOf(location)); err != nil {
		return err
	}
	next := cutState{Format: stateFormat, Writer: l.writer, Cut: number, Position: cut.Position, Time: cut.Time, Tail: location}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	ch := snapshot.Change{
		Add: []iceberg.DataFile{file}, Operation: table.OpAppend, Summary: iceberg.Properties{}, Properties: iceberg.Properties{},
		KeepLast: l.cfg.KeepSnapshots, KeepFor: l.cfg.KeepFor,
	}
	var obsolete []string
	if c.state.Tail != "" {
		ch.Remove, ch.Operation = map[string]bool{c.state.Tail: true}, table.OpOverwrite
		obsolete = []string{c.state.Tail}
	}
	if err := c.head.commit(ctx, ch, string(text), obsolete); err != nil {
		return err
	}
	c.state = next
	return nil
}

// prepare creates the table, or reads the rows that the next cut joins.
func (c *cutLog) prepare(ctx context.Context, l *Lake) error {
	if c.head == nil {
		t, err := l.createTable(ctx, cutsIdentifier(), cutfile.Schema(), 2, iceberg.Properties{})
		if errors.Is(err, catalog.ErrTableAlreadyExists) {
			t, err = l.dir.Catalog.LoadTable(ctx, cutsIdentifier()) // another pipeline was quicker
		}
		if err != nil {
			return fmt.Errorf("creating the table of cuts: %w", err)
		}
		if err := c.open(ctx, l, t); err != nil {
			return err
		}
	}
	if c.tailRead {
		return nil
	}
	c.tailRead = true
	if c.state.Tail == "" {
		return nil
	}
	live, err := snapshot.Live(c.head.fs, c.head.t.CurrentSnapshot())
	if err != nil {
		return err
	}
	found := false
	for _, f := range live {
		found = found || f.FilePath() == c.state.Tail
	}
	if !found { // somebody compacted the table; the next cut begins a file
		c.state.Tail = ""
		return nil
	}
	if c.tail, err = cutfile.Read(c.head.fs, c.state.Tail); err != nil {
		return fmt.Errorf("reading the newest cuts: %w", err)
	}
	for _, r := range c.tail {
		c.snapshots += len(r.Tables)
	}
	return nil
}
