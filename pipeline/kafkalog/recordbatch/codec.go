package recordbatch

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codec is how the records of a batch are compressed. The numbers are Kafka's.
type Codec uint8

// The codecs.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// String returns Kafka's name of the codec.
func (c Codec) String() string {
	if int(c) < len(codecNames) {
		return codecNames[c]
	}
	return fmt.Sprintf("codec(%d)", uint8(c))
}

// ParseCodec returns the codec of that name.
func ParseCodec(name string) (Codec, error) {
	for i, n := range codecNames {
		if n == name {
			return Codec(i), nil
		}
	}
	return 0, fmt.Errorf("unknown compression %q: use none, gzip, snappy, lz4 or zstd", name)
}

// maxRecords limits what one batch may grow to, so that a damaged length cannot
// take all memory.
const maxRecords = 256 << 20

var errTooLarge = errors.New("the batch grows beyond 256 MiB when it is decompressed")

// One encoder and one decoder serve everybody: both are safe for concurrent use
// in their block form.
var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(4))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxRecords), zstd.WithDecoderConcurrency(4))
		if err != nil {
			panic(err)
		}
		return d
	})
)

// gzipWriters are kept: each has 800 KB of tables.
var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// compress appends the compressed src to dst.
func (c Codec) compress(dst, src []byte) ([]byte, error) {
	switch c {
	case Snappy:
		// A plain block, not the framed form of the Java client: every client,
		// the Java one too, falls back to it when the frame's magic is missing,
		// and one block over the whole batch compresses better than 32 KiB frames.
		n := len(dst)
		if need := n + s2.MaxEncodedLen(len(src)); cap(dst) < need {
			dst = append(make([]byte, 0, need+need/8), dst...) // the next batch may be a little larger
		}
		return dst[:n+len(s2.EncodeSnappy(dst[n:cap(dst)], src))], nil
	case LZ4:
		w := bytes.NewBuffer(dst)
		z := lz4.NewWriter(w)
		if err := z.Apply(lz4.BlockSizeOption(lz4.Block256Kb), lz4.ChecksumOption(false)); err != nil {
			return nil, err
		}
		if _, err := z.Write(src); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		return w.Bytes(), nil
	case Gzip:
		z := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(z)
		w := bytes.NewBuffer(dst)
		z.Reset(w)
		if _, err := z.Write(src); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		return w.Bytes(), nil
	case Zstd:
		return zstdEncoder().EncodeAll(src, dst), nil
	}
	return nil, fmt.Errorf("compressing with %s is not supported", c)
}

// decompress returns the records of a batch, in dst's memory where it is large
// enough.
func (c Codec) decompress(dst, src []byte) ([]byte, error) {
	switch c {
	case Gzip:
		r, err := gzip.NewReader(bytes.NewReader(src))
		if err != nil {
			return nil, err
		}
		return readAll(dst, r)
	case Snappy:
		if bytes.HasPrefix(src, xerialMagic) {
			return decompressXerial(dst[:0], src)
		}
		return decompressSnappy(dst[:0], src)
	case LZ4:
		return readAll(dst, lz4.NewReader(bytes.NewReader(src)))
	case Zstd:
		return zstdDecoder().DecodeAll(src, dst[:0])
	}
	return nil, fmt.Errorf("%s is not known", c)
}

func decompressSnappy(dst, block []byte) ([]byte, error) {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	// Snappy makes at most 64 bytes out of three, so a larger length is damage, and
	// not worth its memory.
	if len(dst)+n > maxRecords || n > 64*len(block) {
		return nil, errTooLarge
	}
	if cap(dst)-len(dst) < n {
		dst = append(make([]byte, 0, len(dst)+n), dst...)
	}
	at := len(dst)
	out, err := s2.Decode(dst[at:at+n:cap(dst)], block)
	if err != nil {
		return nil, err
	}
	return dst[:at+len(out)], nil
}

// The Java client frames snappy blocks of 32 KiB: a magic, two versions, then
// each block behind its length.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeader = 16

func decompressXerial(dst, src []byte) ([]byte, error) {
	if len(src) < xerialHeader {
		return nil, io.ErrUnexpectedEOF
	}
	for src = src[xerialHeader:]; len(src) > 0; {
		if len(src) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int(binary.BigEndian.Uint32(src))
		if src = src[4:]; n < 0 || n > len(src) {
			return nil, io.ErrUnexpectedEOF
		}
		var err error
		if dst, err = decompressSnappy(dst, src[:n]); err != nil {
			return nil, err
		}
		src = src[n:]
	}
	return dst, nil
}

func readAll(dst []byte, r io.Reader) ([]byte, error) {
	w := bytes.NewBuffer(dst[:0])
	n, err := w.ReadFrom(io.LimitReader(r, maxRecords+1))
	if err == nil && n > maxRecords {
		err = errTooLarge
	}
	return w.Bytes(), err
}
