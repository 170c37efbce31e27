package kernel

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Usage is how many bytes of a file system of ours are in use. The error is fs.ErrNotExist
// if there is none.
func (s *Storage) Usage(id string) (used int64, err error) {
	if err := checkName(id); err != nil {
		return 0, err
	}
	var of, around unix.Statfs_t
	if err := unix.Statfs(s.Path(id), &of); err != nil {
		return 0, fmt.Errorf("storage %s: %w", id, err)
	}
	if err := unix.Statfs(s.Dir, &around); err != nil {
		return 0, fmt.Errorf("storage: %w", err)
	}
	if of.Fsid == around.Fsid { // nothing is mounted there
		return 0, fs.ErrNotExist
	}
	return int64(of.Blocks-of.Bfree) * int64(of.Bsize), nil
}
