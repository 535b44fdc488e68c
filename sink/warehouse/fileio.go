package warehouse

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	iceio "github.com/apache/iceberg-go/io"
)

// Scheme precedes the path in every location that the lake's metadata names.
const Scheme = "file://"

// Path returns the local path of a location.
func Path(location string) string {
	// Spark writes file:/ with one slash.
	if p, ok := strings.CutPrefix(location, Scheme); ok {
		return p
	}
	return strings.TrimPrefix(location, "file:")
}

// syncFS makes what iceberg-go writes durable: its own local file system never
// calls fsync, so that after a power cut the catalog's row could name metadata
// that is not there.
type syncFS struct{ iceio.LocalFS }

var registerOnce sync.Once

// registerFS puts syncFS in place of the library's file system. The library
// finds file systems by scheme in one registry for the process, there is no way
// to hand one over.
func registerFS() {
	registerOnce.Do(func() {
		iceio.Unregister("file")
		iceio.Register("file", func(context.Context, *url.URL, map[string]string) (iceio.IO, error) { return Local, nil })
		for _, scheme := range []string{"s3", "s3a", "s3n"} {
			iceio.Register(scheme, openS3)
		}
	})
}

// Create returns a file whose Close makes it, and its name, durable.
func (syncFS) Create(name string) (iceio.FileWriter, error) {
	f, err := createFile(Path(name))
	if err != nil {
		return nil, err
	}
	return syncFile{f}, nil
}

// WriteFile writes the file, and makes it and its name durable.
func (fs syncFS) WriteFile(name string, content []byte) error {
	f, err := fs.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

type syncFile struct{ *os.File }

func (f syncFile) Close() error {
	if err := closeSynced(f.File); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(f.Name()))
}

// createFile creates a file that does not exist yet, and its folder.
func createFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		if err := MakeFolder(filepath.Dir(path)); err != nil {
			return nil, err
		}
		return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	}
	return f, err
}

// closeSynced makes the content of a file durable and closes it. Its name is
// durable only after syncFolder.
func closeSynced(f *os.File) error {
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing %s: %w", f.Name(), err), f.Close())
	}
	return f.Close()
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing folder %s: %w", path, err), d.Close())
	}
	return d.Close()
}

// MakeFolder creates a folder and those above it, durably.
func MakeFolder(path string) error {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MakeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncFolder(parent)
}
