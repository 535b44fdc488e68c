package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/uptrace/bun/driver/sqliteshim"
)

// Remote says where a lake is that is not a folder of this machine.
type Remote struct {
	Location string // s3://bucket/prefix
	Catalog  string // path of the SQLite file that knows its tables
	// How the files are reached. What is missing is as AWS's own tools find it.
	Endpoint, Region     string
	AccessKey, SecretKey string
}

// properties are what iceberg-go takes.
func (r *Remote) properties(readOnly bool) iceberg.Properties {
	p := iceberg.Properties{
		"type": "sql", "sql.dialect": "sqlite", "sql.driver": sqliteshim.ShimName, "uri": sqliteURI(r.Catalog, readOnly), "warehouse": r.Location,
		iceio.S3EndpointURL: r.Endpoint, iceio.S3Region: r.Region, iceio.S3AccessKeyID: r.AccessKey, iceio.S3SecretAccessKey: r.SecretKey,
	}
	if readOnly {
		p["init_catalog_tables"] = "false"
	}
	maps.DeleteFunc(p, func(_, v string) bool { return v == "" })
	return p
}

// openRemote opens the catalog of a lake elsewhere. There is no lock: a second
// instance is found by the commit that it loses.
func openRemote(ctx context.Context, o Options) (*Warehouse, error) {
	registerFS()
	r := *o.Remote
	var err error
	if r.Catalog, err = filepath.Abs(r.Catalog); err != nil {
		return nil, fmt.Errorf("finding the absolute path of %s: %w", o.Remote.Catalog, err)
	}
	if err := checkCatalog(ctx, r.Catalog); err != nil {
		return nil, err
	}
	if _, err := os.Stat(r.Catalog); errors.Is(err, fs.ErrNotExist) && (o.ReadOnly || o.Shared) {
		return nil, fmt.Errorf("catalog %s: %w: the file does not exist; check catalog.uri, or make it with beluga run", r.Catalog, ErrNoWarehouse)
	}
	c, err := catalog.Load(ctx, CatalogName, r.properties(o.ReadOnly))
	if err != nil {
		return nil, fmt.Errorf("opening catalog %s: %w", r.Catalog, err)
	}
	return &Warehouse{Catalog: c, remote: &r}, nil
}

// Check finds what is wrong with where the lake is said to be, without looking
// there. Errors begin with the option.
func (r *Remote) Check() error {
	switch bucket, ok := strings.CutPrefix(r.Location, "s3://"); {
	case !ok || bucket == "" || bucket[0] == '/':
		return fmt.Errorf("to: %q is neither a folder nor s3://bucket/folder", r.Location)
	case strings.ContainsAny(bucket, "%#? "):
		return fmt.Errorf("to: %q does not survive in the URIs of Iceberg's libraries; choose another name", r.Location)
	case r.Catalog == "":
		return errors.New("catalog.uri: missing; name the SQLite file that knows the tables of the lake; it is made if it is not there")
	case strings.Contains(r.Catalog, "://") || strings.ContainsAny(r.Catalog, "%#?"):
		return fmt.Errorf("catalog.uri: this version takes the path of an SQLite file, without any of %s", "%#?")
	case (r.AccessKey == "") != (r.SecretKey == ""):
		return errors.New("storage.access-key: it and storage.secret-key belong together")
	}
	return nil
}
