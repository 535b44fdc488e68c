package embedded

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Under the broker's directory there are these; kfake has logDir for itself.
const (
	markName = "beluga-log.json"
	lockName = "lock"
	logDir   = "kafka"
)

const markFormat = 1

// mark says that a directory is a log of ours, and which.
type mark struct {
	Format int    `json:"format"`
	ID     string `json:"id"` // also the cluster id that clients see
}

// open takes the directory for this process and checks what is in it. The lock
// holds until the file is closed, or the process ends in whatever way.
func open(dir string) (lock *os.File, id string, err error) {
	// Look before anything is created: a lock file in a directory of somebody else
	// would already be a trace.
	if err := checkForeign(dir); err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, "", fmt.Errorf("making the log directory: %w", err)
	}
	if lock, err = lockFile(filepath.Join(dir, lockName)); err != nil {
		if errors.Is(err, errLocked) {
			err = fmt.Errorf("the log in %s is in use by another process; stop that one, or use another directory", dir)
		}
		return nil, "", err
	}
	m, err := readMark(dir)
	if err == nil {
		err = verify(filepath.Join(dir, logDir), m.ID)
	}
	if err != nil {
		return nil, "", errors.Join(err, lock.Close())
	}
	return lock, m.ID, nil
}

// checkForeign refuses a directory that has files in it, but not our mark.
func checkForeign(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the log directory: %w", err)
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case markName:
			return nil
		case lockName, markName + ".tmp": // of a start that was cut short
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return fmt.Errorf("%s is not a log of Beluga (%s is missing, but it holds %s); give an empty or new directory", dir, markName, foreign)
	}
	return nil
}

// readMark reads the mark, or makes a new log's.
func readMark(dir string) (m mark, err error) {
	text, err := os.ReadFile(filepath.Join(dir, markName))
	if errors.Is(err, fs.ErrNotExist) {
		m = mark{markFormat, rand.Text()}
		return m, writeMark(dir, m)
	}
	if err != nil {
		return m, fmt.Errorf("reading the log's mark: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil || m.ID == "" {
		return m, damaged(filepath.Join(dir, markName), "it is no mark of a log")
	}
	if m.Format != markFormat {
		return m, fmt.Errorf("the log in %s has format %d and this version knows format %d; use the version that wrote it", dir, m.Format, markFormat)
	}
	return m, nil
}

// writeMark makes the mark appear whole or not at all.
func writeMark(dir string, m mark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, markName)
	f, err := os.Create(name + ".tmp")
	if err != nil {
		return fmt.Errorf("writing the log's mark: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("writing the log's mark: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// damaged says what is wrong and what helps: the log is a copy of what MySQL and
// the lake have, so it may be given up.
func damaged(path, what string) error {
	return fmt.Errorf("the log is damaged: %s: %s; restore it, or move the whole log directory away and start again, with a new log", path, what)
}
