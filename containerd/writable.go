package containerd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

// writeInto has what is written into an overlay kept in a directory, which is emptied. Mounts
// that are no overlay stay as they are.
func writeInto(mounts []mount.Mount, dir string) ([]mount.Mount, error) {
	if len(mounts) != 1 || mounts[0].Type != "overlay" {
		return mounts, nil
	}
	upper := overlayOption(mounts[0].Options, "upperdir=")
	if upper == "" {
		return mounts, nil
	}
	files, work := filepath.Join(dir, "files"), filepath.Join(dir, "work")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(work, 0o700), makeLike(upper, files)); err != nil {
		return nil, err
	}
	changed := mounts[0]
	changed.Options = slices.Clone(changed.Options)
	for i, o := range changed.Options {
		switch {
		case strings.HasPrefix(o, "upperdir="):
			changed.Options[i] = "upperdir=" + files
		case strings.HasPrefix(o, "workdir="):
			changed.Options[i] = "workdir=" + work
		}
	}
	return []mount.Mount{changed}, nil
}

func overlayOption(options []string, name string) string {
	for _, o := range options {
		if value, ok := strings.CutPrefix(o, name); ok {
			return value
		}
	}
	return ""
}

// makeLike makes a directory with the owner and the mode of another: it becomes the root
// of the container.
func makeLike(like, dir string) error {
	var stat unix.Stat_t
	if err := unix.Stat(like, &stat); err != nil {
		return &os.PathError{Op: "stat", Path: like, Err: err}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(os.Chown(dir, int(stat.Uid), int(stat.Gid)), unix.Chmod(dir, stat.Mode&0o7777))
}
