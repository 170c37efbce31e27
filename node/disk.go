package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// disk is the node's own folder:
//
//	id                     see [Identity]
//	tasks/<id>/task.json   a [Task]
//	tasks/<id>/etc/…       resolv.conf, hosts, hostname
//	tasks/<id>/volumes/…   one folder each, of a task without storage
//	logs/…                 see output.go
//
// and another one, which goes with the machine's memory:
//
//	data-plane/…           what was last desired apart from tasks, see dataplanefile.go
//
// No file has a secret in it: those are in a third one, see secrets.go.
//
// Files are replaced whole. They are not synced: they must outlive this process
// but not the machine's memory, whose loss ends every container too. What is found
// broken after such a loss, or is not ours, is put aside, below damaged/, for
// whoever wants to look into it: nothing there keeps a node from its work.
type disk struct{ dir, memory string }

func (d disk) task(id string) string     { return filepath.Join(d.dir, "tasks", id) }
func (d disk) taskFile(id string) string { return filepath.Join(d.task(id), "task.json") }
func (d disk) logs() string              { return filepath.Join(d.dir, "logs") }
func (d disk) damaged() string           { return filepath.Join(d.dir, "damaged") }

// prepare makes the folders that are always there. What has the name of one and
// is none is put aside.
func (d disk) prepare() error {
	for _, dir := range []string{d.dir, d.memory, d.damaged(), d.task(""), d.logs()} {
		if info, err := os.Lstat(dir); err == nil && !info.IsDir() && filepath.Dir(dir) == d.dir {
			if err := d.putAside(dir); err != nil {
				return fmt.Errorf("node folder: %w", err)
			}
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("node folder: %w", err)
		}
	}
	return nil
}

// putAside moves a file or folder of the node's out of the way, whatever it is.
func (d disk) putAside(path string) error {
	if err := os.MkdirAll(d.damaged(), 0o700); err != nil {
		return err
	}
	name, err := filepath.Rel(d.dir, path)
	if err != nil || !filepath.IsLocal(name) {
		name = filepath.Base(path)
	}
	name = time.Now().UTC().Format("20060102T150405Z") + "-" + strings.ReplaceAll(name, "/", "-")
	err = os.Rename(path, filepath.Join(d.damaged(), name))
	if errors.Is(err, unix.EXDEV) {
		return RemoveAll(path) // what is in memory has no other place there
	}
	return err
}

// saveTask replaces a task's file with its JSON.
func (d disk) saveTask(id string, data []byte) error {
	if err := os.MkdirAll(d.task(id), 0o700); err != nil {
		return fmt.Errorf("saving task %s: %w", id, err)
	}
	if err := update(d.taskFile(id), data, 0o600); err != nil {
		return fmt.Errorf("saving task %s: %w", id, err)
	}
	return nil
}

// loadTasks gives all tasks, and what is wrong with what is no task and was put aside. A folder without a file is of a task that
// nothing was done for yet. It is cleared away.
func (d disk) loadTasks() (tasks []Task, broken []error, err error) {
	entries, err := os.ReadDir(d.task(""))
	if err != nil {
		return nil, nil, fmt.Errorf("loading tasks: %w", err)
	}
	for _, e := range entries {
		t, err := d.loadTask(e.Name())
		switch {
		case err == nil:
			tasks = append(tasks, t)
			continue
		case errors.Is(err, fs.ErrNotExist):
			err = d.forgetTask(e.Name())
		case errors.Is(err, errBroken):
			broken = append(broken, fmt.Errorf("task %s: %w", e.Name(), err))
			err = d.putTaskAside(e)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("loading tasks: %w", err)
		}
	}
	return tasks, broken, nil
}

func (d disk) loadTask(id string) (t Task, err error) {
	if err := load(d.taskFile(id), &t); err != nil {
		return Task{}, err
	}
	return t, d.checkTask(id, &t)
}

// putTaskAside keeps what was to be a task's file and removes the rest of its
// folder, or keeps what should have been a folder.
func (d disk) putTaskAside(e fs.DirEntry) error {
	if !e.IsDir() {
		return d.putAside(d.task(e.Name()))
	}
	return errors.Join(d.putAside(d.taskFile(e.Name())), d.forgetTask(e.Name()))
}

// checkTask fails for what is not the task that a folder is named after.
func (d disk) checkTask(id string, t *Task) error {
	if len(t.Containers) != len(t.Assignment.Containers) {
		return fmt.Errorf("%w: %d containers of %d", errBroken, len(t.Containers), len(t.Assignment.Containers))
	}
	if t.Assignment.ID != id {
		return fmt.Errorf("%w: it is of task %q", errBroken, t.Assignment.ID)
	}
	return nil
}

func (d disk) forgetTask(id string) error {
	// The file goes first: what is left without one is cleared at the next start.
	if err := os.Remove(d.taskFile(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return RemoveAll(d.task(id))
}

// errBroken is of a file that is not what we wrote.
var errBroken = errors.New("broken file")

// unreadable are the errors of what is no file of ours, or none any more. Others
// may be gone the next time.
var unreadable = []error{errIrregular, unix.ENOTDIR, unix.EISDIR, unix.ELOOP, unix.ENXIO, unix.EIO, unix.EUCLEAN}

var errIrregular = errors.New("not a regular file")

// load reads one of our files. What is not what we wrote is errBroken.
func load(path string, into any) error {
	data, err := readFile(path)
	if err != nil && !slices.ContainsFunc(unreadable, func(kind error) bool { return errors.Is(err, kind) }) {
		return err
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errBroken, path, err)
	}
	return nil
}

// readFile reads a file, and does not wait where there is none to be read: a FIFO.
func readFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	return io.ReadAll(file)
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
