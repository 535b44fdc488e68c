package main

import (
	"strings"

	"github.com/beluga-cdc/beluga/sink/warehouse"
)

// CatalogConfig says what knows the tables of a lake that is not a local folder.
type CatalogConfig struct {
	URI string `yaml:"uri" help:"SQLite file that knows the tables of a lake that is not a folder; made if it is not there"`
}

// StorageConfig says how the files of such a lake are reached.
type StorageConfig struct {
	Endpoint  string `yaml:"endpoint" help:"address of what speaks S3, buckets as the first part of the path (default: AWS)"`
	Region    string `yaml:"region" help:"region of the bucket (default: as AWS's own tools find it)"`
	AccessKey string `yaml:"access-key" help:"access key (default: keys or role as AWS's own tools find them)"`
	SecretKey string `yaml:"secret-key" secret:"true" help:"secret of storage.access-key"`
}

// remote tells where the lake is if it is no folder; nil: it is one.
func (c *Config) remote() *warehouse.Remote {
	if !strings.Contains(c.To, "://") {
		return nil
	}
	return &warehouse.Remote{
		Location: c.To, Catalog: c.Catalog.URI, Endpoint: c.Storage.Endpoint, Region: c.Storage.Region,
		AccessKey: c.Storage.AccessKey, SecretKey: c.Storage.SecretKey,
	}
}

// validateLake finds what is wrong with where the lake is said to be.
func (c *Config) validateLake(needed bool, bad func(path, format string, args ...any)) {
	r := c.remote()
	if r == nil {
		if needed && c.To == "" {
			bad("to", "missing; name the folder of the lake: --to ./lake")
		}
		if c.Catalog.URI != "" {
			bad("catalog.uri", "a folder has its own catalog: leave it out, or say --to s3://bucket/folder")
		}
		if c.Storage != defaultConfig().Storage {
			bad("storage", "it is for a lake that is not a folder: leave it out, or say --to s3://bucket/folder")
		}
		return
	}
	if err := r.Check(); err != nil {
		path, text, _ := strings.Cut(err.Error(), ": ")
		bad(path, "%s", text)
	}
	if c.Kafka.embedded() {
		bad("kafka.brokers", "%q keeps its log in the folder of the lake, and this lake is none: use a broker of your own", Embedded)
	}
}
