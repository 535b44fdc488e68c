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
	var err error
	if r.inflater == nil {
		if r.inflater, err = newInflater(); err != nil {
			return err
		}
	}
	failed := inflate(r.inflater, body, func(h *header, body []byte) error {
		err = r.onEvent(ctx, h, body)
		return err
	})
	if failed != nil && err == nil {
		return fmt.Errorf("compressed transaction %s at %s: %w", r.txn.id(), r.where(h), failed)
	}
	return err
}

func newInflater() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
}

// inflate calls f with the events of a compressed transaction.
func inflate(d *zstd.Decoder, body []byte, f func(h *header, body []byte) error) error {
	compressed, err := payloadBytes(body)
	if err != nil {
		return err
	}
	if err := d.Reset(bytes.NewReader(compressed)); err != nil {
		return err
	}
	var head [headerSize]byte
	var event []byte
	for {
		if _, err := io.ReadFull(d, head[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("inflating: %w", err)
		}
		size := int(binary.LittleEndian.Uint32(head[9:]))
		if size < headerSize || size > maxEvent {
			return errEvent
		}
		if cap(event) < size-headerSize {
			event = make([]byte, size-headerSize)
		}
		event = event[:size-headerSize]
		if _, err := io.ReadFull(d, event); err != nil {
			return fmt.Errorf("inflating: %w", err)
		}
		inner, err := parseHeader(head[:])
		if err != nil {
			return err
		}
		inner.end = 0 // within the payload, not the file
		if err := f(&inner, event); err != nil {
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
