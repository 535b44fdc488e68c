package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// Change is what one commit does to a table.
type Change struct {
	Add        []iceberg.DataFile
	Remove     map[string]bool   // by Key
	Schema     *iceberg.Schema   // the new current schema; nil: it stays
	Passed     []*iceberg.Schema // that files of the change may have, and no reader sees
	Operation  table.Operation
	Summary    iceberg.Properties
	Properties iceberg.Properties // of the table
	Forget     []string           // properties to remove

	// Branch is one beside main on which snapshots are collected: with Staging this
	// one too, and main stays where it is. Else the snapshot follows on the branch,
	// if there is one, main takes all of it over, and the branch is gone.
	Branch  string
	Staging bool

	// Snapshots beyond KeepLast that are older than KeepFor go. Their files stay.
	KeepLast int
	KeepFor  time.Duration
}

// Staged is a commit that only has to be sent.
type Staged struct {
	table.TableCommit
	SnapshotID int64
	Sequence   int64
	// Dropped are the files that the snapshot does without and its parent did not:
	// replaced manifests, the parent's manifest list. Once the parent and all
	// before it are expired, nobody needs them.
	Dropped []string
}

// Stager stages the snapshots of one table. It remembers which manifest a file
// is in, so that a commit opens only the manifests it has to rewrite.
type Stager struct {
	manifests map[string]map[string]bool // manifest → keys of its live files
}

// NewStager returns a stager that knows of no manifest yet.
func NewStager() *Stager { return &Stager{manifests: map[string]map[string]bool{}} }

// Stage writes the manifests of a snapshot on top of t's head, and says what to
// send to the catalog for it. The commit is pinned to that head: if any other
// comes first, it fails.
func (s *Stager) Stage(t *table.Table, fs warehouse.Files, c Change) (*Staged, error) {
	tx := t.NewTransaction()
	if err := tx.SetProperties(c.Properties); err != nil {
		return nil, fmt.Errorf("staging properties: %w", err)
	}
	if c.KeepLast > 0 {
		if err := tx.ExpireSnapshots(table.WithRetainLast(c.KeepLast), table.WithOlderThan(c.KeepFor), table.WithPostCommit(false)); err != nil {
			return nil, fmt.Errorf("staging expiry: %w", err)
		}
	}
	if len(c.Forget) > 0 {
		if err := tx.RemoveProperties(c.Forget); err != nil {
			return nil, fmt.Errorf("staging properties: %w", err)
		}
	}
	w := s.newWriter(t, fs, c)
	if err := errors.Join(w.manifestList(c), w.syncs.Wait()); err != nil {
		return nil, err
	}
	tc, err := tx.TableCommit()
	if err != nil {
		return nil, fmt.Errorf("staging a snapshot: %w", err)
	}
	if c.Schema != nil {
		w.setSchema(&tc, c)
	}
	sn := w.snapshot
	maps.Copy(sn.Summary.Properties, c.Summary)
	tc.Updates = append(tc.Updates, table.NewAddSnapshotUpdate(sn))
	w.moveRefs(&tc, c)
	return &Staged{TableCommit: tc, SnapshotID: sn.SnapshotID, Sequence: sn.SequenceNumber, Dropped: w.dropped}, nil
}

// writer is the work on one snapshot.
type writer struct {
	*Stager
	t        *table.Table
	fs       warehouse.Files
	schema   *iceberg.Schema
	head     *table.Snapshot // that this one follows on
	snapshot *table.Snapshot
	totals   totals
	number   int // of the next manifest
	dropped  []string
	syncs    errgroup.Group // of the files written; they wait for the disk together
}

// Head returns the snapshot that the next one follows on.
func Head(t *table.Table, branch string) *table.Snapshot {
	if branch != "" {
		if s := t.SnapshotByName(branch); s != nil {
			return s
		}
	}
	return t.CurrentSnapshot()
}

func (s *Stager) newWriter(t *table.Table, fs warehouse.Files, c Change) *writer {
	md, head := t.Metadata(), Head(t, c.Branch)
	w := &writer{Stager: s, t: t, fs: fs, schema: c.Schema, head: head, totals: newTotals(head)}
	if c.Schema == nil {
		w.schema = t.Schema()
	}
	w.snapshot = &table.Snapshot{
		SnapshotID:     rand.Int64(),
		SequenceNumber: md.LastSequenceNumber() + 1,
		SchemaID:       &w.schema.ID,
		// Another writer's clock may be ahead; time must not go back in the log.
		TimestampMs: max(time.Now().UnixMilli(), md.LastUpdatedMillis()),
		Summary:     &table.Summary{Properties: iceberg.Properties{}},
	}
	if head != nil {
		w.snapshot.ParentSnapshotID = &head.SnapshotID
		w.dropped = append(w.dropped, head.ManifestList)
	}
	return w
}

// moveRefs makes the snapshot the head of main or of the branch.
func (w *writer) moveRefs(tc *table.TableCommit, c Change) {
	md := w.t.Metadata()
	tc.Requirements = append(tc.Requirements, table.AssertTableUUID(md.TableUUID()), table.AssertRefSnapshotID(table.MainBranch, idOf(w.t.CurrentSnapshot())))
	target := table.MainBranch
	if c.Branch != "" {
		branch := w.t.SnapshotByName(c.Branch)
		tc.Requirements = append(tc.Requirements, table.AssertRefSnapshotID(c.Branch, idOf(branch)))
		switch {
		case c.Staging:
			target = c.Branch
		case branch != nil:
			tc.Updates = append(tc.Updates, table.NewRemoveSnapshotRefUpdate(c.Branch))
		}
	}
	tc.Updates = append(tc.Updates, table.NewSetSnapshotRefUpdate(target, w.snapshot.SnapshotID, table.BranchRef, 0, 0, 0))
}

func idOf(s *table.Snapshot) *int64 {
	if s == nil {
		return nil
	}
	return &s.SnapshotID
}

// setSchema makes the schema the current one; on a branch it is only there, since
// readers of main take the current one. A schema that the table had before is
// found again under its old number, which the snapshot must carry.
func (w *writer) setSchema(tc *table.TableCommit, c Change) {
	md := w.t.Metadata()
	known := map[int]bool{}
	for _, old := range md.Schemas() {
		known[old.ID] = true
	}
	for _, s := range append(slices.Clone(c.Passed), c.Schema) {
		if !known[s.ID] {
			known[s.ID] = true
			tc.Updates = append(tc.Updates, table.NewAddSchemaUpdate(s))
		}
	}
	if !c.Staging {
		tc.Updates = append(tc.Updates, table.NewSetCurrentSchemaUpdate(c.Schema.ID))
	}
	tc.Requirements = append(tc.Requirements, table.AssertCurrentSchemaID(md.CurrentSchema().ID), table.AssertLastAssignedFieldID(md.LastColumnID()))
}

// manifestList writes the manifests that change and the list of all, and
// completes the snapshot.
func (w *writer) manifestList(c Change) error {
	w.snapshot.Summary.Operation = c.Operation
	kept, err := w.carryOver(c.Remove)
	if err != nil {
		return err
	}
	added, err := w.addManifests(c.Add)
	if err != nil {
		return err
	}
	all, err := w.mergeMany(append(added, kept...))
	if err != nil {
		return err
	}
	sn := w.snapshot
	var b bytes.Buffer
	if w.t.Metadata().Version() >= 3 {
		if err := w.listV3(&b, all); err != nil {
			return fmt.Errorf("writing a manifest list: %w", err)
		}
	} else if err := iceberg.WriteManifestList(2, &b, sn.SnapshotID, sn.ParentSnapshotID, &sn.SequenceNumber, 0, all); err != nil {
		return fmt.Errorf("writing a manifest list: %w", err)
	}
	w.totals.write(sn.Summary.Properties)
	sn.ManifestList, err = w.put(fmt.Sprintf("snap-%d.avro", sn.SnapshotID), b.Bytes())
	return err
}

// listV3 also hands out the row ids of the files that are new.
func (w *writer) listV3(b *bytes.Buffer, ms []iceberg.ManifestFile) error {
	first := w.t.Metadata().NextRowID()
	lw, err := iceberg.NewManifestListWriterV3(b, w.snapshot.SnapshotID, w.snapshot.SequenceNumber, first, w.snapshot.ParentSnapshotID)
	if err != nil {
		return err
	}
	if err := lw.AddManifests(ms); err != nil {
		return err
	}
	rows := *lw.NextRowID() - first
	w.snapshot.FirstRowID, w.snapshot.AddedRows = &first, &rows
	return lw.Close()
}

// put writes a file of the snapshot. Its content is on disk when Stage returns;
// its name with the metadata file, which lies in the same folder and is written
// later.
func (w *writer) put(name string, content []byte) (string, error) {
	location := w.t.Location() + "/metadata/" + name
	f, err := w.fs.CreateFile(location)
	if err != nil {
		return "", fmt.Errorf("creating %s: %w", path.Base(location), err)
	}
	if _, err := f.Write(content); err != nil {
		return "", errors.Join(fmt.Errorf("writing %s: %w", location, err), f.Abort())
	}
	w.syncs.Go(f.Close)
	return location, nil
}
