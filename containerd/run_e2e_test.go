//go:build e2e

package containerd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/host"
)

func TestExitCodeStaysUntilRemove(t *testing.T) {
	s := spec(t, "exit", "7")
	start(t, s)
	state := ended(t, s.ID)
	if state.ExitCode != 7 || state.OOMKilled || state.StartedAt.IsZero() || state.FinishedAt.Before(state.StartedAt) {
		t.Errorf("%+v", state)
	}
	if state.TaskID != s.TaskID || state.Name != "main" || state.ImageDigest != tests.digest {
		t.Errorf("%+v", state)
	}
	if err := tests.runtime.Remove(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := tests.runtime.Inspect(t.Context(), s.ID); !errdefs.IsNotFound(err) {
		t.Errorf("after Remove: %v", err)
	}
	if err := tests.runtime.Remove(t.Context(), s.ID); err != nil {
		t.Errorf("Remove again: %v", err)
	}
}

func TestEveryStepMayBeRepeated(t *testing.T) {
	s := spec(t, "idle")
	for range 2 {
		if err := tests.runtime.Create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if state, err := tests.runtime.Inspect(t.Context(), s.ID); err != nil || state.State != host.RunCreated {
		t.Fatalf("%+v, %v", state, err)
	}
	for range 2 {
		if err := tests.runtime.Start(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := tests.runtime.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	ready(t, s, "ready")
	for range 2 {
		if err := tests.runtime.Signal(t.Context(), s.ID, tests.runtime.StopSignal(t.Context(), s.ID)); err != nil {
			t.Fatal(err)
		}
		if state := ended(t, s.ID); state.ExitCode != 0 {
			t.Errorf("%+v", state)
		}
	}
	if err := tests.runtime.Start(t.Context(), s.ID); err != nil {
		t.Errorf("Start after the end: %v", err)
	}
	ready(t, s, "bye")
}

func TestSIGKILLExits137(t *testing.T) {
	s := spec(t, "deaf")
	start(t, s)
	ready(t, s, "ready")
	for _, signal := range []string{"SIGTERM", "9"} {
		if err := tests.runtime.Signal(t.Context(), s.ID, signal); err != nil {
			t.Fatal(err)
		}
	}
	if state := ended(t, s.ID); state.ExitCode != 137 || state.OOMKilled {
		t.Errorf("%+v", state)
	}
}

// A container that was never started goes at once: runc waits ten seconds for one
// that nobody has killed before.
func TestRemoveBeforeStart(t *testing.T) {
	s := spec(t, "idle")
	if err := tests.runtime.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := tests.runtime.Remove(ctx, s.ID); err != nil {
		t.Error(err)
	}
}

func TestOutOfMemory(t *testing.T) {
	s := spec(t, "eat")
	s.Memory = 16
	start(t, s)
	if state := ended(t, s.ID); state.ExitCode != 137 || !state.OOMKilled {
		t.Errorf("%+v", state)
	}
}

func TestOutputOfBothStreamsIsInTheLog(t *testing.T) {
	s := spec(t, "say", "hello", "log")
	start(t, s)
	ended(t, s.ID)
	ready(t, s, "hello log\n")
	ready(t, s, "and on stderr\n")
}

// What a process says last is in the log, whichever stream it says it on: the
// streams end at the same moment.
func TestLastWordsAreInTheLog(t *testing.T) {
	for n := range 20 {
		s := specOf(t, fmt.Sprintf("last-words-%d", n), "say", "hello", "log")
		start(t, s)
		ended(t, s.ID)
		if err := tests.runtime.Remove(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		if log, err := os.ReadFile(s.LogPath); err != nil || !strings.Contains(string(log), "hello log\n") || !strings.Contains(string(log), "and on stderr\n") {
			t.Errorf("%q, %v", log, err)
		}
	}
}

func TestCommandThatIsNotThere(t *testing.T) {
	s := spec(t)
	s.EntryPoint = []string{"nonesuch"}
	err := tests.runtime.Create(t.Context(), s)
	if err == nil || !strings.HasPrefix(err.Error(), "CannotStartContainerError: ResourceInitializationError: ") ||
		!strings.Contains(err.Error(), `exec: "nonesuch": executable file not found in $PATH`) {
		t.Errorf("error = %v", err)
	}
	if _, err := tests.runtime.Inspect(t.Context(), s.ID); !errdefs.IsNotFound(err) {
		t.Errorf("left behind: %v", err)
	}
}

func TestUserThatIsNotThere(t *testing.T) {
	s := spec(t)
	s.User = "nobody-here"
	err := tests.runtime.Create(t.Context(), s)
	if err == nil || !strings.HasPrefix(err.Error(), "CannotCreateContainerError: unable to find user nobody-here") {
		t.Errorf("error = %v", err)
	}
}

func TestWhatTheProcessSees(t *testing.T) {
	s := spec(t, "facts")
	s.User = "ana"
	s.Environment = []string{"BOTH=spec", "MINE=1"}
	s.Ulimits = []desired.Ulimit{{Name: "nofile", Soft: 1024, Hard: 4096}}
	start(t, s)
	ended(t, s.ID)
	log := ready(t, s, "env MINE=1")
	for _, want := range []string{
		"pid=1 uid=1000 gid=100 groups=[100 2000]",
		"host=box cwd=/work nofile=4096",
		"CapEff:0000000000000000", "CapBnd:00000000a80425fb", "NoNewPrivs:0", "Seccomp:2",
		"env FROM=image", "env BOTH=spec", "env HOME=/home/ana", "env HOSTNAME=box",
		"env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in:\n%s", want, log)
		}
	}
}

func TestRootHasDockersCapabilities(t *testing.T) {
	s := spec(t, "facts")
	s.CapAdd, s.CapDrop = []string{"SYS_PTRACE"}, []string{"CAP_MKNOD"}
	start(t, s)
	ended(t, s.ID)
	if log := ready(t, s, "env HOME=/root"); !strings.Contains(log, "CapEff:00000000a00c25fb") {
		t.Error(log)
	}
}

func TestReadonlyRootFileSystem(t *testing.T) {
	s := spec(t, "write", "/file", "x")
	s.ReadonlyRootfs = true
	start(t, s)
	if state := ended(t, s.ID); state.ExitCode != 1 {
		t.Errorf("%+v", state)
	}
	ready(t, s, "read-only file system")
}

func TestVolumeIsFilledFromTheImageOnce(t *testing.T) {
	volume := t.TempDir()
	s := spec(t, "read", "/data/seed")
	s.Mounts = []host.Mount{{Source: volume, Target: "/data", CopyUp: true}}
	start(t, s)
	if state := ended(t, s.ID); state.ExitCode != 0 {
		t.Errorf("%+v", state)
	}
	ready(t, s, "planted")
}

func TestContainersOfATaskShareOneShimAndMaySharePIDs(t *testing.T) {
	first := spec(t, "idle")
	first.CgroupPath = "/fargo-test/shared/first"
	start(t, first)
	second := first
	second.ID, second.PIDOf, second.Command = first.ID+"-2", first.ID, []string{"facts"}
	second.CgroupPath = "/fargo-test/shared/second"
	second.LogPath = first.LogPath + "2"
	t.Cleanup(func() {
		if err := tests.runtime.Remove(context.Background(), second.ID); err != nil {
			t.Error(err)
		}
	})
	start(t, second)
	ended(t, second.ID)
	if log := ready(t, second, "pid="); strings.Contains(log, "pid=1 ") {
		t.Error(log)
	}
	one, err := tests.runtime.Inspect(t.Context(), first.ID)
	if err != nil || one.State != host.RunRunning {
		t.Fatalf("%+v, %v", one, err)
	}
	all, err := tests.runtime.List(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestTaskHasOneShimThatEndsWithIt(t *testing.T) {
	first := spec(t, "idle")
	second := first
	second.ID, second.CgroupPath, second.LogPath = first.ID+"-2", first.CgroupPath+"-2", first.LogPath+"2"
	t.Cleanup(func() {
		if err := tests.runtime.Remove(context.Background(), second.ID); err != nil {
			t.Error(err)
		}
	})
	start(t, first)
	start(t, second)
	var shims []int
	for _, id := range []string{first.ID, second.ID} {
		state, err := tests.runtime.Inspect(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		shims = append(shims, parent(t, state.PID))
	}
	if shims[0] != shims[1] {
		t.Errorf("shims %d", shims)
	}
	for i, id := range []string{first.ID, second.ID} {
		if err := tests.runtime.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if i == 0 && syscall.Kill(shims[0], 0) != nil {
			t.Error("the shim ended before its last container")
		}
	}
	onlyReadyShims(t)
}

// A task that fails before it has a container leaves no shim.
func TestFailureLeavesNoShim(t *testing.T) {
	s := spec(t, "idle")
	s.User = "nobody-here"
	if err := tests.runtime.Create(t.Context(), s); err == nil {
		t.Fatal("no error")
	}
	onlyReadyShims(t)
}

// onlyReadyShims waits until no shim is there but those that are kept ready.
func onlyReadyShims(t *testing.T) {
	t.Helper()
	var there []string
	for begin := time.Now(); time.Since(begin) < deadline; time.Sleep(time.Millisecond) {
		var err error
		if there, err = filepath.Glob(filepath.Join(tests.daemon.StateDir, "w", "*")); err != nil {
			t.Fatal(err)
		}
		if len(there) <= 2 {
			return
		}
	}
	t.Errorf("left behind: %q", there)
}

func TestInitReapsAndForwards(t *testing.T) {
	s := spec(t, "orphan")
	s.Init = true
	start(t, s)
	ready(t, s, "ready")
	if err := tests.runtime.Signal(t.Context(), s.ID, "TERM"); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, s.ID); state.ExitCode != 0 {
		t.Errorf("%+v", state)
	}
	ready(t, s, "bye")
}

func TestTerminal(t *testing.T) {
	s := spec(t, "say", "hello")
	s.Tty = true
	start(t, s)
	ended(t, s.ID)
	ready(t, s, "hello\r\n")
}

func TestOpenInputBlocks(t *testing.T) {
	s := spec(t, "cat")
	s.Stdin = true
	start(t, s)
	if err := tests.runtime.Signal(t.Context(), s.ID, "KILL"); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, s.ID); state.ExitCode != 137 { // 0 if the input had ended
		t.Errorf("%+v", state)
	}
}

func TestUsage(t *testing.T) {
	s := spec(t, "idle")
	start(t, s)
	ready(t, s, "ready")
	used, err := tests.runtime.Usage(t.Context(), s.ID)
	if err != nil || used.CPU <= 0 || used.Memory <= 0 || used.Memory > 1<<30 {
		t.Errorf("%+v, %v", used, err)
	}
}
