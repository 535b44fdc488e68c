package warehouse

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// Files is where the files of a table are: iceberg-go's view of it, and what a
// writer needs beyond that to know what is durable.
type Files interface {
	iceio.WriteFileIO
	// CreateFile creates a file that does not exist yet.
	CreateFile(location string) (File, error)
	// SyncFolder makes the names in a folder durable.
	SyncFolder(location string) error
	// RemoveAll deletes a folder and all in it.
	RemoveAll(location string) error
	// PublishHead lets readers without a catalog find the table's head.
	PublishHead(t *table.Table) error
	// DropMetadata deletes a metadata file, which may be gone, and what PublishHead
	// made of it.
	DropMetadata(location string) error
}

// File is a file that is being written.
type File interface {
	io.Writer
	// Size is how much was written.
	Size() (int64, error)
	// Close makes the content durable. The name is so after SyncFolder.
	Close() error
	// Abort gives the file up.
	Abort() error
}

// Local is the disk of this machine.
var Local Files = syncFS{}

// FilesOf returns where the files of a table are.
func FilesOf(ctx context.Context, t *table.Table) (Files, error) {
	fs, err := t.FS(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the file system of %s: %w", t.Location(), err)
	}
	files, ok := fs.(Files)
	if !ok {
		return nil, fmt.Errorf("opening the file system of %s: this version has none for such locations", t.Location())
	}
	return files, nil
}

// CreateFile creates a file and, if need be, its folder.
func (syncFS) CreateFile(location string) (File, error) {
	f, err := createFile(Path(location))
	if err != nil {
		return nil, err
	}
	return localFile{f}, nil
}

// SyncFolder makes the names in a folder durable.
func (syncFS) SyncFolder(location string) error { return syncFolder(Path(location)) }

// Open opens a file for reading, by the same rule as all else here: the library's
// own would take percent signs for escapes.
func (syncFS) Open(location string) (iceio.File, error) { return os.Open(Path(location)) }

// Remove deletes a file.
func (syncFS) Remove(location string) error { return os.Remove(Path(location)) }

// RemoveAll deletes a folder and all in it.
func (syncFS) RemoveAll(location string) error { return os.RemoveAll(Path(location)) }

// localFile is a file of the local disk.
type localFile struct{ *os.File }

// Size asks the file system.
func (f localFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// Close makes the content durable and closes the file.
func (f localFile) Close() error { return closeSynced(f.File) }

// Abort closes the file and deletes it.
func (f localFile) Abort() error {
	if err := f.File.Close(); err != nil {
		return err
	}
	return os.Remove(f.Name())
}

// FolderOf returns the folder that a location is in.
func FolderOf(location string) string { return location[:strings.LastIndexByte(location, '/')] }
