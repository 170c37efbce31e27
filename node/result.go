package node

import (
	"errors"
	"regexp"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/host"
)

// Result is the outcome of an action. Only what its verb gives is set.
type Result struct {
	Err   error
	Image host.Image          // of Pull
	State host.ContainerState // of Inspect
	Exit  int                 // of Check
}

// withResult is t after an action ended at now.
func (t Task) withResult(a Action, r Result, now time.Time) Task {
	t = t.clone()
	if a.Verb == Make || a.Verb == Drop {
		t.applyToResource(a, r, now)
		return t
	}
	i := t.index(a.Of)
	c := &t.Containers[i]
	switch a.Verb {
	case Pull:
		c.Image = r.Image
		c.fail("CannotPullContainerError", r.Err)
	case OpenLog:
		c.LogOpen = r.Err == nil
		c.fail("ResourceInitializationError: failed to initialize logging driver", r.Err)
	case Fetch:
		c.Fetched = r.Err == nil
		c.fail("ResourceInitializationError", r.Err)
	case Create:
		c.State = host.RunCreated
		if r.Err == nil {
			c.CreatedAt = now
		}
		c.fail("CannotCreateContainerError", r.Err)
	case Start, Restart:
		c.applyStart(r, now)
	case Inspect:
		if r.Err == nil || errdefs.IsNotFound(r.Err) {
			t.observe(i, r.State, r.Err == nil, now)
		} else {
			c.RetryAt = now.Add(retryAfter)
		}
	case Signal, Kill:
		c.applySignal(a.Verb, r, now)
	case Check:
		c.applyHealthCheck(t.Assignment.Containers[i].HealthCheck, r, now)
	case Remove:
		c.Removed = r.Err == nil
		if r.Err != nil {
			c.RetryAt = now.Add(retryAfter)
		}
	case Ship:
		c.Shipped = r.Err == nil
	}
	return t
}

func (t *Task) applyToResource(a Action, r Result, now time.Time) {
	var unmountable *unmountableError
	switch {
	case errors.As(r.Err, &unmountable):
		t.Unmountable = unmountable.reason
		if unmountable.block {
			t.VolumeFailure = unmountable.reason
		}
	case r.Err != nil:
		t.RetryAt = now.Add(retryAfter)
	case a.Verb == Make:
		*t.stage(a.Of) = Ready
	default:
		*t.stage(a.Of) = Gone
	}
}

// applyStart also ends a restart: one that fails leaves a container that exited
// and will not be started anew.
func (c *Container) applyStart(r Result, now time.Time) {
	switch {
	case r.Err == nil:
		c.run(now)
	case c.Restarting:
		c.State, c.Restarting = host.RunStopped, false
		c.Reason = text("CannotStartContainerError", r.Err)
	default:
		c.fail("CannotStartContainerError", r.Err)
	}
}

// run notes that the container's process has begun.
func (c *Container) run(at time.Time) {
	c.State, c.StartAsked, c.Restarting = host.RunRunning, true, false
	c.StartedAt = at
	c.ExitCode, c.Reason = nil, ""
	c.Health, c.Failures = "", 0
	c.HealthSince, c.HealthExitCode = time.Time{}, 0
}

// observe applies what the runtime has of container i.
func (t *Task) observe(i int, s host.ContainerState, found bool, now time.Time) {
	c := &t.Containers[i]
	stopped := found && s.State == host.RunStopped
	sameRun := !stopped || s.FinishedAt.Equal(c.FinishedAt)
	switch {
	case c.over() || !c.Asked:
	case found && s.State == host.RunRunning:
		if c.State != host.RunRunning {
			c.run(or(s.StartedAt, now))
		}
	case c.Restarting && sameRun:
		c.State = host.RunStopped // not started anew yet
		c.Restarting = !t.Status.Ending()
	case !found:
		c.lost(now)
	case stopped:
		c.exit(s, now)
	case !c.started():
		c.State = host.RunCreated
	}
}

// lost notes that the runtime has no such container. One that may have run is
// not run again.
func (c *Container) lost(now time.Time) {
	c.State = ""
	if c.StartAsked {
		c.State = host.RunStopped
		c.FinishedAt, c.ExitCode = now, nil
		c.Reason = "CannotInspectContainerError: the container is no longer on the machine"
	}
}

func (c *Container) exit(s host.ContainerState, now time.Time) {
	if started := or(s.StartedAt, c.StartedAt); !started.IsZero() {
		c.StartedAt = started
	} else {
		c.StartedAt = now
	}
	c.State, c.StartAsked, c.Restarting = host.RunStopped, true, false
	c.FinishedAt = s.FinishedAt
	c.ExitCode = new(s.ExitCode)
	c.Reason = ""
	if s.OOMKilled {
		c.Reason = "OutOfMemoryError: Container killed due to memory usage"
	}
}

func or(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// applySignal: a signal that found nothing means that the state is not what we
// thought.
func (c *Container) applySignal(v Verb, r Result, now time.Time) {
	switch {
	case errdefs.IsNotFound(r.Err):
		c.State = ""
		c.RetryAt = now.Add(inspectAgain)
	case r.Err != nil:
		c.RetryAt = now.Add(retryAfter)
	case v == Signal:
		c.SignalledAt = now
	default:
		c.KilledAt = now
	}
}

// applyHealthCheck counts failures in a row, but not those of the start period before
// the first success.
// Source: ECS API, HealthCheck.
func (c *Container) applyHealthCheck(h *desired.HealthCheck, r Result, now time.Time) {
	if c.State != host.RunRunning {
		return
	}
	c.CheckedAt = now
	c.HealthExitCode = r.Exit
	before := c.Health
	starting := c.Health == "" && now.Sub(c.StartedAt) < h.StartPeriod
	switch {
	case r.Err == nil && r.Exit == 0:
		c.Health, c.Failures = desired.Healthy, 0
	case !starting:
		if c.Failures++; c.Failures >= h.Retries {
			c.Health = desired.Unhealthy
		}
	}
	if c.Health != before {
		c.HealthSince = now
	}
}

// fail notes that the container cannot be made or started.
func (c *Container) fail(prefix string, err error) {
	if err != nil {
		c.Failed, c.Reason = true, text(prefix, err)
	}
}

var ecsError = regexp.MustCompile(`^[A-Z][A-Za-z]*(Error|Exception|Timeout): `)

// text is an error in ECS's form: its kind, a colon, the particulars.
func text(prefix string, err error) string {
	if s := err.Error(); ecsError.MatchString(s) {
		return s
	}
	return prefix + ": " + err.Error()
}
