package node

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"
)

// cutDepth is how deep a tree may be that is removed in one go.
const cutDepth = 500

// RemoveAll removes a tree however deep it is. What tasks leave may be deeper than
// a process may have files open, which is as deep as [os.RemoveAll] gets.
func RemoveAll(path string) error {
	err := os.RemoveAll(path)
	if !errors.Is(err, unix.EMFILE) && !errors.Is(err, unix.ENFILE) {
		return err
	}
	for {
		// What is left are branches that are too deep. Cut, each is many that are not.
		branches, err := cutBranch(path)
		if err != nil {
			return fmt.Errorf("cut %s, which is too deep: %w", path, err)
		}
		err = os.RemoveAll(path)
		if branches == 0 || !errors.Is(err, unix.EMFILE) && !errors.Is(err, unix.ENFILE) {
			return err
		}
	}
}

// cutBranch follows one branch of a tree to its end, moves what is too deep to the top
// again and again, and returns how often.
func cutBranch(path string) (branches int, err error) {
	top, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return 0, err
	}
	defer top.Close()
	at, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return 0, err
	}
	defer func() { at.Close() }()
	for depth := 1; ; depth++ {
		name, err := folderIn(at)
		if err != nil || name == "" {
			return branches, err
		}
		fd, err := unix.Openat(int(at.Fd()), name, unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return branches, err
		}
		next := os.NewFile(uintptr(fd), name)
		if depth == cutDepth {
			depth = 1
			branches++
			err = unix.Renameat(int(at.Fd()), name, int(top.Fd()), fmt.Sprintf(".cut-%x", rand.Uint64()))
		}
		at.Close()
		at = next
		if err != nil {
			return branches, err
		}
	}
}

// folderIn returns the name of a folder in a folder, empty when there is none.
func folderIn(dir *os.File) (name string, err error) {
	for {
		entries, err := dir.ReadDir(100)
		for _, e := range entries {
			if e.IsDir() {
				return e.Name(), nil
			}
		}
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
	}
}
