package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"fargo"
)

// An Instance is one installation of Fargo on this machine: a data directory, and
// everything else that is named after its id. Two instances share nothing.
type Instance struct {
	// Dir is the data directory, absolute. It holds what must survive a restart
	// of the machine.
	Dir string
	// ID is four hexadecimal digits, given once. Interfaces, control groups,
	// network namespaces and nftables tables carry it in their names.
	ID string
}

// ErrNotFound says that a directory holds no instance.
var ErrNotFound = errors.New("no Fargo data directory")

// validID is what an id looks like: it becomes part of paths and of names of
// interfaces.
var validID = regexp.MustCompile(`^[0-9a-f]{4}$`)

// Find returns the instance in dir, as it is; [ErrNotFound] when there is none.
func Find(dir string) (*Instance, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	id, err := os.ReadFile(filepath.Join(dir, idFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	inst := &Instance{Dir: dir, ID: strings.TrimSuffix(string(id), "\n")}
	if !validID.MatchString(inst.ID) {
		return nil, fmt.Errorf("%s is damaged: it has to hold four of 0-9a-f, which everything that was made on this machine is named after (see ls -d /run/fargo-*); it holds %.40q", inst.path(idFile), id)
	}
	return inst, nil
}

// Open returns the instance in dir, ready to be used, and creates it when dir is
// empty or does not exist. It refuses a directory that holds something else,
// because down --purge removes all of it.
func Open(dir string) (*Instance, error) {
	inst, err := Find(dir)
	if errors.Is(err, ErrNotFound) {
		inst, err = create(dir)
	}
	if err != nil {
		return nil, err
	}
	return inst, errors.Join(inst.restrictAccess(), inst.claimRuntimeDir())
}

// New returns an instance with a data directory and an id that no other has. It
// writes nothing.
func New(dir string) (*Instance, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	id, err := freeID()
	return &Instance{Dir: dir, ID: id}, err
}

func create(dir string) (*Instance, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("%s is neither empty nor a Fargo data directory, which has a file instance", dir)
	}
	inst, err := New(dir)
	if err != nil {
		return nil, err
	}
	return inst, writeFile(inst.path(idFile), []byte(inst.ID+"\n"), 0o644)
}

// freeID is an id that no instance with a runtime directory has.
func freeID() (string, error) {
	for range 1000 {
		id := fargo.NewHex(4)
		if _, err := os.Lstat(runtimeDir(id)); errors.Is(err, fs.ErrNotExist) {
			return id, nil
		}
	}
	return "", errors.New("no free instance id: is /run full of fargo-* directories?")
}

// restrictAccess makes the data of clients and tasks unreadable for other users of the
// machine, also where an older version did not.
func (i *Instance) restrictAccess() error {
	var errs []error
	for _, dir := range []string{i.StoreDir(), i.LogsDir(), i.MetricsDir(), i.RegistryDir(), i.AccessLogsDir(), i.NodeDir()} {
		if err := os.Chmod(dir, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// claimRuntimeDir makes the runtime directory, with a link that says whose it is.
func (i *Instance) claimRuntimeDir() error {
	dir := i.RuntimeDir()
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	link := filepath.Join(dir, "data")
	if err := os.Symlink(i.Dir, link); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	owner, err := os.Readlink(link)
	if err != nil {
		return err
	}
	if owner == i.Dir {
		return nil
	}
	if other, err := Find(owner); err == nil && other.ID == i.ID {
		return fmt.Errorf("%s and %s are copies of one data directory; only one of them can be used on this machine", owner, i.Dir)
	}
	// The directory was moved here from where the link points.
	return errors.Join(os.Remove(link), os.Symlink(i.Dir, link))
}
