package containerd

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/moby/sys/signal"
	"github.com/moby/sys/user"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"fargo/desired"
	"fargo/host"
)

const (
	defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	// initPath is where Docker mounts its init too, so that process lists in
	// the container look as they do on ECS.
	initPath = "/sbin/docker-init"
	// fargateFiles is Fargate's limit of open files. Source: ECS developer
	// guide, "Task definition differences for Fargate", resource limits.
	fargateFiles = 65535
)

// args are the command line. As with Docker, an entry point of the user's own
// sets the image's command aside, an empty one (not nil) removes the image's
// entry point, and so does [""].
func args(spec *host.ContainerSpec, config *imageConfig) ([]string, error) {
	entryPoint, command := spec.EntryPoint, spec.Command
	if len(entryPoint) == 0 {
		if len(command) == 0 {
			command = config.Cmd
		}
		if entryPoint == nil {
			entryPoint = config.Entrypoint
		}
	}
	if len(entryPoint) == 1 && entryPoint[0] == "" {
		entryPoint = nil
	}
	all := slices.Concat(entryPoint, command)
	if len(all) == 0 {
		return nil, errors.New("no command specified")
	}
	if spec.Init {
		all = append([]string{initPath, "--"}, all...)
	}
	return all, nil
}

// checkStrings refuses what execve(2) cannot be given: it ends strings at the
// first NUL.
func checkStrings(what string, all ...string) error {
	for _, s := range all {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("%s %.80q contains a NUL", what, s)
		}
	}
	return nil
}

// stopSignal is the signal that asks a container to end. An image that names
// none, or what is none, gets SIGTERM, as with Docker.
func stopSignal(config *imageConfig) string {
	const most = 64 // signal(7), real-time signals
	if number, err := signal.ParseSignal(config.StopSignal); err != nil || number < 1 || number > most {
		return "SIGTERM"
	}
	return config.StopSignal
}

// environment has, in the order in which Docker writes it, what every process
// gets, what the image says and what the user says; of one name the last value
// stands, in the place of the first.
func environment(base []string, more ...[]string) []string {
	var all []string
	at := map[string]int{}
	for _, entry := range slices.Concat(append([][]string{base}, more...)...) {
		name, _, _ := strings.Cut(entry, "=")
		if i, known := at[name]; known {
			all[i] = entry
			continue
		}
		at[name] = len(all)
		all = append(all, entry)
	}
	return all
}

func baseEnvironment(hostname, home string, tty bool) []string {
	base := []string{defaultPath}
	if hostname != "" {
		base = append(base, "HOSTNAME="+hostname)
	}
	if tty {
		base = append(base, "TERM=xterm")
	}
	return append(base, "HOME="+home)
}

// lookUpUser finds "name", "uid", "name:group" and so on in the image's files.
// An empty name is root.
func lookUpUser(name string, img *image) (specs.User, string, error) {
	// Docker gives root the groups that the image's files give it.
	found, err := user.GetExecUser(name, &user.ExecUser{Home: "/"}, bytes.NewReader(img.passwd), bytes.NewReader(img.group))
	if err != nil {
		return specs.User{}, "", fmt.Errorf("unable to find user %s: %w", name, err)
	}
	groups := []uint32{uint32(found.Gid)}
	for _, gid := range found.Sgids {
		if !slices.Contains(groups, uint32(gid)) {
			groups = append(groups, uint32(gid))
		}
	}
	return specs.User{UID: uint32(found.Uid), GID: uint32(found.Gid), AdditionalGids: groups}, found.Home, nil
}

// dockerCapabilities are what Docker, and so ECS, gives a container.
// Source: Docker, "Runtime privilege and Linux capabilities".
var dockerCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
	"CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
	"CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// capabilities adds and drops by ECS names ("SYS_PTRACE", "ALL"). ALL can only
// be dropped: no task definition that reaches a node may add it.
func capabilities(add, drop []string, uid uint32) (*specs.LinuxCapabilities, error) {
	set := slices.Clone(dockerCapabilities)
	for _, name := range drop {
		if strings.EqualFold(name, "ALL") {
			set = nil
			continue
		}
		set = slices.DeleteFunc(set, func(c string) bool { return c == capability(name) })
	}
	for _, name := range add {
		if strings.EqualFold(name, "ALL") {
			return nil, errors.New("capability ALL cannot be added")
		}
		if !slices.Contains(set, capability(name)) {
			set = append(set, capability(name))
		}
	}
	if uid != 0 {
		// execve(2) clears the other sets for whoever is not root.
		return &specs.LinuxCapabilities{Bounding: set}, nil
	}
	return &specs.LinuxCapabilities{Bounding: set, Effective: set, Permitted: set}, nil
}

func capability(name string) string {
	return "CAP_" + strings.TrimPrefix(strings.ToUpper(name), "CAP_")
}

// rlimits translates ECS names ("nofile"); -1 means no limit. usual are those
// that hold unless the user says otherwise.
func rlimits(ulimits []desired.Ulimit, usual []specs.POSIXRlimit) []specs.POSIXRlimit {
	limits := slices.Clone(usual)
	for _, u := range ulimits {
		limit := specs.POSIXRlimit{
			Type: "RLIMIT_" + strings.ToUpper(u.Name), Soft: unlimited(u.Soft), Hard: unlimited(u.Hard),
		}
		same := func(l specs.POSIXRlimit) bool { return l.Type == limit.Type }
		if i := slices.IndexFunc(limits, same); i >= 0 {
			limits[i] = limit
		} else {
			limits = append(limits, limit)
		}
	}
	return limits
}

func unlimited(n int64) uint64 {
	if n < 0 {
		return math.MaxUint64
	}
	return uint64(n)
}
