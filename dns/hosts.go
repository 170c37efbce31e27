package dns

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"fargo/desired"
)

// Hosts makes names resolve on the machine, by lines in its hosts file:
//
//	172.31.0.10	api-1234567890.us-east-1.elb.amazonaws.com	# fargo 1a2b
//
// Each line names its instance. So several instances can use one file, a process
// finds what one that was killed has left, and no other line is changed.
//
// systemd-resolved reads the same file (resolved.conf(5), ReadEtcHosts=), so its
// configuration need not be changed.
type Hosts struct {
	Path string // "/etc/hosts"
	// Instance is four hexadecimal digits.
	Instance string
}

// Set makes the file's lines of this instance those of the records for the machine: with
// no VPC, or a public address. Several processes may call it. When nothing changes,
// nothing is written.
func (h *Hosts) Set(records []desired.Record) error {
	if err := h.set(linesOf(records, h.Instance)); err != nil {
		return fmt.Errorf("names in %s: %w", h.Path, err)
	}
	return nil
}

// Remove removes all lines of this instance.
func (h *Hosts) Remove() error { return h.Set(nil) }

// maxConflicts is how often to begin again when a program that does not take the
// lock writes at the same time.
const maxConflicts = 10

func (h *Hosts) set(lines []string) error {
	lock, err := lockDir(filepath.Dir(h.Path))
	if err != nil {
		return err
	}
	defer lock.Close()
	path, err := filepath.EvalSymlinks(h.Path)
	if errors.Is(err, fs.ErrNotExist) {
		if len(lines) == 0 {
			return nil
		}
		return os.WriteFile(h.Path, []byte(edit("", h.Instance, lines)), 0o644) //nolint:gosec // for all to read
	}
	if err != nil {
		return err
	}
	if err := os.Remove(tempPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) && !isReadOnly(err) {
		return err
	}
	for range maxConflicts {
		before, err := os.Stat(path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		next := edit(string(text), h.Instance, lines)
		if next == string(text) {
			return nil
		}
		if err := replace(path, []byte(next), before); !errors.Is(err, errChanged) {
			return err
		}
	}
	return errChanged
}

// lockDir locks a directory, which all instances find and which leaves no file
// behind. Closing unlocks it, as does the end of the process.
func lockDir(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) { //nolint:gosec // a file descriptor is small
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

var errChanged = errors.New("the file is being changed by other programs")

// tempPath is where a file's new content is written. The holder of the lock may
// remove what a killed process left there.
func tempPath(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".fargo")
}

// isReadOnly reports whether an error means that no file can be made in a directory.
func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS)
}

// replace gives path new content, with mode, owner and label as before. After a crash
// and for readers it is the old or the new one. Where the file cannot be replaced, as
// in containers, where it is a mount of its own, it is overwritten in place; there, a
// crash of the machine may leave parts of both.
func replace(path string, content []byte, before fs.FileInfo) error {
	f, err := os.OpenFile(tempPath(path), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if isReadOnly(err) {
		return overwrite(path, content, before)
	}
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // failure, as it should, once renamed
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := copyMetadata(f, path, before); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := unchanged(path, before); err != nil {
		return err
	}
	err = os.Rename(f.Name(), path)
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EXDEV) {
		return overwrite(path, content, before)
	}
	return err
}

// copyMetadata gives f the owner, mode and security label of path.
func copyMetadata(f *os.File, path string, info fs.FileInfo) error {
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if err := f.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	const label = "security.selinux"
	value := make([]byte, 256)
	n, err := unix.Getxattr(path, label, value)
	if err != nil {
		return nil // has none
	}
	return unix.Fsetxattr(int(f.Fd()), label, value[:n], 0) //nolint:gosec // a file descriptor is small
}

func overwrite(path string, content []byte, before fs.FileInfo) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unchanged(path, before); err != nil {
		return err
	}
	if _, err := f.WriteAt(content, 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(content))); err != nil {
		return err
	}
	return f.Sync()
}

// unchanged fails with errChanged when path is no longer what it was.
func unchanged(path string, before fs.FileInfo) error {
	now, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !sameFile(now, before) {
		return errChanged
	}
	return nil
}

// How often the hosts file is checked without an event, and after an error. Programs
// that configure machines may rewrite it.
const (
	hostsInterval      = 30 * time.Second
	hostsRetryInterval = time.Second
)

// hostsPause is how long the file is left alone after it was looked at, so that many
// tasks that start at once cost few writes.
const hostsPause = 200 * time.Millisecond

// updateHosts keeps the hosts file as in the view, until ctx ends.
func (s *Server) updateHosts(ctx context.Context) {
	for {
		wait := hostsInterval
		if v := s.view.Load(); v != nil {
			if err := s.cfg.Hosts.Set(v.all); err != nil {
				s.cfg.Logger.Warn("names in the hosts file are not up to date", "err", err)
				wait = hostsRetryInterval
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(hostsPause):
		}
		select {
		case <-ctx.Done():
			return
		case <-s.hosts:
		case <-time.After(wait):
		}
	}
}
