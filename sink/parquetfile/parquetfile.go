package parquetfile

import (
	"runtime"

	"github.com/beluga-cdc/beluga/schema"
)

// Column is one column of a file, as the Iceberg schema has it.
type Column struct {
	ID       int // Iceberg's field id: what readers go by, never the name
	Name     string
	Type     schema.LakeType
	Required bool
	// ElementID is the field id of the elements, where the type is a list.
	ElementID int
	// Initial has one value, which a file without the column shows in all rows
	// (Iceberg's initial default); nil: it shows NULL. Writers do not look at it.
	Initial *schema.Vec
}

// Codec is how pages are compressed. Every one is plain zstd, or nothing, to
// readers.
type Codec uint8

// The codecs.
const (
	Adaptive     Codec = iota // zstd, without the search for matches where a probe says that it does not pay
	Zstd                      // zstd at its fastest level, with entropy coding
	Uncompressed              // no compression
)

// Options of a writer. The zero value is good for data files.
type Options struct {
	Codec        Codec
	PageSize     int      // bytes of a page before compression; 0: 1 MiB
	RowGroupSize int64    // bytes of a row group before compression; 0: 128 MiB
	Workers      *Workers // nil: pages are compressed by the caller of Append
}

func (o Options) withDefaults() Options {
	if o.PageSize == 0 {
		o.PageSize = 1 << 20
	}
	if o.RowGroupSize == 0 {
		o.RowGroupSize = 128 << 20
	}
	return o
}

// Workers bounds how many pages are compressed at the same time, over all
// writers that share it. It owns no goroutine: each page has one of its own,
// and its writer waits for it.
type Workers struct{ slots chan struct{} }

// NewWorkers returns room for n pages at a time; 0: as many as there are
// processors.
func NewWorkers(n int) *Workers {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return &Workers{slots: make(chan struct{}, n)}
}

// Stats is what a manifest entry says of a file. The maps go by field id.
type Stats struct {
	Rows         int64
	Size         int64 // of the file, exactly
	ColumnSizes  map[int]int64
	ValueCounts  map[int]int64 // nulls included
	NullCounts   map[int]int64
	NaNCounts    map[int]int64  // float and double only
	LowerBounds  map[int][]byte // in Iceberg's single-value form
	UpperBounds  map[int][]byte
	SplitOffsets []int64 // where row groups start
}
