//go:build e2e

package containerd_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fargo/containerd"
	"fargo/desired"
	"fargo/host"
)

// secondDaemon is a daemon next to that of the tests, and a runtime on it.
type secondDaemon struct {
	*containerd.Daemon
	runtime *containerd.Runtime
}

func newSecondDaemon(t *testing.T) secondDaemon {
	t.Helper()
	state, err := os.MkdirTemp("/run", "fargo-test-")
	if err != nil {
		t.Fatal(err)
	}
	daemon := *tests.daemon
	daemon.StateDir, daemon.RootDir = filepath.Join(state, "c"), filepath.Join(t.TempDir(), "root")
	daemon.Cgroup = "/fargo-test-second"
	daemon.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	config := tests.config
	config.Address, config.StateDir, config.Cgroup = daemon.Address(), daemon.StateDir, daemon.Cgroup
	runtime, err := containerd.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(daemon.Stop(context.Background()), runtime.Close(), os.Remove(state)); err != nil {
			t.Error(err)
		}
		gone(t, daemon.StateDir)
	})
	if _, err := daemon.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return secondDaemon{&daemon, runtime}
}

// run makes a container and, if it should, starts it.
func (a secondDaemon) run(t *testing.T, id string, start bool) host.ContainerSpec {
	t.Helper()
	img, err := a.runtime.Pull(t.Context(), tests.image, desired.PullSource{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := host.ContainerSpec{
		ID: id, TaskID: "task-" + id, ImageDigest: img.Digest, CgroupPath: "/fargo-test/" + id, LogPath: filepath.Join(t.TempDir(), "log"),
		ContainerAssignment: desired.ContainerAssignment{Name: "main", RuntimeID: id, Image: tests.image, Command: []string{"idle"}},
	}
	if err := a.runtime.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if !start {
		return s
	}
	if err := a.runtime.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	ready(t, s, "ready")
	return s
}

// kill kills the daemon, and waits until it is gone.
func (a secondDaemon) kill(t *testing.T) {
	t.Helper()
	for len(daemons(t, a.StateDir)) > 0 {
		for _, pid := range daemons(t, a.StateDir) {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				t.Fatal(err)
			}
		}
	}
}

// daemons are the processes of containerd that run for a state directory.
func daemons(t *testing.T, state string) (pids []int) {
	t.Helper()
	for _, p := range processes(t) {
		if bytes.Contains(p.line, []byte("\x00--config\x00"+state+"/config.toml\x00")) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// gone fails when there is a process or a mount with a directory in its name.
func gone(t *testing.T, dir string) {
	t.Helper()
	for _, p := range processes(t) {
		if bytes.Contains(p.line, []byte(dir)) {
			t.Errorf("process %d is left: %q", p.pid, p.line)
		}
	}
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(info), dir) {
		t.Errorf("mounts are left: %s", info)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is left", dir)
	}
	for _, group := range []string{"/fargo-test-second", "/fargo-test/run", "/fargo-test/half"} {
		if left, err := filepath.Glob("/sys/fs/cgroup/*" + group); err != nil || len(left) > 0 {
			t.Errorf("control groups are left: %v, %v", left, err)
		}
	}
}

type process struct {
	pid  int
	line []byte
}

// processes are those of this machine.
func processes(t *testing.T) (all []process) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil {
			all = append(all, process{number(t, filepath.Base(filepath.Dir(path))), line})
		}
	}
	return all
}

// Stopping a daemon leaves nothing of it and of its containers, whatever state
// they are in.
func TestStopLeavesNothing(t *testing.T) {
	for name, disturb := range map[string]func(t *testing.T, a secondDaemon){
		"as it is":           func(*testing.T, secondDaemon) {},
		"with a dead daemon": func(t *testing.T, a secondDaemon) { a.kill(t) },
		"with unreadable data": func(t *testing.T, a secondDaemon) {
			a.kill(t)
			damage(t, a.RootDir, "io.containerd.metadata.v1.bolt/meta.db")
		},
		"with containers that it does not know": func(t *testing.T, a secondDaemon) {
			a.kill(t)
			if err := os.RemoveAll(a.RootDir); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newSecondDaemon(t)
			a.run(t, "run", true)
			a.run(t, "half", false)
			disturb(t, a)
			if err := a.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			gone(t, a.StateDir)
		})
	}
}

// damage overwrites a file.
func damage(t *testing.T, parts ...string) {
	t.Helper()
	path := filepath.Join(parts...)
	info, err := os.Stat(path)
	if err == nil {
		err = os.WriteFile(path, bytes.Repeat([]byte("damage "), int(info.Size())/7+1)[:info.Size()], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A daemon whose data is damaged gets new data: what it knew of is ended, the old
// data is kept beside, and it works.
func TestDamagedDataIsPutAside(t *testing.T) {
	const meta, snapshots = "io.containerd.metadata.v1.bolt/meta.db", "io.containerd.snapshotter.v1.overlayfs/metadata.db"
	for name, hurt := range map[string]func(t *testing.T, root string){
		"containers and images": func(t *testing.T, root string) { damage(t, root, meta) },
		"snapshots":             func(t *testing.T, root string) { damage(t, root, snapshots) },
		"half a file": func(t *testing.T, root string) {
			if err := os.Truncate(filepath.Join(root, meta), 5000); err != nil {
				t.Fatal(err)
			}
		},
		"a directory": func(t *testing.T, root string) {
			path := filepath.Join(root, meta)
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		},
		"all but the first pages": func(t *testing.T, root string) {
			file, err := os.OpenFile(filepath.Join(root, meta), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			info, err := file.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.WriteAt(bytes.Repeat([]byte{0xff}, int(info.Size())-8192), 8192); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newSecondDaemon(t)
			a.run(t, "run", true)
			a.kill(t)
			hurt(t, a.RootDir)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx) }()
			defer func() {
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}()
			var aside []string
			for begin := time.Now(); len(aside) == 0; time.Sleep(time.Millisecond) {
				if time.Since(begin) > deadline {
					t.Fatal("nothing was put aside in time")
				}
				var err error
				if aside, err = filepath.Glob(a.RootDir + ".damaged-*"); err != nil {
					t.Fatal(err)
				}
			}
			states, err := a.runtime.List(t.Context())
			if err != nil || len(states) > 0 {
				t.Errorf("%+v, %v", states, err)
			}
			for _, p := range processes(t) {
				if bytes.HasPrefix(p.line, []byte("/app\x00idle")) {
					t.Errorf("process %d of a lost container is left", p.pid)
				}
			}
			a.run(t, "run", true)
			if err := a.runtime.Remove(t.Context(), "run"); err != nil {
				t.Error(err)
			}
		})
	}
}

// A daemon that was started by a process that died before it answered is waited
// for, and no second one is started.
func TestOneDaemonAtATime(t *testing.T) {
	a := newSecondDaemon(t)
	a.kill(t)
	slow := filepath.Join(t.TempDir(), "containerd")
	script := "#!/bin/sh\nsleep 1\nexec " + a.Binaries.Containerd + " \"$@\"\n"
	if err := os.WriteFile(slow, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	starter := exec.Command("/proc/self/exe", "ensure", a.StateDir, a.RootDir, slow)
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	for len(daemons(t, a.StateDir)) == 0 && t.Context().Err() == nil {
		time.Sleep(time.Millisecond)
	}
	first := daemons(t, a.StateDir)
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait() // it was killed
	if _, err := a.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := daemons(t, a.StateDir); len(first) != 1 || len(second) != 1 || first[0] != second[0] {
		t.Errorf("daemons: %v, then %v", first, second)
	}
}
