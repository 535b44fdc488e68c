package snapshot

import (
	"bytes"
	"fmt"

	"github.com/apache/iceberg-go"
)

const (
	// manyManifests of one kind are merged into one. Every commit adds one or two,
	// and a reader opens all of them to plan a scan.
	manyManifests = 50
	// largeManifest is how many files a manifest may list and still be merged: so
	// the work of a merge does not grow with the table.
	largeManifest = 2000
)

// addManifests writes one manifest for the new data files and one for the new
// delete files.
func (w *writer) addManifests(add []iceberg.DataFile) ([]iceberg.ManifestFile, error) {
	var ms []iceberg.ManifestFile
	for _, content := range []iceberg.ManifestContent{iceberg.ManifestContentData, iceberg.ManifestContentDeletes} {
		var es []entry
		for _, f := range add {
			if (f.ContentType() == iceberg.EntryContentData) == (content == iceberg.ManifestContentData) {
				es = append(es, entry{iceberg.NewManifestEntry(iceberg.EntryStatusADDED, &w.snapshot.SnapshotID, nil, nil, f), iceberg.EntryStatusADDED})
				w.totals.added(f)
			}
		}
		if len(es) == 0 {
			continue
		}
		m, err := w.manifest(content, w.t.Metadata().DefaultPartitionSpec(), es)
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// carryOver returns the head's manifests, those rewritten that hold a file to
// remove.
func (w *writer) carryOver(remove map[string]bool) ([]iceberg.ManifestFile, error) {
	head := w.head
	if head == nil {
		if len(remove) > 0 {
			return nil, fmt.Errorf("removing %d files from a table without a snapshot", len(remove))
		}
		return nil, nil
	}
	old, err := head.Manifests(w.fs)
	if err != nil {
		return nil, fmt.Errorf("reading manifest list %s: %w", head.ManifestList, err)
	}
	var ms []iceberg.ManifestFile
	found := 0
	for _, m := range old {
		if !isLive(m) {
			w.dropped = append(w.dropped, m.FilePath())
			continue
		}
		if len(remove) > 0 {
			keys, err := w.keys(m)
			if err != nil {
				return nil, err
			}
			if hits := countHits(keys, remove); hits > 0 {
				found += hits
				if m, err = w.without(m, remove); err != nil {
					return nil, err
				}
			}
		}
		ms = append(ms, m)
	}
	if found != len(remove) {
		return nil, fmt.Errorf("%d of %d files to remove are live", found, len(remove))
	}
	return ms, nil
}

func countHits(keys, remove map[string]bool) int {
	small, large := keys, remove
	if len(large) < len(small) {
		small, large = large, small
	}
	n := 0
	for k := range small {
		if large[k] {
			n++
		}
	}
	return n
}

// keys returns the live files of a manifest.
func (w *writer) keys(m iceberg.ManifestFile) (map[string]bool, error) {
	if k, ok := w.manifests[m.FilePath()]; ok {
		return k, nil
	}
	keys := map[string]bool{}
	for e, err := range m.Entries(w.fs, true) {
		if err != nil {
			return nil, fmt.Errorf("reading manifest %s: %w", m.FilePath(), err)
		}
		keys[Key(e.DataFile())] = true
	}
	w.manifests[m.FilePath()] = keys
	return keys, nil
}

// without rewrites a manifest, with some of its files marked as deleted.
func (w *writer) without(m iceberg.ManifestFile, remove map[string]bool) (iceberg.ManifestFile, error) {
	es, err := w.existing(nil, m)
	if err != nil {
		return nil, err
	}
	for i, e := range es {
		if remove[Key(e.DataFile())] {
			es[i].status = iceberg.EntryStatusDELETED
			w.totals.removed(e.DataFile())
		}
	}
	w.drop(m)
	return w.manifest(m.ManifestContent(), int(m.PartitionSpecID()), es)
}

// mergeMany merges the small manifests of a kind into one where there are many.
// Only those of the table's own spec: a manifest belongs to one spec.
func (w *writer) mergeMany(all []iceberg.ManifestFile) ([]iceberg.ManifestFile, error) {
	for _, content := range []iceberg.ManifestContent{iceberg.ManifestContentData, iceberg.ManifestContentDeletes} {
		var small, rest []iceberg.ManifestFile
		for _, m := range all {
			n := m.AddedDataFiles() + m.ExistingDataFiles()
			// This snapshot's own stay as they are: their entries tell incremental
			// readers what it added and took away.
			if m.ManifestContent() == content && int(m.PartitionSpecID()) == w.t.Metadata().DefaultPartitionSpec() && n < largeManifest &&
				m.SnapshotID() != w.snapshot.SnapshotID {
				small = append(small, m)
			} else {
				rest = append(rest, m)
			}
		}
		if len(small) <= manyManifests {
			continue
		}
		var es []entry
		for _, m := range small {
			var err error
			if es, err = w.existing(es, m); err != nil {
				return nil, err
			}
			w.drop(m)
		}
		m, err := w.manifest(content, w.t.Metadata().DefaultPartitionSpec(), es)
		if err != nil {
			return nil, err
		}
		all = append(rest, m)
	}
	return all, nil
}

// existing appends the live entries of a manifest to es.
func (w *writer) existing(es []entry, m iceberg.ManifestFile) ([]entry, error) {
	for e, err := range m.Entries(w.fs, true) {
		if err != nil {
			return nil, fmt.Errorf("reading manifest %s: %w", m.FilePath(), err)
		}
		es = append(es, entry{e, iceberg.EntryStatusEXISTING})
	}
	return es, nil
}

func (w *writer) drop(m iceberg.ManifestFile) {
	w.dropped = append(w.dropped, m.FilePath())
	delete(w.manifests, m.FilePath())
}

// entry is a manifest entry as it is to be written.
type entry struct {
	iceberg.ManifestEntry
	status iceberg.ManifestEntryStatus
}

// manifest writes a manifest of this snapshot.
func (w *writer) manifest(content iceberg.ManifestContent, spec int, es []entry) (iceberg.ManifestFile, error) {
	ps := w.t.Metadata().PartitionSpecByID(spec)
	if ps == nil {
		return nil, fmt.Errorf("writing a manifest: the table has no partition spec %d", spec)
	}
	var b bytes.Buffer
	mw, err := iceberg.NewManifestWriter(w.t.Metadata().Version(), &b, *ps, w.schema, w.snapshot.SnapshotID, iceberg.WithManifestWriterContent(content))
	if err != nil {
		return nil, fmt.Errorf("writing a manifest: %w", err)
	}
	keys := make(map[string]bool, len(es))
	for _, e := range es {
		write := mw.Add
		switch e.status {
		case iceberg.EntryStatusADDED:
		case iceberg.EntryStatusEXISTING:
			write = mw.Existing // keeps sequence numbers and first row id
		case iceberg.EntryStatusDELETED:
			write = mw.Delete
		}
		if err := write(e.ManifestEntry); err != nil {
			return nil, fmt.Errorf("writing a manifest entry: %w", err)
		}
		if e.status != iceberg.EntryStatusDELETED {
			keys[Key(e.DataFile())] = true
		}
	}
	if err := mw.Close(); err != nil {
		return nil, fmt.Errorf("writing a manifest: %w", err)
	}
	w.number++
	location, err := w.put(fmt.Sprintf("%d-m%d.avro", w.snapshot.SnapshotID, w.number), b.Bytes())
	if err != nil {
		return nil, err
	}
	w.manifests[location] = keys
	return mw.ToManifestFile(location, int64(b.Len()))
}
