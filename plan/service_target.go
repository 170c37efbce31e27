package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
)

// keepTargets registers running tasks in their target groups, takes out those
// that are to stop or have stopped, and lets go of tasks whose targets are gone.
// A task is told to stop only when no load balancer knows it any more.
// Source: ECS developer guide, "Use load balancing to distribute Amazon ECS
// service traffic".
func (p *servicePlan) keepTargets() {
	for _, m := range p.tasks {
		t := m.task
		switch {
		case len(t.LoadBalancers) == 0:
		case m.wanted() && t.LastStatus() == fargo.TaskRunning && len(t.Targets) == 0:
			p.enter(m)
		case !m.wanted() && len(t.Targets) > 0:
			p.release(m)
		}
	}
	p.announce("registered", p.register)
	p.announce("deregistered", p.deregister)
	for _, d := range slices.Sorted(maps.Keys(p.draining)) {
		p.tell(drainingText(p.s, d, p.draining[d]))
	}
}

// enter registers a task in its target groups, those of them that can have it.
// Source: aws/containers-roadmap issue 1107, for the event when that fails.
func (p *servicePlan) enter(m *member) {
	var refs []record.TargetRef
	for _, l := range m.task.LoadBalancers {
		ref, err := targetOf(m.task, l, p.Groups(*l.TargetGroupArn))
		if err != nil {
			p.complain(fmt.Sprintf("failed to register targets in (target-group %s) with (error %s)", *l.TargetGroupArn, err))
			continue
		}
		refs = append(refs, ref)
	}
	if len(refs) > 0 {
		m.edit().Targets = refs
		p.register = append(p.register, refs...)
	}
}

// targetOf is what a task is in a target group: its address of the group's family. An
// error is what Elastic Load Balancing would refuse it with.
func targetOf(t *record.Task, l ecs.LoadBalancer, use GroupUse) (ref record.TargetRef, err error) {
	address, family := t.Interface.Address, "IPv4"
	if use.IPv6 {
		address, family = t.Interface.IPv6, "IPv6"
	}
	switch {
	case !use.Exists:
		return ref, errors.New("One or more target groups not found") //nolint:staticcheck // AWS's text
	case !address.IsValid():
		return ref, fmt.Errorf("The IP address '%s' is not a valid %s address", t.Interface.Primary(), family) //nolint:staticcheck // AWS's text
	}
	return record.TargetRef{Group: *l.TargetGroupArn, ID: address.String(), Port: int(*l.ContainerPort), Zone: aws.Value(t.Intent.AvailabilityZone)}, nil
}

// release begins to drain a task's targets, or, when they are gone, forgets
// them.
func (p *servicePlan) release(m *member) {
	left, leaving := false, len(p.deregister)
	for _, ref := range m.task.Targets {
		for _, target := range m.Targets {
			if target.Key() != ref.Key() {
				continue
			}
			left = true
			if target.DrainingSince.IsZero() {
				p.deregister = append(p.deregister, ref)
			}
		}
	}
	if !left {
		m.edit().Targets = nil
	}
	if len(p.deregister) > leaving {
		p.draining[m.deployment()]++
	}
}

// announce says once for each group how many targets came or went.
func (p *servicePlan) announce(verb string, refs []record.TargetRef) {
	counts, order := map[string]int{}, []string{}
	for _, r := range refs {
		if counts[r.Group] == 0 {
			order = append(order, r.Group)
		}
		counts[r.Group]++
	}
	for _, g := range order {
		p.tell(eventText(p.s, targetsEvent(verb, g, counts[g])))
	}
}
