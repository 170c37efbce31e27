package plan

import (
	"cmp"
	"fmt"
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
	p.finishMoves(d, desired)
	p.stopSurplus(d, desired, lower)
	p.stopOld(d, desired, lower, upper)
	p.replaceBad(d, desired, upper)
	p.restore(d, lower, upper)

	// A bad task that is waiting for its replacement does not count as one of
	// those the deployment has.
	need := desired - len(p.of(d, notBad))
	room := upper - len(p.of(nil, nil)) - len(p.launched)
	p.launch(d, min(need, room))
	if need > 0 && room <= 0 && lower >= upper && len(p.old()) > 0 {
		p.complain("was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
	}
}

// stopSurplus stops what is more than desired after a scale-in, the least useful
// first: of the newest deployment, or of all when that one has failed and takes
// nobody's place.
func (p *servicePlan) stopSurplus(d *fargo.Deployment, desired, lower int) {
	current := p.of(d, nil)
	if d.Rollout == "FAILED" {
		current = p.of(nil, nil)
	}
	surplus := len(current) - desired - p.s.Rebalance.Moving
	// A replacement of a bad task may be more than desired until it is healthy.
	surplus -= min(len(p.of(d, bad)), max(0, surplus))
	if surplus <= 0 {
		return
	}
	victims := p.leastUseful(current, surplus)
	held := len(victims) < surplus
	victims = p.dispensable(victims, lower)
	p.stop(victims, p.scalingReason())
	p.shrunk = len(victims) > 0
	if held {
		p.sayProtected(current)
	}
}

// dispensable are those of the tasks that the lower bound can do without: it
// wants so many that are healthy, and until they are, so many that work.
func (p *servicePlan) dispensable(tasks []*member, lower int) []*member {
	healthy, working := len(p.of(nil, good))-lower, len(p.of(nil, works))-lower
	return slices.DeleteFunc(tasks, func(m *member) bool {
		if works(m) && working <= 0 || good(m) && healthy <= 0 {
			return true
		}
		if works(m) {
			working--
		}
		if good(m) {
			healthy--
		}
		return false
	})
}

// sayProtected says that tasks are protected which should go.
func (p *servicePlan) sayProtected(tasks []*member) {
	if text, ok := protectedEvent(tasks); ok {
		p.complain("was unable to reach steady state because " + text)
	}
}

func (p *servicePlan) scalingReason() string {
	return "Scaling activity initiated by (deployment " + p.primary().ID + ")"
}

// leastUseful chooses n tasks to stop: not the protected; those that are not
// healthy first, then from the capacity provider that has the most beyond its
// share, from the zone with the most tasks, the newest first.
// Source: ECS developer guide, "How Amazon ECS places tasks", on scale-in.
func (p *servicePlan) leastUseful(tasks []*member, n int) []*member {
	return p.choose(tasks, n, (*tally).byProvider, (*tally).byZone)
}

// choose is leastUseful with its preferences in an order of one's own. Tasks that
// differ in nothing but their age queue up, so that only the first of each queue
// are compared: there may be thousands.
func (p *servicePlan) choose(tasks []*member, n int, prefer ...func(t *tally, a, b *member) int) []*member {
	t := newTally(p, tasks)
	queues := queue(slices.DeleteFunc(slices.Clone(tasks), func(m *member) bool { return m.Protected }))
	var out []*member
	for len(out) < n && len(queues) > 0 {
		at := 0
		for i := range queues {
			a, b := queues[i][0], queues[at][0]
			if cmp.Or(cmp.Compare(rank(a), rank(b)), prefer[0](t, a, b), prefer[1](t, a, b), byAge(a, b)) < 0 {
				at = i
			}
		}
		t.count(queues[at][0], -1)
		out = append(out, queues[at][0])
		if queues[at] = queues[at][1:]; len(queues[at]) == 0 {
			queues = slices.Delete(queues, at, at+1)
		}
	}
	return out
}

// queue puts tasks that are alike into one queue, the newest first.
func queue(tasks []*member) [][]*member {
	type kind struct {
		rank                       int
		deployment, provider, zone string
	}
	slices.SortFunc(tasks, byAge)
	var queues [][]*member
	place := map[kind]int{}
	for _, m := range tasks {
		k := kind{rank(m), m.deployment(), str(m.task.Intent.CapacityProviderName), zone(m)}
		if _, ok := place[k]; !ok {
			place[k] = len(queues)
			queues = append(queues, nil)
		}
		queues[place[k]] = append(queues[place[k]], m)
	}
	return queues
}

func byAge(a, b *member) int {
	return cmp.Or(b.task.Intent.CreatedAt.Compare(*a.task.Intent.CreatedAt), cmp.Compare(a.task.ID, b.task.ID))
}

// tally counts tasks by zone, and those of each deployment by capacity provider.
type tally struct {
	plan      *servicePlan
	zones     map[string]int
	providers map[string]map[string]int
}

func newTally(p *servicePlan, tasks []*member) *tally {
	t := &tally{p, map[string]int{}, map[string]map[string]int{}}
	for _, m := range tasks {
		t.count(m, 1)
	}
	return t
}

func (t *tally) count(m *member, n int) {
	t.zones[zone(m)] += n
	have := t.providers[m.deployment()]
	if have == nil {
		have = map[string]int{}
		t.providers[m.deployment()] = have
	}
	have[str(m.task.Intent.CapacityProviderName)] += n
}

func (t *tally) byZone(a, b *member) int {
	return cmp.Compare(t.zones[zone(b)], t.zones[zone(a)])
}

func (t *tally) byProvider(a, b *member) int { return cmp.Compare(t.excess(b), t.excess(a)) }

func (t *tally) excess(m *member) float64 {
	d := t.plan.find(m.deployment())
	if d == nil || len(d.Revision.CapacityProviderStrategy) == 0 {
		return 0
	}
	return Excess(d.Revision.CapacityProviderStrategy, t.providers[d.ID], str(m.task.Intent.CapacityProviderName))
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
	p.endUnhealthy(slices.DeleteFunc(p.old(), notBad))
	p.stop(slices.DeleteFunc(p.old(), func(m *member) bool { return works(m) || m.Protected || p.restored(m) }), p.scalingReason())
	old := slices.DeleteFunc(p.old(), func(m *member) bool { return !works(m) })
	replaced := len(old) - max(0, desired-len(p.of(d, good)))
	missing := desired - len(p.of(d, nil))
	blocked := missing - (upper - len(p.of(nil, nil)))
	victims := p.leastUseful(old, max(replaced, min(missing, blocked)))
	if replaced > len(victims) {
		p.sayProtected(old)
	}

	// Of those that do not count as healthy yet, none before it is replaced.
	p.stop(slices.DeleteFunc(p.dispensable(victims, lower), func(m *member) bool {
		replaced--
		return !good(m) && replaced < 0
	}), p.scalingReason())
}

// works: it runs and nothing speaks against it.
func works(m *member) bool { return m.task.LastStatus() == fargo.TaskRunning && m.verdict != Bad }

// last is the deployment that was completed last, nil when it has no tasks any
// more or is the newest one.
func (p *servicePlan) last() *fargo.Deployment {
	if p.s.LastCompleted == nil {
		return nil
	}
	if d := p.find(fargo.DeploymentOf(p.s.LastCompleted)); d != nil && d.ID != p.primary().ID {
		return d
	}
	return nil
}

// restore replaces what the last completed deployment loses while the newest
// one's tasks keep failing, or after that one has failed, so that an update that
// goes wrong does not wear down what works.
// Source: ECS developer guide, "Update service parameters": a replacement is of
// the same revision as the task that failed.
func (p *servicePlan) restore(d *fargo.Deployment, lower, upper int) {
	last := p.last()
	if last == nil || d.FailedTasks == 0 {
		return
	}
	if last.FailedTasks > 0 && p.now.Before(p.s.Throttle.Until) {
		return
	}
	id := d.ID
	have := len(p.of(d, good)) + len(p.of(nil, func(m *member) bool { return m.deployment() != id && notBad(m) }))
	p.event(startedEvent(p.start(last, min(lower-have, upper-len(p.of(nil, nil))))))
}

// restored: it was started to replace one of the last completed deployment, and
// is still needed for that.
func (p *servicePlan) restored(m *member) bool {
	d, last := p.primary(), p.last()
	return d.FailedTasks > 0 && last != nil && m.deployment() == last.ID && notBad(m) && !m.task.Intent.CreatedAt.Before(d.CreatedAt)
}

// replaceBad stops unhealthy tasks: when their replacements are healthy, or
// before, one at a time, when there is no room for a replacement. A task that
// never was healthy does no work to wait for.
// Source: ECS developer guide, "Amazon ECS services", on replacing unhealthy
// tasks.
func (p *servicePlan) replaceBad(d *fargo.Deployment, desired, upper int) {
	sick := p.of(d, bad)
	if len(sick) == 0 {
		return
	}
	fresh := p.of(d, func(m *member) bool { return bad(m) && !m.task.Settled })
	onTheWay := p.of(d, func(m *member) bool { return !bad(m) && !good(m) })
	enough := len(p.of(d, good)) >= desired
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

// endUnhealthy stops tasks for their health's sake, which no protection is
// against.
func (p *servicePlan) endUnhealthy(sick []*member) {
	for _, m := range sick {
		p.event(unhealthyEvent(m))
		p.stop([]*member{m}, m.why)
		if m.deployment() == p.primary().ID {
			p.sick++
		}
	}
}

// launch makes n more tasks of d, unless launches are held back.
func (p *servicePlan) launch(d *fargo.Deployment, n int) {
	if n <= 0 || d.Rollout == "FAILED" || p.failing {
		return
	}
	if p.now.Before(p.s.Throttle.Until) {
		p.lookAgain(p.s.Throttle.Until)
		return
	}
	made := p.start(d, n)
	text := startedEvent(made)
	if sick := min(len(made), p.sick+len(p.of(d, bad))); sick > 0 {
		text += fmt.Sprintf(" Amazon ECS replaced %d tasks due to an unhealthy status.", sick)
	}
	p.event(text)
}

// start makes n tasks of d, or as many as can be made.
func (p *servicePlan) start(d *fargo.Deployment, n int) []*fargo.Task {
	var made []*fargo.Task
	for range n {
		t, ok := p.make(d)
		if !ok {
			break
		}
		made = append(made, t)
	}
	return made
}

// make makes one task of d. When that cannot be, it says why, and launches are
// held back for a while.
func (p *servicePlan) make(d *fargo.Deployment) (t *fargo.Task, ok bool) {
	have := p.provided(d)
	provider := NextProvider(d.Revision.CapacityProviderStrategy, have)
	t, err := p.Make(d, provider)
	if err != nil {
		p.event("failed to launch a task with (error " + err.Error() + ").")
		p.throttle()
		p.lookAgain(p.s.Throttle.Until)
		return nil, false
	}
	have[provider]++
	p.launched = append(p.launched, t)
	return t, true
}

// provided counts a deployment's tasks by capacity provider. Each deployment has
// a strategy of its own, which those of the others do not count for.
func (p *servicePlan) provided(d *fargo.Deployment) map[string]int {
	have := p.providers[d.ID]
	if have == nil {
		have = map[string]int{}
		for _, m := range p.of(d, nil) {
			have[str(m.task.Intent.CapacityProviderName)]++
		}
		p.providers[d.ID] = have
	}
	return have
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
	t.Last, p.changed = p.now, true
	if t.Failures < patience {
		return
	}
	if t.Failures == patience {
		p.event("is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
	}
	delay := time.Second << min(t.Failures-patience, 11)
	t.Until = p.now.Add(min(delay, maxThrottle))
}
