package cutfile

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/parquet-go/parquet-go"

	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// Row is one published cut.
type Row struct {
	Pipeline    string           `parquet:"pipeline"`
	Cut         int64            `parquet:"cut"`
	Position    string           `parquet:"position"`     // as people write it
	SourceTime  int64            `parquet:"source_time"`  // µs since 1970, when the source committed the last transaction
	PublishedAt int64            `parquet:"published_at"` // µs since 1970
	Tables      map[string]int64 `parquet:"tables"`       // "database.table" → snapshot id
}

// Micros returns a time as rows hold it.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// The field ids, in the order in which a catalog numbers them: first the
// columns, then what is inside them.
const (
	pipelineID = iota + 1
	cutID
	positionID
	sourceTimeID
	publishedAtID
	tablesID
	tableID
	snapshotID
)

// Schema returns the Iceberg schema of the table.
func Schema() *iceberg.Schema {
	return iceberg.NewSchema(0,
		iceberg.NestedField{ID: pipelineID, Name: "pipeline", Type: iceberg.PrimitiveTypes.String, Required: true},
		iceberg.NestedField{ID: cutID, Name: "cut", Type: iceberg.PrimitiveTypes.Int64, Required: true, Doc: "increases with every cut of the pipeline"},
		iceberg.NestedField{ID: positionID, Name: "position", Type: iceberg.PrimitiveTypes.String, Required: true, Doc: "all tables together equal the source at this position"},
		iceberg.NestedField{ID: sourceTimeID, Name: "source_time", Type: iceberg.PrimitiveTypes.TimestampTz, Required: true, Doc: "when the source committed the last transaction before it"},
		iceberg.NestedField{ID: publishedAtID, Name: "published_at", Type: iceberg.PrimitiveTypes.TimestampTz, Required: true},
		iceberg.NestedField{
			ID: tablesID, Name: "tables", Required: true, Doc: "database.table to the snapshot id to read it at",
			Type: &iceberg.MapType{KeyID: tableID, KeyType: iceberg.PrimitiveTypes.String, ValueID: snapshotID, ValueType: iceberg.PrimitiveTypes.Int64, ValueRequired: true},
		})
}

func parquetSchema() *parquet.Schema {
	text := func(id int) parquet.Node {
		return parquet.FieldID(parquet.Encoded(parquet.String(), &parquet.Plain), id)
	}
	long := func(id int) parquet.Node { return parquet.FieldID(parquet.Int(64), id) }
	when := func(id int) parquet.Node {
		return parquet.FieldID(parquet.TimestampAdjusted(parquet.Microsecond, true), id)
	}
	return parquet.NewSchema("table", parquet.Group{
		"pipeline": text(pipelineID), "cut": long(cutID), "position": text(positionID),
		"source_time": when(sourceTimeID), "published_at": when(publishedAtID),
		"tables": parquet.FieldID(parquet.Map(text(tableID), long(snapshotID)), tablesID),
	})
}

// Write writes a file of cuts. Its content is synced, its name is not.
func Write(fs warehouse.Files, location string, rows []Row) (iceberg.DataFile, error) {
	out, err := fs.CreateFile(location)
	if err != nil {
		return nil, fmt.Errorf("creating a file of cuts: %w", err)
	}
	w := parquet.NewGenericWriter[Row](out, parquetSchema(), parquet.Compression(&parquet.Zstd))
	_, err = w.Write(rows)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", location, err), out.Abort())
	}
	size, err := out.Size()
	if err != nil {
		return nil, errors.Join(err, out.Abort())
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	b, err := iceberg.NewDataFileBuilder(*iceberg.UnpartitionedSpec, iceberg.EntryContentData, location, iceberg.ParquetFile, nil, nil, nil, int64(len(rows)), size)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", location, err)
	}
	return b.Build(), nil
}

// Read reads a file of cuts.
func Read(fs warehouse.Files, location string) (_ []Row, err error) {
	in, err := fs.Open(location)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	r := parquet.NewGenericReader[Row](in, parquetSchema())
	defer func() { err = errors.Join(err, r.Close()) }()
	rows := make([]Row, r.NumRows())
	n, err := r.Read(rows)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", location, err)
	}
	if n != len(rows) {
		return nil, fmt.Errorf("reading %s: it has %d of %d rows", location, n, len(rows))
	}
	return rows, nil
}
