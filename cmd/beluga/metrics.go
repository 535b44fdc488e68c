package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/source"
)

// metrics are what Prometheus is told of a run.
type metrics struct {
	registry *prometheus.Registry
	changes  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), changes: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "beluga_schema_changes_total", Help: "Changes of tables that this run has followed."}, []string{"table", "kind"})}
	m.registry.MustRegister(m.changes)
	return m
}

// add counts a notification, if it is of a change.
func (m *metrics) add(n pipeline.Notification) {
	table, kinds := source.ChangeOf(n)
	for _, kind := range kinds {
		m.changes.WithLabelValues(table, kind).Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
