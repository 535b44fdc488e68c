package source

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// What notifications are about, in Debezium's words.
const (
	initialSnapshot     = "Initial Snapshot"
	incrementalSnapshot = "Incremental Snapshot"
	schemaChange        = "Schema Change" // which Debezium does not tell of
)

// The types of notifications.
const (
	noticeStarted   = "STARTED"
	noticeProgress  = "IN_PROGRESS"
	noticeScanned   = "TABLE_SCAN_COMPLETED"
	noticePaused    = "PAUSED"
	noticeResumed   = "RESUMED"
	noticeCompleted = "COMPLETED"
	noticeAborted   = "ABORTED"
	noticeSkipped   = "SKIPPED"
)

// Observe names who is told what loads are doing, one call at a time. It comes
// before Run.
func (m *MySQL) Observe(fn func(pipeline.Notification)) { m.observer = fn }

func (m *MySQL) notify(id, aggregate, typ string, data map[string]string) {
	if m.observer == nil {
		return
	}
	all := map[string]string{"connector_name": m.cfg.Name}
	maps.Copy(all, data)
	m.notifying.Lock()
	defer m.notifying.Unlock()
	m.observer(pipeline.Notification{ID: id, Aggregate: aggregate, Type: typ, Data: all, Time: time.Now().UnixMilli()})
}

// loadNotices tells of one load.
type loadNotices struct {
	m      *MySQL
	id     string
	tables string
}

func (m *MySQL) newLoadNotices() *loadNotices { return &loadNotices{m: m, id: uuid.NewString()} }

func (n *loadNotices) began(tables []*schema.Table) {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.ID.String()
	}
	slices.Sort(names)
	n.tables = strings.Join(names, ", ")
	n.m.notify(n.id, initialSnapshot, noticeStarted, map[string]string{"data_collections": n.tables})
}

// table takes what the snapshot says of one table: that it is being read, or that
// it was.
func (n *loadNotices) table(p snapshot.TableProgress) {
	if !p.Done {
		n.m.notify(n.id, initialSnapshot, noticeProgress, map[string]string{"data_collections": n.tables, "current_collection_in_progress": p.ID.String()})
		return
	}
	n.m.notify(n.id, initialSnapshot, noticeScanned,
		map[string]string{"data_collections": n.tables, "scanned_collection": p.ID.String(), "total_rows_scanned": strconv.FormatInt(p.Rows, 10), "status": scanStatus(p.Rows)})
}

func (n *loadNotices) ended(err error) {
	if err != nil {
		n.m.notify(n.id, initialSnapshot, noticeAborted, map[string]string{"reason": err.Error()})
		return
	}
	n.m.notify(n.id, initialSnapshot, noticeCompleted, nil)
}
