package node_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/node/nodetest"
)

// one is a task of one essential container.
func one(id, image string) desired.Assignment {
	return task(id, desired.ContainerAssignment{Name: "web", Image: image, Essential: true})
}

// Stopped reasons as in the ECS developer guide, "Stopped tasks error messages".
func TestReasons(t *testing.T) {
	tests := []struct {
		name   string
		script nodetest.Script
		log    *desired.LogTarget
		code   fargo.StopCode
		reason string // of the task
		of     string // of the container
		exit   int    // -1: none
	}{
		{
			name: "exit", script: nodetest.Script{Exits: true, Code: 3},
			code: fargo.StopEssentialContainerExited, reason: "Essential container in task exited", exit: 3,
		},
		{
			name: "out of memory", script: nodetest.Script{Exits: true, Code: 137, OOM: true},
			code: fargo.StopEssentialContainerExited, reason: "Essential container in task exited",
			of: "OutOfMemoryError: Container killed due to memory usage", exit: 137,
		},
		{
			name: "pull", script: nodetest.Script{PullError: "CannotPullContainerError: no"},
			code: fargo.StopTaskFailedToStart, reason: "CannotPullContainerError: no", of: "CannotPullContainerError: no", exit: -1,
		},
		{
			name: "create", script: nodetest.Script{CreateError: "no such user"},
			code: fargo.StopTaskFailedToStart, reason: "CannotCreateContainerError: no such user", of: "CannotCreateContainerError: no such user", exit: -1,
		},
		{
			name: "start", script: nodetest.Script{StartError: "exec: nope"},
			code: fargo.StopTaskFailedToStart, reason: "CannotStartContainerError: exec: nope", of: "CannotStartContainerError: exec: nope", exit: -1,
		},
		{
			name: "log group", log: &desired.LogTarget{Group: "none"},
			code:   fargo.StopTaskFailedToStart,
			reason: "ResourceInitializationError: failed to validate logger args: The specified log group does not exist.: none",
			of:     "ResourceInitializationError: failed to validate logger args: The specified log group does not exist.: none", exit: -1,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			simulated(t, func(t *testing.T) {
				h := newFixture(t, map[string]nodetest.Script{"image": test.script})
				defer h.start()()
				a := one("a", "image")
				a.Containers[0].Log = test.log
				h.assign(a)
				r := h.reach(0, fargo.TaskStopped)
				c := r.Containers[0]
				if r.StopCode != test.code || r.StoppedReason != test.reason || c.Reason != test.of || c.Status != fargo.ContainerStopped {
					t.Errorf("report: %+v", r)
				}
				if (c.ExitCode == nil) != (test.exit < 0) || c.ExitCode != nil && *c.ExitCode != test.exit {
					t.Errorf("exit code: %v", c.ExitCode)
				}
				h.empty()
			})
		})
	}
}

// SIGKILL follows when stopTimeout is over.
func TestStubbornContainerIsKilled(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {Lingers: -1}})
		defer h.start()()
		h.assign(one("a", "image"))
		h.reach(0, fargo.TaskRunning)
		h.stopTask(0, fargo.StopUserInitiated, "Task stopped by user")
		r := h.reach(0, fargo.TaskStopped)
		if took := r.ExecutionStoppedAt.Sub(r.StoppingAt).Round(time.Second); took != 30*time.Second || *r.Containers[0].ExitCode != 137 {
			t.Errorf("took %s, %+v", took, r.Containers[0])
		}
		h.empty()
	})
}

// A restart policy starts a container anew, under the same id, and the task
// stays RUNNING.
func TestRestartPolicy(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {Exits: true, After: 2 * time.Minute, Code: 1, Output: []string{"up"}}})
		h.plane.AddGroup("g")
		stop := h.start()
		a := one("a", "image")
		a.Containers[0].Restart = &desired.RestartPolicy{AttemptPeriod: time.Minute}
		a.Containers[0].Log = &desired.LogTarget{Group: "g", Stream: "s"}
		h.assign(a)
		h.reach(0, fargo.TaskRunning)
		time.Sleep(3 * time.Minute)
		stop()
		time.Sleep(2 * time.Minute) // it exits while the node is away
		defer h.start()()
		time.Sleep(time.Second)
		synctest.Wait()
		r := h.report(0)
		if r.Status != fargo.TaskRunning || r.Containers[0].Restarts != 2 || r.Containers[0].Status != fargo.ContainerRunning {
			t.Errorf("report: %+v", r)
		}
		h.stopTask(0, fargo.StopUserInitiated, "Task stopped by user")
		h.reach(0, fargo.TaskStopped)
		if got := h.plane.Messages("g", "s"); !slices.Equal(got, []string{"up", "up", "up"}) {
			t.Errorf("messages %q", got)
		}
		h.empty()
	})
}

// Many tasks at once share few Sets of the network, and one whose image is slow
// holds back no other.
func TestManyTasks(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		h.network.Delay = 50 * time.Millisecond
		defer h.start()()
		var tasks []desired.Assignment
		for i := range 100 {
			tasks = append(tasks, one(fmt.Sprintf("t%d", i), "image"))
		}
		begun := time.Now()
		h.assign(tasks...)
		for i := range tasks {
			h.reach(i, fargo.TaskRunning)
		}
		if _, sets := h.network.Now(); sets > 3 {
			t.Errorf("%d Sets for 100 tasks", sets)
		}
		if took := time.Since(begun); took > 200*time.Millisecond {
			t.Errorf("took %s", took)
		}
		h.empty()
	})
}

// What a task needs on its way is all it waits for: one Set of the network, also
// when its security group's members change with it, then create and start.
func TestStartTakesNoDetours(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		defer h.start()()
		time.Sleep(time.Second)
		for i, tasks := range [][]desired.Assignment{{one("a", "image")}, {one("a", "image"), one("b", "image")}} {
			begun := time.Now()
			h.assign(tasks...)
			h.reach(i, fargo.TaskRunning)
			if took := time.Since(begun); took != h.network.Delay+2*h.runtime.Delay {
				t.Errorf("task %d took %s", i, took)
			}
		}
		h.empty()
	})
}

// Without a control plane tasks run on, come to their ends and are reported
// later; a node that restarts meanwhile changes nothing about that.
func TestControlPlaneAway(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{
			"server": {}, "job": {Exits: true, After: time.Minute, Output: []string{"done"}},
		})
		h.plane.AddGroup("g")
		stop := h.start()
		job := one("job", "job")
		job.Containers[0].Log = &desired.LogTarget{Group: "g", Stream: "s"}
		h.assign(one("server", "server"), job)
		h.reach(0, fargo.TaskRunning)
		h.reach(1, fargo.TaskRunning)
		stop()
		h.disconnected = true
		stop = h.start()
		time.Sleep(5 * time.Minute)
		stop()
		if h.report(1).Status != fargo.TaskRunning {
			t.Errorf("the control plane knows of %s", h.report(1).Status)
		}
		h.disconnected = false
		defer h.start()()
		r := h.reach(1, fargo.TaskStopped)
		if took := r.ExecutionStoppedAt.Sub(r.StartedAt).Round(time.Second); took != time.Minute {
			t.Errorf("the job ended after %s", took)
		}
		if h.report(0).Status != fargo.TaskRunning {
			t.Errorf("the server is %s", h.report(0).Status)
		}
		time.Sleep(time.Second)
		if got := h.plane.Messages("g", "s"); !slices.Equal(got, []string{"done"}) {
			t.Errorf("messages %q", got)
		}
		h.empty()
	})
}

// After the machine was switched off its tasks are over, and none is run again.
func TestMachineSwitchedOff(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		stop := h.start()
		h.assign(one("a", "image"))
		h.reach(0, fargo.TaskRunning)
		stop()
		h.runtime.Lose()
		defer h.start()()
		r := h.reach(0, fargo.TaskStopped)
		if r.StopCode != fargo.StopEssentialContainerExited || r.Containers[0].ExitCode != nil {
			t.Errorf("report: %+v", r)
		}
		h.empty()
	})
}

// Containers of tasks that nobody knows are removed.
func TestStrayContainersGo(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		for _, id := range []string{"x-0", "y-0"} {
			if err := h.runtime.Create(context.Background(), host.ContainerSpec{ID: id, ContainerAssignment: desired.ContainerAssignment{Image: "image"}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.runtime.Start(context.Background(), "y-0"); err != nil {
			t.Fatal(err)
		}
		defer h.start()()
		h.empty()
	})
}

func TestFilesAndVolumes(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		defer h.start()()
		a := task("a",
			desired.ContainerAssignment{Name: "web", Image: "image", Essential: true, MountPoints: []desired.MountPoint{{Volume: "data", Path: "/data"}}},
			desired.ContainerAssignment{
				Name: "side", Image: "image",
				MountPoints: []desired.MountPoint{{Volume: "own", Path: "/own", ReadOnly: true}},
				VolumesFrom: []desired.VolumeFrom{{Container: "web", ReadOnly: true}},
			},
		)
		a.Volumes = []string{"data", "own"}
		h.assign(a)
		h.reach(0, fargo.TaskRunning)
		spec, _ := h.runtime.Spec("a-1")
		var got []string
		for _, m := range spec.Mounts {
			source, err := filepath.Rel(h.dir, m.Source)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(source, " ", m.Target, " ", m.ReadOnly, " ", m.CopyUp))
			if _, err := os.Stat(m.Source); err != nil {
				t.Error(err)
			}
		}
		want := []string{
			"tasks/a/etc/hostname /etc/hostname false false",
			"tasks/a/etc/hosts /etc/hosts false false",
			"tasks/a/etc/resolv.conf /etc/resolv.conf false false",
			"tasks/a/volumes/own /own true true",
			"tasks/a/volumes/data /data true true",
		}
		if !slices.Equal(got, want) {
			t.Errorf("mounts:\n%s", strings.Join(got, "\n"))
		}
		for name, want := range map[string]string{
			"hosts":       "127.0.0.1 localhost\n10.0.0.7 ip-10-0-0-7.ec2.internal\n",
			"hostname":    "ip-10-0-0-7.ec2.internal\n",
			"resolv.conf": "search ec2.internal\nnameserver 169.254.169.253\n",
		} {
			if got, err := os.ReadFile(filepath.Join(h.dir, "tasks/a/etc", name)); err != nil || string(got) != want {
				t.Errorf("%s: %q %v", name, got, err)
			}
		}
		h.empty()
	})
}
