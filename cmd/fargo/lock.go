package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// A lock is a file that one process at a time holds, until it unlocks it or
// dies. The kernel says who holds it, so the answer is never stale.
// Source: fcntl(2), "Advisory record locking". Such a lock belongs to the
// process: closing any descriptor of the file releases it, so a process that
// holds one must not call [holderOf] on it.
type lock struct{ file *os.File }

// holder is who has a lock.
type holder struct {
	PID int `json:"pid"`
	// Build is the holder's [buildID]; empty while it has not said so yet.
	Build string `json:"build"`
}

// errHeld says that another process holds the lock.
type errHeld struct{ holder }

func (e errHeld) Error() string { return fmt.Sprintf("in use by process %d", e.PID) }

// acquire takes the lock at path without waiting, or fails with errHeld.
func acquire(path, build string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, wholeFile())
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if h, held, err := holderOfFile(f); held || err != nil {
			f.Close()
			if err != nil {
				return nil, err
			}
			return nil, errHeld{h}
		}
	}
	b, err := json.Marshal(holder{PID: os.Getpid(), Build: build})
	// In this order it needs no room that the file does not have already.
	if err == nil {
		_, err = f.WriteAt(b, 0)
	}
	if err == nil {
		err = f.Truncate(int64(len(b)))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &lock{f}, nil
}

// Close lets another process have the lock.
func (l *lock) Close() error { return l.file.Close() }

// holderOf says which process holds the lock at path, if any.
func holderOf(path string) (h holder, held bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return holder{}, false, nil
	}
	if err != nil {
		return holder{}, false, err
	}
	defer f.Close()
	return holderOfFile(f)
}

func holderOfFile(f *os.File) (holder, bool, error) {
	q := wholeFile()
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, q); err != nil {
		return holder{}, false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if q.Type == unix.F_UNLCK {
		return holder{}, false, nil
	}
	h := holder{PID: int(q.Pid)}
	content := make([]byte, 256)
	n, _ := f.ReadAt(content, 0)
	var said holder
	if json.Unmarshal(content[:n], &said) == nil && said.PID == h.PID {
		h.Build = said.Build
	}
	return h, true, nil
}

func wholeFile() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK, Whence: 0} }
