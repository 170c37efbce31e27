package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Storage gives tasks sized file systems: what is in one has no more room than it has,
// and what is outside of it has none less. Each is an ext4 in a sparse file, by a loop
// device, and mounted at Dir:
//
//	<id>            where it is mounted
//	<id>.image      the file
//	<size>.empty    one that nobody has used, in bytes, to be copied
//	….new           one in the making
//
// It has neither a journal nor barriers: its files are for nobody after the machine has
// lost its memory. Volumes ([Storage.MakeVolume]) are there by their ids in the same way,
// with the file system that was asked for.
type Storage struct {
	Dir string
	// Keep says that a file stays when its file system is dropped, until it is removed.
	Keep   bool
	Logger *slog.Logger

	making sync.Mutex // of what is copied
	once   sync.Once  // to log why there is none
	drops  sync.WaitGroup
}

// formatter makes file systems.
const formatter = "mkfs.ext4"

// unfinishedSuffix is that of a file in which a file system is being made.
const unfinishedSuffix = ".new"

// CheckStorage says why there can be no sized file systems on this machine.
func CheckStorage() error {
	if _, err := exec.LookPath(formatter); err != nil {
		return errors.New("what tasks write is not limited: there is no " + formatter)
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return errors.New("what tasks write is not limited: there are no loop devices")
	}
	return nil
}

// Path is where the file system of an id is.
func (s *Storage) Path(id string) string { return filepath.Join(s.Dir, id) }

// Make makes a file system of a size in bytes, empty, unless it is there. Without what it
// takes there is only a directory, which is logged.
func (s *Storage) Make(ctx context.Context, id string, size int64) error {
	dir := s.Path(id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if mounted, err := isMountPoint(dir); mounted || err != nil {
		return err
	}
	if err := CheckStorage(); err != nil {
		s.once.Do(func() { s.Logger.Warn(err.Error(), "see", "fargo doctor") })
		return nil
	}
	if err := s.copyEmpty(ctx, s.image(id), size); err != nil {
		return fmt.Errorf("storage of %s: %w", id, err)
	}
	// Files that go give their room back to the machine.
	if err := mountImage(s.image(id), dir, "ext4", "noinit_itable,nobarrier,discard"); err != nil {
		return fmt.Errorf("storage of %s: %w", id, err)
	}
	return nil
}

// Drop takes a file system away, and, unless they are to be kept, all that is in it. That it
// is gone is waited for by [Storage.Wait] alone: it takes as long as writing out what was
// written last.
func (s *Storage) Drop(id string) {
	s.drops.Go(func() {
		if err := s.drop(id); err != nil {
			s.Logger.Error("removing the storage of a task; the next start tries again", "task", id, "err", err)
		}
	})
}

// Wait waits until what is dropped is gone.
func (s *Storage) Wait() { s.drops.Wait() }

func (s *Storage) drop(id string) error {
	if err := os.Remove(s.image(id) + unfinishedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.Keep {
		return s.unmount(id)
	}
	return s.Remove(id)
}

// Remove takes a file system away with all that is in it, and its file.
func (s *Storage) Remove(id string) error {
	// The file goes first: what is written out to it after that is written nowhere.
	if err := os.Remove(s.image(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.unmount(id)
}

func (s *Storage) unmount(id string) error {
	dir := s.Path(id)
	err := unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "unmount", Path: dir, Err: err}
	}
	return os.RemoveAll(dir)
}

// Sweep drops the file systems of all ids but those in use.
func (s *Storage) Sweep(inUse map[string]bool) error {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		id := strings.TrimSuffix(strings.TrimSuffix(e.Name(), unfinishedSuffix), ".image")
		if !strings.HasSuffix(id, ".empty") && !inUse[id] {
			s.Drop(id)
		}
	}
	return nil
}

func (s *Storage) image(id string) string { return filepath.Join(s.Dir, id+".image") }

// copyEmpty makes an empty file system: copying one is faster than making it.
func (s *Storage) copyEmpty(ctx context.Context, to string, size int64) error {
	empty := filepath.Join(s.Dir, strconv.FormatInt(size, 10)+".empty")
	s.making.Lock()
	_, err := os.Stat(empty)
	if errors.Is(err, fs.ErrNotExist) {
		// No room is kept for root, as which most containers run.
		err = format(ctx, empty, size, formatter, "-q", "-F", "-m", "0", "-O", "^has_journal,^resize_inode",
			"-E", "lazy_itable_init=1,nodiscard")
	}
	s.making.Unlock()
	if err != nil {
		return err
	}
	return copySparse(to, empty)
}

// format makes a file system by a command, which takes the file as its last argument. It is
// there whole or not at all.
func format(ctx context.Context, path string, size int64, command string, args ...string) error {
	unfinished := path + unfinishedSuffix
	if err := os.WriteFile(unfinished, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(unfinished, size); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, command, append(args, unfinished)...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, bytes.TrimSpace(out))
	}
	return os.Rename(unfinished, path)
}

// copySparse copies a file without its holes.
func copySparse(to, from string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if err := target.Truncate(info.Size()); err != nil {
		return err
	}
	for at := int64(0); ; {
		data, err := source.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // holes only
		}
		if err != nil {
			return err
		}
		if at, err = source.Seek(data, unix.SEEK_HOLE); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(target, data), io.NewSectionReader(source, data, at-data)); err != nil {
			return err
		}
	}
}

// mountImage mounts the file system in a file. The loop device goes when it is unmounted.
func mountImage(image, dir, kind, options string) error {
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	device, err := attachLoop(file)
	if err != nil {
		return fmt.Errorf("loop device: %w", err)
	}
	defer device.Close()
	err = unix.Mount(device.Name(), dir, kind, 0, options)
	return os.NewSyscallError("mount", err)
}

// attachLoop gives a loop device of a file, which is free again when nobody has it open.
func attachLoop(file *os.File) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, os.NewSyscallError("ioctl", err)
		}
		device, err := os.OpenFile("/dev/loop"+strconv.Itoa(number), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &unix.LoopConfig{
			Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR},
		})
		if err == nil {
			return device, nil
		}
		device.Close()
		if !errors.Is(err, unix.EBUSY) { // somebody else was faster
			return nil, os.NewSyscallError("ioctl", err)
		}
	}
}

func isMountPoint(dir string) (bool, error) {
	var stat unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, unix.AT_SYMLINK_NOFOLLOW, 0, &stat); err != nil {
		return false, &os.PathError{Op: "statx", Path: dir, Err: err}
	}
	return stat.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}
