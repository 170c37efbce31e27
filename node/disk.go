package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"fargo"
)

// disk is the node's own folder:
//
//	tasks/<id>/task.json   a [Task]
//	tasks/<id>/etc/…       resolv.conf, hosts, hostname
//	tasks/<id>/volumes/…   one folder each
//	logs/…                 see output.go
//
// and, in the memory of the machine, another one:
//
//	desired.json           what was last desired beside tasks, keys of certificates included
//
// Files are replaced whole. They are not synced: they must outlive this process
// but not the machine's memory, whose loss ends every container too. One that is
// found broken after such a loss is put aside by forgetting it.
type disk struct{ dir, memory string }

func (d disk) task(id string) string { return filepath.Join(d.dir, "tasks", id) }
func (d disk) desired() string       { return filepath.Join(d.memory, "desired.json") }
func (d disk) logs() string          { return filepath.Join(d.dir, "logs") }

// prepare makes the folders that are always there.
func (d disk) prepare() error {
	for _, dir := range []string{d.dir, d.memory, d.task(""), d.logs()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("node folder: %w", err)
		}
	}
	return nil
}

// saveTask replaces a task's file with its JSON.
func (d disk) saveTask(id string, data []byte) error {
	if err := os.MkdirAll(d.task(id), 0o700); err != nil {
		return fmt.Errorf("saving task %s: %w", id, err)
	}
	if err := update(filepath.Join(d.task(id), "task.json"), data, 0o600); err != nil {
		return fmt.Errorf("saving task %s: %w", id, err)
	}
	return nil
}

// loadTasks gives all tasks, and what is wrong with those whose file is broken.
// A folder without a file is of a task that nothing was done for yet. Both are
// cleared away.
func (d disk) loadTasks() (tasks []Task, broken []error, err error) {
	entries, err := os.ReadDir(d.task(""))
	if err != nil {
		return nil, nil, fmt.Errorf("loading tasks: %w", err)
	}
	for _, e := range entries {
		var t Task
		err := load(filepath.Join(d.task(e.Name()), "task.json"), &t)
		if err == nil && len(t.Containers) != len(t.Assignment.Containers) {
			err = fmt.Errorf("%w: %d containers of %d", errBroken, len(t.Containers), len(t.Assignment.Containers))
		}
		switch {
		case err == nil:
			tasks = append(tasks, t)
			continue
		case errors.Is(err, errBroken):
			broken = append(broken, fmt.Errorf("task %s: %w", e.Name(), err))
		case !errors.Is(err, fs.ErrNotExist):
			return nil, nil, fmt.Errorf("loading tasks: %w", err)
		}
		if err := d.forgetTask(e.Name()); err != nil {
			return nil, nil, fmt.Errorf("loading tasks: %w", err)
		}
	}
	return tasks, broken, nil
}

func (d disk) forgetTask(id string) error {
	// The file goes first: what is left without one is cleared at the next start.
	if err := os.Remove(filepath.Join(d.task(id), "task.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(d.task(id))
}

func (d disk) saveDesired(desired fargo.Desired) error {
	data, err := json.Marshal(desired)
	if err == nil {
		err = replace(d.desired(), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("saving what is desired: %w", err)
	}
	return nil
}

func (d disk) loadDesired() (desired fargo.Desired, err error) {
	if err := load(d.desired(), &desired); err != nil {
		return desired, fmt.Errorf("loading what is desired: %w", err)
	}
	return desired, nil
}

// errBroken is of a file that is not what we wrote.
var errBroken = errors.New("broken file")

func load(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %s: %w", errBroken, path, err)
	}
	return nil
}

// replace writes a file so that readers find the old one or the new one, with
// exactly this mode.
func replace(path string, data []byte, mode fs.FileMode) error {
	if err := write(path+spare, data, mode); err != nil {
		return err
	}
	return os.Rename(path+spare, path)
}

// update is replace for what is written again and again. The two files change
// places, and the next one is written over the old: where one is made and the
// other removed, ext4 looks for an inode and writes the data out at once (its
// mount option auto_da_alloc), which takes up to a millisecond.
func update(path string, data []byte, mode fs.FileMode) error {
	if err := write(path+spare, data, mode); err != nil {
		return err
	}
	if unix.Renameat2(unix.AT_FDCWD, path+spare, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE) == nil {
		return nil
	}
	return os.Rename(path+spare, path) // it is the first, or the file system cannot exchange
}

// spare ends the name of a file that is being written, or of the one before.
const spare = ".new"

// write writes a file over what is there, without emptying it before: that too
// would have ext4 write the data out.
func write(path string, data []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Truncate(int64(len(data))), file.Chmod(mode), file.Close())
}
