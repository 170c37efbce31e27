package confined

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

// mountReadonly mounts a file system for this process alone, which never takes
// it away: its mount namespace ends with it. Nothing on it is a device or runs.
func mountReadonly(mounts []mount.Mount, at string) (root *os.File, err error) {
	mounts = slices.Clone(mount.RemoveVolatileOption(mounts))
	for i := range mounts {
		options := slices.DeleteFunc(slices.Clone(mounts[i].Options), func(o string) bool { return o == "rw" })
		mounts[i].Options = append(options, "ro", "nodev", "nosuid", "noexec")
	}
	if err := mount.All(mounts, at); err != nil {
		return nil, fmt.Errorf("mount the image: %w", err)
	}
	return os.OpenFile(at, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// lookUp finds what a file system has under a name, without opening it: opening
// a device can do things, and opening a FIFO waits. Links lead nowhere but inside
// the root. Source: openat2(2), RESOLVE_IN_ROOT.
func lookUp(root *os.File, name string, flags uint64) (*os.File, error) {
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | flags,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := unix.Openat2(int(root.Fd()), name, &how)
	switch {
	case errors.Is(err, unix.ENOTDIR):
		return nil, &os.PathError{Op: "openat2", Path: name, Err: fs.ErrNotExist}
	case errors.Is(err, unix.ELOOP):
		return nil, Refuse("%s in the image is a link that leads to itself", name)
	case errors.Is(err, unix.ENAMETOOLONG):
		return nil, Refuse("%s in the image is a link that is too long", name)
	case err != nil:
		return nil, &os.PathError{Op: "openat2", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// itself is a path by which a file that [lookUp] found can be opened.
func itself(found *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(found.Fd())) }

// read reads a regular file of at most max bytes. A file that is not there is
// empty.
func read(root *os.File, name string, max int64) ([]byte, error) {
	found, err := lookUp(root, name, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer found.Close()
	info, err := found.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, Refuse("%s in the image is %s, not a regular file", name, kind(info.Mode()))
	}
	file, err := os.OpenFile(itself(found), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > max {
		return nil, Refuse("%s in the image is larger than %d KiB", name, max>>10)
	}
	return content, nil
}

// kind says what a file is.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a special file"
}

func (a *Accounts) serve(at string) (answer Answer, err error) {
	root, err := mountReadonly(a.Root, at)
	if err != nil {
		return Answer{}, err
	}
	if answer.Passwd, err = read(root, "/etc/passwd", a.MaxBytes); err != nil {
		return Answer{}, err
	}
	answer.Group, err = read(root, "/etc/group", a.MaxBytes)
	return answer, err
}
