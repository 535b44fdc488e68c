package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	_ "github.com/apache/iceberg-go/catalog/sql" // the "sql" kind of catalog
	"github.com/uptrace/bun/driver/sqliteshim"
)

// Names within the warehouse folder.
const (
	CatalogName = "beluga"     // in the rows of the catalog: other tools must be told this name
	CatalogFile = "catalog.db" //
	LogFolder   = "log"        // the embedded broker's, no namespace
	lockPrefix  = ".beluga-"
)

var (
	// ErrAnotherInstance: another process writes for the same pipeline.
	ErrAnotherInstance = errors.New("another instance is at work")
	// ErrNoWarehouse: there is none to read.
	ErrNoWarehouse = errors.New("no lake there")
)

// Options say which warehouse to open, and how.
type Options struct {
	Dir      string
	Remote   *Remote // instead of Dir
	Pipeline string  // whose lock to take
	ReadOnly bool    // take no lock, create nothing
	// Shared: take no lock and create nothing, but change what is not the lock's
	// owner's alone.
	Shared bool
}

// Warehouse is an opened warehouse folder.
type Warehouse struct {
	Dir     string // absolute
	Catalog catalog.Catalog
	lock    *os.File
	remote  *Remote
}

// Open opens the warehouse; unless it is to be read only, a folder that is
// missing or empty becomes one.
func Open(ctx context.Context, o Options) (*Warehouse, error) {
	if o.Remote != nil {
		return openRemote(ctx, o)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the absolute path of %s: %w", o.Dir, err)
	}
	if i := strings.IndexFunc(dir, func(r rune) bool { return r <= ' ' || strings.ContainsRune("%#?", r) }); i >= 0 {
		return nil, fmt.Errorf("warehouse %q: the path holds %q, which does not survive in the URIs of Iceberg's libraries; choose another folder", dir, dir[i])
	}
	if err := checkFolder(dir, o.ReadOnly || o.Shared); err != nil {
		return nil, err
	}
	w := &Warehouse{Dir: dir}
	if !o.ReadOnly && !o.Shared {
		if w.lock, err = lock(dir, o.Pipeline); err != nil {
			return nil, err
		}
	}
	if err := w.openCatalog(ctx, o.ReadOnly); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close gives the lock back.
func (w *Warehouse) Close() error {
	var errs []error
	if c, ok := w.Catalog.(catalog.Closer); ok {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, w.Unlock())...)
}

// Unlock gives the lock back and leaves the warehouse open.
func (w *Warehouse) Unlock() error {
	if w.lock == nil {
		return nil
	}
	f := w.lock
	w.lock = nil
	return f.Close()
}

// Location returns where a table lies.
func (w *Warehouse) Location(namespace, name string) string {
	if w.remote != nil {
		return strings.TrimRight(w.remote.Location, "/") + "/" + FolderName(namespace) + "/" + FolderName(name)
	}
	return Scheme + filepath.Join(w.Dir, FolderName(namespace), FolderName(name))
}

func checkFolder(dir string, readOnly bool) error {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && readOnly:
		return fmt.Errorf("warehouse %s: %w: the folder does not exist; check --to, or make it with beluga run", dir, ErrNoWarehouse)
	case errors.Is(err, fs.ErrNotExist):
		if err := MakeFolder(dir); err != nil {
			return fmt.Errorf("creating warehouse %s: %w; create it yourself, or choose a folder whose parent you may write to", dir, err)
		}
	case err != nil:
		return fmt.Errorf("looking at warehouse: %w; name a folder, which may be missing or empty", err)
	case !st.IsDir():
		return fmt.Errorf("warehouse %s is a file; name a folder, which may be missing or empty", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading warehouse %s: %w; give this user the right to read and write it", dir, err)
	}
	foreign := ""
	for _, e := range entries {
		switch name := e.Name(); {
		case name == CatalogFile:
			return nil
		case !reserved[name] && !strings.HasPrefix(name, lockPrefix):
			foreign = name
		}
	}
	if foreign != "" {
		return fmt.Errorf("warehouse %s: the folder holds %q, and no %s: it belongs to something else; name an empty or a new folder", dir, foreign, CatalogFile)
	}
	if readOnly {
		return fmt.Errorf("warehouse %s: %w: the folder is empty; check --to, or fill it with beluga run", dir, ErrNoWarehouse)
	}
	return nil
}

func lock(dir, pipeline string) (*os.File, error) {
	path := filepath.Join(dir, lockPrefix+FolderName(pipeline)+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("warehouse %s is not writable: %w; give this user the right to write it", dir, err)
	}
	ok, err := tryLock(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	if !ok {
		return nil, errors.Join(fmt.Errorf("warehouse %s, pipeline %s: %w; stop it first; for other tables in the same folder, give this pipeline a name of its own (--name)", dir, pipeline, ErrAnotherInstance), f.Close())
	}
	return f, nil
}

func (w *Warehouse) openCatalog(ctx context.Context, readOnly bool) error {
	path := filepath.Join(w.Dir, CatalogFile)
	if err := checkCatalog(ctx, path); err != nil {
		return err
	}
	registerFS()
	props := iceberg.Properties{"type": "sql", "sql.dialect": "sqlite", "sql.driver": sqliteshim.ShimName, "warehouse": Scheme + w.Dir, "uri": sqliteURI(path, readOnly)}
	if readOnly {
		props["init_catalog_tables"] = "false"
	}
	c, err := catalog.Load(ctx, CatalogName, props)
	if err != nil {
		return fmt.Errorf("opening catalog %s: %w", path, err)
	}
	w.Catalog = c
	return syncFolder(w.Dir)
}

// sqliteURI is what the driver is told. busy_timeout: without it the lock of any other
// process is an instant error.
func sqliteURI(path string, readOnly bool) string {
	if readOnly {
		return path + "?_pragma=busy_timeout(10000)&_pragma=query_only(1)"
	}
	return path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}
