package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"fargo/record"
)

const (
	// grace is how long a file without a record is kept after it was last written:
	// longer than it takes to commit a record.
	grace = time.Hour
	// collectInterval is the time between two collections.
	collectInterval = time.Hour
)

// Run collects, once at the start and then from time to time, until ctx ends. named
// gives the files of all records as they are when it is called.
func (s *Store) Run(ctx context.Context, named func() iter.Seq[record.Blob]) error {
	tick := time.NewTicker(collectInterval)
	defer tick.Stop()
	for {
		if n, err := s.Collect(ctx, time.Now().Add(-grace), named); err != nil && ctx.Err() == nil {
			s.logger.Error("objects: cannot collect files without records", "err", err)
		} else if n > 0 {
			s.logger.Info("objects: collected files without records", "files", n)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Collect removes the files that were last written before a time and that no record
// names, and says how many. The records are asked for after the files were found, so
// that a record which was committed meanwhile counts.
func (s *Store) Collect(ctx context.Context, before time.Time, named func() iter.Seq[record.Blob]) (removed int, err error) {
	unnamed, err := s.old(ctx, before)
	if err != nil || len(unnamed) == 0 {
		return 0, err
	}
	for b := range named() {
		delete(unnamed, b.ID)
	}
	for id := range unnamed {
		s.Remove(record.Blob{ID: id})
	}
	return len(unnamed), nil
}

// old are the ids of the files that were last written before a time.
func (s *Store) old(ctx context.Context, before time.Time) (map[string]bool, error) {
	ids := map[string]bool{}
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() {
			return errors.Join(err, ctx.Err())
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && info.ModTime().Before(before) && isID(entry.Name()) {
			ids[entry.Name()] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for files without records: %w", err)
	}
	return ids, nil
}

// isID reports whether a file is named as ours are; others are left alone.
func isID(name string) bool {
	if len(name) != 32 {
		return false
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Exists reports whether there is a file of an id, for tests and checks.
func (s *Store) Exists(b record.Blob) bool {
	_, err := os.Stat(s.path(b.ID))
	return err == nil
}
