package parquetfile

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"github.com/beluga-cdc/beluga/schema"
)

// The field ids that Iceberg reserves for the columns of position delete files.
const (
	FilePathID = 2147483546
	PosID      = 2147483545
)

var positionDeleteColumns = []Column{
	{ID: FilePathID, Name: "file_path", Type: schema.LakeType{Kind: schema.LakeString}, Required: true},
	{ID: PosID, Name: "pos", Type: schema.LakeType{Kind: schema.LakeLong}, Required: true},
}

// FileDeletes are the deleted positions of one data file.
type FileDeletes struct {
	Path      string  // byte for byte as the manifest has it
	Positions []int64 // ascending
}

// WritePositionDeletes writes a position delete file. The entries must be in
// ascending order of their paths. The bounds of file_path are the whole first
// and last path: readers attach the file to its data files by them, and only
// uncut ones can name a single file.
func WritePositionDeletes(out io.Writer, entries []FileDeletes, opts Options) (Stats, error) {
	w := NewWriter(out, positionDeleteColumns, opts)
	defer w.Abort()
	paths, pos := w.chunks[0], w.chunks[1]
	paths.dict = new(dictionary)
	var first, last string
	for i, e := range entries {
		if i > 0 && strings.Compare(entries[i-1].Path, e.Path) >= 0 {
			return Stats{}, fmt.Errorf("writing position deletes: %s does not come after %s", e.Path, entries[i-1].Path)
		}
		for at := 0; at < len(e.Positions); at += maxStepRows {
			if w.rows == 0 {
				first = e.Path
			}
			last = e.Path
			if err := w.addPositions(paths, pos, e, at); err != nil {
				return Stats{}, err
			}
		}
	}
	s, err := w.Close()
	if err != nil {
		return Stats{}, err
	}
	if s.Rows > 0 {
		s.LowerBounds[FilePathID], s.UpperBounds[FilePathID] = []byte(first), []byte(last)
	}
	return s, nil
}

// addPositions adds one step of positions of a data file, from at on.
func (w *Writer) addPositions(paths, pos *chunk, e FileDeletes, at int) error {
	step := e.Positions[at:min(at+maxStepRows, len(e.Positions))]
	for i := range step {
		if at+i > 0 && e.Positions[at+i-1] >= step[i] {
			return fmt.Errorf("writing position deletes of %s: position %d after %d", e.Path, step[i], e.Positions[at+i-1])
		}
	}
	for i := len(w.sequence); i < len(step); i++ {
		w.sequence = append(w.sequence, uint32(i))
	}
	paths.dict.add(e.Path, len(step))
	v := schema.Vec{Kind: schema.VecInt64, N: len(step), I64: step}
	if err := pos.gather(w, &v, w.sequence[:len(step)]); err != nil {
		return w.fail(pos.wrap(err))
	}
	return w.added(len(step))
}

// dictionary collects a column of sorted strings as runs of the same value: a
// path that a hundred thousand positions share costs a few bytes.
type dictionary struct {
	runs []dictionaryRun
}

type dictionaryRun struct {
	value string
	n     int
}

func (d *dictionary) add(value string, n int) {
	if last := len(d.runs) - 1; last >= 0 && d.runs[last].value == value {
		d.runs[last].n += n
		return
	}
	d.runs = append(d.runs, dictionaryRun{value, n})
}

// finish hands over the two pages of the row group: the values, and for the
// rows the numbers of their values, as runs.
func (d *dictionary) finish(c *chunk, w *Writer) error {
	values := &page{dictionary: true, rows: len(d.runs), raw: newBuffer(0)}
	width := max(1, bits.Len(uint(len(d.runs)-1)))
	numbers := &page{encoding: format.RLEDictionary, raw: append(newBuffer(0), byte(width))}
	for i, r := range d.runs {
		values.raw = growBuffer(values.raw, 4+len(r.value))
		values.raw = binary.LittleEndian.AppendUint32(values.raw, uint32(len(r.value)))
		values.raw = append(values.raw, r.value...)

		numbers.raw = growBuffer(numbers.raw, binary.MaxVarintLen64+4)
		numbers.raw = binary.AppendUvarint(numbers.raw, uint64(r.n)<<1)
		for b := 0; b < width; b += 8 {
			numbers.raw = append(numbers.raw, byte(i>>b))
		}
		numbers.rows += r.n
	}
	first, last := d.runs[0].value, d.runs[len(d.runs)-1].value
	c.exactBound = max(c.exactBound, len(first), len(last))
	values.bounds = bounds{some: true, bmin: []byte(first), bmax: []byte(last)}
	numbers.bounds = values.bounds
	d.runs = d.runs[:0]
	if err := c.encode(w, values); err != nil {
		return err
	}
	return c.encode(w, numbers)
}

// ScanPositionDeletes reads a position delete file, ours or another writer's,
// and hands over runs of positions of one data file. fn must not keep pos. A
// path may come more than once.
func ScanPositionDeletes(ctx context.Context, r io.ReaderAt, size int64, fn func(path string, pos []int64) error) error {
	f, err := Open(r, size)
	if err != nil {
		return err
	}
	return f.Scan(ctx, positionDeleteColumns, func(vecs []schema.Vec, _ int64, n int) error {
		paths, pos := &vecs[0], vecs[1].I64
		for from := 0; from < n; {
			path := string(paths.Bytes(from))
			to := from + 1
			for to < n && string(paths.Bytes(to)) == path {
				to++
			}
			if err := fn(path, pos[from:to]); err != nil {
				return err
			}
			from = to
		}
		return nil
	})
}
