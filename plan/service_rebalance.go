package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fargo/aws/ecs"
	"fargo/record"
)

// AWS does not say how long a move may take, nor when it tries again; these are
// our own.
const (
	moveLimit     = time.Hour   // for replacements to become healthy
	rebalanceRest = time.Hour   // after a move that failed
	rebalanceLook = time.Minute // between two looks at what is in the way
)

// zoneLoad is what a service has in one zone.
type zoneLoad struct {
	name    string
	tasks   int
	movable int  // of them not protected
	free    bool // whether a subnet there has an address free; for moves to find out
}

// rebalances: the user wants the service's tasks to be moved, and there is more
// than one zone for them.
// Source: ECS developer guide, "Balancing an Amazon ECS service across
// Availability Zones".
func (p *servicePlan) rebalances() bool {
	return p.s.Service.AvailabilityZoneRebalancing == ecs.AvailabilityZoneRebalancingEnabled &&
		p.primary().Rollout == ecs.DeploymentRolloutStateCompleted && len(p.Subnets) > 0
}

// rebalance starts tasks in the zones that have the fewest, when the service is
// steady and some zone has two more than another. finishMoves stops others for
// them.
func (p *servicePlan) rebalance() {
	r := &p.s.Rebalance
	if !p.rebalances() || !p.steady {
		return
	}
	zones := p.zoneLoads()
	if level(zones) {
		if !r.Since.IsZero() {
			p.event("is AZ balanced with " + spread(zones) + ".")
			*r, p.changed = record.Rebalance{}, true
		}
		p.saySteady()
		return
	}
	for _, rest := range []time.Time{r.Rest, p.s.Throttle.Until} {
		if p.now.Before(rest) {
			p.requeue(rest)
			p.stopRebalancing(r.Rest)
			p.saySteady()
			return
		}
	}
	_, upper := Bounds(p.s, p.desired())
	text := spread(zones)
	into, obstacle := p.moves(zones, upper-len(p.of(nil, nil)))
	if len(into) == 0 {
		p.complain(obstacle)
		p.stopRebalancing(time.Time{})
		p.requeue(p.now.Add(rebalanceLook))
		p.saySteady()
		return
	}
	if r.Since.IsZero() {
		p.event("is not AZ balanced with " + text + ". AZ Rebalancing in progress.")
	}
	p.startMoves(into)
}

// zoneLoads are the zones of the service, those with the most tasks first.
func (p *servicePlan) zoneLoads() []zoneLoad {
	var zones []zoneLoad
	for _, s := range p.Subnets {
		if slices.ContainsFunc(zones, func(z zoneLoad) bool { return z.name == s.Zone }) {
			continue
		}
		z := zoneLoad{name: s.Zone}
		for _, m := range p.of(p.primary(), func(m *member) bool { return zone(m) == s.Zone }) {
			z.tasks++
			if !m.Protected {
				z.movable++
			}
		}
		zones = append(zones, z)
	}
	slices.SortFunc(zones, func(a, b zoneLoad) int {
		return cmp.Or(cmp.Compare(b.tasks, a.tasks), cmp.Compare(a.name, b.name))
	})
	return zones
}

// level: no zone has two tasks more than another, which is as even as any number
// of tasks can be.
func level(zones []zoneLoad) bool { return zones[0].tasks-zones[len(zones)-1].tasks < 2 }

func spread(zones []zoneLoad) string {
	out := make([]string, len(zones))
	for i, z := range zones {
		out[i] = fmt.Sprintf("%d tasks in %s", z.tasks, z.name)
	}
	return strings.Join(out, ", ")
}

// moves are the zones that tasks should be started in, one from the fullest zone
// to the emptiest at a time, at most room of them. When there are none, obstacle
// is why.
func (p *servicePlan) moves(zones []zoneLoad, room int) (into []string, obstacle string) {
	for i := range zones {
		zones[i].free = slices.ContainsFunc(p.Subnets, func(s ServiceSubnet) bool { return s.Zone == zones[i].name && s.Free() })
	}
	fullest, emptiest := &zones[0], &zones[len(zones)-1]
	switch {
	case room <= 0:
		obstacle = "was unable to AZ Rebalance because of the service deployment configuration. Update the maximumPercent value and try again."
	case !emptiest.free:
		obstacle = "is unable to place a task in " + emptiest.name + "."
	case fullest.movable == 0:
		text, _ := protectedEvent(p.of(p.primary(), nil))
		obstacle = "was unable to AZ Rebalance because " + text
	}
	for len(into) < room {
		from, to := -1, -1
		for i, z := range zones {
			if z.movable > 0 && (from < 0 || z.tasks > zones[from].tasks) {
				from = i
			}
			if z.free && (to < 0 || z.tasks <= zones[to].tasks) {
				to = i
			}
		}
		if from < 0 || to < 0 || zones[from].tasks-zones[to].tasks < 2 {
			break
		}
		zones[from].tasks--
		zones[from].movable--
		zones[to].tasks++
		into = append(into, zones[to].name)
	}
	return into, obstacle
}

// startMoves starts a task in each of the zones named.
func (p *servicePlan) startMoves(into []string) {
	started := map[string][]*record.Task{}
	r := &p.s.Rebalance
	r.Since, p.changed = p.now, true
	p.requeue(p.now.Add(moveLimit))
	for _, z := range into {
		t, ok := p.make(p.only(z))
		if !ok {
			r.Rest = p.now.Add(rebalanceRest)
			break
		}
		started[z] = append(started[z], t)
		r.Moving++
	}
	for _, z := range slices.Compact(slices.Sorted(slices.Values(into))) {
		if tasks := started[z]; len(tasks) > 0 {
			p.event(fmt.Sprintf("has started %d tasks in %s to AZ Rebalance: %s.", len(tasks), z, taskList(idsOf(tasks))))
		}
	}
}

// only is the newest deployment as if the subnets of one zone were all it had.
func (p *servicePlan) only(zone string) *record.Deployment {
	d := *p.primary()
	n := *d.Revision.NetworkConfiguration.AwsvpcConfiguration
	n.Subnets = nil
	for _, s := range p.Subnets {
		if s.Zone == zone {
			n.Subnets = append(n.Subnets, s.ID)
		}
	}
	d.Revision.NetworkConfiguration = &ecs.NetworkConfiguration{AwsvpcConfiguration: &n}
	return &d
}

// finishMoves stops, for each replacement that became healthy, a task in the
// fullest zone. It gives up when a replacement failed or takes too long, and
// when a deployment begins: what is then too much is stopped like any surplus.
func (p *servicePlan) finishMoves(d *record.Deployment, desired int) {
	r := &p.s.Rebalance
	if r.Since.IsZero() {
		return
	}
	limit := r.Since.Add(moveLimit)
	switch {
	case !p.rebalances():
		p.stopRebalancing(time.Time{})
		return
	case p.lost, !p.now.Before(limit):
		p.stopRebalancing(p.now.Add(rebalanceRest))
		return
	}
	p.requeue(limit)
	if extra := max(0, len(p.of(d, nil))-desired); extra < r.Moving {
		r.Moving, p.changed = extra, true
	}
	arrived := min(r.Moving, len(p.of(d, isHealthy))-desired)
	if arrived <= 0 {
		return
	}
	victims := p.choose(p.of(d, isHealthy), arrived, (*tally).byZone, (*tally).byProvider)
	p.stopMoved(victims)
	r.Moving, p.changed = r.Moving-len(victims), true
	if text, ok := protectedEvent(p.of(d, nil)); ok && len(victims) < arrived {
		p.complain("was unable to AZ Rebalance because " + text)
	}
}

func (p *servicePlan) stopMoved(tasks []*member) {
	p.end(tasks, "Availability-zone rebalancing initiated by (deployment "+p.primary().ID+")")
	ids := map[string][]string{}
	for _, m := range tasks {
		ids[zone(m)] = append(ids[zone(m)], m.task.ID)
	}
	for _, m := range tasks {
		if z := zone(m); ids[z] != nil {
			p.event(fmt.Sprintf("has stopped %d running tasks in %s due to AZ rebalancing: %s.", len(ids[z]), z, taskList(ids[z])))
			delete(ids, z)
		}
	}
}

// stopRebalancing ends what is under way, if anything is. Nothing is moved before
// rest.
func (p *servicePlan) stopRebalancing(rest time.Time) {
	if r := &p.s.Rebalance; !r.Since.IsZero() {
		p.event("stopped AZ Rebalancing.")
		*r, p.changed = record.Rebalance{Rest: rest}, true
	}
}
