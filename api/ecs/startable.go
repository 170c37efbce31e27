package ecs

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"fargo/aws"
	"fargo/aws/ecs"
)

// unstartable says why no kernel and no runtime would start a container of a
// definition, whoever asks for it: "" when one would. A definition is looked at
// when it is registered, and again, with overrides, when a task or a service is
// asked for. What depends on the image, or on the machine, only they know.
//
// AWS's texts have their source next to them. The others are ours: AWS accepts, and
// its task stops.
func unstartable(d *ecs.TaskDefinition) string {
	for _, v := range d.Volumes {
		if !volumeName.MatchString(aws.Value(v.Name)) {
			return "volume.name contains invalid characters." // github.com/aws/amazon-ecs-cli/issues/277
		}
	}
	var cpu, reserved int64
	for i := range d.ContainerDefinitions {
		c := &d.ContainerDefinitions[i]
		for _, of := range []func(*ecs.ContainerDefinition) string{
			ofImage, ofTexts, ofEnvironment, ofUser, ofPaths, ofTmpfs, ofNumbers, ofUlimits, ofSystemControls, ofCapabilities, ofLogs,
		} {
			if why := of(c); why != "" {
				return why
			}
		}
		if d.Memory != nil && c.Memory != nil && int64(*c.Memory) > mustInt(*d.Memory) {
			return fmt.Sprintf("The 'memory' setting for container '%s' is greater than for the task", *c.Name)
		}
		cpu += int64(aws.Value(c.Cpu))
		reserved += int64(aws.Value(c.MemoryReservation))
	}
	switch {
	case d.Cpu != nil && cpu > mustInt(*d.Cpu):
		return "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."
	case d.Memory != nil && reserved > mustInt(*d.Memory):
		return "The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'."
	}
	return ofOutputs(d)
}

// volumeName is the rule of names. Source: ECS API, Volume.name.
var volumeName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// of begins the texts that are ours.
func of(c *ecs.ContainerDefinition, format string, args ...any) string {
	return "Container '" + aws.Value(c.Name) + "' could not start: " + fmt.Sprintf(format, args...)
}

// ofImage sees that an image's name is one. Source of the text:
// github.com/OctopusDeploy/Issues/issues/10026.
func ofImage(c *ecs.ContainerDefinition) string {
	if _, err := reference.ParseDockerRef(aws.Value(c.Image)); err != nil {
		return "Container.image contains invalid characters."
	}
	return ""
}

// ofTexts finds characters that end a string in the kernel. Source: execve(2).
func ofTexts(c *ecs.ContainerDefinition) string {
	texts := map[string][]string{
		"command": c.Command, "entryPoint": c.EntryPoint,
		"workingDirectory": {aws.Value(c.WorkingDirectory)}, "user": {aws.Value(c.User)},
	}
	if c.HealthCheck != nil {
		texts["healthCheck.command"] = c.HealthCheck.Command
	}
	for _, field := range []string{"command", "entryPoint", "workingDirectory", "user", "healthCheck.command"} {
		for _, t := range texts[field] {
			if strings.Contains(t, "\x00") {
				return of(c, "%s has a NUL character.", field)
			}
		}
	}
	return ""
}

// ofEnvironment: of each variable there is a name, and neither ends early. Source:
// environ(7), and runc's own check.
func ofEnvironment(c *ecs.ContainerDefinition) string {
	for _, e := range c.Environment {
		name := aws.Value(e.Name)
		switch {
		case name == "" || name[0] == '=':
			return of(c, "an environment variable has no name.")
		case strings.Contains(name+aws.Value(e.Value), "\x00"):
			return of(c, "the environment variable %s has a NUL character.", strconv.Quote(name))
		}
	}
	return ""
}

// maxID is the largest user and group id. Source: the container runtime's own
// check, for which -1 means none.
const maxID = 1<<31 - 1

// ofUser reads "user", "uid", "user:group" and so on. Names are looked up in the
// image, ids are not. Source: ECS API, ContainerDefinition.user.
func ofUser(c *ecs.ContainerDefinition) string {
	user := aws.Value(c.User)
	parts := strings.Split(user, ":")
	if len(parts) > 2 {
		return of(c, "user %q is more than a user and a group.", user)
	}
	for _, part := range parts {
		id, err := strconv.ParseInt(part, 10, 64)
		if err == nil && (id < 0 || id > maxID) || isRange(err) {
			return of(c, "user %q has an id that is not between 0 and %d.", user, maxID)
		}
		if strings.ContainsFunc(part, isControl) {
			return of(c, "user %q has a control character.", user)
		}
	}
	return ""
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// Bounds of paths. Source: limits.h(0p), PATH_MAX and NAME_MAX of Linux.
const (
	maxPath     = 4095
	maxPathName = 255
)

// taken are the places in a container where the runtime and Fargo put something
// that a volume, which is a directory, cannot be put over.
var taken = []string{"/", "/proc", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"}

func ofPaths(c *ecs.ContainerDefinition) string {
	if w := aws.Value(c.WorkingDirectory); w != "" && badPath(w) {
		return of(c, "workingDirectory %q is no absolute path that can exist.", w)
	}
	for _, m := range c.MountPoints {
		if why := ofPlace(c, aws.Value(m.ContainerPath)); why != "" {
			return why
		}
	}
	return ""
}

// ofPlace sees that a directory can be mounted at a path.
func ofPlace(c *ecs.ContainerDefinition, at string) string {
	clean := path.Clean(at)
	switch {
	case badPath(at) || strings.Contains(at, "\x00"):
		return of(c, "containerPath %q is no absolute path that can exist.", at)
	case slices.Contains(taken, clean) || strings.HasPrefix(clean, "/proc/"):
		return of(c, "nothing can be mounted at containerPath %q.", at)
	}
	return ""
}

func badPath(p string) bool {
	if !path.IsAbs(p) || len(p) > maxPath {
		return true
	}
	return slices.ContainsFunc(strings.Split(p, "/"), func(name string) bool { return len(name) > maxPathName })
}

// minMemory is the least that a container may be given, in MiB. Source: ECS API,
// ContainerDefinition.memory, of earlier Docker versions.
const minMemory = 4

func ofNumbers(c *ecs.ContainerDefinition) string {
	switch {
	case aws.Value(c.Cpu) < 0:
		return fmt.Sprintf("Invalid 'cpu' setting for container '%s': must be at least 0.", *c.Name)
	case c.Memory != nil && *c.Memory < minMemory:
		return fmt.Sprintf("Invalid 'memory' setting for container '%s': must be at least %d.", *c.Name, minMemory)
	case c.MemoryReservation != nil && *c.MemoryReservation < minMemory:
		return fmt.Sprintf("Invalid 'memoryReservation' setting for container '%s': must be at least %d.", *c.Name, minMemory)
	case c.Memory != nil && c.MemoryReservation != nil && *c.Memory < *c.MemoryReservation:
		return "'memory' must be greater than or equal to 'memoryReservation'"
	}
	return ""
}

// maxFiles is the most open files that Fargate gives, and Linux without being
// asked to (fs.nr_open). Source: ECS developer guide, "Task definition differences
// for Fargate", resource limits.
const maxFiles = 1 << 20

// ofUlimits: -1 means no limit. Source: setrlimit(2). AWS says that its tasks take
// no limit but nofile from a definition; here they get what is asked for.
func ofUlimits(c *ecs.ContainerDefinition) string {
	for _, u := range c.Ulimits {
		soft, hard := aws.Value(u.SoftLimit), aws.Value(u.HardLimit)
		switch {
		case soft < -1 || hard < -1:
			return of(c, "a limit of ulimit %s is below -1, which means none.", u.Name)
		case hard != -1 && (soft == -1 || soft > hard):
			return fmt.Sprintf("Soft limit exceeds hard limit for ulimit %s", u.Name)
		case u.Name == ecs.UlimitNameNofile && (hard == -1 || hard > maxFiles):
			return of(c, "the hard limit of ulimit nofile must be between 0 and %d.", maxFiles)
		}
	}
	return ""
}

// ipcControls are the settings of an IPC namespace. Source: ECS API,
// SystemControl, and runc's own check.
var ipcControls = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
	"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}

// namespacedControl is the form of the others.
var namespacedControl = regexp.MustCompile(`^(net|fs\.mqueue)(\.[a-zA-Z0-9_-]+)+$`)

// maxControl is what the kernel reads of a setting: a page, less its end.
const maxControl = 4095

func ofSystemControls(c *ecs.ContainerDefinition) string {
	for _, s := range c.SystemControls {
		name, value := aws.Value(s.Namespace), aws.Value(s.Value)
		switch {
		case !slices.Contains(ipcControls, name) && !namespacedControl.MatchString(name):
			return of(c, "systemControls has %q, which is neither of the network (net.*) nor of IPC (fs.mqueue.*, %s).",
				name, strings.Join(ipcControls, ", "))
		case value == "" || len(value) > maxControl || strings.ContainsFunc(value, func(r rune) bool { return isControl(r) && r != '\t' }):
			return of(c, "systemControls has no value for %s that the kernel could read.", name)
		}
	}
	return ""
}

// tryKernel asks the kernel, which alone knows the settings it has, the values they
// take, and how far limits can be raised.
func (s *Server) tryKernel(d *ecs.TaskDefinition) error {
	for i := range d.ContainerDefinitions {
		c := &d.ContainerDefinitions[i]
		for _, control := range c.SystemControls {
			if s.trySysctl == nil {
				break
			}
			if err := s.trySysctl(aws.Value(control.Namespace), aws.Value(control.Value)); err != nil {
				return refuse("%s", of(c, "the kernel refuses %s=%q in systemControls: %v.", aws.Value(control.Namespace), aws.Value(control.Value), err))
			}
		}
		for _, u := range c.Ulimits {
			if s.tryUlimit == nil {
				break
			}
			if err := s.tryUlimit(string(u.Name), int64(aws.Value(u.HardLimit))); err != nil {
				return refuse("%s", of(c, "the kernel refuses the hard limit %d of ulimit %s: %v.", aws.Value(u.HardLimit), u.Name, err))
			}
		}
	}
	return nil
}

// isRange reports whether a number was one, but too large.
func isRange(err error) bool { return errors.Is(err, strconv.ErrRange) }

// linuxCapabilities are the names that may be dropped, besides ALL. Source: ECS API,
// KernelCapabilities.
var linuxCapabilities = strings.Fields(`ALL AUDIT_CONTROL AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH
	FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
	NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT
	SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM`)

// ofCapabilities: a name that means nothing would be dropped in silence.
func ofCapabilities(c *ecs.ContainerDefinition) string {
	if c.LinuxParameters == nil || c.LinuxParameters.Capabilities == nil {
		return ""
	}
	for _, name := range slices.Concat(c.LinuxParameters.Capabilities.Add, c.LinuxParameters.Capabilities.Drop) {
		if !slices.Contains(linuxCapabilities, name) {
			return of(c, "there is no capability %q.", name)
		}
	}
	return ""
}
