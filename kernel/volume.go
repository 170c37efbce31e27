package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"fargo/desired"
)

// fileSystem is how a kind of file system is made in a file, and mounted.
type fileSystem struct {
	formatter string
	args      []string
	options   string // of the mount: files that go give their room back to the machine
}

// fileSystems are those of volumes, by the names that ECS and mount(8) have for them.
var fileSystems = map[string]fileSystem{
	"xfs":  {"mkfs.xfs", []string{"-q", "-f", "-K"}, "discard"},
	"ext4": {"mkfs.ext4", []string{"-q", "-F", "-E", "lazy_itable_init=1,nodiscard"}, "noinit_itable,discard"},
	"ext3": {"mkfs.ext3", []string{"-q", "-F", "-E", "nodiscard"}, "discard"},
}

// CheckVolumes says why there can be no volumes with file systems of a kind on this machine.
func CheckVolumes(kind string) error {
	f, ok := fileSystems[kind]
	if !ok {
		return errors.New("this machine makes no file systems of the kind " + kind)
	}
	if _, err := exec.LookPath(f.formatter); err != nil {
		return errors.New("this machine has no " + f.formatter)
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return errors.New("this machine has no loop devices")
	}
	return nil
}

// MakeVolume makes a volume, unless it is there, and mounts it. errdefs.IsNotImplemented
// holds for the error when this machine cannot have such a volume.
func (s *Storage) MakeVolume(ctx context.Context, v *desired.BlockVolume) error {
	dir := s.Path(v.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if mounted, err := isMountPoint(dir); mounted || err != nil {
		return err
	}
	if err := CheckVolumes(v.FileSystem); err != nil {
		return fmt.Errorf("volume %s: %w: %w", v.ID, err, errdefs.ErrNotImplemented)
	}
	f := fileSystems[v.FileSystem]
	if _, err := os.Stat(s.image(v.ID)); errors.Is(err, fs.ErrNotExist) {
		err := format(ctx, s.image(v.ID), v.Size, f.formatter, f.args...)
		if errors.Is(err, unix.EFBIG) {
			return fmt.Errorf("volume %s: a file on this machine cannot have %d bytes: %w", v.ID, v.Size, errdefs.ErrNotImplemented)
		}
		if err != nil {
			return fmt.Errorf("volume %s: %w", v.ID, err)
		}
	}
	err := mountImage(s.image(v.ID), dir, v.FileSystem, f.options)
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("volume %s: the kernel has no %s: %w", v.ID, v.FileSystem, errdefs.ErrNotImplemented)
	}
	if err != nil {
		return fmt.Errorf("volume %s: %w", v.ID, err)
	}
	return nil
}
