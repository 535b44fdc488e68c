package main

import "github.com/beluga-cdc/beluga/pipeline/debezium"

// The words of kafka.format.
const (
	formatJSON       = "json"
	formatJSONSchema = "json-schema"
)

// modes are the handling modes and the format; empty words are the defaults, as the words were
// checked when the options were set.
func (k *KafkaConfig) modes() (debezium.Modes, error) {
	m, err := debezium.ParseModes(k.DecimalHandlingMode, k.BigintUnsignedHandlingMode, k.BinaryHandlingMode, k.TimePrecisionMode)
	if k.Format == formatJSONSchema {
		m = m.WithSchemas()
	}
	return m, err
}

// chosenModes are the flags of a format and handling modes other than the defaults.
func (k *KafkaConfig) chosenModes() (flags []string) {
	usual := defaultConfig().Kafka
	for _, m := range []struct{ flag, word, usual string }{
		{"format", k.Format, usual.Format},
		{"decimal-handling-mode", k.DecimalHandlingMode, usual.DecimalHandlingMode},
		{"bigint-unsigned-handling-mode", k.BigintUnsignedHandlingMode, usual.BigintUnsignedHandlingMode},
		{"binary-handling-mode", k.BinaryHandlingMode, usual.BinaryHandlingMode},
		{"time-precision-mode", k.TimePrecisionMode, usual.TimePrecisionMode},
	} {
		if m.word != m.usual && m.word != "" {
			flags = append(flags, "--kafka-"+m.flag+" "+m.word)
		}
	}
	return flags
}
