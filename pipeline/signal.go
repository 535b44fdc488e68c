package pipeline

// Signal asks a running source for something. Its three parts are those of
// Debezium's signal table.
type Signal struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data string `json:"data,omitempty"` // JSON
}

// Notification tells what a source is doing, in the form of Debezium's
// notifications.
type Notification struct {
	ID        string            `json:"id"`
	Aggregate string            `json:"aggregate_type"`
	Type      string            `json:"type"`
	Data      map[string]string `json:"additional_data"`
	Time      int64             `json:"timestamp"` // ms since 1970
}
