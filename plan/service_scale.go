package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
)

// desired is how many tasks the service should have.
func (p *servicePlan) desired() int {
	if p.s.Daemon() {
		return p.Nodes
	}
	return p.s.DesiredCount()
}

// dispensable are those of the tasks that the lower bound can do without: it
// wants so many that are healthy, and until they are, so many that work.
func (p *servicePlan) dispensable(tasks []*member, lower int) []*member {
	healthy, working := len(p.of(nil, isHealthy))-lower, len(p.of(nil, works))-lower
	return slices.DeleteFunc(tasks, func(m *member) bool {
		if works(m) && working <= 0 || isHealthy(m) && healthy <= 0 {
			return true
		}
		if works(m) {
			working--
		}
		if isHealthy(m) {
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
		k := kind{rank(m), m.deployment(), aws.Value(m.task.Intent.CapacityProviderName), zone(m)}
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
	have[aws.Value(m.task.Intent.CapacityProviderName)] += n
}

func (t *tally) byZone(a, b *member) int {
	return cmp.Compare(t.zones[zone(b)], t.zones[zone(a)])
}

func (t *tally) byProvider(a, b *member) int { return cmp.Compare(t.excess(b), t.excess(a)) }

func (t *tally) excess(m *member) float64 {
	d := t.plan.find(m.deployment())
	if d == nil || len(d.Template.CapacityProviderStrategy) == 0 {
		return 0
	}
	return Excess(d.Template.CapacityProviderStrategy, t.providers[d.ID], aws.Value(m.task.Intent.CapacityProviderName))
}

func zone(m *member) string { return aws.Value(m.task.Intent.AvailabilityZone) }

// rank orders tasks by their use: unhealthy ones have the least, healthy ones the most.
func rank(m *member) int {
	switch {
	case m.Health == Unhealthy:
		return 0
	case m.task.LastStatus().Before(fargo.TaskRunning):
		return 1
	case m.Health == HealthPending:
		return 2
	}
	return 3
}

// works: it runs and is not known to be unhealthy.
func works(m *member) bool { return m.task.LastStatus() == fargo.TaskRunning && m.Health != Unhealthy }

// endUnhealthy stops tasks for their health's sake, which no protection is
// against.
func (p *servicePlan) endUnhealthy(sick []*member) {
	for _, m := range sick {
		p.event(m.Event)
		p.stop([]*member{m}, m.Reason)
		if m.deployment() == p.primary().ID {
			p.sick++
		}
	}
}

// launch makes n more tasks of d, unless launches are held back.
func (p *servicePlan) launch(d *record.Deployment, n int) {
	if n <= 0 || d.Rollout == ecs.DeploymentRolloutStateFailed || p.failing {
		return
	}
	if p.now.Before(p.s.Throttle.Until) {
		p.requeue(p.s.Throttle.Until)
		return
	}
	made := p.start(d, n)
	text := startedEvent(made)
	if sick := min(len(made), p.sick+len(p.of(d, isUnhealthy))); sick > 0 {
		text += fmt.Sprintf(" Amazon ECS replaced %d tasks due to an unhealthy status.", sick)
	}
	p.event(text)
}

// start makes n tasks of d, or as many as can be made.
func (p *servicePlan) start(d *record.Deployment, n int) []*record.Task {
	var made []*record.Task
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
func (p *servicePlan) make(d *record.Deployment) (t *record.Task, ok bool) {
	have := p.provided(d)
	provider := NextProvider(d.Template.CapacityProviderStrategy, have)
	t, err := p.Make(d, provider)
	if err != nil {
		p.event("failed to launch a task with (error " + err.Error() + ").")
		p.throttle()
		p.requeue(p.s.Throttle.Until)
		return nil, false
	}
	have[provider]++
	p.launched = append(p.launched, t)
	return t, true
}

// provided counts a deployment's tasks by capacity provider. Each deployment has
// a strategy of its own, which those of the others do not count for.
func (p *servicePlan) provided(d *record.Deployment) map[string]int {
	have := p.providers[d.ID]
	if have == nil {
		have = map[string]int{}
		for _, m := range p.of(d, nil) {
			have[aws.Value(m.task.Intent.CapacityProviderName)]++
		}
		p.providers[d.ID] = have
	}
	return have
}

// Launches that fail in a row are spaced out: not the first few, then doubling.
// Source: ECS developer guide, "Amazon ECS service throttle logic"; the curve
// between nothing and the maximum is our own.
const (
	freeFailures = 3
	maxThrottle  = 27 * time.Minute
)

func (p *servicePlan) throttle() {
	t := &p.s.Throttle
	t.Failures++
	t.Last, p.changed = p.now, true
	if t.Failures < freeFailures {
		return
	}
	if t.Failures == freeFailures {
		p.event("is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
	}
	delay := time.Second << min(t.Failures-freeFailures, 11)
	t.Until = p.now.Add(min(delay, maxThrottle))
}
