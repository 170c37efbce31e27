package ecs

import (
	"strings"
	"testing"

	"fargo/aws/ecs"
)

// startable is a definition with everything that a container can be asked to be,
// and nothing that it cannot.
func startable() *ecs.TaskDefinition {
	return &ecs.TaskDefinition{
		Cpu: new("256"), Memory: new("512"),
		Volumes: []ecs.Volume{{Name: new("data_1-x")}, {Name: new(strings.Repeat("v", 255))}},
		ContainerDefinitions: []ecs.ContainerDefinition{{
			Name: new("web"), Image: new("registry.example.com:5000/team/app:v1"),
			Command: []string{"sh", "-c", "printf 'a\tb\n'"}, EntryPoint: []string{"/entry"},
			Environment: []ecs.KeyValuePair{{Name: new("A.B"), Value: new("=x\n")}, {Name: new("EMPTY"), Value: new("")}},
			User:        new("1000:users"), WorkingDirectory: new("/srv/app"),
			Cpu: new(int32(256)), Memory: new(int32(512)), MemoryReservation: new(int32(4)),
			MountPoints: []ecs.MountPoint{{SourceVolume: new("data_1-x"), ContainerPath: new("/etc/app/")}},
			Ulimits: []ecs.Ulimit{
				{Name: ecs.UlimitNameNofile, SoftLimit: new(int32(0)), HardLimit: new(int32(1 << 20))},
				{Name: ecs.UlimitNameCore, SoftLimit: new(int32(5)), HardLimit: new(int32(-1))},
				{Name: ecs.UlimitNameMemlock, SoftLimit: new(int32(-1)), HardLimit: new(int32(-1))},
			},
			SystemControls: []ecs.SystemControl{
				{Namespace: new("net.ipv4.ip_local_port_range"), Value: new("1024 65000")},
				{Namespace: new("fs.mqueue.msg_max"), Value: new("10")},
				{Namespace: new("kernel.sem"), Value: new("250\t32000\t100\t128")},
			},
			LinuxParameters: &ecs.LinuxParameters{
				Capabilities: &ecs.KernelCapabilities{Add: []string{"SYS_PTRACE"}, Drop: []string{"ALL", "NET_RAW"}},
				Tmpfs: []ecs.Tmpfs{
					{ContainerPath: new("/dev/shm"), Size: new(int32(1024))},
					{ContainerPath: new("/scratch"), Size: new(int32(1)), MountOptions: []string{"exec", "mode=1777", "uid=1000", "nr_inodes=10k", "mpol=bind:0-3", "rslave"}},
				},
			},
			HealthCheck: &ecs.HealthCheck{Command: []string{"CMD-SHELL", "exit 0"}},
			LogConfiguration: &ecs.LogConfiguration{LogDriver: ecs.LogDriverAwslogs, Options: map[string]string{
				"awslogs-multiline-pattern": `^\d{4}-`, "mode": "non-blocking", "max-buffer-size": "25m", "awslogs-create-group": "true",
			}},
		}},
	}
}

// What the kernel or the runtime would refuse when a container starts is refused
// when it is asked for, field by field.
func TestUnstartableDefinitions(t *testing.T) {
	if why := unstartable(startable()); why != "" {
		t.Fatal(why)
	}
	const ours = "Container 'web' could not start: "
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		change func(d *ecs.TaskDefinition, c *ecs.ContainerDefinition)
		want   string
	}{
		{volumes(".."), "volume.name contains invalid characters."},
		{volumes("."), "volume.name contains invalid characters."},
		{volumes("a/b"), "volume.name contains invalid characters."},
		{volumes(""), "volume.name contains invalid characters."},
		{volumes("a b"), "volume.name contains invalid characters."},
		{volumes("a\x00"), "volume.name contains invalid characters."},
		{volumes("é"), "volume.name contains invalid characters."},
		{volumes(long), "volume.name contains invalid characters."},

		{image("Upper/Case"), "Container.image contains invalid characters."},
		{image("app:tag:tag"), "Container.image contains invalid characters."},
		{image("app\x00"), "Container.image contains invalid characters."},
		{image("http://registry/app"), "Container.image contains invalid characters."},
		{image("app@sha256:short"), "Container.image contains invalid characters."},

		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.Command = []string{"ok", "a\x00b"} }, ours + "command has a NUL character."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.EntryPoint = []string{"\x00"} }, ours + "entryPoint has a NUL character."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) {
			c.HealthCheck.Command = []string{"CMD", "\x00"}
		}, ours + "healthCheck.command has a NUL character."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.WorkingDirectory = new("/\x00") }, ours + "workingDirectory has a NUL character."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.User = new("me\x00") }, ours + "user has a NUL character."},

		{environment("", "x"), ours + "an environment variable has no name."},
		{environment("=A", "x"), ours + "an environment variable has no name."},
		{environment("A", "x\x00"), ours + `the environment variable "A" has a NUL character.`},
		{environment("A\x00B", "x"), ours + `the environment variable "A\x00B" has a NUL character.`},

		{user("a:b:c"), ours + `user "a:b:c" is more than a user and a group.`},
		{user("2147483648"), ours + `user "2147483648" has an id that is not between 0 and 2147483647.`},
		{user("-1"), ours + `user "-1" has an id that is not between 0 and 2147483647.`},
		{user("0:99999999999999999999"), ours + `user "0:99999999999999999999" has an id that is not between 0 and 2147483647.`},
		{user("me\n"), ours + `user "me\n" has a control character.`},

		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.WorkingDirectory = new("srv") }, ours + `workingDirectory "srv" is no absolute path that can exist.`},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.WorkingDirectory = new("/" + long) }, ours + `workingDirectory "/` + long + `" is no absolute path that can exist.`},
		{mount("data"), ours + `containerPath "data" is no absolute path that can exist.`},
		{mount("/a\x00"), ours + `containerPath "/a\x00" is no absolute path that can exist.`},
		{mount("/"), ours + `nothing can be mounted at containerPath "/".`},
		{mount("/a/.."), ours + `nothing can be mounted at containerPath "/a/..".`},
		{mount("/proc"), ours + `nothing can be mounted at containerPath "/proc".`},
		{mount("//proc/self/"), ours + `nothing can be mounted at containerPath "//proc/self/".`},
		{mount("/etc/hosts"), ours + `nothing can be mounted at containerPath "/etc/hosts".`},
		{mount("/etc/resolv.conf"), ours + `nothing can be mounted at containerPath "/etc/resolv.conf".`},
		{mount("/etc/hostname"), ours + `nothing can be mounted at containerPath "/etc/hostname".`},

		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.Cpu = new(int32(-1)) }, "Invalid 'cpu' setting for container 'web': must be at least 0."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.Cpu = new(int32(257)) }, "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.Memory = new(int32(3)) }, "Invalid 'memory' setting for container 'web': must be at least 4."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.Memory = new(int32(513)) }, "The 'memory' setting for container 'web' is greater than for the task"},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.MemoryReservation = new(int32(-1)) }, "Invalid 'memoryReservation' setting for container 'web': must be at least 4."},
		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.MemoryReservation = new(int32(1024)) }, "'memory' must be greater than or equal to 'memoryReservation'"},

		{ulimit(ecs.UlimitNameNofile, 10, 9), "Soft limit exceeds hard limit for ulimit nofile"},
		{ulimit(ecs.UlimitNameCore, -1, 9), "Soft limit exceeds hard limit for ulimit core"},
		{ulimit(ecs.UlimitNameNofile, 10, 1<<20+1), ours + "the hard limit of ulimit nofile must be between 0 and 1048576."},
		{ulimit(ecs.UlimitNameNofile, -1, -1), ours + "the hard limit of ulimit nofile must be between 0 and 1048576."},
		{ulimit(ecs.UlimitNameStack, -2, -2), ours + "a limit of ulimit stack is below -1, which means none."},

		{sysctl("kernel.core_pattern", "|/x"), `systemControls has "kernel.core_pattern", which is neither`},
		{sysctl("vm.max_map_count", "1"), `systemControls has "vm.max_map_count", which is neither`},
		{sysctl("net/../kernel/core_pattern", "x"), `systemControls has "net/../kernel/core_pattern", which is neither`},
		{sysctl("net..ipv4", "x"), `systemControls has "net..ipv4", which is neither`},
		{sysctl("net", "x"), `systemControls has "net", which is neither`},
		{sysctl("", "x"), `systemControls has "", which is neither`},
		{sysctl("net.core.somaxconn", ""), ours + "systemControls has no value for net.core.somaxconn that the kernel could read."},
		{sysctl("net.core.somaxconn", "1\n2"), ours + "systemControls has no value for net.core.somaxconn that the kernel could read."},
		{sysctl("net.core.somaxconn", "1\x00"), ours + "systemControls has no value for net.core.somaxconn that the kernel could read."},

		{func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) {
			c.LinuxParameters.Capabilities.Drop = []string{"NET_RAWW"}
		}, ours + `there is no capability "NET_RAWW".`},
		{option("awslogs-multiline-pattern", "("), ours + "the log option awslogs-multiline-pattern is no regular expression"},
		{option("awslogs-datetime-format", "%Y"), ours + "the log options awslogs-multiline-pattern and awslogs-datetime-format exclude each other."},
		{option("mode", "nonblocking"), ours + "the log option mode is neither of [blocking non-blocking]."},
		{option("max-buffer-size", "plenty"), ours + "the log option max-buffer-size is no size."},
		{option("awslogs-create-group", "yes"), ours + "the log option awslogs-create-group is neither true nor false."},

		{func(d *ecs.TaskDefinition, c *ecs.ContainerDefinition) {
			c.MemoryReservation = new(int32(500))
			d.ContainerDefinitions = append(d.ContainerDefinitions, ecs.ContainerDefinition{Name: new("b"), Image: new("b"), MemoryReservation: new(int32(13))})
		}, "The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'."},

		{tmpfs("scratch", 1), ours + `containerPath "scratch" is no absolute path that can exist.`},
		{tmpfs("/", 1), ours + `nothing can be mounted at containerPath "/".`},
		{tmpfs("/proc/x", 1), ours + `nothing can be mounted at containerPath "/proc/x".`},
		{tmpfs("/etc/app", 1), ours + `more than one thing is mounted at containerPath "/etc/app".`},
		{tmpfs("/a", 0), ours + "the size of a tmpfs must be at least 1 MiB."},
		{tmpfs("/a", 1, "bind"), ours + `a tmpfs cannot be mounted with the option "bind".`},
		{tmpfs("/a", 1, "remount"), ours + `a tmpfs cannot be mounted with the option "remount".`},
		{tmpfs("/a", 1, "size=99g"), ours + `a tmpfs cannot be mounted with the option "size=99g".`},
		{tmpfs("/a", 1, "mode=755,size=99g"), ours + `a tmpfs cannot be mounted with the option "mode=755,size=99g".`},
		{tmpfs("/a", 1, "mode=rwx"), ours + `a tmpfs cannot be mounted with the option "mode=rwx".`},
	} {
		d := startable()
		test.change(d, &d.ContainerDefinitions[0])
		if why := unstartable(d); why == "" || !strings.Contains(why, test.want) {
			t.Errorf("got  %q\nwant %q", why, test.want)
		}
	}
}

type change = func(*ecs.TaskDefinition, *ecs.ContainerDefinition)

func option(name, value string) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.LogConfiguration.Options[name] = value }
}

func tmpfs(path string, size int32, options ...string) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) {
		c.LinuxParameters.Tmpfs = []ecs.Tmpfs{{ContainerPath: &path, Size: &size, MountOptions: options}}
	}
}

func volumes(name string) change {
	return func(d *ecs.TaskDefinition, _ *ecs.ContainerDefinition) { d.Volumes[1].Name = &name }
}

func image(name string) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.Image = &name }
}

func environment(name, value string) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) {
		c.Environment[0] = ecs.KeyValuePair{Name: &name, Value: &value}
	}
}

func user(name string) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.User = &name }
}

func mount(at string) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) { c.MountPoints[0].ContainerPath = &at }
}

func ulimit(name ecs.UlimitName, soft, hard int32) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) {
		c.Ulimits[0] = ecs.Ulimit{Name: name, SoftLimit: &soft, HardLimit: &hard}
	}
}

func sysctl(name, value string) change {
	return func(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) {
		c.SystemControls[0] = ecs.SystemControl{Namespace: &name, Value: &value}
	}
}

// A definition is as long as AWS takes, which is also shorter than what the kernel
// takes of a command (execve(2), MAX_ARG_STRLEN).
func TestLengthOfDefinitions(t *testing.T) {
	in := &ecs.RegisterTaskDefinitionInput{ContainerDefinitions: []ecs.ContainerDefinition{{Command: []string{strings.Repeat("<", 65000)}}}}
	if err := checkLength(in); err != nil {
		t.Error(err)
	}
	in.ContainerDefinitions[0].Command[0] += strings.Repeat("<", 536)
	if err := checkLength(in); err == nil || !strings.Contains(err.Error(), "Max allowed length is '65536' bytes.") {
		t.Errorf("error = %v", err)
	}
}
