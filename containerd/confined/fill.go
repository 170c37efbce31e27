package confined

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	continuity "github.com/containerd/continuity/fs"
	"golang.org/x/sys/unix"
)

func (f *Fill) serve(at string) error {
	root, err := mountReadonly(f.Root, at)
	if err != nil {
		return err
	}
	for from, to := range f.To {
		if err := f.fill(root, from, to); err != nil {
			return fmt.Errorf("fill volume at %s: %w", from, err)
		}
	}
	return nil
}

func (f *Fill) fill(root *os.File, from, to string) error {
	found, err := lookUp(root, from, unix.O_DIRECTORY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the image has nothing to give
	}
	if err != nil {
		return err
	}
	defer found.Close()
	dir := itself(found) + "/."
	if err := f.measure(dir); err != nil {
		return err
	}
	return continuity.CopyDir(to, dir)
}

// measure refuses what is too much to be copied.
func (f *Fill) measure(dir string) error {
	var size int64
	entries := 0
	return filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entries++; entries > f.MaxEntries {
			return Refuse("the image has more than %d files there", f.MaxEntries)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		// A hole in a file becomes as large in the copy as the file says it is.
		if size += info.Size(); size > f.MaxBytes {
			return Refuse("no space left on device: the image has more than %d MiB there", f.MaxBytes>>20)
		}
		return nil
	})
}
