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

// Hosts makes the machine know names, by lines in its hosts file:
//
//	172.31.0.10	api-1234567890.us-east-1.elb.amazonaws.com	# fargo 1a2b
//
// Each of them says whose it is. Several instances keep theirs side by side,
// what is left behind by a process that was killed is found by the next, and no
// line of anybody else is touched, wherever it was put.
//
// systemd-resolved reads the same file (resolved.conf(5), ReadEtcHosts=), so
// nothing of its configuration, which is all the machine's, need be changed.
type Hosts struct {
	Path string // "/etc/hosts"
	// Instance is four hexadecimal digits.
	Instance string
}

// Set makes the file's lines of this instance those of records that are known
// on the machine (with no VPC). It may be repeated, by several processes; when
// nothing changes, nothing is written.
func (h *Hosts) Set(records []desired.Record) error {
	if err := h.set(linesOf(records, h.Instance)); err != nil {
		return fmt.Errorf("names in %s: %w", h.Path, err)
	}
	return nil
}

// Remove takes away all lines of this instance.
func (h *Hosts) Remove() error { return h.Set(nil) }

// changedMeanwhile is how often to begin again when somebody who does not know
// our lock writes at the same time.
const changedMeanwhile = 10

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
	if err := os.Remove(beside(path)); err != nil && !errors.Is(err, fs.ErrNotExist) && !closed(err) {
		return err
	}
	for range changedMeanwhile {
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

// lockDir waits until it alone has a directory: a lock that all instances find
// and that leaves no file behind. Closing lets go of it, as does the end of the
// process.
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

var errChanged = errors.New("the file is being changed by others")

// beside is where a file's new content is made. Whoever holds the lock may
// remove what a killed process left there.
func beside(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".fargo")
}

// closed tells whether an error says that nothing can be made in a directory.
func closed(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS)
}

// replace gives path new content, with mode, owner and label as before. Readers
// and a crash see the old or the new one. Where the file itself cannot be
// replaced, as in containers, where it is a mount of its own, it is written over
// instead; there, a crash of the machine may leave both.
func replace(path string, content []byte, before fs.FileInfo) error {
	f, err := os.OpenFile(beside(path), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if closed(err) {
		return writeOver(path, content, before)
	}
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, as it should, once renamed
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := dressAs(f, path, before); err != nil {
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
		return writeOver(path, content, before)
	}
	return err
}

// dressAs gives f the owner, mode and security label of path.
func dressAs(f *os.File, path string, info fs.FileInfo) error {
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

func writeOver(path string, content []byte, before fs.FileInfo) error {
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

// How often the hosts file is looked after without a cause, and after an error.
// Programs that set up machines like to write it anew.
const (
	hostsEvery = 30 * time.Second
	hostsRetry = time.Second
)

// nameMachine keeps the hosts file as the view wants it, until ctx ends.
func (s *Server) nameMachine(ctx context.Context) {
	for {
		wait := hostsEvery
		if v := s.view.Load(); v != nil {
			if err := s.cfg.Hosts.Set(v.all); err != nil {
				s.cfg.Logger.Warn("the machine does not know all names", "err", err)
				wait = hostsRetry
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-s.hosts:
		case <-time.After(wait):
		}
	}
}
