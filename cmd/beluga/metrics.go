package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/source"
)

// changeCounter counts what became of tables, for Prometheus.
type changeCounter struct {
	mu    sync.Mutex
	times map[changeLabels]int64
}

type changeLabels struct{ table, kind string }

func (l changeLabels) compare(other changeLabels) int {
	if c := strings.Compare(l.table, other.table); c != 0 {
		return c
	}
	return strings.Compare(l.kind, other.kind)
}

// add counts a notification, if it is of a change.
func (c *changeCounter) add(n pipeline.Notification) {
	table, kinds := source.ChangeOf(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = map[changeLabels]int64{}
	}
	for _, kind := range kinds {
		c.times[changeLabels{table, kind}]++
	}
}

const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// write writes the counts in Prometheus' text format.
func (c *changeCounter) write(to io.Writer) error {
	const name = "beluga_schema_changes_total"
	c.mu.Lock()
	times := maps.Clone(c.times)
	c.mu.Unlock()
	w := bufio.NewWriter(to) // which keeps the first error
	_, _ = fmt.Fprintf(w, "# HELP %[1]s Changes of tables that this run has followed.\n# TYPE %[1]s counter\n", name)
	for _, l := range slices.SortedFunc(maps.Keys(times), changeLabels.compare) {
		_, _ = fmt.Fprintf(w, "%s{table=\"%s\",kind=\"%s\"} %d\n", name, labelValue.Replace(l.table), l.kind, times[l])
	}
	return w.Flush()
}

// labelValue escapes what a label's value cannot hold as it is.
var labelValue = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
