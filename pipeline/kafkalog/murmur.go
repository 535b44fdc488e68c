package kafkalog

import "encoding/binary"

// partitionOf puts a key where Kafka's own clients and Debezium put it, so that
// a topic may change its writer.
func partitionOf(key []byte, partitions int) int {
	if partitions == 1 || key == nil {
		return 0
	}
	return int(murmur2(key)&0x7fffffff) % partitions
}

// murmur2 is the hash of Kafka's default partitioner.
func murmur2(key []byte) uint32 {
	const m, seed = 0x5bd1e995, 0x9747b28c
	h := seed ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		k = (k ^ k>>24) * m
		h = h*m ^ k
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
