package node_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/node/nodetest"
)

// An interface that cannot be made ends its task, not the node: others run once
// it is given up.
func TestInterfaceThatCannotBeMade(t *testing.T) {
	inTime(t, func(t *testing.T) {
		h := newHouse(t, map[string]nodetest.Script{"image": {}})
		defer h.begin()()
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
	inTime(t, func(t *testing.T) {
		h := newHouse(t, map[string]nodetest.Script{"image": {}})
		h.plane.AddGroup("g")
		stop := h.begin()
		a, b := one("a", "image"), one("b", "image")
		a.Containers[0].Log = &fargo.LogTarget{Group: "g", Stream: "s"}
		h.assign(a, b)
		h.reach(0, fargo.TaskRunning)
		h.reach(1, fargo.TaskRunning)
		stop()
		for _, path := range []string{
			filepath.Join(h.dir, "tasks/a/task.json"), filepath.Join(h.dir, "logs/a-0.json"), filepath.Join(h.memory, "desired.json"),
		} {
			if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h.assign(b)
		h.tasks = []fargo.Assignment{a, b}
		defer h.begin()()
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

// A volume's name cannot lead out of the task's folder.
func TestVolumeNames(t *testing.T) {
	inTime(t, func(t *testing.T) {
		h := newHouse(t, map[string]nodetest.Script{"image": {}})
		defer h.begin()()
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
	inTime(t, func(t *testing.T) {
		h := newHouse(t, map[string]nodetest.Script{"image": {}})
		defer h.begin()()
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
