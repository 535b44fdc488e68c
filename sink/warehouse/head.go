package warehouse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go/table"
)

const hintFile = "version-hint.text"

// PublishHead lets readers without a catalog find the table's head. It lags the
// catalog by an instant, and after a crash by a commit; it is not synced, since
// the next start repairs it.
func (syncFS) PublishHead(t *table.Table) error {
	path := Path(t.MetadataLocation())
	n, err := metadataVersion(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	link := filepath.Join(dir, fmt.Sprintf("v%d.metadata.json", n))
	if err := os.Link(path, link); err != nil {
		if !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("linking %s: %w", link, err)
		}
		// A commit that lost its race may have left a link of the same number.
		if err := relink(path, link); err != nil {
			return err
		}
	}
	hint := filepath.Join(dir, hintFile)
	want := strconv.Itoa(n)
	if have, err := os.ReadFile(hint); err == nil && string(have) == want {
		return nil
	}
	if err := os.WriteFile(hint+".tmp", []byte(want), 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", hint, err)
	}
	return os.Rename(hint+".tmp", hint)
}

func relink(path, link string) error {
	a, err := os.Stat(path)
	if err != nil {
		return err
	}
	if b, err := os.Stat(link); err == nil && os.SameFile(a, b) {
		return nil
	}
	if err := removeIfThere(link + ".tmp"); err != nil {
		return err
	}
	if err := os.Link(path, link+".tmp"); err != nil {
		return fmt.Errorf("linking %s: %w", link, err)
	}
	return os.Rename(link+".tmp", link)
}

// DropMetadata deletes a metadata file and its link.
func (syncFS) DropMetadata(location string) error {
	path := Path(location)
	if n, err := metadataVersion(path); err == nil {
		if err := removeIfThere(filepath.Join(filepath.Dir(path), fmt.Sprintf("v%d.metadata.json", n))); err != nil {
			return err
		}
	}
	return removeIfThere(path)
}

// DropOldMetadata deletes the metadata files that the table's own log let go of
// with the last commit. The library does that only for its own transactions.
func DropOldMetadata(files Files, before, now *table.Table) error {
	keep := map[string]bool{now.MetadataLocation(): true}
	for e := range now.Metadata().PreviousFiles() {
		keep[e.MetadataFile] = true
	}
	for e := range before.Metadata().PreviousFiles() {
		if keep[e.MetadataFile] {
			continue
		}
		if err := files.DropMetadata(e.MetadataFile); err != nil {
			return err
		}
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting %s: %w", path, err)
	}
	return nil
}

// metadataVersion reads N off NNNNN-<uuid>.metadata.json.
func metadataVersion(path string) (int, error) {
	digits, _, _ := strings.Cut(filepath.Base(path), "-")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("metadata file %s has no version in its name", path)
	}
	return n, nil
}
