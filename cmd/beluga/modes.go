package main

import "github.com/beluga-cdc/beluga/pipeline/debezium"

// modes are the handling modes; empty words are the defaults, as the words were
// checked when the options were set.
func (k *KafkaConfig) modes() (debezium.Modes, error) {
	return debezium.ParseModes(k.DecimalHandlingMode, k.BigintUnsignedHandlingMode, k.BinaryHandlingMode, k.TimePrecisionMode)
}

// chosenModes are the flags of handling modes other than the defaults.
func (k *KafkaConfig) chosenModes() (flags []string) {
	usual := defaultConfig().Kafka
	for _, m := range []struct{ flag, word, usual string }{
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
