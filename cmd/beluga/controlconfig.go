package main

import (
	"net"

	"github.com/beluga-cdc/beluga/source"
)

// SignalConfig says from where a run takes signals beside those of the commands
// and HTTP.
type SignalConfig struct {
	DataCollection string `yaml:"data-collection" also:"signal.data.collection" help:"database.table of Debezium's signal table: rows that are inserted there are taken as signals; its first three columns are id, type and data"`
}

func (s *SignalConfig) validate(bad func(path, format string, args ...any)) {
	if s.DataCollection == "" {
		return
	}
	if _, err := source.ParseSignalTable(s.DataCollection); err != nil {
		bad("signal.data-collection", "%v", err)
	}
}

// NotifyConfig says who is told what loads are doing.
type NotifyConfig struct {
	Log   bool   `yaml:"log" help:"log a line for each notification of a load: started, table read, completed"`
	Topic string `yaml:"topic" also:"notification.sink.topic.name" help:"Kafka topic that gets the notifications as Debezium's JSON; made if it is not there"`
}

func (n *NotifyConfig) validate(bad func(path, format string, args ...any), kafka bool) {
	if n.Topic != "" && !kafka {
		bad("notify.topic", "there is no Kafka to write it to: say kafka.brokers, or leave it out")
	}
}

// HTTPConfig says whether a run listens for requests.
type HTTPConfig struct {
	Address string `yaml:"address" short:"true" help:"listen here, host:port, for POST /signals, GET /notifications, GET /metrics and GET /healthz; whoever reaches it may use it, so keep it local"`
}

// validate finds addresses that nothing can listen at.
func (h *HTTPConfig) validate(bad func(path, format string, args ...any)) {
	if h.Address == "" {
		return
	}
	if _, port, err := net.SplitHostPort(h.Address); err != nil || port == "" {
		bad("http.address", "%q is not host:port", h.Address)
	}
}
