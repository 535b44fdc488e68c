package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/schema"
)

// removeDropped removes the tables that the source has no more, if that was chosen.
// They are marked, and the cut since which they are gone is published: whoever dies
// before that comes to the statement again, and whoever dies after it finds the mark.
func (l *Lake) removeDropped(ctx context.Context) error {
	if !l.cfg.RemoveDropped || l.cfg.ReadOnly {
		return nil
	}
	for id, t := range l.tables {
		if !t.dropped || t.dirty || len(t.pending) > 0 || l.ahead[id] {
			continue
		}
		if err := l.remove(ctx, id); err != nil {
			return fmt.Errorf("removing table %s, which was dropped in the source: %w", id, err)
		}
	}
	return nil
}

// remove takes the table out of the catalog. Its files are deleted only once the
// catalog says that there is no such table, whatever came of the attempt.
func (l *Lake) remove(ctx context.Context, id schema.TableID) error {
	t := l.tables[id]
	at := t.identifier()
	name := table.Identifier{at.Namespace, at.Name}
	for attempt := 0; ; attempt++ {
		dropping := l.dir.Catalog.DropTable(ctx, name)
		_, err := l.dir.Catalog.LoadTable(ctx, name)
		if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
			break
		}
		if attempt >= settleAttempts {
			return errors.Join(dropping, err)
		}
		if err := pause(ctx, attempt); err != nil {
			return errors.Join(dropping, err)
		}
	}
	delete(l.tables, id)
	l.log.Info("a table was removed, as it was dropped in the source", "table", id)
	if err := t.head.fs.RemoveAll(l.dir.Location(at.Namespace, at.Name)); err != nil {
		return fmt.Errorf("deleting the files of a table: %w", err)
	}
	return nil
}
