package balancer

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/desired"
)

// Protocol versions of target groups.
const (
	versionHTTP1 = "HTTP1"
	versionHTTP2 = "HTTP2"
	versionGRPC  = "GRPC"
)

// groupSettings is a group's configuration, read.
type groupSettings struct {
	name      string
	protocol  string
	version   string
	tls       bool // connections to its targets are encrypted
	zonal     bool // nodes use the targets of their own zones
	algorithm string
	slowStart time.Duration
	sticky    stickiness
	// fail-open: requests go to all targets while fewer than these are healthy.
	minimumCount, minimumPercent int

	attributes attributes
}

func readGroup(g *desired.BalancerGroup, pace fargo.Pace) groupSettings {
	a := attributes(g.Attributes)
	s := groupSettings{
		name:           g.Name,
		protocol:       string(g.Group.Protocol),
		version:        versionHTTP1,
		tls:            g.Group.Protocol == elbv2.ProtocolEnumHttps || g.Group.Protocol == elbv2.ProtocolEnumTls,
		zonal:          g.Zonal,
		algorithm:      a.text("load_balancing.algorithm.type", "round_robin"),
		slowStart:      pace.Of(a.seconds("slow_start.duration_seconds", 0)),
		sticky:         readStickiness(a),
		minimumCount:   a.number("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", 1),
		minimumPercent: a.number("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", 0),
		attributes:     a,
	}
	if v := value(g.Group.ProtocolVersion); v != "" {
		s.version = v
	}
	if s.algorithm != "round_robin" {
		s.slowStart = 0
	}
	return s
}

// group is a target group, for as long as it is in the configuration.
type group struct {
	arn     string
	turn    atomic.Uint64
	metrics groupCounters
	// balancer is the name of the one that uses the group; nil while none does.
	balancer atomic.Pointer[string]

	mu struct {
		sync.Mutex
		view     *view
		settings groupSettings
		targets  map[targetKey]*target
		ordered  []*target // as configured
	}
}

func newGroup(arn string) *group {
	g := &group{arn: arn}
	g.mu.targets = map[targetKey]*target{}
	return g
}

// set gives the group its configuration, to be seen in v from now on, and
// answers the targets that are no longer in it. The view before keeps what it
// showed last. New targets have the health they are known to have.
func (g *group) set(s groupSettings, desired []desired.BalancerTarget, known healths, v *view) (removed []*target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.settings, g.mu.view = s, v
	g.mu.ordered = g.mu.ordered[:0:0]
	kept := make(map[targetKey]*target, len(desired))
	for i := range desired {
		d := &desired[i]
		key := keyOf(d)
		if kept[key] != nil {
			continue
		}
		t := g.mu.targets[key]
		if t == nil {
			t = newTarget(g.arn, d)
			t.become(known[healthKey{g.arn, key}])
		}
		t.draining.Store(d.Draining)
		t.cutWhenGone = s.cutsGone()
		kept[key] = t
		g.mu.ordered = append(g.mu.ordered, t)
	}
	for key, t := range g.mu.targets {
		if kept[key] == nil {
			removed = append(removed, t)
		}
	}
	g.mu.targets = kept
	g.tabulate()
	return removed
}

// tabulate draws the table anew. The caller holds mu.
func (g *group) tabulate() { g.mu.view.table.Store(newTable(g.mu.settings, g.mu.ordered)) }

// hear takes what is known of the targets' health, and ends the connections to
// targets that are not to have any more.
func (g *group) hear(known healths) {
	g.mu.Lock()
	var before []elbv2.TargetHealthStateEnum // of those that are no longer what they were
	var changed []*target
	for key, t := range g.mu.targets {
		was := t.mu.state
		if t.become(known[healthKey{g.arn, key}]); t.mu.state != was {
			before, changed = append(before, was), append(changed, t)
		}
	}
	if len(changed) > 0 {
		g.tabulate()
	}
	g.mu.Unlock()
	for i, t := range changed {
		g.cutUnhealthy(t, before[i])
	}
}

// forNetwork reports whether the group belongs to a network load balancer.
func (s *groupSettings) forNetwork() bool { return s.protocol != "HTTP" && s.protocol != "HTTPS" }

// cutsGone reports whether connections to a target end when its time to drain
// is over. Source: ALB and NLB user guides, "Deregistration delay".
func (s *groupSettings) cutsGone() bool {
	return !s.forNetwork() || s.attributes.on("deregistration_delay.connection_termination.enabled", false)
}

// cutsUnhealthy reports whether connections to a target end when it becomes
// unhealthy. Source: NLB user guide, "Connection termination for unhealthy
// targets".
func (s *groupSettings) cutsUnhealthy() bool {
	return s.forNetwork() && s.attributes.on("target_health_state.unhealthy.connection_termination.enabled", true)
}

// cutUnhealthy ends the connections to a target of a network load balancer that
// became unhealthy or has had its time to drain since, unless the group's
// attributes say otherwise, or so many are unhealthy that new connections go to
// it too.
func (g *group) cutUnhealthy(t *target, before elbv2.TargetHealthStateEnum) {
	g.mu.Lock()
	cut := t.mu.state == elbv2.TargetHealthStateEnumUnhealthy && (g.mu.settings.cutsUnhealthy() || before == elbv2.TargetHealthStateEnumUnhealthyDraining) &&
		!g.mu.view.table.Load().near(t.desired.Zone).failOpen
	g.mu.Unlock()
	if cut {
		t.conns.closeHeld()
	}
}

// pick is the target for a request of a client that holds no valid cookie. It
// is nil when there is none.
func (g *group) pick(t *table) *target {
	n := uint64(len(t.eligible))
	switch {
	case n == 0:
		return nil
	case n == 1:
		return t.eligible[0]
	case t.algorithm == "least_outstanding_requests":
		return leastBusy(t.eligible, g.turn.Add(1))
	case t.algorithm == "weighted_random":
		return t.eligible[rand.IntN(len(t.eligible))]
	case t.slow:
		return g.pickSlowly(t)
	}
	return t.eligible[(g.turn.Add(1)-1)%n]
}

// leastBusy is the target with the fewest requests in flight; among equals,
// turns are taken.
func leastBusy(targets []*target, turn uint64) *target {
	n := uint64(len(targets))
	var best *target
	fewest := int64(-1)
	for i := range n {
		t := targets[(turn+i)%n]
		if busy := t.inflight.Load(); fewest < 0 || busy < fewest {
			best, fewest = t, busy
		}
	}
	return best
}

// pickSlowly takes turns, in which a target in slow start takes only the share
// it has come to. While all are in slow start, none is slowed.
func (g *group) pickSlowly(t *table) *target {
	now := time.Now()
	if !someRamped(t, now) {
		return t.eligible[(g.turn.Add(1)-1)%uint64(len(t.eligible))]
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		next := t.eligible[(g.turn.Add(1)-1)%uint64(len(t.eligible))]
		share := next.ramp(now, t.slowStart)
		if share >= 1 {
			return next
		}
		if next.mu.credit += share; next.mu.credit >= 1 {
			next.mu.credit--
			return next
		}
	}
}

func someRamped(t *table, now time.Time) bool {
	for _, e := range t.eligible {
		if e.ramp(now, t.slowStart) >= 1 {
			return true
		}
	}
	return false
}

// token is what a cookie holds for a choice made: it tells the choice again to
// any node at any time, and nothing else to the client.
func token(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			h.Write(strconv.AppendQuote(nil, p))
		case time.Time:
			fmt.Fprintf(h, "%d,", p.UnixNano())
		default:
			fmt.Fprintf(h, "%v,", p)
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (g *group) snapshot() GroupCounters {
	c := g.metrics.snapshot()
	g.mu.Lock()
	defer g.mu.Unlock()
	c.Name = g.mu.settings.name
	if b := g.balancer.Load(); b != nil {
		c.Balancer = *b
	}
	for _, t := range g.mu.ordered {
		switch {
		case t.draining.Load():
		case routable(t.mu.state):
			c.Healthy++
		case unwell(t.mu.state):
			c.Unhealthy++
		}
	}
	return c
}
