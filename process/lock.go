package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// A Lock is a file that one process at a time holds, until it closes the lock or
// dies. The kernel knows the holder, so the answer is never stale.
// Source: fcntl(2), "Advisory record locking". Such a lock belongs to the
// process: closing any descriptor of the file releases it, so a process that
// holds one must not call [Find] on it.
type Lock struct{ file *os.File }

// A Holder is the process that has a lock.
type Holder struct {
	PID int `json:"pid"`
	// Build is what the holder passed to [Acquire]; empty while it has not written
	// it yet.
	Build string `json:"build"`
}

// HeldError says that another process holds the lock.
type HeldError struct{ Holder }

// Error implements [error].
func (e HeldError) Error() string { return fmt.Sprintf("in use by process %d", e.PID) }

// Acquire takes the lock at path without waiting, or fails with [HeldError]. The
// build is what the caller is: a supervisor that wants another one replaces it.
func Acquire(path, build string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	if err := writeHolder(f, Holder{PID: os.Getpid(), Build: build}); err != nil {
		f.Close()
		return nil, err
	}
	return &Lock{f}, nil
}

// lockFile locks f, or fails with [HeldError]. A holder that ends between the
// attempt and the question who it is leaves the lock to the next attempt.
func lockFile(f *os.File) error {
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, wholeFile())
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if h, held, err := holderOfFile(f); err != nil {
			return err
		} else if held {
			return HeldError{h}
		}
	}
}

// writeHolder writes before it truncates, so that it needs no room on the disk
// that the file does not have already.
func writeHolder(f *os.File, h Holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(b)))
}

// Close releases the lock.
func (l *Lock) Close() error { return l.file.Close() }

// holderOf says which process holds the lock at path, if any.
func holderOf(path string) (h Holder, held bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, err
	}
	defer f.Close()
	return holderOfFile(f)
}

// holderOfFile believes the kernel about the process id, and the file's content
// only where it has the same one: a dead holder leaves its content behind.
func holderOfFile(f *os.File) (Holder, bool, error) {
	q := wholeFile()
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, q); err != nil {
		return Holder{}, false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if q.Type == unix.F_UNLCK {
		return Holder{}, false, nil
	}
	h := Holder{PID: int(q.Pid)}
	content, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder))
	if err != nil {
		return Holder{}, false, err
	}
	var written Holder
	if json.Unmarshal(content, &written) == nil && written.PID == h.PID {
		h.Build = written.Build
	}
	return h, true, nil
}

// maxHolder bounds what is read of a lock's file, in bytes. It is more than the
// command line takes that a build has in it.
const maxHolder = 1 << 20

func wholeFile() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK, Whence: 0} }
