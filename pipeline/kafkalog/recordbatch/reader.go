package recordbatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Batch is the frame of a batch within a record set.
type Batch struct {
	Base     int64 // offset of the first record
	Next     int64 // offset behind the last one
	Control  bool  // a marker of Kafka's transactions, no data
	Producer Producer
	raw      []byte
}

// Cut splits the first batch off a record set as a broker sends it. At the end
// of a set, where a broker may have cut a batch short, ok is false.
func Cut(set []byte) (b Batch, rest []byte, ok bool, err error) {
	if len(set) < headerSize {
		return b, nil, false, nil
	}
	be := binary.BigEndian
	n := int64(int32(be.Uint32(set[offLength:]))) + lengthFrom
	if n > int64(len(set)) {
		return b, nil, false, nil
	}
	b.Base = int64(be.Uint64(set))
	if set[offMagic] != 2 {
		return b, nil, false, fmt.Errorf("record batch at offset %d has format %d, this program reads format 2 only", b.Base, set[offMagic])
	}
	last := int32(be.Uint32(set[offLastDelta:]))
	if n < headerSize || last < 0 || b.Base < 0 {
		return b, nil, false, fmt.Errorf("record batch at offset %d has an impossible length", b.Base)
	}
	b.Next = b.Base + int64(last) + 1
	b.Control = be.Uint16(set[offAttributes:])&attrControl != 0
	b.Producer = Producer{ID: int64(be.Uint64(set[offProducer:])), Epoch: int16(be.Uint16(set[offProducer+8:])),
		Sequence: int32(be.Uint32(set[offProducer+10:]))}
	b.raw = set[:n:n]
	return b, set[n:], true, nil
}

// Record is one record, lying in the reader's memory: it is valid until the
// reader opens another batch.
type Record struct {
	Offset     int64
	Timestamp  int64  // milliseconds since 1970
	Key, Value []byte // nil: null
	headers    []byte
	headerN    int
}

// Header returns the value of the first header with that key.
func (r *Record) Header(key string) ([]byte, bool) {
	p := r.headers
	for range r.headerN {
		k, rest, _ := takeBytes(p) // checked by Reader.Next
		v, rest, _ := takeBytes(rest)
		if string(k) == key {
			return v, true
		}
		p = rest
	}
	return nil, false
}

// Reader reads the records of one batch after the other, with one buffer.
type Reader struct {
	buf   []byte // decompressed records
	rest  []byte
	left  int
	base  int64
	first int64
}

var errRecord = errors.New("a record reaches beyond its batch")

// Open checks the batch against its sum and makes Next read its records.
func (r *Reader) Open(b Batch) error {
	be := binary.BigEndian
	if sum, want := crc32.Checksum(b.raw[offAttributes:], castagnoli), be.Uint32(b.raw[offCRC:]); sum != want {
		return fmt.Errorf("record batch at offset %d is damaged: its CRC is %08x, its bytes give %08x", b.Base, want, sum)
	}
	r.base, r.first = b.Base, int64(be.Uint64(b.raw[offFirstTime:]))
	r.left = int(int32(be.Uint32(b.raw[offCount:])))
	r.rest = b.raw[headerSize:]
	if codec := Codec(be.Uint16(b.raw[offAttributes:]) & attrCodec); codec != None {
		p, err := codec.decompress(r.buf, r.rest)
		if err != nil {
			return fmt.Errorf("decompressing the record batch at offset %d: %w", b.Base, err)
		}
		r.buf, r.rest = p, p
	}
	return nil
}

// Next reads the next record into rec; false after the last one.
func (r *Reader) Next(rec *Record) (bool, error) {
	if r.left <= 0 {
		return false, nil
	}
	r.left--
	size, p, ok := takeVarint(r.rest)
	if !ok || size < 1 || size > int64(len(p)) {
		return false, r.fault()
	}
	r.rest = p[size:]
	p = p[1:size]
	var ok1, ok2, ok3, ok4, ok5 bool
	var dt, do, n int64
	dt, p, ok1 = takeVarint(p)
	do, p, ok2 = takeVarint(p)
	rec.Key, p, ok3 = takeBytes(p)
	rec.Value, p, ok4 = takeBytes(p)
	n, p, ok5 = takeVarint(p)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || n < 0 || n > int64(len(p)) {
		return false, r.fault()
	}
	rec.Offset, rec.Timestamp = r.base+do, r.first+dt
	rec.headers, rec.headerN = p, int(n)
	for range rec.headerN {
		if _, p, ok1 = takeBytes(p); ok1 {
			_, p, ok1 = takeBytes(p)
		}
		if !ok1 {
			return false, r.fault()
		}
	}
	return true, nil
}

func (r *Reader) fault() error {
	return fmt.Errorf("reading the record batch at offset %d: %w", r.base, errRecord)
}

// takeVarint returns false on input that ends early, as all take functions do:
// they are used on whatever a network brings.
func takeVarint(p []byte) (int64, []byte, bool) {
	if len(p) > 0 && p[0] < 0x80 {
		return int64(p[0]>>1) ^ -int64(p[0]&1), p[1:], true
	}
	v, n := binary.Varint(p)
	if n <= 0 {
		return 0, nil, false
	}
	return v, p[n:], true
}

func takeBytes(p []byte) (b, rest []byte, ok bool) {
	n, p, ok := takeVarint(p)
	switch {
	case !ok || n > int64(len(p)):
		return nil, nil, false
	case n < 0:
		return nil, p, true
	}
	return p[:n:n], p[n:], true
}
