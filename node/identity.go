package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeID is what a node's id looks like.
var nodeID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Identity is the id of the node whose folder dir is. One that has none yet gets
// that which newID makes, which outlives a loss of power once this has returned. A
// file that holds anything else is put aside: a node that does not know who it was
// is a new one.
func Identity(dir string, newID func() string) (string, error) {
	path := filepath.Join(dir, "id")
	data, err := readFile(path)
	if id := strings.TrimSuffix(string(data), "\n"); err == nil && nodeID.MatchString(id) {
		return id, nil
	}
	d := disk{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("node folder: %w", err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		if err := d.putAside(path); err != nil {
			return "", fmt.Errorf("the node's id: %w", err)
		}
	}
	id := newID()
	if err := replaceSynced(path, []byte(id+"\n")); err != nil {
		return "", fmt.Errorf("the node's id: %w", err)
	}
	return id, nil
}

// replaceSynced is [replace] that returns when the file would be there after a loss
// of power.
func replaceSynced(path string, data []byte) error {
	if err := write(path+spare, data, 0o600); err != nil {
		return err
	}
	if err := syncPath(path + spare); err != nil {
		return err
	}
	if err := os.Rename(path+spare, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Fsync(int(f.Fd())), f.Close())
}
