package kafkalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// Done trims the log, where that is wanted. Where to go on is what the lake
// says, so it has nothing to note.
//
// A sink goes on from the lake's position, but a source from its last
// checkpoint: what is behind either of them is read again, and has to stay. A
// checkpoint counts once the broker has it, and if the writer that owns the log
// is in this process: then no earlier one is ever gone back to.
func (r *Reader) Done(_ context.Context, p schema.Position) error {
	if r.cfg.Trim == nil {
		return nil
	}
	kept := r.transport.checkpointed()
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		read, ok := p.Log[key]
		if !ok {
			continue
		}
		topic, partition := splitPartitionKey(key)
		if err := r.cfg.Trim(topic, partition, min(read.Offset, kept[key].Offset)); err != nil {
			return fmt.Errorf("trimming the log: %w", err)
		}
	}
	return nil
}

func splitPartitionKey(key string) (topic string, partition int) {
	at := strings.LastIndexByte(key, '/')
	partition, err := strconv.Atoi(key[at+1:])
	if err != nil {
		panic("a partition is named " + key) // by partitionKey, which ends all with a number
	}
	return key[:at], partition
}

// noteCheckpoint tells the reader of the same process what the log's last
// checkpoint says of the partitions.
func (t *Transport) noteCheckpoint(partitions map[string]schema.LogPosition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checkpoint = partitions
}

func (t *Transport) checkpointed() map[string]schema.LogPosition {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.checkpoint
}
