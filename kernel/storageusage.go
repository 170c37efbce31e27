package kernel

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Usage is how many bytes of a file system of ours are in use, and how many it has. The
// error is fs.ErrNotExist if there is none.
func (s *Storage) Usage(id string) (used, size int64, err error) {
	if err := checkName(id); err != nil {
		return 0, 0, err
	}
	var of, around unix.Statfs_t
	if err := unix.Statfs(s.Path(id), &of); err != nil {
		return 0, 0, fmt.Errorf("storage %s: %w", id, err)
	}
	if err := unix.Statfs(s.Dir, &around); err != nil {
		return 0, 0, fmt.Errorf("storage: %w", err)
	}
	if of.Fsid == around.Fsid { // nothing is mounted there
		return 0, 0, fs.ErrNotExist
	}
	return int64(of.Blocks-of.Bfree) * of.Bsize, int64(of.Blocks) * of.Bsize, nil
}
