package process

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Files are those of one member of a [Pool].
type Files struct {
	// Dir is the pool's directory.
	Dir string
	// Number tells the members of one pool apart.
	Number uint64
}

func (f Files) path(ending string) string {
	return filepath.Join(f.Dir, strconv.FormatUint(f.Number, 10)+ending)
}

// Socket is the path of the member's control socket. It is there from before the
// member starts until it is not to be found any more.
func (f Files) Socket() string { return f.path(".sock") }

// Lock is the path of the lock that the member holds while it runs.
func (f Files) Lock() string { return f.path(".lock") }

// RemoveSocket makes the member one that [Pool.Find] does not find: it is about to
// end.
func (f Files) RemoveSocket() error { return removeIfExists(f.Socket()) }

// answers reports whether a process has the socket.
func (f Files) answers() bool {
	conn, err := net.Dial("unix", f.Socket())
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// prune removes the files of a member that has ended. One that is about to end has
// no socket, but holds its lock.
func (f Files) prune() error {
	if _, held, err := holderOf(f.Lock()); err != nil || held {
		return err
	}
	return errors.Join(f.RemoveSocket(), removeIfExists(f.Lock()))
}

func removeIfExists(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// memberOf is the number of the member that a file belongs to.
func memberOf(file string) (uint64, error) {
	name, _, _ := strings.Cut(file, ".")
	return strconv.ParseUint(name, 10, 64)
}
