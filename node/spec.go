package node

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fargo"
	"fargo/desired"
	"fargo/host"
)

// region is that of a task's ARN.
func region(a *desired.Assignment) string {
	arn, _ := fargo.ParseARN(a.TaskARN)
	return arn.Region
}

// hostname is the task's private name: "ip-10-0-0-1.ec2.internal". A task
// without an interface has the machine's.
func hostname(a *desired.Assignment) string {
	if a.Interface == nil {
		return ""
	}
	return fargo.PrivateDNSName(region(a), a.Interface.Primary())
}

// makeFiles makes a task's volumes, in a folder, and, when it has an interface, its own files
// in /etc. It may be repeated.
func (d disk) makeFiles(a *desired.Assignment, volumes string) error {
	etc := filepath.Join(d.task(a.ID), "etc")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		return err
	}
	if err := errors.Join(makeVolumes(volumes, a.Volumes), d.makeRouterFiles(a)); err != nil {
		return err
	}
	if a.Interface == nil {
		return nil
	}
	host := hostname(a)
	files := map[string]string{
		"hostname":    host + "\n",
		"hosts":       fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", a.Interface.Primary(), host),
		"resolv.conf": resolvConf(a),
	}
	for name, content := range files {
		if err := replace(filepath.Join(etc, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// resolvConf is a task's own: see resolv.conf(5).
func resolvConf(a *desired.Assignment) string {
	r := a.Interface.Resolver
	if r == nil {
		r = &desired.Resolver{Search: []string{fargo.PrivateDomain(region(a))}, Servers: []netip.Addr{desired.VPCResolver}}
	}
	var b strings.Builder
	if len(r.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(r.Search, " "))
	}
	for _, server := range r.Servers {
		fmt.Fprintf(&b, "nameserver %s\n", server)
	}
	return b.String()
}

// makeVolumes makes a task's volumes, which belong to root and are open to all,
// as Fargate's. One that is there may have been changed by its image: it stays.
// Source: ECS developer guide, "Use bind mounts with Amazon ECS".
func makeVolumes(dir string, names []string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	volumes, err := os.OpenRoot(dir) // no name leads out of it
	if err != nil {
		return err
	}
	defer volumes.Close()
	for _, name := range names {
		err := volumes.Mkdir(name, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = volumes.Chmod(name, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropFiles takes away what makeFiles made and what containers left in it.
func (d disk) dropFiles(a *desired.Assignment) error {
	return errors.Join(
		RemoveAll(filepath.Join(d.task(a.ID), "etc")),
		RemoveAll(filepath.Join(d.task(a.ID), "volumes")),
		RemoveAll(d.router(a.ID)),
	)
}

// volumes is the folder with a task's volumes.
func (n *Node) volumes(a *desired.Assignment) string {
	if a.Storage > 0 {
		return filepath.Join(n.cfg.Storage.Path(a.ID), "volumes")
	}
	return filepath.Join(n.disk.task(a.ID), "volumes")
}

// spec binds container i of a task to this machine.
func (n *Node) spec(t *Task, i int) host.ContainerSpec {
	a := &t.Assignment
	s := host.ContainerSpec{
		ID: a.Containers[i].RuntimeID, TaskID: a.ID,
		ContainerAssignment: a.Containers[i],
		ImageDigest:         t.Containers[i].Image.Digest,
		CgroupPath:          n.cfg.Cgroups.Path(a.ID, a.Containers[i].RuntimeID),
		Hostname:            hostname(a),
		Mounts:              n.mounts(a, i),
	}
	s.Environment, s.DefaultEnvironment = environment(t, i), n.defaultEnvironment(a)
	if a.Interface != nil {
		s.NetNS = n.cfg.Network.NetNS(a.Interface.ID)
		if n.hasAuthority() {
			s.Mounts = append(s.Mounts, host.Mount{Source: n.disk.caBundle(), Target: caBundlePath, ReadOnly: true})
		}
	}
	if owner := pidOwner(a); owner >= 0 && owner != i {
		s.PIDOf = a.Containers[owner].RuntimeID
	}
	if a.Storage > 0 {
		s.WritableDir = filepath.Join(n.cfg.Storage.Path(a.ID), "containers", s.ID)
	}
	if s.Log != nil || s.Route != nil {
		s.LogPath = n.output.path(s.ID)
	}
	if s.Route != nil {
		s.ErrorLogPath = n.output.path(errorOutput(s.ID))
	}
	return s
}

// mounts are the task's own files and the container's volumes.
func (n *Node) mounts(a *desired.Assignment, i int) []host.Mount {
	var all []host.Mount
	if a.Interface != nil {
		for _, name := range []string{"hostname", "hosts", "resolv.conf"} {
			all = append(all, host.Mount{Source: filepath.Join(n.disk.task(a.ID), "etc", name), Target: "/etc/" + name})
		}
	}
	for _, m := range mountPoints(a, i, nil) {
		if f := slices.IndexFunc(a.FileSystems, func(v desired.FileSystemMount) bool { return v.Volume == m.Volume }); f >= 0 {
			all = append(all, n.fileSystems.mount(&a.FileSystems[f], &m))
			continue
		}
		if v := blockVolume(a, m.Volume); v != nil {
			all = append(all, host.Mount{Source: n.storageOf(v).Path(v.ID), Target: m.Path, ReadOnly: m.ReadOnly})
			continue
		}
		all = append(all, host.Mount{Source: filepath.Join(n.volumes(a), m.Volume), Target: m.Path, ReadOnly: m.ReadOnly, CopyUp: true})
	}
	return append(all, n.disk.routerMounts(a, i)...)
}

// mountPoints are a container's own and those it takes from others, its own
// first: the first for a path counts. seen are the containers on the way here.
func mountPoints(a *desired.Assignment, i int, seen []int) []desired.MountPoint {
	points := slices.Clone(a.Containers[i].MountPoints)
	seen = append(seen, i)
	for _, from := range a.Containers[i].VolumesFrom {
		j := slices.IndexFunc(a.Containers, func(c desired.ContainerAssignment) bool { return c.Name == from.Container })
		if j < 0 || slices.Contains(seen, j) {
			continue
		}
		for _, m := range mountPoints(a, j, seen) {
			if !slices.ContainsFunc(points, func(p desired.MountPoint) bool { return p.Path == m.Path }) {
				m.ReadOnly = m.ReadOnly || from.ReadOnly
				points = append(points, m)
			}
		}
	}
	return points
}

// healthCommand is the process of a health check. Source: ECS API, HealthCheck.
func healthCommand(h *desired.HealthCheck) []string {
	switch {
	case len(h.Command) > 1 && h.Command[0] == "CMD-SHELL":
		return []string{"/bin/sh", "-c", h.Command[1]}
	case len(h.Command) > 1 && h.Command[0] == "CMD":
		return h.Command[1:]
	default:
		return h.Command
	}
}
