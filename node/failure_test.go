package node_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/node/nodetest"
)

// An interface that cannot be made ends its task, not the node: others run once
// it is given up.
func TestInterfaceThatCannotBeMade(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		defer h.start()()
		bad := one("bad", "image")
		bad.Interface.VPC = "vpc-none"
		h.assign(bad)
		r := h.reach(0, fargo.TaskStopped)
		if r.StopCode != fargo.StopTaskFailedToStart || r.StoppedReason != "Timeout waiting for network interface provisioning to complete." {
			t.Errorf("report: %+v", r)
		}
		h.assign(bad, one("good", "image"))
		h.reach(1, fargo.TaskRunning)
		h.empty()
	})
}

// A node whose files were damaged goes on with what it can read, and takes away
// what it no longer knows.
func TestBrokenFiles(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		h.plane.AddGroup("g")
		stop := h.start()
		a, b := one("a", "image"), one("b", "image")
		a.Containers[0].Log = &desired.LogTarget{Group: "g", Stream: "s"}
		h.assign(a, b)
		h.reach(0, fargo.TaskRunning)
		h.reach(1, fargo.TaskRunning)
		stop()
		for _, path := range []string{
			filepath.Join(h.dir, "tasks/a/task.json"), filepath.Join(h.dir, "logs/a-0.json"), filepath.Join(h.memory, "data-plane", "index.json"),
		} {
			if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h.assign(b)
		h.tasks = []desired.Assignment{a, b}
		defer h.start()()
		time.Sleep(time.Second)
		synctest.Wait()
		if _, there := h.runtime.Spec("a-0"); there {
			t.Error("a container that nobody knows is still there")
		}
		if _, there := h.runtime.Spec("b-0"); !there || h.report(1).Status != fargo.TaskRunning {
			t.Error("the other task is gone")
		}
		h.empty()
	})
}

// What has no business in a node's folder, or cannot be read there, is put aside,
// and does not keep the node from anything.
func TestStrayFiles(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		stop := h.start()
		a := one("a", "image")
		h.assign(a)
		h.reach(0, fargo.TaskRunning)
		stop()
		for _, path := range []string{"tasks/file", "tasks/copy/task.json", "tasks/link", "tasks/null/task.json"} {
			path = filepath.Join(h.dir, path)
			content := []byte("null")
			if filepath.Base(filepath.Dir(path)) == "copy" {
				var err error
				if content, err = os.ReadFile(filepath.Join(h.dir, "tasks/a/task.json")); err != nil {
					t.Fatal(err)
				}
			}
			if filepath.Base(path) == "link" {
				if err := os.Symlink("link", path); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{
			filepath.Join(h.dir, "tasks/dir/task.json"), filepath.Join(h.dir, "logs/x.json"), filepath.Join(h.memory, "data-plane", "index.json"),
		} {
			if err := errors.Join(os.RemoveAll(path), os.MkdirAll(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}
		fifo := filepath.Join(h.dir, "tasks/fifo/task.json")
		if err := errors.Join(os.MkdirAll(filepath.Dir(fifo), 0o700), unix.Mkfifo(fifo, 0o600)); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing stray any more
			stop := h.start()
			time.Sleep(time.Second)
			synctest.Wait()
			if h.report(0).Status != fargo.TaskRunning {
				t.Errorf("report: %+v", h.report(0))
			}
			stop()
		}
		tasks, err := os.ReadDir(filepath.Join(h.dir, "tasks"))
		if err != nil || len(tasks) != 1 {
			t.Errorf("tasks: %v, %v", tasks, err)
		}
		aside, err := os.ReadDir(filepath.Join(h.dir, "damaged"))
		if err != nil || len(aside) != 8 {
			t.Errorf("aside: %v, %v", aside, err)
		}
		defer h.start()()
		h.empty()
	})
}

// A folder whose name a file has taken is made.
func TestFileInPlaceOfAFolder(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		for _, name := range []string{"tasks", "logs"} {
			if err := os.WriteFile(filepath.Join(h.dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		defer h.start()()
		h.assign(one("a", "image"))
		h.reach(0, fargo.TaskRunning)
		h.empty()
	})
}

// No step before RUNNING takes for ever: the task ends, and says why.
func TestEveryStepIsBounded(t *testing.T) {
	for step, want := range map[string]string{
		"pull":    "ContainerRuntimeTimeoutError: Could not transition to pulled; timed out after waiting 2h0m0s",
		"create":  "ContainerRuntimeTimeoutError: Could not transition to created; timed out after waiting 4m0s",
		"start":   "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 3m0s",
		"openlog": "ResourceInitializationError: failed to initialize logging driver: the control plane did not answer for 1h0m0s",
	} {
		simulated(t, func(t *testing.T) {
			h := newFixture(t, map[string]nodetest.Script{"image": {}})
			h.through = stuck{h.runtime, step}
			h.unresponsive = step == "openlog"
			defer h.start()()
			a := one("a", "image")
			if h.unresponsive {
				a.Containers[0].Log = &desired.LogTarget{Group: "g", Stream: "s"}
			}
			h.assign(a)
			if r := h.reach(0, fargo.TaskStopped); r.StopCode != fargo.StopTaskFailedToStart || r.StoppedReason != want {
				t.Errorf("%s: %+v", step, r)
			}
			h.empty()
		})
	}
}

// stuck is a runtime that never ends one of its steps by itself.
type stuck struct {
	*nodetest.Runtime
	step string
}

func (s stuck) wait(ctx context.Context, step string) error {
	if s.step != step {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s stuck) Pull(ctx context.Context, image string, src desired.PullSource, login host.Login) (host.Image, error) {
	if err := s.wait(ctx, "pull"); err != nil {
		return host.Image{}, err
	}
	return s.Runtime.Pull(ctx, image, src, login)
}

func (s stuck) Create(ctx context.Context, spec host.ContainerSpec) error {
	return errors.Join(s.wait(ctx, "create"), s.Runtime.Create(ctx, spec))
}

func (s stuck) Start(ctx context.Context, id string) error {
	return errors.Join(s.wait(ctx, "start"), s.Runtime.Start(ctx, id))
}

// A volume's name cannot lead out of the task's folder.
func TestVolumeNames(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		defer h.start()()
		a := one("a", "image")
		a.Volumes = []string{"../../../outside"}
		h.assign(a)
		if r := h.reach(0, fargo.TaskStopped); r.StopCode != fargo.StopTaskFailedToStart {
			t.Errorf("report: %+v", r)
		}
		if _, err := os.Stat(filepath.Join(h.dir, "outside")); err == nil {
			t.Error("a folder outside was made")
		}
		h.empty()
	})
}

// A task that is to be stopped when it arrives does nothing; one that leaves is
// stopped.
func TestNeverBegunAndLeft(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		defer h.start()()
		a := one("a", "image")
		a.DesiredStatus, a.StopCode, a.StoppedReason = fargo.TaskStopped, fargo.StopUserInitiated, "Task stopped by user"
		h.assign(a)
		if r := h.reach(0, fargo.TaskStopped); r.StopCode != fargo.StopUserInitiated || !r.ExecutionStoppedAt.IsZero() {
			t.Errorf("report: %+v", r)
		}
		if got := h.runtime.History(); len(got) > 0 {
			t.Errorf("history: %v", got)
		}
		h.assign(one("b", "image"))
		h.reach(0, fargo.TaskRunning)
		h.empty()
	})
}
