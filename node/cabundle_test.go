package node_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/node/nodetest"
)

// Containers of tasks with an interface find Fargo's authority in a file that they cannot
// change, unless the control plane is older and names none; and whoever sets AWS_CA_BUNDLE
// keeps what they set, for ours is a default.
func TestTasksTrustTheAPIs(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		stop := h.start()
		before := one("before", "image")
		h.assign(before)
		h.reach(0, fargo.TaskRunning)
		if m, env := bundleOf(h, before); m.Source != "" || len(env) > 0 {
			t.Errorf("without an authority there are %+v and %q", m, env)
		}
		after := one("after", "image")
		h.tasks = append(h.tasks, after)
		h.plane.Set(machine, desired.State{Tasks: h.tasks, Platform: desired.Platform{Upstream: "http://127.0.0.1:4566", CA: "the authority\n"}})
		h.reach(1, fargo.TaskRunning)
		m, env := bundleOf(h, after)
		if !m.ReadOnly || !slices.Equal(env, []string{"AWS_CA_BUNDLE=" + m.Target}) {
			t.Errorf("with an authority there are %+v and %q", m, env)
		}
		content, err := os.ReadFile(m.Source)
		if err != nil || !strings.HasPrefix(string(content), "the authority\n") {
			t.Errorf("the file has %.40q, %v", content, err)
		}
		stop()
	})
}

// bundleOf is how a task's container finds the authorities that it should trust.
func bundleOf(h *fixture, a desired.Assignment) (m host.Mount, env []string) {
	spec, _ := h.runtime.Spec(a.Containers[0].RuntimeID)
	for _, mount := range spec.Mounts {
		if strings.Contains(mount.Target, "ca-bundle") {
			m = mount
		}
	}
	return m, slices.DeleteFunc(spec.DefaultEnvironment, func(v string) bool { return !strings.HasPrefix(v, "AWS_CA_BUNDLE=") })
}
