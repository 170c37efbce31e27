//go:build e2e

package containerd_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"fargo/containerd"
	"fargo/host"
)

// SIGKILL of containerd interrupts no container, and nothing of it is forgotten.
func TestContainersSurviveContainerd(t *testing.T) {
	running, over := spec(t, "tick"), spec(t, "exit", "3")
	over.ID += "-over"
	over.CgroupPath += "-over"
	t.Cleanup(func() {
		if err := tests.runtime.Remove(context.Background(), over.ID); err != nil {
			t.Error(err)
		}
	})
	start(t, running)
	start(t, over)
	ended(t, over.ID)
	before, err := tests.runtime.Inspect(t.Context(), running.ID)
	if err != nil {
		t.Fatal(err)
	}
	events := tests.runtime.Events(t.Context())
	if id := <-events; id != "" {
		t.Errorf("first event = %q", id)
	}

	killDaemon(t)

	for id := range events { // it says when it is back, and that something may be missed
		if id == "" {
			break
		}
	}
	after, err := tests.runtime.Inspect(t.Context(), running.ID)
	if err != nil || after.State != host.RunRunning || after.PID != before.PID || !after.StartedAt.Equal(before.StartedAt) {
		t.Errorf("%+v, %v, before: %+v", after, err, before)
	}
	if state := ended(t, over.ID); state.ExitCode != 3 {
		t.Errorf("%+v", state)
	}
	log := ready(t, running, "tick 9\n")
	ready(t, running, "tick "+strconv.Itoa(strings.Count(log, "\n")+9)+"\n") // still written
	if err := tests.runtime.Signal(t.Context(), running.ID, "KILL"); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, running.ID); state.ExitCode != 137 {
		t.Errorf("%+v", state)
	}
}

// What happens while containerd is dead is known when it is back.
func TestEndWhileContainerdIsDead(t *testing.T) {
	s := spec(t, "tick")
	start(t, s)
	state, err := tests.runtime.Inspect(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	killDaemon(t)
	if err := unix.Kill(state.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, s.ID); state.ExitCode != 137 {
		t.Errorf("%+v", state)
	}
}

// A killed shim takes its containers with it; the id can be used again.
func TestKilledShim(t *testing.T) {
	s := spec(t, "tick")
	start(t, s)
	ready(t, s, "tick 1")
	state, err := tests.runtime.Inspect(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(parent(t, state.PID), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, s.ID); state.ExitCode != 137 {
		t.Errorf("%+v", state)
	}
	if err := tests.runtime.Remove(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join("/sys/fs/cgroup/memory", s.CgroupPath)); err == nil {
		t.Error("control group left behind")
	}
	start(t, s)
	if state, err := tests.runtime.Inspect(t.Context(), s.ID); err != nil || state.State != host.RunRunning {
		t.Errorf("%+v, %v", state, err)
	}
}

// Both at once, so that nobody is there to clean up after the shim.
func TestKilledShimAndContainerd(t *testing.T) {
	s := spec(t, "tick")
	start(t, s)
	state, err := tests.runtime.Inspect(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	shim := parent(t, state.PID)
	killDaemon(t)
	if err := unix.Kill(shim, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, s.ID); state.ExitCode != 137 {
		t.Errorf("%+v", state)
	}
	if err := tests.runtime.Remove(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	start(t, s)
}

// A second supervisor finds the daemon of the first.
func TestDaemonIsAdopted(t *testing.T) {
	before := daemonPID(t)
	again := *tests.daemon
	if _, err := again.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := daemonPID(t); after != before {
		t.Errorf("pid %d, before %d", after, before)
	}
}

func TestDaemonThatCannotStartSaysWhy(t *testing.T) {
	broken := *tests.daemon
	state, err := os.MkdirTemp("/run", "fargo-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(state)
	broken.StateDir, broken.RootDir, broken.Cgroup = state, t.TempDir(), ""
	broken.Binaries.Containerd = filepath.Join(t.TempDir(), "containerd")
	script := "#!/bin/sh\necho no room >&2\nexit 1\n"
	if err := os.WriteFile(broken.Binaries.Containerd, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Ensure(t.Context()); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("error = %v", err)
	}
}

func TestStartTakesOverWhatACrashLeft(t *testing.T) {
	s := spec(t, "idle")
	// As after a crash between Create and Start: another Runtime, nothing kept.
	if err := tests.runtime.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	other, err := containerd.New(tests.config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Start(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	ready(t, s, "ready")
}

func killDaemon(t testing.TB) {
	t.Helper()
	if err := unix.Kill(daemonPID(t), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func daemonPID(t testing.TB) int {
	t.Helper()
	var peer *unix.Ucred
	for begin := time.Now(); time.Since(begin) < deadline; time.Sleep(time.Millisecond) {
		connection, err := net.Dial("unix", tests.daemon.Address())
		if err != nil {
			continue
		}
		defer connection.Close()
		raw, err := connection.(*net.UnixConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		})
		if err != nil || peer == nil {
			t.Fatal(err)
		}
		return int(peer.Pid)
	}
	t.Fatal("no daemon")
	return 0
}

func parent(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if number, ok := strings.CutPrefix(line, "PPid:"); ok {
			ppid, err := strconv.Atoi(strings.TrimSpace(number))
			if err != nil {
				t.Fatal(err)
			}
			return ppid
		}
	}
	t.Fatal("no parent")
	return 0
}

// Signalling what a dead shim took along is signalling what has ended.
func TestSignalAfterKilledShim(t *testing.T) {
	s := spec(t, "tick")
	start(t, s)
	state, err := tests.runtime.Inspect(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(parent(t, state.PID), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ended(t, s.ID)
	if err := tests.runtime.Signal(t.Context(), s.ID, "SIGTERM"); err != nil {
		t.Error(err)
	}
	if err := tests.runtime.Signal(t.Context(), "absent", "SIGTERM"); !errdefs.IsNotFound(err) {
		t.Errorf("error = %v", err)
	}
}
