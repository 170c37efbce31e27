package targetgroup

import (
	"sync/atomic"

	"fargo/balancer/health"
	"fargo/balancer/settings"
)

// View is a group as one configuration has it. Rules hold views, so that what
// they choose among changes in the same moment as they do.
type View struct {
	*Group
	Table atomic.Pointer[Table]
}

// NewView makes a view of a group in which there are no targets yet.
func NewView(g *Group) *View {
	v := &View{Group: g}
	v.Table.Store(&Table{})
	return v
}

// Table says which targets may get a request. It is never changed.
type Table struct {
	settings.Group
	eligible []*Target
	byToken  map[string]*Target // of those eligible
	FailOpen bool
	slow     bool // some are in slow start and some are not

	// Zones are the tables of zones in which there are targets, of a group whose
	// nodes use their own zone's. The table itself is then that of all other
	// zones. Nil when nodes use the targets of all zones.
	Zones map[string]*Table
}

// newTable makes the table of a group's targets.
// Source: ELB user guides, "Cross-zone load balancing for target groups".
func newTable(s settings.Group, targets []*Target) *Table {
	if !s.Zonal {
		return tableWithin(s, targets)
	}
	within := func(zone string) (near []*Target) {
		for _, t := range targets {
			if t.everywhere() || t.desired.Zone == zone {
				near = append(near, t)
			}
		}
		return near
	}
	other := tableWithin(s, within(""))
	other.Zones = map[string]*Table{}
	for _, t := range targets {
		if zone := t.desired.Zone; !t.everywhere() && other.Zones[zone] == nil {
			other.Zones[zone] = tableWithin(s, within(zone))
		}
	}
	return other
}

// everywhere reports whether a target is in no zone of its own.
func (t *Target) everywhere() bool { return t.desired.Zone == "" || t.desired.Zone == "all" }

// tableWithin makes a table of these targets alone.
func tableWithin(s settings.Group, targets []*Target) *Table {
	next := &Table{Group: s}
	var all, fit []*Target
	for _, t := range targets {
		if t.draining.Load() {
			continue
		}
		all = append(all, t)
		if health.Routable(t.mu.state) {
			fit = append(fit, t)
		}
	}
	next.eligible = fit
	if !next.Routing.Met(int64(len(fit)), int64(len(all))) {
		next.eligible, next.FailOpen = all, true
	}
	next.byToken = make(map[string]*Target, len(next.eligible))
	for _, t := range next.eligible {
		next.byToken[t.Token] = t
	}
	next.slow = next.SlowStart > 0 && !next.FailOpen
	return next
}

// Near is the table of a zone.
func (t *Table) Near(zone string) *Table {
	if near := t.Zones[zone]; near != nil {
		return near
	}
	return t
}
