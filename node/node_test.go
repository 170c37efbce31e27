package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/node/nodetest"
)

func TestOneTaskRunsAndIsStopped(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"nginx": {Output: []string{"hello", "world"}}})
		h.plane.AddGroup("g")
		defer h.start()()
		h.assign(task("a", desired.ContainerAssignment{
			Name: "web", Image: "nginx", Essential: true,
			Environment: []string{"X=1"}, Log: &desired.LogTarget{Group: "g", Stream: "s"},
		}))
		r := h.reach(0, fargo.TaskRunning)
		if c := r.Containers[0]; c.Status != fargo.ContainerRunning || c.ImageDigest != "sha256:nginx" || c.RuntimeID != "a-0" {
			t.Errorf("container: %+v", c)
		}
		spec, _ := h.runtime.Spec("a-0")
		if want := []string{
			"AWS_EXECUTION_ENV=AWS_ECS_FARGATE", "HOSTNAME=ip-10-0-0-7.ec2.internal", "X=1",
			"ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/a-0", "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/a-0", "ECS_AGENT_URI=http://169.254.170.2/api/a-0",
		}; !slices.Equal(spec.Environment, want) {
			t.Errorf("environment %q", spec.Environment)
		}
		if spec.NetNS != "/netns/eni-a" || spec.CgroupPath != "/a/a-0" || spec.Hostname != "ip-10-0-0-7.ec2.internal" {
			t.Errorf("spec: %+v", spec)
		}
		h.stopTask(0, fargo.StopUserInitiated, "Task stopped by user")
		r = h.reach(0, fargo.TaskStopped)
		if r.StopCode != fargo.StopUserInitiated || r.StoppedReason != "Task stopped by user" || *r.Containers[0].ExitCode != 143 {
			t.Errorf("stopped: %+v", r)
		}
		for name, at := range map[string]time.Time{"pull": r.PullStartedAt, "pulled": r.PullStoppedAt, "started": r.StartedAt, "stopping": r.StoppingAt, "execution stopped": r.ExecutionStoppedAt, "stopped": r.StoppedAt} {
			if at.IsZero() {
				t.Errorf("no time: %s", name)
			}
		}
		if got := h.plane.Messages("g", "s"); !slices.Equal(got, []string{"hello", "world"}) {
			t.Errorf("messages %q", got)
		}
		h.empty()
	})
}

// The statuses come in the order of ECS's developer guide, "Amazon ECS task
// lifecycle"; the times of one status may pass unseen.
func TestOrderOfContainers(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{
			"init": {Exits: true, After: time.Second}, "db": {Healthy: 20 * time.Second}, "web": {},
		})
		defer h.start()()
		h.assign(task("a",
			desired.ContainerAssignment{Name: "web", Image: "web", Essential: true, DependsOn: []desired.Dependency{{Container: "db", Condition: "HEALTHY"}}},
			desired.ContainerAssignment{
				Name: "db", Image: "db", Essential: true, DependsOn: []desired.Dependency{{Container: "init", Condition: "SUCCESS"}},
				HealthCheck: &desired.HealthCheck{Command: []string{"CMD-SHELL", "true"}, Interval: 5 * time.Second, Timeout: 2 * time.Second, Retries: 3, StartPeriod: 10 * time.Second},
			},
			desired.ContainerAssignment{Name: "init", Image: "init"},
		))
		r := h.reach(0, fargo.TaskRunning)
		if r.Containers[1].Health != desired.Healthy || r.Containers[0].Health != desired.HealthUnknown {
			t.Errorf("health: %+v", r.Containers)
		}
		h.stopTask(0, fargo.StopUserInitiated, "Task stopped by user")
		h.reach(0, fargo.TaskStopped)
		want := "create a-2, start a-2, exit a-2 0, create a-1, start a-1, create a-0, start a-0, " +
			"SIGTERM a-0, exit a-0 143, SIGTERM a-1, exit a-1 143"
		if got := strings.Join(h.runtime.History(), ", "); !strings.HasPrefix(got, want) {
			t.Errorf("history:\n%s\nwant:\n%s", got, want)
		}
		h.empty()
	})
}
