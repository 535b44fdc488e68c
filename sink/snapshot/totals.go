package snapshot

import (
	"strconv"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// totals are the sums of a snapshot's summary: what it added and removed, and
// what there is in all.
type totals map[string]int64

const (
	dataFiles, records        = "data-files", "records"
	deleteFiles, posDeletes   = "delete-files", "position-deletes"
	equalityDeletes, fileSize = "equality-deletes", "files-size"
)

func newTotals(head *table.Snapshot) totals {
	t := totals{}
	for _, k := range []string{dataFiles, records, deleteFiles, posDeletes, equalityDeletes, fileSize} {
		k = "total-" + k
		t[k] = 0
		if head != nil && head.Summary != nil {
			// A writer that left no such sum, or no number, makes ours start at zero:
			// they are for people, nobody decides by them.
			t[k], _ = strconv.ParseInt(head.Summary.Properties[k], 10, 64)
		}
	}
	return t
}

func (t totals) added(f iceberg.DataFile) { t.count(f, "added-", "added-", 1) }

// removed counts a file that goes. The names are the specification's: data is
// "deleted", delete files are "removed".
func (t totals) removed(f iceberg.DataFile) { t.count(f, "deleted-", "removed-", -1) }

func (t totals) count(f iceberg.DataFile, dataPrefix, deletePrefix string, sign int64) {
	sum := func(prefix, key string, n int64) {
		t[prefix+key] += n
		t["total-"+key] += sign * n
	}
	sum(deletePrefix, fileSize, f.FileSizeBytes())
	switch f.ContentType() {
	case iceberg.EntryContentData:
		sum(dataPrefix, dataFiles, 1)
		sum(dataPrefix, records, f.Count())
	case iceberg.EntryContentEqDeletes:
		sum(deletePrefix, deleteFiles, 1)
		sum(deletePrefix, equalityDeletes, f.Count())
	default:
		sum(deletePrefix, deleteFiles, 1)
		sum(deletePrefix, posDeletes, f.Count())
	}
}

func (t totals) write(p iceberg.Properties) {
	for k, v := range t {
		p[k] = strconv.FormatInt(v, 10)
	}
}
