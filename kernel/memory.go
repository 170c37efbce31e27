package kernel

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// memorySize bounds what may be in a directory in memory: some thousands of secrets.
const memorySize = "16m"

// MemoryDir makes dir a directory of root's whose files are in memory and on no disk,
// and keeps what is in it if it is one already. Where dir is on another file system a
// tmpfs is mounted on it, one that is not swapped out if the kernel can do that (Linux
// 6.4). What unmounts all that is below a directory takes it away.
// Source: tmpfs(5).
func MemoryDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("directory in memory: %w", err)
	}
	in, err := inMemory(dir)
	if err != nil || in {
		return err
	}
	const options = "mode=0700,size=" + memorySize
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	err = unix.Mount("fargo", dir, "tmpfs", flags, options+",noswap")
	if errors.Is(err, unix.EINVAL) {
		err = unix.Mount("fargo", dir, "tmpfs", flags, options)
	}
	if err != nil {
		return fmt.Errorf("directory in memory: mount a tmpfs on %s: %w", dir, err)
	}
	return nil
}

// inMemory reports whether the file system of path has its files in memory.
func inMemory(path string) (bool, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return false, fmt.Errorf("file system of %s: %w", path, err)
	}
	return fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC, nil
}
