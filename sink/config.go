package sink

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/sink/naming"
	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// Config says where the lake is and how it is written.
type Config struct {
	Dir      string            // the warehouse folder
	Remote   *warehouse.Remote // instead of Dir
	Pipeline string            // whose tables these are; several pipelines may share a warehouse
	Readers  []string          // engines that read the lake; they decide how deletes are encoded

	TargetFileBytes int64         // data files are closed at about this size; 0: 256 MiB
	MemoryLimit     int64         // of data files that are being written, all tables together; 0: 512 MiB
	KeepSnapshots   int           // at least so many snapshots of each table stay; 0: 20
	KeepFor         time.Duration // and all that are younger; 0: 10 minutes
	ReadOnly        bool          // for Tables, Read and Cuts only
	// LaneInterval is how long rows that a lane read may wait to be durable. A crash loses
	// them until then, and whoever sent them must send them again. 0: until the next cut.
	LaneInterval time.Duration
	// AppendKeyless: tables without a key have no index; rows are only added to
	// them, and a deletion or change of one is an error.
	AppendKeyless bool
	// Names say what the lake calls what MySQL has; nil: the same. Who only reads, and
	// does not set it, reads each table by the names that it was written with.
	Names *naming.Mapping
	// Defaults is what rows that are there show in a column that is added.
	Defaults Defaults
	// RemoveDropped: tables that are dropped in the source go, with their files. Else
	// they stay as they were.
	RemoveDropped bool
}

func (c Config) withDefaults() Config {
	if c.TargetFileBytes == 0 {
		c.TargetFileBytes = 256 << 20
	}
	if c.MemoryLimit == 0 {
		c.MemoryLimit = 512 << 20
	}
	if c.KeepSnapshots == 0 {
		c.KeepSnapshots = 20
	}
	if c.KeepFor == 0 {
		// Long enough for a reader to finish what it planned, short enough that the
		// metadata file, which each commit writes anew, stays small.
		c.KeepFor = 10 * time.Minute
	}
	return c
}

// encoding is how deleted rows are told to readers.
type encoding uint8

const (
	// positionDeletes are v2 position delete files: the one encoding that every
	// engine reads right, and so the default.
	positionDeletes encoding = iota
	// deletionVectors are v3 deletion vectors: one bitmap a data file.
	deletionVectors
)

func (e encoding) formatVersion() int {
	if e == deletionVectors {
		return 3
	}
	return 2
}

// readersOfVectors tells of the engines we know whether they read v3 deletion
// vectors. Those not tried or known to refuse them are false: v2 is safe.
var readersOfVectors = map[string]bool{
	"spark": true, "duckdb": true, "pyiceberg": true, "polars": true, "databricks": true, "snowflake": true, "redshift": true,
	"trino": false, "athena": false, "clickhouse": false, "datafusion": false, "daft": false, "bigquery": false, "dremio": false,
	"doris": false, "flink": false, "hive": false, "impala": false, "presto": false, "starrocks": false,
}

// encodingFor picks the best encoding that all readers take.
func encodingFor(readers []string) (encoding, error) {
	if len(readers) == 0 {
		return positionDeletes, nil
	}
	best := deletionVectors
	for _, r := range readers {
		vectors, known := readersOfVectors[strings.ToLower(r)]
		if !known {
			return 0, fmt.Errorf("reader %q is not known; known are %s; leave readers empty for what every engine reads", r,
				strings.Join(slices.Sorted(maps.Keys(readersOfVectors)), ", "))
		}
		if !vectors {
			best = positionDeletes
		}
	}
	return best, nil
}
