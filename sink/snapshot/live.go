package snapshot

import (
	"fmt"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// Key identifies a live file of a table: its path, and, in a Puffin file that
// holds deletion vectors of several data files, which one's.
func Key(f iceberg.DataFile) string {
	if f.FileFormat() == iceberg.PuffinFile {
		if ref := f.ReferencedDataFile(); ref != nil {
			return f.FilePath() + "|" + *ref
		}
	}
	return f.FilePath()
}

// File is a live file of a snapshot.
type File struct {
	iceberg.DataFile
	Sequence int64 // deletes apply to data files that are not younger
}

// Live returns the files of a snapshot; nil: of none.
func Live(fs iceio.IO, s *table.Snapshot) ([]File, error) {
	if s == nil {
		return nil, nil
	}
	ms, err := s.Manifests(fs)
	if err != nil {
		return nil, fmt.Errorf("reading manifest list %s: %w", s.ManifestList, err)
	}
	var files []File
	for _, m := range ms {
		if !isLive(m) {
			continue
		}
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return nil, fmt.Errorf("reading manifest %s: %w", m.FilePath(), err)
			}
			files = append(files, File{e.DataFile(), e.SequenceNum()})
		}
	}
	return files, nil
}

// isLive tells whether a manifest has entries of live files. The library
// carries those without on for ever.
func isLive(m iceberg.ManifestFile) bool { return m.HasAddedFiles() || m.HasExistingFiles() }
