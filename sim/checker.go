package sim

import (
	"context"
	"sync"
	"time"

	"fargo/desired"
	"fargo/secret"
)

// checkEvery is how often targets are checked: the shortest interval there is.
const checkEvery = 5 * time.Second

// checker stands in for the balancers of a node: it checks their targets, and
// says what it sees as package balancer would.
type checker struct {
	machine *machine
	mu      struct {
		sync.Mutex
		groups []desired.BalancerGroup
		seen   map[target]seen
		newer  chan struct{}
	}
}

// target is one registration.
type target struct {
	group, id string
	port      int
	at        time.Time
}

// seen is a target's health, and how many checks in a row spoke against it.
type seen struct {
	report desired.TargetReport
	run    int
}

func newChecker(m *machine) *checker {
	c := &checker{machine: m}
	c.mu.seen, c.mu.newer = map[target]seen{}, make(chan struct{})
	return c
}

// Follow implements [node.Follower].
func (c *checker) Follow(_ context.Context, d desired.State, _ map[desired.SecretID]secret.Text) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.groups = d.Groups
	return nil
}

// Health implements [dispatch.Targets].
func (c *checker) Health() (reports []desired.TargetReport, newer <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.mu.seen {
		reports = append(reports, s.report)
	}
	return reports, c.mu.newer
}

// run checks until ctx ends.
func (c *checker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(checkEvery):
		}
		c.check()
	}
}

// check looks at each target. It holds no lock meanwhile: looking takes time, and
// a simulated clock stands still while somebody waits for a lock.
func (c *checker) check() {
	c.mu.Lock()
	groups, last := c.mu.groups, c.mu.seen
	c.mu.Unlock()
	next, changed := map[target]seen{}, false
	for _, g := range groups {
		for _, t := range g.Targets {
			if t.Draining {
				continue
			}
			key := target{g.ARN, t.ID, t.Port, t.RegisteredAt}
			before, known := last[key]
			next[key] = before.after(key, c.machine.answers(t.Address.Addr()), int(*g.Group.UnhealthyThresholdCount))
			changed = changed || !known || before.report != next[key].report
		}
	}
	changed = changed || len(next) != len(last)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.seen = next
	if changed {
		close(c.mu.newer)
		c.mu.newer = make(chan struct{})
	}
}

// after is what is known of a target after one more check: healthy with the
// first that passes, unhealthy with as many failures in a row as the threshold.
func (s seen) after(t target, passed bool, threshold int) seen {
	r := desired.TargetReport{Group: t.group, ID: t.id, Port: t.port, RegisteredAt: t.at}
	if passed {
		r.State = "healthy"
		return seen{report: r}
	}
	s.run++
	switch {
	case s.run >= threshold:
		r.State, r.Reason, r.Description = "unhealthy", "Target.FailedHealthChecks", "Health checks failed"
		s.report = r
	case s.report.State == "":
		r.State, r.Reason = "initial", "Elb.InitialHealthChecking"
		s.report = r
	}
	return s
}
