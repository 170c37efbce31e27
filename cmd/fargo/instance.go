package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"fargo"
)

// instance is one installation of Fargo on this machine: a data directory, and
// everything else that is named after its id. Two instances share nothing.
type instance struct {
	// Dir is the data directory, absolute. It holds what must survive a restart
	// of the machine.
	Dir string
	// ID is four hexadecimal digits, given once. Interfaces, control groups,
	// network namespaces and nftables tables carry it in their names.
	ID string
}

// errNoInstance says that a directory holds no instance.
var errNoInstance = errors.New("no Fargo data directory")

// findInstance opens the instance in dir; errNoInstance when there is none.
func findInstance(dir string) (*instance, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	id, err := os.ReadFile(filepath.Join(dir, "instance"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, errNoInstance)
	}
	if err != nil {
		return nil, err
	}
	inst := &instance{Dir: dir, ID: strings.TrimSuffix(string(id), "\n")}
	if !instanceID.MatchString(inst.ID) {
		return nil, fmt.Errorf("%s is damaged: it has to hold four of 0-9a-f, which everything that was made on this machine is named after (see ls -d /run/fargo-*); it holds %.40q", inst.path("instance"), id)
	}
	return inst, nil
}

// instanceID is what an instance's id looks like: it becomes part of paths and of
// names of interfaces.
var instanceID = regexp.MustCompile(`^[0-9a-f]{4}$`)

// openInstance opens the instance in dir and makes it when dir is empty or does
// not exist. It refuses a directory that holds something else, because down
// --purge removes all of it.
func openInstance(dir string) (*instance, error) {
	inst, err := findInstance(dir)
	if errors.Is(err, errNoInstance) {
		inst, err = makeInstance(dir)
	}
	if err != nil {
		return nil, err
	}
	return inst, errors.Join(inst.closePrivate(), inst.claimRuntimeDir())
}

// closePrivate keeps other users of the machine out of what clients and tasks have
// brought, also where an older version let them in.
func (i *instance) closePrivate() error {
	var errs []error
	for _, dir := range []string{i.StoreDir(), i.LogsDir(), i.RegistryDir(), i.AccessLogsDir(), i.NodeDir()} {
		if err := os.Chmod(dir, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func makeInstance(dir string) (*instance, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
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
	id, err := freeID()
	if err != nil {
		return nil, err
	}
	inst := &instance{Dir: dir, ID: id}
	return inst, writeFile(inst.path("instance"), []byte(inst.ID+"\n"), 0o644)
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

// runtimeDir is where an instance keeps sockets and other things that end with
// the machine's uptime. It is short, because a socket's path is limited to 107
// bytes.
func runtimeDir(id string) string { return "/run/fargo-" + id }

// claimRuntimeDir makes the runtime directory, with a link that says whose it is.
func (i *instance) claimRuntimeDir() error {
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
	if other, err := findInstance(owner); err == nil && other.ID == i.ID {
		return fmt.Errorf("%s and %s are copies of one data directory; only one of them can be used on this machine", owner, i.Dir)
	}
	// The directory was moved here from where the link points.
	return errors.Join(os.Remove(link), os.Symlink(i.Dir, link))
}

func (i *instance) path(parts ...string) string {
	return filepath.Join(append([]string{i.Dir}, parts...)...)
}

// RuntimeDir holds sockets.
func (i *instance) RuntimeDir() string { return runtimeDir(i.ID) }

// StoreDir holds the journal of the control plane's state.
func (i *instance) StoreDir() string { return i.path("store") }

// LogsDir holds log events.
func (i *instance) LogsDir() string { return i.path("logs") }

// AccessLogsDir holds the access logs of load balancers, below the name of the
// bucket that AWS would put them in.
func (i *instance) AccessLogsDir() string { return i.path("access-logs") }

// RegistryDir holds the images pushed to ECR.
func (i *instance) RegistryDir() string { return i.path("registry") }

// NodeDir holds the node's own state and its tasks' files.
func (i *instance) NodeDir() string { return i.path("node") }

// NodeMemoryDir holds what the node must not forget while the machine is up, and
// must not leave on a disk: keys of certificates.
func (i *instance) NodeMemoryDir() string { return filepath.Join(i.RuntimeDir(), "node") }

// ContainerdDir holds images and snapshots.
func (i *instance) ContainerdDir() string { return i.path("containerd") }

// containerdState holds containerd's sockets and what it need not keep.
func (i *instance) containerdState() string { return filepath.Join(i.RuntimeDir(), "containerd") }

// MachineFlags are what the control plane was last told of this machine.
func (i *instance) MachineFlags() (flags machineFlags, err error) {
	b, err := os.ReadFile(i.path("machine.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return machineFlags{}, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &flags)
	}
	if err != nil {
		return flags, fmt.Errorf("%s is damaged, and fargo up writes it again: %w", i.path("machine.json"), err)
	}
	return flags, nil
}

// SetMachineFlags remembers them, so that what was made can be taken away.
func (i *instance) SetMachineFlags(flags machineFlags) error {
	b, err := json.Marshal(flags)
	if err != nil {
		return err
	}
	return writeFile(i.path("machine.json"), b, 0o644)
}

// UpLock is held by the control plane while it runs.
func (i *instance) UpLock() string { return i.path("up.lock") }

// NodeLock is held by the node process while it runs.
func (i *instance) NodeLock() string { return i.path("node.lock") }

// NodeLog is where the node process writes, since it outlives its parent.
func (i *instance) NodeLog() string { return i.path("node.log") }

// balancerDir has the sockets and locks of the load balancer processes.
func (i *instance) balancerDir() string { return filepath.Join(i.RuntimeDir(), "balancer") }

// BalancerLog is where the load balancer processes write.
func (i *instance) BalancerLog() string { return i.path("balancer.log") }

// Socket is where the control plane and the node meet.
func (i *instance) Socket() string { return filepath.Join(i.RuntimeDir(), "control.sock") }

// Endpoint is the URL last served; empty when up never became ready.
func (i *instance) Endpoint() (string, error) {
	b, err := os.ReadFile(i.path("endpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	endpoint := strings.TrimSpace(string(b))
	// A shell is going to evaluate it.
	if !strings.HasPrefix(endpoint, "http://") || !addrPort.MatchString(endpoint[len("http://"):]) {
		return "", fmt.Errorf("%s is damaged, and fargo up writes it again", i.path("endpoint"))
	}
	return endpoint, nil
}

// addrPort is how an address that is listened at is written.
var addrPort = regexp.MustCompile(`^([0-9A-Za-z.-]+|\[[0-9A-Za-z.:%]+\]):[0-9]+$`)

// SetEndpoint remembers the URL being served.
func (i *instance) SetEndpoint(url string) error {
	return writeFile(i.path("endpoint"), []byte(url+"\n"), 0o644)
}

// accessKey is a pair that signs requests.
type accessKey struct {
	ID     string `json:"accessKeyId"`
	Secret string `json:"secretAccessKey"`
}

// AdminKey is the administrator's key, as up last wrote it down.
func (i *instance) AdminKey() (key accessKey, err error) {
	path := i.path("admin.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return accessKey{}, err
	}
	if json.Unmarshal(b, &key) != nil || !keyID.MatchString(key.ID) || !keySecret.MatchString(key.Secret) {
		return accessKey{}, fmt.Errorf("%s is damaged, and fargo up writes it again", path)
	}
	return key, nil
}

// What keys are made of. A shell is going to evaluate them.
var (
	keyID     = regexp.MustCompile(`^[A-Z0-9]+$`)
	keySecret = regexp.MustCompile(`^[A-Za-z0-9/+=]+$`)
)

// SetAdminKey writes the administrator's key down for [envCommand], where only
// the owner of the machine can read it.
func (i *instance) SetAdminKey(key accessKey) error {
	b, err := json.Marshal(key)
	if err != nil {
		return err
	}
	return writeFile(i.path("admin.json"), b, 0o600)
}

// CAFile has the certificate of the authority that issues what ACM is asked for.
func (i *instance) CAFile() string { return i.path("ca.pem") }

// writeFile replaces a file whole: a reader, and a crash, see the old or the new. A
// file that is as it should be is left alone, so that a start needs no room.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	if info, err := os.Lstat(path); err == nil && info.Mode() == mode && info.Size() == int64(len(content)) {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
			return nil
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, as it should, once renamed
	defer f.Close()
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes durable that files have come to a directory, or gone from it.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
