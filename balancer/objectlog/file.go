package objectlog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// suffix ends the names of files; those of objects have one more: see Sender.
const suffix = ".log"

// create makes a file that its process holds until it closes it, or dies. The directory
// may be removed meanwhile, since nothing is in it.
func create(path string) (file *os.File, err error) {
	for range 3 {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		file, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	// Nobody else looks at a file that is empty and new.
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(&fs.PathError{Op: "flock", Path: path, Err: err}, file.Close())
	}
	return file, nil
}

// take opens a file that nobody writes to any more; nil when somebody does.
func take(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = nil
		}
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
