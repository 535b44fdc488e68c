package servers

import (
	"os"
	"testing"
)

// KafkaBroker is a running Apache Kafka of one node.
type KafkaBroker struct {
	Addr string // host:port

	running *starter // nil where the broker is not ours
}

// Kafka returns the broker that all tests of the binary share: they keep apart
// by the names of their topics.
func Kafka(t testing.TB) *KafkaBroker {
	t.Helper()
	return sharedKafka.get(t, "Kafka", newSharedKafka)
}

func newSharedKafka(dir string) (*KafkaBroker, error) {
	if addr := os.Getenv("BELUGA_TEST_KAFKA"); addr != "" {
		return &KafkaBroker{Addr: addr}, nil
	}
	running, err := startServer("kafka.sh", dir, freePorts(2))
	if err != nil {
		return nil, err
	}
	return &KafkaBroker{Addr: running.addr, running: running}, nil
}

func (b *KafkaBroker) stop() error {
	if b.running == nil {
		return nil
	}
	return b.running.stop()
}
