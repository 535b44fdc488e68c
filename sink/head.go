package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/sink/snapshot"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// head is a table's newest version as we know it, and the way to put a newer
// one on top.
type head struct {
	catalog catalog.Catalog
	log     *slog.Logger
	t       *table.Table
	fs      warehouse.Files
	stager  *snapshot.Stager
	key     string // property, and summary key, of the state
	state   string // the property in t
	// shared: other pipelines commit to the table too, and mind only their own
	// state.
	shared bool
	grave  []buried
}

// buried is a file that no snapshot from sequence on needs.
type buried struct {
	sequence int64
	path     string
	since    time.Time
}

const (
	// settleAttempts is how often a commit is sent, or an unknown outcome looked
	// at, before we give up. With the pauses that is about a minute.
	settleAttempts = 12
	settlePause    = 20 * time.Millisecond
	settleMaxPause = 10 * time.Second
	// graceOfFiles is how long a file stays after nothing current names it: a
	// reader may have planned its scan before.
	graceOfFiles = time.Hour
)

func newHead(ctx context.Context, c catalog.Catalog, log *slog.Logger, t *table.Table, key string) (*head, error) {
	fs, err := warehouse.FilesOf(ctx, t)
	if err != nil {
		return nil, err
	}
	return &head{catalog: c, log: log, t: t, fs: fs, stager: snapshot.NewStager(), key: key, state: t.Properties()[key]}, nil
}

// commit makes the change the table's next version, with next as its state, that
// of main or that of a load on its branch. It returns nil only when that is what
// the catalog holds.
//
// An error of the catalog does not tell whether the commit landed, so none is
// looked at: the table is loaded again and its state compared. All attempts name
// the same data files and the same parent, so at most one of them can land.
func (h *head) commit(ctx context.Context, c snapshot.Change, next string, obsolete []string) error {
	key := h.keyOf(c)
	c.Properties[key], c.Summary[key] = next, next
	ours := map[int64]*snapshot.Staged{}
	for attempt := 1; ; attempt++ {
		staged, err := h.stager.Stage(h.t, h.fs, c)
		if err != nil {
			return err
		}
		ours[staged.SnapshotID] = staged
		now, err := h.send(ctx, staged)
		if err != nil {
			cause := err
			if now, err = h.reload(ctx, cause); err != nil {
				return err
			}
			if staged, err = h.compare(now, c, ours, cause); err != nil {
				return err
			}
			if staged == nil {
				if attempt == settleAttempts {
					return fmt.Errorf("committing: %w; tried %d times, and it is not there", cause, attempt)
				}
				h.t = now
				if err := pause(ctx, attempt); err != nil {
					return errors.Join(cause, err)
				}
				continue
			}
		}
		h.adopt(now, staged, obsolete)
		return nil
	}
}

// keyOf returns where the state of what the change moves is kept.
func (h *head) keyOf(c snapshot.Change) string {
	if c.Staging {
		return propLoad
	}
	return h.key
}

func (h *head) send(ctx context.Context, s *snapshot.Staged) (*table.Table, error) {
	if err := failpoint(stepCommitSent); err != nil {
		return nil, err
	}
	md, location, err := h.catalog.CommitTable(ctx, s.Identifier, s.Requirements, s.Updates)
	if err != nil {
		return nil, err
	}
	if err := failpoint(stepCommitLanded); err != nil {
		return nil, err
	}
	return table.New(s.Identifier, md, location, h.openFS, h.catalog), nil
}

// openFS is how tables open their file system. It is not the method of the table before:
// each would hold the one before it, and with it all metadata that there ever were.
func (h *head) openFS(context.Context) (iceio.IO, error) { return h.fs, nil }

// reload loads the table anew, however long the catalog takes, within reason.
func (h *head) reload(ctx context.Context, cause error) (*table.Table, error) {
	for attempt := 1; ; attempt++ {
		now, err := h.catalog.LoadTable(ctx, h.t.Identifier())
		if err == nil {
			return now, nil
		}
		if errors.Is(err, catalog.ErrNoSuchTable) {
			return nil, fmt.Errorf("%w: the table is gone from the catalog", ErrForeignCommit)
		}
		if attempt == settleAttempts {
			return nil, fmt.Errorf("finding out what became of a commit: %w; the commit itself said: %w", err, cause)
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, errors.Join(cause, err)
		}
	}
}

// compare returns the attempt of ours that landed, or nil if none did. If
// neither that nor the old version is what the catalog holds, somebody else is at
// work, and it says who.
func (h *head) compare(now *table.Table, c snapshot.Change, ours map[int64]*snapshot.Staged, cause error) (*snapshot.Staged, error) {
	key := h.keyOf(c)
	have, had, next := now.Properties()[key], h.t.Properties()[key], c.Properties[key]
	if now.Metadata().TableUUID() != h.t.Metadata().TableUUID() {
		return nil, fmt.Errorf("%w: the table was replaced; the commit said: %w", ErrForeignCommit, cause)
	}
	moved := snapshotID(now)
	if c.Staging {
		moved = branchID(now)
	}
	if have == next {
		for id, s := range ours {
			if id == moved || h.shared && now.SnapshotByID(id) != nil {
				return s, nil
			}
		}
	}
	if have == had && (h.shared || snapshotID(now) == snapshotID(h.t) && branchID(now) == branchID(h.t)) {
		return nil, nil
	}
	if have != had && have != next {
		return nil, fmt.Errorf("%w: the table's state is not the one this batch started from; the commit said: %w", ErrAnotherInstance, cause)
	}
	return nil, fmt.Errorf("%w: the table has a snapshot that is not ours (%d); start Beluga again, it goes on from there; the commit said: %w",
		ErrForeignCommit, snapshotID(now), cause)
}

// adopt makes now the head we stand on, and tidies what it made obsolete. A
// failure of that is no failure of the commit: files that stay cost only space.
func (h *head) adopt(now *table.Table, s *snapshot.Staged, obsolete []string) {
	before := h.t
	h.t, h.state = now, now.Properties()[h.key]
	for _, path := range append(s.Dropped, obsolete...) {
		h.grave = append(h.grave, buried{s.Sequence, path, time.Now()})
	}
	if err := errors.Join(h.fs.PublishHead(now), warehouse.DropOldMetadata(h.fs, before, now), h.sweep(time.Now())); err != nil {
		h.log.Warn("tidying after a commit", "table", now.Identifier(), "error", err)
	}
}

// sweep deletes the files that no snapshot needs any more: those given up by a
// snapshot that is not younger than the oldest one kept. What a process leaves
// behind when it ends is the maintenance's to find.
func (h *head) sweep(now time.Time) error {
	snaps := h.t.Metadata().Snapshots()
	if len(snaps) == 0 {
		return nil
	}
	oldest := slices.MinFunc(snaps, func(a, b table.Snapshot) int { return cmp.Compare(a.SequenceNumber, b.SequenceNumber) }).SequenceNumber
	n := 0
	for n < len(h.grave) && h.grave[n].sequence <= oldest && now.Sub(h.grave[n].since) > graceOfFiles {
		n++
	}
	var errs []error
	for _, b := range h.grave[:n] {
		if err := h.fs.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	h.grave = h.grave[n:]
	return errors.Join(errs...)
}

func snapshotID(t *table.Table) int64 {
	if s := t.CurrentSnapshot(); s != nil {
		return s.SnapshotID
	}
	return 0
}

// branchID returns the head of the branch of a load; 0: there is none.
func branchID(t *table.Table) int64 {
	if s := t.SnapshotByName(loadBranch); s != nil {
		return s.SnapshotID
	}
	return 0
}

// abandon gives up what a load has left on its branch.
func (h *head) abandon(ctx context.Context) error {
	md := h.t.Metadata()
	id := branchID(h.t)
	requirements := []table.Requirement{table.AssertTableUUID(md.TableUUID()), table.AssertRefSnapshotID(loadBranch, &id)}
	updates := []table.Update{table.NewRemoveSnapshotRefUpdate(loadBranch), table.NewRemovePropertiesUpdate([]string{propLoad, propLoadShape})}
	for attempt := 1; ; attempt++ {
		_, _, cause := h.catalog.CommitTable(ctx, h.t.Identifier(), requirements, updates)
		now, err := h.reload(ctx, cause)
		if err != nil {
			return err
		}
		switch branchID(now) {
		case 0:
			h.t = now
			return nil
		case id:
		default:
			return fmt.Errorf("%w: giving up an unfinished load: it is another one by now", ErrAnotherInstance)
		}
		if attempt == settleAttempts {
			return fmt.Errorf("giving up an unfinished load: %w; tried %d times", cause, attempt)
		}
		if err := pause(ctx, attempt); err != nil {
			return errors.Join(cause, err)
		}
	}
}

// pause waits, longer with every attempt.
func pause(ctx context.Context, attempt int) error {
	t := time.NewTimer(min(settlePause<<attempt, settleMaxPause))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
