package plan

import (
	"slices"

	"fargo/aws/ecs"
	"fargo/record"
)

// rolling replaces the tasks of older deployments by those of the primary one, a
// few at a time, within the bounds of the deployment configuration.
// Source: ECS developer guide, "Deploy Amazon ECS services by replacing tasks".
type rolling struct{ *servicePlan }

func (p rolling) advance() {
	desired := p.desired()
	lower, upper := Bounds(p.s, desired)
	d := p.primary()
	p.finishMoves(d, desired)
	p.stopSurplus(d, desired, lower)
	p.stopOld(d, desired, lower, upper)
	p.replaceUnhealthy(d, desired, upper)
	p.restore(d, lower, upper)

	// An unhealthy task that is waiting for its replacement does not count as one of
	// those the deployment has.
	need := desired - len(p.of(d, mayBeHealthy))
	room := upper - len(p.of(nil, nil)) - len(p.launched)
	p.launch(d, min(need, room))
	if need > 0 && room <= 0 && lower >= upper && len(p.old()) > 0 {
		p.complain("was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
	}
}

// stopSurplus stops what is more than desired after a scale-in, the least useful
// first: of the newest deployment, or of all when that one has failed and takes
// nobody's place.
func (p rolling) stopSurplus(d *record.Deployment, desired, lower int) {
	current := p.of(d, nil)
	if d.Rollout == ecs.DeploymentRolloutStateFailed {
		current = p.of(nil, nil)
	}
	surplus := len(current) - desired - p.s.Rebalance.Moving
	// A replacement of an unhealthy task may be more than desired until it is healthy.
	surplus -= min(len(p.of(d, isUnhealthy)), max(0, surplus))
	if surplus <= 0 {
		return
	}
	victims := p.leastUseful(p.withoutReplacements(current, min(lower, desired)), surplus)
	held := len(victims) < surplus
	victims = p.dispensable(victims, lower)
	p.stop(victims, p.scalingReason())
	p.shrunk = len(victims) > 0
	if held {
		p.sayProtected(current)
	}
}

// stopOld stops tasks of older deployments: those that do no work at once, the
// others as healthy new ones take their place, or, when there is no room for new
// ones, as far as the lower bound allows. A deployment that failed takes nobody's
// place.
func (p rolling) stopOld(d *record.Deployment, desired, lower, upper int) {
	if len(p.old()) == 0 || d.Rollout == ecs.DeploymentRolloutStateFailed {
		return
	}
	p.endUnhealthy(slices.DeleteFunc(p.old(), mayBeHealthy))
	p.stop(slices.DeleteFunc(p.old(), func(m *member) bool { return works(m) || m.Protected || p.restored(m) }), p.scalingReason())
	old := slices.DeleteFunc(p.old(), func(m *member) bool { return !works(m) })
	replaced := len(old) - max(0, desired-len(p.of(d, isHealthy)))
	missing := desired - len(p.of(d, nil))
	blocked := missing - (upper - len(p.of(nil, nil)))
	victims := p.leastUseful(old, max(replaced, min(missing, blocked)))
	if replaced > len(victims) {
		p.sayProtected(old)
	}

	// Of those that do not count as healthy yet, none before it is replaced.
	p.stop(slices.DeleteFunc(p.dispensable(victims, lower), func(m *member) bool {
		replaced--
		return !isHealthy(m) && replaced < 0
	}), p.scalingReason())
}

// last is the deployment that was completed last, nil when it has no tasks any
// more or is the newest one.
func (p rolling) last() *record.Deployment {
	if d := p.find(p.s.Completed); d != nil && !d.Retired && d.ID != p.primary().ID {
		return d
	}
	return nil
}

// restore replaces what the last completed deployment loses while the newest
// one's tasks keep failing, or after that one has failed, so that an update that
// goes wrong does not wear down what works.
// Source: ECS developer guide, "Update service parameters": a replacement is of
// the same revision as the task that failed.
func (p rolling) restore(d *record.Deployment, lower, upper int) {
	last := p.last()
	if last == nil || d.FailedTasks == 0 {
		return
	}
	if last.FailedTasks > 0 && p.now.Before(p.s.Throttle.Until) {
		return
	}
	id := d.ID
	have := len(p.of(d, isHealthy)) + len(p.of(nil, func(m *member) bool { return m.deployment() != id && mayBeHealthy(m) }))
	p.event(startedEvent(p.start(last, min(lower-have, upper-len(p.of(nil, nil))))))
}

// withoutReplacements leaves out the tasks of older deployments that the lower bound
// counts on though they are not healthy yet: restore would start them again at once.
func (p rolling) withoutReplacements(tasks []*member, lower int) []*member {
	id, needed := p.primary().ID, lower-len(p.of(nil, isHealthy))
	return slices.DeleteFunc(slices.Clone(tasks), func(m *member) bool {
		if needed <= 0 || m.deployment() == id || m.Health != HealthPending {
			return false
		}
		needed--
		return true
	})
}

// restored: it was started to replace one of the last completed deployment, and
// is still needed for that.
func (p rolling) restored(m *member) bool {
	d, last := p.primary(), p.last()
	return d.FailedTasks > 0 && last != nil && m.deployment() == last.ID && mayBeHealthy(m) && !m.task.Intent.CreatedAt.Before(d.PrimaryAt)
}

// replaceUnhealthy stops unhealthy tasks: when their replacements are healthy, or
// before, one at a time, when there is no room for a replacement. A task that
// never was healthy does no work to wait for.
// Source: ECS developer guide, "Amazon ECS services", on replacing unhealthy
// tasks.
func (p rolling) replaceUnhealthy(d *record.Deployment, desired, upper int) {
	sick := p.of(d, isUnhealthy)
	if len(sick) == 0 {
		return
	}
	fresh := p.of(d, func(m *member) bool { return isUnhealthy(m) && !m.task.Settled })
	onTheWay := p.of(d, func(m *member) bool { return !isUnhealthy(m) && !isHealthy(m) })
	enough := len(p.of(d, isHealthy)) >= desired
	full := len(p.of(nil, nil)) >= upper
	switch {
	case enough:
	case full && len(fresh)+len(onTheWay) == 0:
		sick = sick[:1]
	default:
		sick = fresh
	}
	p.endUnhealthy(sick)
}

// arrived reports whether the service has all the tasks of its primary deployment
// that it should have, each of them healthy, and no other task.
func (p rolling) arrived() bool {
	d, desired := p.primary(), p.desired()
	for _, o := range p.deployments[1:] {
		if p.hasTasks(o.ID) {
			return false
		}
	}
	return len(p.launched) == 0 && len(p.of(d, nil)) == desired && len(p.of(d, isHealthy)) == desired
}
