package containerd

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"fargo/host"
)

// groupAnnotation tells the runc shim which containers share one shim.
const groupAnnotation = "io.containerd.runc.v2.group"

// outputAnnotation tells the carried shim how much of a container's output may wait in
// its file: a [desired.LogBuffer] in JSON. Other shims know no bound.
const outputAnnotation = "fargo.output"

// machine is what a specification depends on besides the container.
type machine struct {
	unified bool   // cgroup v2 alone
	swap    bool   // swap can be limited
	init    string // path of the init program; empty when there is none
	pid     int    // of the container that spec.PIDOf names
	usual   []specs.POSIXRlimit
	// environment is the file with spec.SecretEnvironment; empty when there is none.
	environment string
}

// newSpec writes the OCI runtime specification of a container: what Docker
// would give it, with Fargate's limits. It is a function of its arguments.
func newSpec(spec *host.ContainerSpec, img *image, on machine) (*specs.Spec, error) {
	process, err := newProcess(spec, img, on)
	if err != nil {
		return nil, err
	}
	mounts, err := newMounts(spec, process.User, on)
	if err != nil {
		return nil, err
	}
	oci := &specs.Spec{
		Version:     specs.Version,
		Root:        &specs.Root{Path: "rootfs", Readonly: spec.ReadonlyRootfs},
		Hostname:    spec.Hostname,
		Process:     process,
		Mounts:      mounts,
		Annotations: map[string]string{groupAnnotation: spec.TaskID},
		Linux: &specs.Linux{
			CgroupsPath:   spec.CgroupPath,
			Resources:     newResources(spec, on),
			Namespaces:    newNamespaces(spec, on),
			Sysctl:        newSysctls(spec),
			MaskedPaths:   maskedPaths,
			ReadonlyPaths: readonlyPaths,
		},
	}
	if on.environment != "" {
		oci.Annotations[environmentAnnotation] = on.environment
	}
	if spec.LogBuffer != nil {
		bound, err := json.Marshal(spec.LogBuffer)
		if err != nil {
			return nil, err
		}
		oci.Annotations[outputAnnotation] = string(bound)
	}
	oci.Linux.Seccomp = seccompProfile(oci)
	return oci, nil
}

// seccompProfile is Docker's default one, which depends on the capabilities,
// without the x32 ABI, which hardly any kernel has and carried runc does not know.
func seccompProfile(oci *specs.Spec) *specs.LinuxSeccomp {
	profile := seccomp.DefaultProfile(oci)
	profile.Architectures = slices.DeleteFunc(profile.Architectures, func(a specs.Arch) bool { return a == specs.ArchX32 })
	return profile
}

func newProcess(spec *host.ContainerSpec, img *image, on machine) (*specs.Process, error) {
	command, err := args(spec, &img.config)
	if err != nil {
		return nil, err
	}
	name := spec.User
	if name == "" {
		name = img.config.User
	}
	account, home, err := lookUpUser(name, img)
	if err != nil {
		return nil, err
	}
	addGroups(&account, spec.Mounts)
	caps, err := capabilities(spec.CapAdd, spec.CapDrop, account.UID)
	if err != nil {
		return nil, err
	}
	cwd := spec.WorkingDirectory
	if cwd == "" {
		cwd = img.config.WorkingDir
	}
	if cwd == "" {
		cwd = "/"
	}
	env := environment(baseEnvironment(spec.Hostname, home, spec.Tty), spec.DefaultEnvironment, img.config.Env, spec.Environment)
	err = errors.Join(checkStrings("command", command...), checkStrings("environment", env...), checkStrings("working directory", cwd))
	if err != nil {
		return nil, err
	}
	return &specs.Process{
		Terminal:     spec.Tty,
		User:         account,
		Args:         command,
		Env:          env,
		Cwd:          cwd,
		Capabilities: caps,
		Rlimits:      rlimits(spec.Ulimits, on.usual),
	}, nil
}

func newMounts(spec *host.ContainerSpec, user specs.User, on machine) ([]specs.Mount, error) {
	mounts := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"ro", "nosuid", "noexec", "nodev"}},
	}
	mounts = append(mounts, ownMounts(spec, user)...)
	if spec.Init {
		if on.init == "" {
			return nil, errors.New("initProcessEnabled: this build carries no init program")
		}
		mounts = append(mounts, specs.Mount{
			Destination: initPath, Type: "bind", Source: on.init, Options: []string{"bind", "rprivate", "ro"},
		})
	}
	return mounts, nil
}

// ownMounts are the directories in memory, files and volumes that a container alone
// has, those nearest to the root first: no mount may hide one that is inside it.
func ownMounts(spec *host.ContainerSpec, user specs.User) []specs.Mount {
	var mounts []specs.Mount
	for _, t := range spec.Tmpfs {
		// The usual options are Docker's. The kernel takes the last of those that
		// contradict each other, so none makes it larger.
		options := slices.Concat([]string{"nosuid", "noexec", "nodev"}, t.Options, []string{fmt.Sprintf("size=%dm", t.Size)})
		mounts = append(mounts, specs.Mount{Destination: t.Path, Type: "tmpfs", Source: "tmpfs", Options: options})
	}
	for _, m := range spec.Mounts {
		access := "rw"
		if m.ReadOnly {
			access = "ro"
		}
		mounts = append(mounts, mapOwners(specs.Mount{
			Destination: m.Target, Type: "bind", Source: m.Source, Options: []string{"rbind", "rprivate", access},
		}, &m, user))
	}
	depth := func(m specs.Mount) int { return strings.Count(path.Clean(m.Destination), "/") }
	slices.SortStableFunc(mounts, func(a, b specs.Mount) int { return depth(a) - depth(b) })
	return mounts
}

func newNamespaces(spec *host.ContainerSpec, on machine) []specs.LinuxNamespace {
	pids := specs.LinuxNamespace{Type: specs.PIDNamespace}
	if spec.PIDOf != "" {
		pids.Path = fmt.Sprintf("/proc/%d/ns/pid", on.pid)
	}
	namespaces := []specs.LinuxNamespace{
		pids, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
	}
	if spec.NetNS != "" {
		namespaces = append(namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: spec.NetNS})
	}
	if on.unified { // as Docker: private with v2, the machine's with v1
		namespaces = append(namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return namespaces
}

// newResources limits the container inside its task. An ECS CPU figure is a
// share of what is contended, never a ceiling; 0 and 1 count as 2, the kernel's
// least. Source: ECS API, ContainerDefinition.cpu.
func newResources(spec *host.ContainerSpec, on machine) *specs.LinuxResources {
	resources := &specs.LinuxResources{
		// Nothing but what runc itself allows every container (null, zero,
		// random, terminals).
		Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}},
		CPU:     &specs.LinuxCPU{Shares: new(uint64(max(2, spec.CPU)))},
	}
	if spec.Memory > 0 || spec.MemoryReservation > 0 {
		resources.Memory = &specs.LinuxMemory{}
	}
	if spec.Memory > 0 {
		limit := spec.Memory << 20
		resources.Memory.Limit = &limit
		if on.swap {
			resources.Memory.Swap = &limit // memory and swap together: no swap
		}
	}
	if spec.MemoryReservation > 0 {
		resources.Memory.Reservation = new(spec.MemoryReservation << 20)
	}
	return resources
}

// newSysctls are Docker's for a container with a network of its own, and the
// user's. In the machine's own network nothing is set: it is not the
// container's.
func newSysctls(spec *host.ContainerSpec) map[string]string {
	sysctls := map[string]string{}
	if spec.NetNS != "" {
		sysctls["net.ipv4.ip_unprivileged_port_start"] = "0"
		sysctls["net.ipv4.ping_group_range"] = "0 2147483647"
	}
	maps.Copy(sysctls, spec.Sysctls)
	return sysctls
}

// Paths through which a container could learn about or change the machine.
// Source: Docker's defaults, as "docker inspect" shows them.
var (
	maskedPaths = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
		"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
		"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
	}
	readonlyPaths = []string{
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	}
)
