package nodetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Storage is a directory with one for each task, of whatever size.
type Storage struct{ Dir string }

// Path implements node.Storage.
func (s Storage) Path(id string) string { return filepath.Join(s.Dir, id) }

// Make implements node.Storage.
func (s Storage) Make(_ context.Context, id string, _ int64) error {
	return os.MkdirAll(s.Path(id), 0o700)
}

// Drop implements node.Storage.
func (s Storage) Drop(id string) { os.RemoveAll(s.Path(id)) }

// Sweep implements node.Storage.
func (s Storage) Sweep(inUse map[string]bool) error {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !inUse[e.Name()] {
			s.Drop(e.Name())
		}
	}
	return err
}
