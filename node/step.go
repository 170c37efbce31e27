package node

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/host"
)

// Waiting times that nobody configures.
const (
	prepareTimeout = time.Minute      // for files, control group, interface
	killAgain      = 10 * time.Second // from one SIGKILL to the next
	shipTimeout    = 10 * time.Second // what STOPPED waits for the last output
	retryAfter     = time.Second      // after what should not have failed
	inspectAgain   = retryAfter / 10  // when a signal found nothing; its event usually comes before
	// dependencyTimeout is how long a container waits for another that its
	// definition gives no startTimeout. ECS waits for ever; this is ours, and longer
	// than any job takes that a task should have to wait for.
	dependencyTimeout = 24 * time.Hour
)

// Verb is something that can be done for a task.
type Verb string

// The verbs. Make and Drop are about a resource of the whole task ("files",
// "cgroup", "network"), the others about a container.
const (
	Make    Verb = "make"
	Drop    Verb = "drop"
	Pull    Verb = "pull"
	OpenLog Verb = "openlog"
	Fetch   Verb = "fetch" // the values of its secrets
	Create  Verb = "create"
	Start   Verb = "start"
	Restart Verb = "restart"
	Inspect Verb = "inspect" // see what the runtime has of it
	Signal  Verb = "stop"    // send its stop signal
	Kill    Verb = "kill"    // send SIGKILL
	Check   Verb = "check"   // run its health check once
	Remove  Verb = "remove"
	Ship    Verb = "ship" // say that its output is whole, wait for it to be delivered
)

// Action is one action to take; Of names a container or a resource.
type Action struct {
	Verb Verb
	Of   string
}

// Step decides what comes next for a task: the task as it should be saved, all
// that should be under way, and when to decide again if nothing happens before
// (zero: not by itself). What is under way and no longer in the answer should
// be given up if it can be. It may be called at any time and any number of
// times.
func Step(t Task, now time.Time) (next Task, do []Action, wake time.Time) {
	s := stepper{Task: t.clone(), now: now}
	if s.Status == fargo.TaskStopped {
		return s.Task, nil, time.Time{}
	}
	if !s.Status.Ending() {
		s.decideEnd()
	}
	if s.Status.Ending() {
		s.stopTask()
	} else {
		s.advance()
	}
	return s.Task, s.do, s.wake
}

// stepper computes one step.
type stepper struct {
	Task
	now  time.Time
	do   []Action
	wake time.Time
}

func (s *stepper) want(v Verb, of string) { s.do = append(s.do, Action{v, of}) }

// due reports whether at has come, and otherwise wakes then.
func (s *stepper) due(at time.Time) bool {
	if !s.now.Before(at) {
		return true
	}
	if s.wake.IsZero() || at.Before(s.wake) {
		s.wake = at
	}
	return false
}

// advance leads a task towards RUNNING and keeps it there.
func (s *stepper) advance() {
	if s.Status.Before(fargo.TaskActivating) && !s.attaching() {
		s.Status = fargo.TaskActivating
	}
	prepared := s.prepare()
	s.pull()
	up := true
	for i := range s.Containers {
		c := &s.Containers[i]
		if prepared && !c.over() {
			s.bringUp(i)
		}
		if c.State == host.RunRunning {
			s.check(i)
		}
		up = up && (c.started() || c.over())
	}
	if up && s.Status.Before(fargo.TaskRunning) {
		s.Status = fargo.TaskRunning
		s.StartedAt = s.now
	}
}

// prepare asks for the task's resources and reports whether all are there.
func (s *stepper) prepare() bool {
	ready := true
	if s.PreparingSince.IsZero() {
		s.PreparingSince = s.now
	}
	for _, resource := range s.resources() {
		stage := s.stage(resource)
		if *stage == Ready {
			continue
		}
		ready = false
		*stage = Asked
		if s.due(s.RetryAt) {
			s.want(Make, resource)
		}
	}
	if !ready {
		s.due(s.PreparingSince.Add(prepareTimeout))
	}
	return ready
}

// pull asks for all images, log streams and secrets at once: dependencies hold back
// containers, not what they need.
func (s *stepper) pull() {
	missing := false
	for i, c := range s.Containers {
		a := &s.Assignment.Containers[i]
		if c.Image.Digest == "" && !c.Failed {
			missing = true
			s.want(Pull, a.Name)
		}
		if a.Log != nil && !c.LogOpen && !c.Failed {
			s.want(OpenLog, a.Name)
		}
		if len(a.EnvironmentSecrets()) > 0 && !c.Fetched && !c.Failed {
			s.want(Fetch, a.Name)
		}
	}
	if missing && s.PullStartedAt.IsZero() {
		s.PullStartedAt = s.now
	}
	if !missing && s.PullStoppedAt.IsZero() {
		s.PullStoppedAt = s.now
	}
}

// bringUp asks for a container and then its process, when it is its turn.
func (s *stepper) bringUp(i int) {
	c, a := &s.Containers[i], &s.Assignment.Containers[i]
	switch {
	case c.State == host.RunRunning:
	case c.Restarting:
		c.State = "" // from here on it may run
		s.want(Restart, a.Name)
	case c.StartAsked:
		c.State = "" // from here on it may run
		s.want(Start, a.Name)
	case c.State == host.RunCreated:
		c.StartAsked, c.State = true, ""
		s.want(Start, a.Name)
	case c.complete(a) && s.free(i):
		c.Asked = true
		s.want(Create, a.Name)
	}
}

// check asks for a health check when it is time.
func (s *stepper) check(i int) {
	c, h := &s.Containers[i], s.Assignment.Containers[i].HealthCheck
	if h == nil {
		return
	}
	last := c.CheckedAt
	if last.Before(c.StartedAt) {
		last = c.StartedAt
	}
	if s.due(last.Add(h.Interval)) {
		s.want(Check, s.Assignment.Containers[i].Name)
	}
}

// decideEnd ends the task when there is a reason to, and decides on restarts,
// which are a reason not to.
func (s *stepper) decideEnd() {
	a := &s.Assignment
	switch {
	case a.DesiredStatus == fargo.TaskStopped:
		s.end(a.StopCode, a.StoppedReason)
		return
	case s.Left:
		s.end(a.StopCode, "Task is no longer assigned to this machine")
		return
	}
	for i := range s.Containers {
		s.restart(i)
	}
	for i, c := range s.Containers {
		if c.Failed && (a.Containers[i].Essential || !c.Asked) {
			s.end(fargo.StopTaskFailedToStart, c.Reason)
			return
		}
	}
	for i, c := range s.Containers {
		if c.over() && a.Containers[i].Essential {
			s.end(fargo.StopEssentialContainerExited, "Essential container in task exited")
			return
		}
	}
	if why := cmp.Or(s.Unmountable, s.stuck()); why != "" {
		s.end(fargo.StopTaskFailedToStart, why)
	}
}

// stuck says why a task will never be up; empty when it may.
func (s *stepper) stuck() string {
	ready := true
	for _, resource := range s.resources() {
		ready = ready && *s.stage(resource) == Ready
	}
	if !ready && !s.PreparingSince.IsZero() && s.due(s.PreparingSince.Add(prepareTimeout)) {
		if s.Network != Ready && s.Assignment.Interface != nil {
			return "Timeout waiting for network interface provisioning to complete."
		}
		if s.attaching() {
			s.VolumeFailure = volumeTimeout
			return volumeTimeout
		}
		return "ResourceInitializationError: the task's files and limits could not be prepared in time"
	}
	for i := range s.Containers {
		if why := s.blocked(i); why != "" {
			return why
		}
	}
	return ""
}

// restart decides whether a stopped container starts anew in place: its exit
// code is not ignored, and it ran for long enough.
// Source: ECS developer guide, "Restart individual containers in Amazon ECS
// tasks with container restart policies".
func (s *stepper) restart(i int) {
	c, p := &s.Containers[i], s.Assignment.Containers[i].Restart
	if p == nil || !c.over() || c.ExitCode == nil || c.Failed || slices.Contains(p.IgnoredExitCodes, *c.ExitCode) {
		return
	}
	if c.FinishedAt.Sub(c.StartedAt) >= p.AttemptPeriod {
		c.Restarting = true
		c.Restarts++
	}
}

// end turns the task towards STOPPED.
func (s *stepper) end(code fargo.StopCode, reason string) {
	s.Status = fargo.TaskStopping
	s.StopCode, s.StoppedReason = code, reason
	s.StoppingAt = s.now
	if !s.PullStartedAt.IsZero() && s.PullStoppedAt.IsZero() {
		s.PullStoppedAt = s.now
	}
}

// free reports whether all that container i waits for has come to pass.
func (s *stepper) free(i int) bool {
	for _, d := range s.dependencies(i) {
		if on := s.index(d.Container); on >= 0 && !s.met(d.Condition, on) {
			return false
		}
	}
	return true
}

// met reports whether container on fulfils a condition.
// Source: ECS API, ContainerDependency.
func (s *stepper) met(condition string, on int) bool {
	c := &s.Containers[on]
	exited := c.over() && c.ExitCode != nil
	switch condition {
	case "COMPLETE":
		return exited
	case "SUCCESS":
		return exited && *c.ExitCode == 0
	case "HEALTHY":
		return c.Health == desired.Healthy
	default: // START
		return c.started() || c.over()
	}
}

// blocked says why container i can never be created; empty when it may.
// startTimeout is the dependency's, counted from the dependency's start.
func (s *stepper) blocked(i int) string {
	if s.Containers[i].Asked {
		return ""
	}
	for _, d := range s.dependencies(i) {
		on := s.index(d.Container)
		if on < 0 || s.met(d.Condition, on) {
			continue
		}
		name := s.Assignment.Containers[i].Name
		c, limit := &s.Containers[on], s.Assignment.Containers[on].StartTimeout
		if c.over() {
			return fmt.Sprintf("dependency graph: failed to resolve container ordering dependency [%s] for target [%s] as dependency did not exit successfully.", d.Container, name)
		}
		if limit == 0 {
			limit = dependencyTimeout
		}
		if c.started() && s.due(c.StartedAt.Add(limit)) {
			return fmt.Sprintf("dependency graph: container ordering dependency [%s] for target [%s] has timed out.", d.Container, name)
		}
	}
	return ""
}

// dependencies are those of container i: the ones of its definition, and the
// one whose PID namespace it joins.
func (s *stepper) dependencies(i int) []desired.Dependency {
	a := &s.Assignment
	deps := a.Containers[i].DependsOn
	if owner := pidOwner(a); owner >= 0 && owner != i {
		deps = append(slices.Clip(deps), desired.Dependency{Container: a.Containers[owner].Name, Condition: "START"})
	}
	return deps
}

// pidOwner is the container whose PID namespace the others join: the first
// essential one that waits for nobody. -1 means each has its own.
func pidOwner(a *desired.Assignment) int {
	if a.PIDMode != "task" {
		return -1
	}
	first := -1
	for i, c := range a.Containers {
		if len(c.DependsOn) > 0 {
			continue
		}
		if c.Essential {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}
