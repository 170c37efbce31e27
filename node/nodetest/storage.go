package nodetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"

	"fargo/desired"
)

// Storage is a directory with one for each task and volume, of whatever size.
type Storage struct {
	Dir  string
	Keep bool
}

// Path implements node.Storage.
func (s Storage) Path(id string) string { return filepath.Join(s.Dir, id) }

// Make implements node.Storage.
func (s Storage) Make(_ context.Context, id string, _ int64) error {
	return os.MkdirAll(s.Path(id), 0o700)
}

// MakeVolume implements node.Storage: there is no file system but "xfs".
func (s Storage) MakeVolume(_ context.Context, v *desired.BlockVolume) error {
	if v.FileSystem != "xfs" {
		return fmt.Errorf("volume %s: no %s: %w", v.ID, v.FileSystem, errdefs.ErrNotImplemented)
	}
	return os.MkdirAll(s.Path(v.ID), 0o700)
}

// Drop implements node.Storage.
func (s Storage) Drop(id string) {
	if !s.Keep {
		os.RemoveAll(s.Path(id))
	}
}

// Remove implements node.KeptStorage.
func (s Storage) Remove(id string) error { return os.RemoveAll(s.Path(id)) }

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
