package binlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxEvent is MySQL's own limit of an event.
const maxEvent = 1 << 30

// onPayload takes a compressed transaction: all its events but the GTID, in one
// zstd frame, without checksums. They are inflated one by one; as a whole they
// may be a hundred times the size of the event.
func (r *run) onPayload(ctx context.Context, h *header, body []byte) error {
	compressed, err := payloadBytes(body)
	if err != nil {
		return fmt.Errorf("compressed transaction %s at %s: %w", r.txn.id(), r.where(h), err)
	}
	if r.inflater == nil {
		if r.inflater, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1)); err != nil {
			return err
		}
	}
	if err := r.inflater.Reset(bytes.NewReader(compressed)); err != nil {
		return err
	}
	var head [headerSize]byte
	var event []byte
	for {
		if _, err := io.ReadFull(r.inflater, head[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("inflating transaction %s: %w", r.txn.id(), err)
		}
		size := int(binary.LittleEndian.Uint32(head[9:]))
		if size < headerSize || size > maxEvent {
			return errEvent
		}
		if cap(event) < size-headerSize {
			event = make([]byte, size-headerSize)
		}
		event = event[:size-headerSize]
		if _, err := io.ReadFull(r.inflater, event); err != nil {
			return fmt.Errorf("inflating transaction %s: %w", r.txn.id(), err)
		}
		inner, err := parseHeader(head[:])
		if err != nil {
			return err
		}
		inner.end = 0 // within the payload, not the file
		if err := r.onEvent(ctx, &inner, event); err != nil {
			return err
		}
	}
}

// payloadBytes finds the compressed bytes behind the fields of the event.
func payloadBytes(body []byte) ([]byte, error) {
	c := cursor{b: body}
	compression := 255
	for !c.bad {
		tag := c.packed()
		if tag == 0 { // end of the fields
			if compression != 0 {
				return nil, fmt.Errorf("its compression, number %d, is not zstd", compression)
			}
			return c.b, c.err()
		}
		field := cursor{b: c.packedBytes()}
		if tag == 2 {
			compression = field.packed()
		}
	}
	return nil, errEvent
}
