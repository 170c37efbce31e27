package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"slices"
	"sync"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/balancer/objectlog"
	"fargo/desired"
)

// Dialer is how a checker reaches targets, and all that it knows of the network. It
// is used by several goroutines.
type Dialer interface {
	// Dial opens a connection from the interface, its address being the source.
	// network and address are those of net.Dialer. The connection outlives ctx.
	Dial(ctx context.Context, interfaceID, network, address string) (net.Conn, error)
}

// Config is what a checker is made of.
type Config struct {
	Network Dialer
	Logger  *slog.Logger
	// Pace divides the intervals of checks, and the time for which an unhealthy
	// target drains. Timeouts are as configured.
	Pace fargo.Pace
	// AccessLogs is the directory for what goes to S3: health check logs are written
	// to files in it, as servers write theirs. When it is empty there are none.
	AccessLogs string
}

// Checker checks the health of the targets of one node, once for all servers
// that use it.
type Checker struct {
	network Dialer
	logger  *slog.Logger
	pace    fargo.Pace
	logs    objectlog.Dir

	ctx    context.Context // ends all checks
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu struct {
		sync.Mutex
		groups  map[string]*group         // those in use
		logs    map[string]*objectlog.Log // of load balancers, by ARN
		known   ByTarget                  // from before, for targets not yet configured
		changed chan struct{}
	}
}

// group is a target group in use.
type group struct {
	arn      string
	name     string
	settings check
	from     string         // the interface that checks come from
	log      *objectlog.Log // nil for none
	targets  map[TargetKey]*target
}

// target is a target that does not drain. What is known of it is guarded
// by the checker.
type target struct {
	desired desired.BalancerTarget
	health  targetState
	since   time.Time
	stop    func() // ends its checks; nil while there are none
}

// NewChecker makes a checker that checks nothing yet.
func NewChecker(c Config) *Checker {
	checker := &Checker{network: c.Network, logger: c.Logger, pace: c.Pace, logs: objectlog.Dir{Root: c.AccessLogs, Pace: c.Pace}}
	checker.ctx, checker.cancel = context.WithCancel(context.Background())
	checker.mu.groups = map[string]*group{}
	checker.mu.changed = make(chan struct{})
	return checker
}

// Remember has the targets of the next Set begin with what was known of them,
// by a checker before this one.
func (c *Checker) Remember(known []Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.known = Index(known)
}

// Close ends all checks, waits for those under way, and ends their logs.
func (c *Checker) Close() {
	c.cancel()
	c.tasks.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.setLogs(nil); err != nil {
		c.logger.Warn("health check logs were not written", "error", err)
	}
}

// Set makes the targets of these groups the only ones to be checked: of those
// groups that a listener of the balancers names, the targets that do not drain.
// What is wrong in a group is told in the error, and does not keep the rest from
// being checked.
func (c *Checker) Set(balancers []desired.Balancer, groups []desired.BalancerGroup) error {
	used := usedGroups(balancers)
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := make(map[string]*group, len(used))
	errs := []error{c.setLogs(balancers)}
	for i := range groups {
		d := &groups[i]
		b := used[d.ARN]
		if b == nil {
			continue
		}
		check, err := readCheck(d, c.pace)
		if err != nil {
			errs = append(errs, fmt.Errorf("target group %s: %w", d.ARN, err))
		}
		next := &group{
			arn: d.ARN, name: aws.Value(d.Group.TargetGroupName), settings: check,
			from: b.Interfaces[0].ID, log: c.mu.logs[b.ARN],
		}
		c.replaceTargets(next, c.mu.groups[d.ARN], d.Targets)
		kept[d.ARN] = next
	}
	for arn, g := range c.mu.groups {
		if kept[arn] == nil {
			c.replaceTargets(&group{arn: arn}, g, nil)
		}
	}
	c.mu.groups, c.mu.known = kept, nil
	c.notifyLocked()
	return errors.Join(errs...)
}

// replaceTargets gives a group the targets desired, of which those that the group
// before it had, if there was one, go on. The caller holds mu.
func (c *Checker) replaceTargets(next, before *group, desired []desired.BalancerTarget) {
	same := before != nil && before.from == next.from && before.log == next.log && reflect.DeepEqual(before.settings, next.settings)
	next.targets = make(map[TargetKey]*target, len(desired))
	for i := range desired {
		d := &desired[i]
		key := KeyOf(d)
		if d.Draining || next.targets[key] != nil {
			continue
		}
		t := &target{desired: *d}
		if before != nil && before.targets[key] != nil {
			t = before.targets[key]
			delete(before.targets, key)
		} else if known, ok := c.mu.known[Key{next.arn, key}]; ok {
			t.health, t.since = known.targetState(), known.Since
		}
		next.targets[key] = t
		if !same {
			t.end()
		}
		c.start(next, t)
	}
	if before != nil {
		for _, t := range before.targets {
			t.end()
		}
	}
}

// start has a target checked as its group says, unless it is already. The caller
// holds mu.
func (c *Checker) start(g *group, t *target) {
	switch {
	case !g.settings.enabled:
		t.become(unchecked, time.Now())
	case t.stop == nil:
		if t.health == unchecked {
			t.become(targetState{}, time.Now())
		}
		ctx, cancel := context.WithCancel(c.ctx)
		t.stop = cancel
		c.tasks.Go(func() { c.check(ctx, g, t) })
	}
}

func (t *target) end() {
	if t.stop != nil {
		t.stop()
		t.stop = nil
	}
}

func (t *target) become(h targetState, now time.Time) {
	if t.health.state != h.state {
		t.since = now
	}
	t.health = h
}

// earlyGap is the time from the end of a new target's first check to the next
// one. It doubles from check to check.
const earlyGap = 100 * time.Millisecond

// check checks a target at once and then at its interval. A target of which
// nothing is known yet is also checked early, again and again within the first
// interval: its container may listen only a moment after it was registered, and
// should not have to wait a whole interval for its first request. An early check
// that passes makes it healthy; one that fails does not count, so a target
// becomes unhealthy no sooner than at the interval's rhythm.
func (c *Checker) check(ctx context.Context, g *group, t *target) {
	settings := &g.settings
	var drained <-chan time.Time // when its time as unhealthy.draining is over
	due := time.Now()            // when the next check that counts is
	gap, lastEarly := earlyGap, due.Add(settings.interval)
	for {
		began := time.Now()
		early := began.Before(due)
		if !early {
			due = began.Add(settings.interval)
		}
		found := settings.probe(ctx, c.network, g.from, t.desired.Address)
		took := time.Since(began)
		now := c.update(ctx, g, t, func(h targetState) targetState {
			if early && found.outcome != passed {
				return h
			}
			return h.after(found.outcome, settings.thresholds)
		})
		if ctx.Err() == nil {
			c.logCheck(g, t.desired.Address, found, began, took)
		}
		switch {
		case !now.draining():
			drained = nil
		case drained == nil:
			drained = time.After(settings.drain)
		}
		wake := due
		if soon := time.Now().Add(gap); !now.known() && soon.Before(lastEarly) {
			wake, gap = soon, 2*gap
		}
		for next := time.After(time.Until(wake)); next != nil; {
			select {
			case <-ctx.Done():
				return
			case <-next:
				next = nil
			case <-drained:
				c.update(ctx, g, t, targetState.drained)
				drained = nil
			}
		}
	}
}

// update gives a target the state that follows from the one it has, wakes those who
// wait if it changed, and returns it. When ctx has ended nothing changes.
func (c *Checker) update(ctx context.Context, g *group, t *target, next func(targetState) targetState) targetState {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return t.health
	}
	before := t.health
	t.become(next(before), time.Now())
	after := t.health
	if before.run = after.run; before != after {
		c.logger.Info("target health changed", "group", g.arn, "target", t.desired.Address, "state", after.state, "reason", after.reason, "description", after.description)
		c.notifyLocked()
	}
	return after
}

// notifyLocked wakes those who wait for something newer. The caller holds mu.
func (c *Checker) notifyLocked() {
	close(c.mu.changed)
	c.mu.changed = make(chan struct{})
}

// Health gives all that is known, in the order of groups and targets, and a
// channel that is closed when there is something newer. A target is in it after
// its first check.
func (c *Checker) Health() (all []Status, newer <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.mu.groups {
		for _, t := range g.targets {
			if t.health.state != "" {
				all = append(all, t.status(g.arn))
			}
		}
	}
	slices.SortFunc(all, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Port, b.Port), a.RegisteredAt.Compare(b.RegisteredAt))
	})
	return all, c.mu.changed
}

func (t *target) status(group string) Status {
	return Status{
		TargetReport: desired.TargetReport{
			Group: group, ID: t.desired.ID, Port: t.desired.Port, RegisteredAt: t.desired.RegisteredAt,
			State: string(t.health.state), Reason: string(t.health.reason), Description: t.health.description,
		},
		Address: t.desired.Address, Since: t.since,
	}
}

// targetState is what was known, as a checker goes on from it.
func (h *Status) targetState() targetState {
	return targetState{
		state:       elbv2.TargetHealthStateEnum(h.State),
		reason:      elbv2.TargetHealthReasonEnum(h.Reason),
		description: h.Description,
	}
}

// usedGroups are the target groups that listeners send to, each with the
// balancer from whose first interface it is checked.
func usedGroups(balancers []desired.Balancer) map[string]*desired.Balancer {
	used := map[string]*desired.Balancer{}
	for i := range balancers {
		b := &balancers[i]
		if len(b.Interfaces) == 0 {
			continue
		}
		for _, l := range b.Listeners {
			for _, r := range l.Rules {
				for _, arn := range groupsOf(r.Actions) {
					if used[arn] == nil {
						used[arn] = b
					}
				}
			}
		}
	}
	return used
}

// groupsOf are the groups that a rule's actions send to.
func groupsOf(actions []elbv2.Action) (arns []string) {
	if len(actions) != 1 || actions[0].Type != elbv2.ActionTypeEnumForward {
		return nil
	}
	if c := actions[0].ForwardConfig; c != nil && len(c.TargetGroups) > 0 {
		for _, g := range c.TargetGroups {
			arns = append(arns, aws.Value(g.TargetGroupArn))
		}
		return arns
	}
	return []string{aws.Value(actions[0].TargetGroupArn)}
}
