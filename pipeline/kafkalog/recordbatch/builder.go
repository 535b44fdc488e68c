package recordbatch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

// Where the fields of a batch stand. The record set on the wire is the batch
// behind its length as an int32; Builder keeps room for that.
const (
	setPrefix = 4

	offBaseOffset  = 0
	offLength      = 8
	offLeaderEpoch = 12
	offMagic       = 16
	offCRC         = 17
	offAttributes  = 21
	offLastDelta   = 23
	offFirstTime   = 27
	offMaxTime     = 35
	offProducer    = 43
	offCount       = 57
	headerSize     = 61

	lengthFrom = offLeaderEpoch // the length field counts from here

	attrCodec         = 0x07
	attrTransactional = 0x10
	attrControl       = 0x20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// smallBatch is the memory that a batch begins with.
const smallBatch = 64 << 10

// Header is a header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Producer are the fields by which a broker drops a batch that it has already.
type Producer struct {
	ID       int64
	Epoch    int16
	Sequence int32 // of the first record
}

// NoProducer is for batches that a broker is to take as they come.
var NoProducer = Producer{ID: -1, Epoch: -1, Sequence: -1}

// Builder builds one batch after the other in the same memory. The zero Builder
// is ready.
type Builder struct {
	// Expect is how large a batch becomes, about. One that grows beyond a small
	// one gets that memory at once: growing step by step copies it several times.
	Expect int

	buf        []byte // length, header, records
	count      int
	first, max int64 // timestamps
}

// Reset begins a new batch.
func (b *Builder) Reset() {
	b.count = 0
	if len(b.buf) > 0 {
		b.buf = b.buf[:setPrefix+headerSize]
	}
}

// Count returns the number of records.
func (b *Builder) Count() int { return b.count }

// Size returns the bytes that the batch has before compression.
func (b *Builder) Size() int { return max(len(b.buf)-setPrefix, headerSize) }

// Append adds a record. A nil key or value is null. timestamp is in
// milliseconds since 1970.
func (b *Builder) Append(timestamp int64, key, value []byte, headers []Header) {
	if len(b.buf) == 0 {
		b.buf = make([]byte, setPrefix+headerSize, smallBatch)
	}
	if b.count == 0 {
		b.first, b.max = timestamp, timestamp
	}
	b.max = max(b.max, timestamp)
	delta := timestamp - b.first
	size := 1 + varintLen(delta) + varintLen(int64(b.count)) + bytesLen(key) + bytesLen(value) + varintLen(int64(len(headers)))
	for i := range headers {
		size += varintLen(int64(len(headers[i].Key))) + len(headers[i].Key) + bytesLen(headers[i].Value)
	}
	if full := b.Expect + size + smallBatch; len(b.buf)+size+binary.MaxVarintLen64 > cap(b.buf) && cap(b.buf) < full {
		b.buf = slices.Grow(b.buf, full-len(b.buf))
	}
	o := binary.AppendVarint(b.buf, int64(size))
	o = append(o, 0) // attributes: none are defined
	o = binary.AppendVarint(o, delta)
	o = binary.AppendVarint(o, int64(b.count))
	o = appendBytes(o, key)
	o = appendBytes(o, value)
	o = binary.AppendVarint(o, int64(len(headers)))
	for i := range headers {
		o = binary.AppendVarint(o, int64(len(headers[i].Key)))
		o = append(o, headers[i].Key...)
		o = appendBytes(o, headers[i].Value)
	}
	b.buf = o
	b.count++
}

// Sealer compresses one batch after the other in the same memory. The zero
// Sealer is ready.
type Sealer struct{ out []byte }

// Seal ends the batch and returns the record set: an int32 with the length of
// the batch, then the batch. It is valid until the next call of Seal, or of the
// builder's Reset.
func (s *Sealer) Seal(b *Builder, codec Codec, p Producer) ([]byte, error) {
	if b.count == 0 {
		return nil, fmt.Errorf("sealing a record batch: no records")
	}
	set := b.buf
	if len(set)-setPrefix-headerSize > maxRecords {
		codec = None // shrunk, it might pass the broker, and no reader would inflate it
	}
	if codec != None {
		out, err := codec.compress(append(s.out[:0], set[:setPrefix+headerSize]...), set[setPrefix+headerSize:])
		if err != nil {
			return nil, fmt.Errorf("compressing a record batch: %w", err)
		}
		s.out = out
		// Records that do not shrink travel plain: readers go by the attributes.
		if len(out) < len(set) {
			set = out
		} else {
			codec = None
		}
	}
	be := binary.BigEndian
	be.PutUint32(set, uint32(len(set)-setPrefix))
	h := set[setPrefix:]
	be.PutUint64(h[offBaseOffset:], 0)
	be.PutUint32(h[offLength:], uint32(len(h)-lengthFrom))
	be.PutUint32(h[offLeaderEpoch:], 0xffffffff)
	h[offMagic] = 2
	be.PutUint16(h[offAttributes:], uint16(codec))
	be.PutUint32(h[offLastDelta:], uint32(b.count-1))
	be.PutUint64(h[offFirstTime:], uint64(b.first))
	be.PutUint64(h[offMaxTime:], uint64(b.max))
	be.PutUint32(h[offCount:], uint32(b.count))
	Stamp(set, p)
	return set, nil
}

// Stamp gives a sealed record set another producer. A caller that still may
// have a request with the old bytes under way stamps a copy.
func Stamp(set []byte, p Producer) {
	h := set[setPrefix:]
	be := binary.BigEndian
	be.PutUint64(h[offProducer:], uint64(p.ID))
	be.PutUint16(h[offProducer+8:], uint16(p.Epoch))
	be.PutUint32(h[offProducer+10:], uint32(p.Sequence))
	be.PutUint32(h[offCRC:], crc32.Checksum(h[offAttributes:], castagnoli))
}

func varintLen(v int64) int {
	n := 1
	for u := uint64(v<<1) ^ uint64(v>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}

func bytesLen(b []byte) int {
	if b == nil {
		return 1
	}
	return varintLen(int64(len(b))) + len(b)
}

func appendBytes(o, b []byte) []byte {
	if b == nil {
		return append(o, 1) // the varint −1
	}
	o = binary.AppendVarint(o, int64(len(b)))
	return append(o, b...)
}
