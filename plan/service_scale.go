package plan

import (
	"cmp"
	"slices"
	"time"

	"fargo"
)

// desired is how many tasks the service should have.
func (p *servicePlan) desired() int {
	if p.s.Daemon() {
		return p.Nodes
	}
	return p.s.DesiredCount()
}

// scale moves the service one step towards its desired count of healthy tasks
// of its newest deployment.
// Source: ECS developer guide, "Deploy Amazon ECS services by replacing tasks".
func (p *servicePlan) scale() {
	desired := p.desired()
	lower, upper := Bounds(p.s, desired)
	d := p.primary()
	p.stopSurplus(desired)
	p.stopOld(d, desired, lower, upper)
	p.replaceBad(d, desired, lower, upper)

	// A bad task that is waiting for its replacement does not count as one of
	// those the deployment has.
	need := desired - len(p.of(d, func(m *member) bool { return !bad(m) }))
	room := upper - len(p.of(nil, nil))
	p.launch(d, min(need, room))
	if need > 0 && room <= 0 && lower >= upper && len(p.old()) > 0 {
		p.event("was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
	}
}

// stopSurplus stops what is more than desired, whatever its deployment: after a
// scale-in, the least useful first.
func (p *servicePlan) stopSurplus(desired int) {
	current := p.of(p.primary(), nil)
	surplus := len(current) - desired
	// A replacement of a bad task may be more than desired until it is healthy.
	surplus -= min(len(p.of(p.primary(), bad)), max(0, surplus))
	if surplus <= 0 {
		return
	}
	p.stop(p.leastUseful(current, surplus), p.scalingReason())
}

func (p *servicePlan) scalingReason() string {
	return "Scaling activity initiated by (deployment " + p.primary().ID + ")"
}

// leastUseful chooses n tasks to stop: not the protected; those that are not
// healthy first, then from the zone with the most tasks, the newest first.
// Source: ECS developer guide, "How Amazon ECS places tasks", on scale-in.
func (p *servicePlan) leastUseful(tasks []*member, n int) []*member {
	left := slices.DeleteFunc(slices.Clone(tasks), func(m *member) bool { return m.Protected })
	zones := map[string]int{}
	for _, m := range tasks {
		zones[zone(m)]++
	}
	var out []*member
	for len(out) < n && len(left) > 0 {
		worst := slices.MinFunc(left, func(a, b *member) int {
			return cmp.Or(
				cmp.Compare(rank(a), rank(b)),
				cmp.Compare(zones[zone(b)], zones[zone(a)]),
				b.task.Intent.CreatedAt.Compare(*a.task.Intent.CreatedAt),
				cmp.Compare(a.task.ID, b.task.ID),
			)
		})
		zones[zone(worst)]--
		out = append(out, worst)
		left = slices.DeleteFunc(left, func(m *member) bool { return m == worst })
	}
	return out
}

func zone(m *member) string { return str(m.task.Intent.AvailabilityZone) }

// rank is how much a task is worth: the bad least, the healthy most.
func rank(m *member) int {
	switch {
	case m.verdict == Bad:
		return 0
	case m.task.LastStatus().Before(fargo.TaskRunning):
		return 1
	case m.verdict == Unsettled:
		return 2
	}
	return 3
}

// stopOld stops tasks of older deployments: those that do no work at once, the
// others as healthy new ones take their place, or, when there is no room for new
// ones, as far as the lower bound allows. A deployment that failed takes nobody's
// place.
func (p *servicePlan) stopOld(d *fargo.Deployment, desired, lower, upper int) {
	if len(p.old()) == 0 || d.Rollout == "FAILED" {
		return
	}
	p.stop(slices.DeleteFunc(p.old(), func(m *member) bool { return works(m) || m.Protected }), p.scalingReason())
	old := p.old()
	replaced := len(old) - max(0, desired-len(p.of(d, good)))
	missing := desired - len(p.of(d, nil))
	blocked := missing - (upper - len(p.of(nil, nil)))
	victims := p.leastUseful(old, max(replaced, min(missing, blocked)))

	// Of those that count as healthy no more than the lower bound can spare; of
	// those that do not yet, none before they are replaced.
	spare := len(p.of(nil, good)) - lower
	unproven := replaced
	p.stop(slices.DeleteFunc(victims, func(m *member) bool {
		if good(m) {
			spare--
			return spare < 0
		}
		unproven--
		return unproven < 0
	}), p.scalingReason())
}

// works: it runs and nothing speaks against it.
func works(m *member) bool { return m.task.LastStatus() == fargo.TaskRunning && m.verdict != Bad }

// replaceBad stops unhealthy tasks: when their replacements are healthy, or
// before, one at a time, when there is no room for a replacement.
// Source: ECS developer guide, "Amazon ECS services", on replacing unhealthy
// tasks.
func (p *servicePlan) replaceBad(d *fargo.Deployment, desired, _, upper int) {
	sick := p.of(d, bad)
	if len(sick) == 0 {
		return
	}
	enough := len(p.of(d, good)) >= desired
	full := len(p.of(nil, nil)) >= upper
	switch {
	case enough:
	case full:
		sick = sick[:1]
	default:
		// Room for a replacement: it comes first. But a task that never was
		// healthy does no work to wait for.
		sick = slices.DeleteFunc(sick, func(m *member) bool { return m.task.Settled })
	}
	for _, m := range sick {
		p.event(unhealthyEvent(m))
		p.stop([]*member{m}, m.why)
	}
}

// launch makes n more tasks of d, unless launches are held back.
func (p *servicePlan) launch(d *fargo.Deployment, n int) {
	if n <= 0 || d.Rollout == "FAILED" {
		return
	}
	if p.now.Before(p.s.Throttle.Until) {
		p.lookAgain(p.s.Throttle.Until)
		return
	}
	var made []*fargo.Task
	for range n {
		t, err := p.Make(d)
		if err != nil {
			p.event("failed to launch a task with (error " + err.Error() + ").")
			p.throttle()
			p.lookAgain(p.s.Throttle.Until)
			break
		}
		made = append(made, t)
	}
	p.launched = append(p.launched, made...)
	p.event(startedEvent(made))
}

// Launches that fail in a row are spaced out: not the first few, then doubling.
// Source: ECS developer guide, "Amazon ECS service throttle logic"; the curve
// between nothing and the maximum is our own.
const (
	patience    = 3
	maxThrottle = 27 * time.Minute
)

func (p *servicePlan) throttle() {
	t := &p.s.Throttle
	t.Failures++
	p.changed = true
	if t.Failures < patience {
		return
	}
	if t.Failures == patience {
		p.event("is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
	}
	delay := time.Second << min(t.Failures-patience, 11)
	t.Until = p.now.Add(min(delay, maxThrottle))
}
