package node

import (
	"time"

	"fargo"
	"fargo/host"
)

// stopTask leads an ending task to STOPPED: containers stop, then are removed, then
// the resources of the whole task are.
func (s *stepper) stopTask() {
	if s.Status.Before(fargo.TaskDeprovisioning) {
		if !s.stopContainers() {
			return
		}
		s.Status = fargo.TaskDeprovisioning
		if !s.StartedAt.IsZero() || s.anyStarted() {
			s.ExecutionStoppedAt = s.now
		}
	}
	if !s.removeContainers() {
		return
	}
	if s.RemovedAt.IsZero() {
		s.RemovedAt = s.now
	}
	gone, shipped := s.dropResources(), s.ship()
	if gone && shipped {
		s.Status = fargo.TaskStopped
		s.StoppedAt = s.now
	}
}

func (s *stepper) anyStarted() bool {
	for i := range s.Containers {
		if s.Containers[i].started() {
			return true
		}
	}
	return false
}

// stopContainers asks each container to stop once those that depend on it are
// down, and reports whether all are.
func (s *stepper) stopContainers() bool {
	all := true
	for i := range s.Containers {
		c := &s.Containers[i]
		if c.down() {
			continue
		}
		all = false
		if s.dependentsDown(i) && s.routed(i) {
			s.stop(i)
		}
	}
	return all
}

// dependentsDown reports whether all containers that depend on i are down.
func (s *stepper) dependentsDown(i int) bool {
	name := s.Assignment.Containers[i].Name
	for j := range s.Containers {
		for _, d := range s.dependencies(j) {
			if d.Container == name && !s.Containers[j].down() {
				return false
			}
		}
	}
	return true
}

// routed reports whether container i, when it is the task's log router, has what the
// others have written, or was waited for long enough. All of a container's output is
// there when it is removed.
func (s *stepper) routed(i int) bool {
	if s.Assignment.Containers[i].Router == nil || s.Containers[i].State != host.RunRunning || len(s.dependencies(i)) > 0 {
		return true // one that waits for others is stopped before them
	}
	all, since := true, s.StoppingAt
	for j := range s.Containers {
		c, a := &s.Containers[j], &s.Assignment.Containers[j]
		switch {
		case j == i || a.Route == nil || !c.Asked || c.Shipped:
			continue
		case !c.down():
			return false
		case c.Removed:
			s.want(Ship, a.Name)
		case s.due(c.RetryAt):
			s.want(Remove, a.Name)
		}
		all = false
		if c.FinishedAt.After(since) {
			since = c.FinishedAt
		}
	}
	return all || s.due(since.Add(shipTimeout))
}

// stop takes the next action against a container that runs or may run.
func (s *stepper) stop(i int) {
	c, a := &s.Containers[i], &s.Assignment.Containers[i]
	if !s.due(c.RetryAt) {
		return
	}
	switch {
	case c.State != host.RunRunning:
		s.want(Inspect, a.Name)
	case c.SignalledAt.IsZero():
		s.want(Signal, a.Name)
	case s.due(c.SignalledAt.Add(a.StopTimeout)) && (c.KilledAt.IsZero() || s.due(c.KilledAt.Add(killAgain))):
		s.want(Kill, a.Name)
	}
}

// removeContainers reports whether none is left.
func (s *stepper) removeContainers() bool {
	all := true
	for i := range s.Containers {
		c := &s.Containers[i]
		if !c.Asked || c.Removed {
			continue
		}
		all = false
		if s.due(c.RetryAt) {
			s.want(Remove, s.Assignment.Containers[i].Name)
		}
	}
	return all
}

// dropResources reports whether no resource of the task is left.
func (s *stepper) dropResources() bool {
	all := true
	for _, resource := range s.resources() {
		stage := *s.stage(resource)
		if stage == "" || stage == Gone {
			continue
		}
		all = false
		if s.due(s.RetryAt) {
			s.want(Drop, resource)
		}
	}
	return all
}

// ship reports whether all output is delivered, or was waited for long enough:
// the files hold it, and it is delivered even after the task is forgotten.
func (s *stepper) ship() bool {
	deadline := s.RemovedAt.Add(shipTimeout)
	all := true
	for i := range s.Containers {
		c, a := &s.Containers[i], &s.Assignment.Containers[i]
		if !c.Asked || a.Log == nil || c.Shipped {
			continue
		}
		all = false
		s.want(Ship, a.Name)
	}
	return all || s.due(deadline)
}

// recovered is t after its node was restarted: what the runtime has of its
// containers is applied, and what may have been lost with the machine is asked for
// again. Nothing of what already happened to a container is forgotten.
func recovered(t Task, states map[string]host.ContainerState, now time.Time) Task {
	t = t.clone()
	if t.Status.Before(fargo.TaskRunning) {
		t.PreparingSince = time.Time{}
		for _, resource := range t.resources() {
			if stage := t.stage(resource); *stage == Ready {
				*stage = Asked
			}
		}
	}
	for i := range t.Containers {
		if c := &t.Containers[i]; c.Asked && !c.Removed {
			state, found := states[t.Assignment.Containers[i].RuntimeID]
			t.observe(i, state, found, now)
		}
	}
	return t
}
