package servers

import (
	"errors"
	"os"
	"testing"
)

// KafkaBroker is a running Apache Kafka of one node.
type KafkaBroker struct {
	Addr string // host:port

	running *starter // nil where the broker is not ours
	ports   *ports
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
	ports, err := takePorts(2) // the broker's and its controller's
	if err != nil {
		return nil, err
	}
	running, err := startServer("kafka.sh", dir, ports.first)
	if err != nil {
		return nil, errors.Join(err, ports.release())
	}
	return &KafkaBroker{Addr: running.addr, running: running, ports: ports}, nil
}

func (b *KafkaBroker) stop() error {
	if b.running == nil {
		return nil
	}
	return errors.Join(b.running.stop(), b.ports.release())
}
