package containerd

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/desired"
	"fargo/host"
)

var rewrite = flag.Bool("rewrite", false, "write what the code does into testdata")

// Each file of testdata/spec is what becomes of one specification, without the
// system call filter, which is containerd's.
func TestSpec(t *testing.T) {
	web := &image{
		config: imageConfig{
			Entrypoint: []string{"/docker-entrypoint.sh"}, Cmd: []string{"nginx", "-g", "daemon off;"},
			Env: []string{"NGINX_VERSION=1.27"}, User: "nginx", WorkingDir: "/srv",
		},
		passwd: []byte("root:x:0:0::/root:/bin/sh\nnginx:x:101:101::/nonexistent:/bin/false\n"),
		group:  []byte("root:x:0:\nnginx:x:101:\n"),
	}
	bare := &image{config: imageConfig{Cmd: []string{"/app"}}}
	v1 := machine{swap: true, init: "/opt/init", usual: fargateLimits, pid: 42}
	v2 := machine{unified: true, swap: true, init: "/opt/init", usual: fargateLimits, pid: 42}
	for _, c := range []struct {
		name string
		img  *image
		on   machine
		spec host.ContainerSpec
	}{
		{"least", bare, v1, host.ContainerSpec{ID: "a-1", TaskID: "a", CgroupPath: "/fargo/a/a-1"}},
		{"web", web, v2, host.ContainerSpec{
			ID: "b-1", TaskID: "b", CgroupPath: "/fargo/b/b-1", NetNS: "/run/netns/eni-1", Hostname: "ip-10-0-0-7",
			Mounts: []host.Mount{
				{Source: "/run/b/resolv.conf", Target: "/etc/resolv.conf", ReadOnly: true},
				{Source: "/var/b/data", Target: "/data", CopyUp: true},
			},
			ContainerAssignment: desired.ContainerAssignment{
				CPU: 256, Memory: 512, MemoryReservation: 128,
				LogBuffer:   &desired.LogBuffer{Limit: 4096, Blocking: true},
				Environment: []string{"PORT=80"}, Sysctls: map[string]string{"net.core.somaxconn": "1024"},
			},
		}},
		{"everything", web, v1, host.ContainerSpec{
			ID: "c-2", TaskID: "c", CgroupPath: "/fargo/c/c-2", PIDOf: "c-1", Hostname: "box",
			Mounts: []host.Mount{{Source: "/var/c/data", Target: "/data/"}},
			ContainerAssignment: desired.ContainerAssignment{
				EntryPoint: []string{"sh", "-c"}, Command: []string{"exec top"}, User: "0", WorkingDirectory: "/tmp",
				Tty: true, Init: true, ReadonlyRootfs: true, CPU: 1, MemoryReservation: 64,
				CapAdd: []string{"SYS_PTRACE"}, CapDrop: []string{"ALL"},
				Ulimits: []desired.Ulimit{{Name: "core", Soft: -1, Hard: -1}, {Name: "nofile", Soft: 10, Hard: 20}},
				Tmpfs:   []desired.Tmpfs{{Path: "/data/cache", Size: 64, Options: []string{"exec", "mode=700"}}, {Path: "/dev/shm", Size: 1024}},
			},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			oci, err := newSpec(&c.spec, c.img, c.on)
			if err != nil {
				t.Fatal(err)
			}
			if oci.Linux.Seccomp == nil {
				t.Error("no system call filter")
			}
			oci.Linux.Seccomp = nil
			got, err := json.MarshalIndent(oci, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			golden(t, filepath.Join("testdata", "spec", c.name+".json"), got)
		})
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("-want +got:\n%s", cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
	}
}

// The filters that carried runc is tested to compile as the C library would.
func TestSeccompProfiles(t *testing.T) {
	for name, add := range map[string][]string{
		"default": nil,
		"fargate": {"SYS_PTRACE"},
		"most": {
			"SYS_PTRACE", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_PACCT", "SYS_RAWIO", "SYS_TIME",
			"SYS_TTY_CONFIG", "SYS_NICE", "SYSLOG", "BPF", "PERFMON", "DAC_READ_SEARCH",
		},
	} {
		spec := host.ContainerSpec{ContainerAssignment: desired.ContainerAssignment{Command: []string{"x"}, CapAdd: add}}
		oci, err := newSpec(&spec, &image{}, machine{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.MarshalIndent(oci.Linux.Seccomp, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("carried", "libseccomp", "testdata", name+".json"), append(got, '\n'))
	}
}

// SYS_PTRACE is the one capability Fargate lets a task add; the filter has to
// let its system calls through.
func TestFilterFollowsCapabilities(t *testing.T) {
	allows := func(add ...string) bool {
		spec := host.ContainerSpec{ContainerAssignment: desired.ContainerAssignment{Command: []string{"x"}, CapAdd: add}}
		oci, err := newSpec(&spec, &image{}, machine{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range oci.Linux.Seccomp.Syscalls {
			for _, name := range rule.Names {
				if name == "kcmp" {
					return true
				}
			}
		}
		return false
	}
	if allows() || !allows("SYS_PTRACE") {
		t.Errorf("kcmp: without %v, with %v", allows(), allows("SYS_PTRACE"))
	}
}

func TestInitThatIsNotCarriedIsRefused(t *testing.T) {
	spec := host.ContainerSpec{ContainerAssignment: desired.ContainerAssignment{Command: []string{"x"}, Init: true}}
	if _, err := newSpec(&spec, &image{}, machine{}); err == nil || !strings.Contains(err.Error(), "initProcessEnabled") {
		t.Errorf("error = %v", err)
	}
}

func TestDaemonConfig(t *testing.T) {
	d := Daemon{StateDir: "/run/fargo-x/c", RootDir: `/data "dir"/containerd`, Cgroup: "/fargo-x-containerd"}
	golden(t, filepath.Join("testdata", "containerd.toml"), d.config())
}
