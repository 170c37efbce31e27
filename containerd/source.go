package containerd

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"fargo/host"
)

// attachSources finds the sources of mounts that are below others, and gives the container
// with places where they are attached until [Runtime.dropSources]: a path to them could
// lead elsewhere by the time that runc mounts it.
func (r *Runtime) attachSources(spec *host.ContainerSpec) (*host.ContainerSpec, error) {
	if err := r.dropSources(spec.ID); err != nil {
		return nil, err
	}
	found := *spec
	found.Mounts = slices.Clone(spec.Mounts)
	for i := range found.Mounts {
		m := &found.Mounts[i]
		if m.Beneath == "" || m.Beneath == "." {
			continue
		}
		at := filepath.Join(r.sources(spec.ID), strconv.Itoa(i))
		if err := attach(m.Source, m.Beneath, at); err != nil {
			return nil, errors.Join(fmt.Errorf("volume at %s: %w", m.Target, err), r.dropSources(spec.ID))
		}
		m.Source = at
	}
	return &found, nil
}

// attach mounts a directory below another one at a place that it makes.
func attach(source, beneath, at string) error {
	directory, err := openBeneath(source, beneath)
	if err != nil {
		return err
	}
	defer directory.Close()
	if err := os.MkdirAll(at, 0o700); err != nil {
		return err
	}
	tree, err := unix.OpenTree(int(directory.Fd()), "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	if err != nil {
		return os.NewSyscallError("open_tree", err)
	}
	defer unix.Close(tree)
	return os.NewSyscallError("move_mount", unix.MoveMount(tree, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH))
}

func openBeneath(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(name)
}

// sources is where the sources of a container's mounts are attached. Nothing in it is ever
// removed with what is in it: that is the volumes' files.
func (r *Runtime) sources(id string) string { return filepath.Join(r.config.SourcesDir, id) }

// dropSources detaches what was attached for a container. The container keeps what it has
// mounted.
func (r *Runtime) dropSources(id string) error {
	dir := r.sources(id)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		at := filepath.Join(dir, e.Name())
		for err == nil {
			err = unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		}
		if !errors.Is(err, unix.EINVAL) { // nothing is mounted there
			return &os.PathError{Op: "unmount", Path: at, Err: err}
		}
		if err = os.Remove(at); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}

// nobody is the user, and the group, of those who are no one.
const nobody = 65534

// mapOwners has the container's user own in a mount what another owns in its source.
func mapOwners(to specs.Mount, m *host.Mount, user specs.User) specs.Mount {
	switch {
	case m.Owner != nil:
		to.UIDMappings, to.GIDMappings = exchange(user.UID, m.Owner.UID), exchange(user.GID, m.Owner.GID)
	case m.SquashRoot:
		to.UIDMappings, to.GIDMappings = exchange(0, nobody), exchange(0, nobody)
	default:
		return to
	}
	to.Options = append(slices.Clip(to.Options), "idmap")
	return to
}

// exchange maps every id to itself but two, which change places: no two may be mapped to
// one.
func exchange(a, b uint32) []specs.LinuxIDMapping {
	a, b = min(a, b), max(a, b)
	const end = math.MaxUint32 // is no id
	var all []specs.LinuxIDMapping
	add := func(from, to, size uint32) {
		if size > 0 {
			all = append(all, specs.LinuxIDMapping{ContainerID: from, HostID: to, Size: size})
		}
	}
	if a == b {
		add(0, 0, end)
		return all
	}
	add(0, 0, a)
	add(a, b, 1)
	add(a+1, a+1, b-a-1)
	add(b, a, 1)
	add(b+1, b+1, end-b-1)
	return all
}

// addGroups gives a user the further groups of those that it is in mounts.
func addGroups(user *specs.User, mounts []host.Mount) {
	for i := range mounts {
		if mounts[i].Owner == nil {
			continue
		}
		for _, g := range mounts[i].Owner.Groups {
			if !slices.Contains(user.AdditionalGids, g) {
				user.AdditionalGids = append(user.AdditionalGids, g)
			}
		}
	}
}
