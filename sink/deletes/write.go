package deletes

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/puffin"
	"github.com/apache/iceberg-go/table/dv"

	"github.com/beluga-cdc/beluga/sink/parquetfile"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// File is the deleted positions of one data file.
type File struct {
	Path      string // byte for byte as the manifest has it
	Positions *roaring.Bitmap
}

// WritePositions writes one v2 position delete file for all the given data
// files. Content is synced, its name is not.
func WritePositions(fs warehouse.Files, location string, spec iceberg.PartitionSpec, files []File) (iceberg.DataFile, error) {
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	entries := make([]parquetfile.FileDeletes, len(files))
	for i, f := range files {
		entries[i] = parquetfile.FileDeletes{Path: f.Path, Positions: positions(f.Positions)}
	}
	out, err := fs.CreateFile(location)
	if err != nil {
		return nil, fmt.Errorf("creating a delete file: %w", err)
	}
	st, err := parquetfile.WritePositionDeletes(out, entries, parquetfile.Options{})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing delete file %s: %w", location, err), out.Abort())
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentPosDeletes, location, iceberg.ParquetFile, nil, nil, nil, st.Rows, st.Size)
	if err != nil {
		return nil, fmt.Errorf("describing delete file %s: %w", location, err)
	}
	// The bounds are whole paths: truncated ones would not be equal where a file
	// is about one data file, and every reader would apply it to all.
	id := parquetfile.FilePathID
	return b.ColumnSizes(st.ColumnSizes).ValueCounts(st.ValueCounts).NullValueCounts(st.NullCounts).
		LowerBoundValues(map[int][]byte{id: []byte(files[0].Path)}).
		UpperBoundValues(map[int][]byte{id: []byte(files[len(files)-1].Path)}).Build(), nil
}

func positions(b *roaring.Bitmap) []int64 {
	p := make([]int64, 0, b.GetCardinality())
	for it := b.ManyIterator(); ; {
		var buf [512]uint32
		n := it.NextMany(buf[:])
		if n == 0 {
			return p
		}
		for _, x := range buf[:n] {
			p = append(p, int64(x))
		}
	}
}

// WriteVectors writes one Puffin file with the deletion vectors of all the
// given data files, and returns an entry for each. Content is synced, its name
// is not.
func WriteVectors(fs warehouse.Files, location string, spec iceberg.PartitionSpec, files []File) ([]iceberg.DataFile, error) {
	out, err := fs.CreateFile(location)
	if err != nil {
		return nil, fmt.Errorf("creating a deletion vector file: %w", err)
	}
	blobs, size, err := writePuffin(out, files)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing deletion vector file %s: %w", location, err), out.Abort())
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	entries := make([]iceberg.DataFile, len(files))
	for i, f := range files {
		b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentPosDeletes, location, iceberg.PuffinFile, nil, nil, nil, int64(f.Positions.GetCardinality()), size)
		if err != nil {
			return nil, fmt.Errorf("describing deletion vector file %s: %w", location, err)
		}
		entries[i] = b.ReferencedDataFile(f.Path).ContentOffset(blobs[i].Offset).ContentSizeInBytes(blobs[i].Length).Build()
	}
	return entries, nil
}

func writePuffin(out warehouse.File, files []File) ([]puffin.BlobMetadata, int64, error) {
	w, err := puffin.NewWriter(out)
	if err != nil {
		return nil, 0, err
	}
	blobs := make([]puffin.BlobMetadata, len(files))
	for i, f := range files {
		blob, err := vector(f.Positions)
		if err != nil {
			return nil, 0, err
		}
		if blobs[i], err = w.AddBlob(puffin.BlobMetadataInput{
			Type: puffin.BlobTypeDeletionVector, SnapshotID: -1, SequenceNumber: -1, Fields: []int32{},
			Properties: map[string]string{"cardinality": strconv.FormatUint(f.Positions.GetCardinality(), 10), "referenced-data-file": f.Path},
		}, blob); err != nil {
			return nil, 0, err
		}
	}
	if err := w.Finish(); err != nil {
		return nil, 0, err
	}
	size, err := out.Size()
	return blobs, size, err
}

// vector encodes positions as the blob of a deletion vector: length, magic, a
// 64-bit roaring bitmap of which ours is the one bucket, checksum. The library's
// own writer would copy each bitmap position by position.
func vector(b *roaring.Bitmap) ([]byte, error) {
	b.RunOptimize()
	o := make([]byte, 8, 24+b.GetSerializedSizeInBytes())
	binary.LittleEndian.PutUint32(o[4:], dv.DVMagicNumber)
	o = binary.LittleEndian.AppendUint64(o, 1)
	o = binary.LittleEndian.AppendUint32(o, 0)
	buf := bytes.NewBuffer(o)
	if _, err := b.WriteTo(buf); err != nil {
		return nil, err
	}
	o = buf.Bytes()
	binary.BigEndian.PutUint32(o, uint32(len(o)-4))
	return binary.BigEndian.AppendUint32(o, crc32.ChecksumIEEE(o[4:])), nil
}
