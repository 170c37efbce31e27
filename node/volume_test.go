package node_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/node/nodetest"
)

// withVolume is a task with one volume of its own.
func withVolume(v desired.BlockVolume) desired.Assignment {
	a := one("a", "image")
	v.Volume = "data"
	a.BlockVolumes = []desired.BlockVolume{v}
	a.Containers[0].MountPoints = []desired.MountPoint{{Volume: "data", Path: "/data", ReadOnly: true}}
	return a
}

// A volume is mounted whole, and goes with its task unless it is to be kept. A node that
// starts again takes neither away.
func TestBlockVolume(t *testing.T) {
	for dir, keep := range map[string]bool{"storage": false, "volumes": true} {
		t.Run(dir, func(t *testing.T) {
			simulated(t, func(t *testing.T) {
				h := newFixture(t, map[string]nodetest.Script{"image": {}})
				stop := h.start()
				h.assign(withVolume(desired.BlockVolume{ID: "vol-1", FileSystem: "xfs", Keep: keep}))
				h.reach(0, fargo.TaskRunning)
				path := filepath.Join(h.dir, dir, "vol-1")
				spec, _ := h.runtime.Spec("a-0")
				if !slices.Contains(spec.Mounts, host.Mount{Source: path, Target: "/data", ReadOnly: true}) {
					t.Errorf("mounts: %+v", spec.Mounts)
				}
				stop()
				defer h.start()()
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
				h.stopTask(0, fargo.StopUserInitiated, "Task stopped by user")
				r := h.reach(0, fargo.TaskStopped)
				if _, err := os.Stat(path); (err == nil) != keep || r.VolumeFailure != "" {
					t.Errorf("kept: %v, %+v", err, r)
				}
				h.empty()
			})
		})
	}
}

// A task whose volume the machine cannot have says so, and does not begin.
func TestImpossibleBlockVolume(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		defer h.start()()
		h.assign(withVolume(desired.BlockVolume{ID: "vol-1", FileSystem: "ext3"}))
		r := h.reach(0, fargo.TaskStopped)
		const why = "volume vol-1: no ext3: not implemented"
		if r.StopCode != fargo.StopTaskFailedToStart || r.StoppedReason != why || r.VolumeFailure != why {
			t.Errorf("report: %+v", r)
		}
		for _, seen := range h.seen {
			for _, s := range seen {
				if s.Status == fargo.TaskActivating {
					t.Errorf("activated without its volume: %+v", s)
				}
			}
		}
		h.empty()
	})
}
