package kafkalog

import (
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPartitionOfKey(t *testing.T) {
	parts := []int{0, 1, 2, 3, 4, 5, 6}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "key")
		require.Equal(t, kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: key}, parts...), partitionOf(key, len(parts)))
	})
}
