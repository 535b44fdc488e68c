package embedded

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The parts of kfake's files that are looked at.
type (
	metaFile struct {
		ClusterID string `json:"cluster_id"`
	}
	topicsFile struct {
		Topics []struct {
			Name    string            `json:"name"`
			Configs map[string]string `json:"configs"`
		} `json:"topics"`
	}
)

// verify reads the whole log before kfake does, which would cut it at the first
// damaged batch. It changes nothing.
func verify(dir, id string) error {
	parts, err := os.ReadDir(filepath.Join(dir, "partitions"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the log: %w", err)
	}
	var meta metaFile
	switch found, err := readJSON(filepath.Join(dir, "meta.json"), &meta); {
	case err != nil:
		return err
	case !found && len(parts) > 0:
		return damaged(filepath.Join(dir, "meta.json"), "it is missing")
	case found && meta.ClusterID != id:
		return damaged(filepath.Join(dir, "meta.json"), "it belongs to another log")
	}
	var topics topicsFile
	if _, err := readJSON(filepath.Join(dir, "topics.json"), &topics); err != nil {
		return err
	}
	compact := map[string]bool{}
	for _, t := range topics.Topics {
		compact[t.Name] = strings.Contains(t.Configs["cleanup.policy"], "compact")
	}
	for _, p := range parts {
		path := filepath.Join(dir, "partitions", p.Name())
		topic, err := url.PathUnescape(p.Name()[:max(0, strings.LastIndexByte(p.Name(), '-'))])
		if err != nil {
			return damaged(path, "it is no partition")
		}
		holes, known := compact[topic]
		if err := verifyPartition(path, known, holes); err != nil {
			return err
		}
	}
	return nil
}

func readJSON(path string, to any) (found bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the log: %w", err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return true, damaged(path, err.Error())
	}
	return true, nil
}

// verifyPartition checks that the batches of all segments follow one another.
// Only compaction makes holes.
func verifyPartition(dir string, known, holes bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	var bases []int64
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".dat"); ok {
			base, err := strconv.ParseInt(name, 10, 64)
			if err != nil {
				return damaged(filepath.Join(dir, e.Name()), "its name is no offset")
			}
			bases = append(bases, base)
		}
	}
	if len(bases) > 0 && !known {
		return damaged(dir, "topics.json does not know its topic")
	}
	slices.SortFunc(bases, cmp.Compare[int64])
	v := segmentReader{holes: holes, next: -1}
	for i, base := range bases {
		path := filepath.Join(dir, strconv.FormatInt(base, 10)+".dat")
		if err := v.read(path, i == len(bases)-1); err != nil {
			return err
		}
	}
	return nil
}

// segmentReader goes through the segments of one partition.
type segmentReader struct {
	holes bool
	next  int64 // the offset that has to follow; -1: any
	buf   []byte
}

// Of a batch: first offset (8 bytes), length of what follows (4), leader epoch
// (4), magic (1), CRC-32C of the rest (4), attributes (2), last offset delta (4).
const (
	lengthEnd  = 12
	magicAt    = 16
	crcAt      = 17
	crcEnd     = 21
	deltaAt    = 23
	headerSize = 61
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (v *segmentReader) read(path string, last bool) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	for at, size := int64(0), info.Size(); at < size; {
		n, err := v.batch(f, at, size)
		if err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
		if n == 0 {
			// The process, or the machine, may have died in the middle of the last write:
			// then nothing whole follows.
			if torn, err := v.tornTail(f, at, size); err != nil || last && torn {
				return err
			}
			return damaged(path, fmt.Sprintf("the batch at byte %d is not what was written", at))
		}
		first := int64(binary.BigEndian.Uint64(v.buf))
		if v.next >= 0 && (first < v.next || first > v.next && !v.holes) {
			return damaged(path, fmt.Sprintf("offset %d follows where %d should", first, v.next))
		}
		v.next = first + int64(binary.BigEndian.Uint32(v.buf[deltaAt:])) + 1
		at += n
	}
	return nil
}

// batch reads the batch at a place into the buffer and returns its size, 0 where
// none is whole.
func (v *segmentReader) batch(f io.ReaderAt, at, size int64) (int64, error) {
	if size-at < headerSize {
		return 0, nil
	}
	v.buf = slices.Grow(v.buf[:0], headerSize)[:headerSize]
	if _, err := f.ReadAt(v.buf, at); err != nil {
		return 0, err
	}
	n := lengthEnd + int64(binary.BigEndian.Uint32(v.buf[8:]))
	if n < headerSize || n > size-at {
		return 0, nil
	}
	v.buf = slices.Grow(v.buf, int(n)-headerSize)[:n]
	if _, err := f.ReadAt(v.buf[headerSize:], at+headerSize); err != nil {
		return 0, err
	}
	if crc32.Checksum(v.buf[crcEnd:], castagnoli) != binary.BigEndian.Uint32(v.buf[crcAt:]) {
		return 0, nil
	}
	return n, nil
}

// tornTail tells whether what stands from at on can be left over from a write
// that was cut short, by the end of the process or, where writes are not synced,
// of the machine: then no whole batch follows. A length that points beyond the
// end of the file proves nothing, it may be the damage.
func (v *segmentReader) tornTail(f io.ReaderAt, at, size int64) (bool, error) {
	rest := make([]byte, size-at)
	if _, err := f.ReadAt(rest, at); err != nil {
		return false, err
	}
	for i := 1; i+headerSize <= len(rest); i++ {
		b := rest[i:]
		// What is cheap to see comes first: magic, an offset that could follow, a length
		// that fits.
		if first := int64(binary.BigEndian.Uint64(b)); b[magicAt] != 2 || first < v.next || first-max(v.next, 0) > size {
			continue
		}
		n := lengthEnd + int64(binary.BigEndian.Uint32(b[8:]))
		if n >= headerSize && n <= int64(len(b)) && crc32.Checksum(b[crcEnd:n], castagnoli) == binary.BigEndian.Uint32(b[crcAt:]) {
			return false, nil
		}
	}
	return true, nil
}
