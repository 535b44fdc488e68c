package warehouse

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

const (
	// blockSize is what one request reads: a manifest whole, and of a column many pages.
	blockSize = 1 << 20
	// keptBlocks of a file stay in memory: columns are read side by side.
	keptBlocks = 16
)

// s3Reader is an object that is read in blocks.
type s3Reader struct {
	fs       s3FS
	location string
	size     int64

	mu     sync.Mutex
	offset int64 // of Read
	blocks map[int64][]byte
	order  []int64 // of the blocks, the oldest first
}

// Open opens an object, and reads its first block.
func (s s3FS) Open(location string) (iceio.File, error) {
	r := &s3Reader{fs: s, location: location, size: -1, blocks: map[int64][]byte{}}
	if _, err := r.block(0); err != nil {
		return nil, err
	}
	return r, nil
}

// block returns a block, by its number.
func (r *s3Reader) block(n int64) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b, ok := r.blocks[n]; ok {
		return b, nil
	}
	b, err := r.fetch(n)
	if err != nil {
		return nil, s3Error("read", r.location, err)
	}
	if len(r.order) == keptBlocks {
		delete(r.blocks, r.order[0])
		r.order = r.order[1:]
	}
	r.blocks[n], r.order = b, append(r.order, n)
	return b, nil
}

func (r *s3Reader) fetch(n int64) (_ []byte, err error) {
	bucket, key, err := object(r.location)
	if err != nil {
		return nil, err
	}
	ctx, cancel := timed()
	defer cancel()
	out, err := r.fs.client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", n*blockSize, (n+1)*blockSize-1))})
	if api := smithy.APIError(nil); r.size < 0 && errors.As(err, &api) && api.ErrorCode() == "InvalidRange" {
		r.size = 0 // an empty object has no ranges
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Body.Close()) }()
	if r.size < 0 {
		_, total, _ := strings.Cut(aws.ToString(out.ContentRange), "/")
		if r.size, err = strconv.ParseInt(total, 10, 64); err != nil {
			return nil, fmt.Errorf("the reply has no size: Content-Range %q", aws.ToString(out.ContentRange))
		}
	}
	b := make([]byte, min(blockSize, r.size-n*blockSize))
	_, err = io.ReadFull(out.Body, b)
	return b, err
}

// ReadAt reads from blocks.
func (r *s3Reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	for n < len(p) {
		if off >= r.size {
			return n, io.EOF
		}
		b, err := r.block(off / blockSize)
		if err != nil {
			return n, err
		}
		c := copy(p[n:], b[off%blockSize:])
		n, off = n+c, off+int64(c)
	}
	return n, nil
}

// Read reads on.
func (r *s3Reader) Read(p []byte) (int, error) {
	n, err := r.ReadAt(p, r.offset)
	r.offset += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Seek says where Read reads on.
func (r *s3Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, fs.ErrInvalid
	}
	r.offset = offset
	return offset, nil
}

// Close lets the blocks go.
func (r *s3Reader) Close() error { return nil }

// Stat tells the size.
func (r *s3Reader) Stat() (fs.FileInfo, error) { return s3Info{path.Base(r.location), r.size}, nil }

type s3Info struct {
	name string
	size int64
}

func (i s3Info) Name() string     { return i.name }
func (i s3Info) Size() int64      { return i.size }
func (s3Info) Mode() fs.FileMode  { return 0o444 }
func (s3Info) ModTime() time.Time { return time.Time{} }
func (s3Info) IsDir() bool        { return false }
func (s3Info) Sys() any           { return nil }
