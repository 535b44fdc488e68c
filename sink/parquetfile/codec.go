package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

const (
	probeEvery = 16        // pages of a column chunk that follow one probe
	probeSize  = 256 << 10 // bytes of a page that a probe compresses both ways
)

// Without AllLitEntropyCompression the fastest level leaves literals as they
// are, and text without repetitions keeps its full size.
var zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true),
		zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithZeroFrames(true))
})

func (c Codec) format() format.CompressionCodec {
	if c == Uncompressed {
		return format.Uncompressed
	}
	return format.Zstd
}

// probe is the decision how the pages of a column chunk are compressed. The
// page that it was made on sets it, and the next ones wait for it: choosing
// from whatever was known by then would make the bytes of a file depend on how
// its goroutines ran.
type probe struct {
	made    chan struct{}
	matches bool // looking for matches pays
}

// compress appends the compressed page to dst.
func (c Codec) compress(dst, page []byte, p *probe, first bool) ([]byte, error) {
	if c == Uncompressed {
		return append(dst, page...), nil
	}
	enc, err := zstdEncoder()
	if err != nil {
		return dst, fmt.Errorf("making the zstd encoder: %w", err)
	}
	if c == Zstd {
		return enc.EncodeAll(page, dst), nil
	}
	if !first {
		<-p.made
		if p.matches {
			return enc.EncodeAll(page, dst), nil
		}
		return appendHuffmanFrame(dst, page), nil
	}
	defer close(p.made)
	start, sample := len(dst), page[:min(len(page), probeSize)]
	plain := len(appendHuffmanFrame(dst, sample)) - start
	dst = enc.EncodeAll(sample, dst)
	// The search for matches costs about three times the rest: it has to save
	// more than a twentieth to be worth it.
	p.matches = (len(dst)-start)*20 < plain*19
	switch {
	case !p.matches:
		return appendHuffmanFrame(dst[:start], page), nil
	case len(sample) < len(page):
		return enc.EncodeAll(page, dst[:start]), nil
	}
	return dst, nil
}

var huffmanScratch = sync.Pool{New: func() any { return &huff0.Scratch{Reuse: huff0.ReusePolicyNone} }}

const huffmanBlock = 128 << 10 // the largest block that zstd allows

// appendHuffmanFrame appends a zstd frame (RFC 8878) whose blocks are
// Huffman-coded literals and no sequences: the entropy stage of zstd without
// the search for matches. It is ordinary zstd to every decoder.
func appendHuffmanFrame(dst, src []byte) []byte {
	dst = append(dst, 0x28, 0xB5, 0x2F, 0xFD,
		0x80, // content size in 4 bytes, no checksum, no dictionary
		7<<3) // a window of 128 KiB: nothing refers back, so the largest block is enough
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(src)))
	s := huffmanScratch.Get().(*huff0.Scratch)
	defer huffmanScratch.Put(s)
	for {
		block := src[:min(len(src), huffmanBlock)]
		src = src[len(block):]
		dst = appendHuffmanBlock(dst, block, len(src) == 0, s)
		if len(src) == 0 {
			return dst
		}
	}
}

func appendHuffmanBlock(dst, block []byte, last bool, s *huff0.Scratch) []byte {
	const literalsHeader, sequencesHeader = 5, 1
	mark := uint32(0)
	if last {
		mark = 1
	}
	lits, _, err := huff0.Compress4X(block, s)
	size := literalsHeader + len(lits) + sequencesHeader
	if err != nil || size >= len(block) { // too short, all the same byte, or without any pattern
		if errors.Is(err, huff0.ErrUseRLE) && len(block) > 0 {
			return append(appendUint24(dst, mark|1<<1|uint32(len(block))<<3), block[0])
		}
		return append(appendUint24(dst, mark|uint32(len(block))<<3), block...)
	}
	dst = appendUint24(dst, mark|2<<1|uint32(size)<<3)
	// Compressed literals in four streams; both sizes in 18 bits.
	h := 2 | 3<<2 | uint64(len(block))<<4 | uint64(len(lits))<<22
	dst = append(dst, byte(h), byte(h>>8), byte(h>>16), byte(h>>24), byte(h>>32))
	dst = append(dst, lits...)
	return append(dst, 0) // no sequences
}

func appendUint24(b []byte, v uint32) []byte { return append(b, byte(v), byte(v>>8), byte(v>>16)) }
