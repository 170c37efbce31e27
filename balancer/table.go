package balancer

import "sync/atomic"

// view is a group as one configuration has it. Rules hold views, so that what
// they choose among changes in the same moment as they do.
type view struct {
	*group
	table atomic.Pointer[table]
}

func newView(g *group) *view {
	v := &view{group: g}
	v.table.Store(&table{})
	return v
}

// table says which targets may get a request. It is never changed.
type table struct {
	groupSettings
	eligible []*target
	byToken  map[string]*target // of those eligible
	failOpen bool
	slow     bool // some are in slow start and some are not
	healthy  int
	known    int // targets that are not draining

	// zones are the tables of zones in which there are targets, of a group whose
	// nodes use their own zone's. The table itself is then that of all other
	// zones. Nil when nodes use the targets of all zones.
	zones map[string]*table
}

// newTable draws the table of a group's targets.
// Source: ELB user guides, "Cross-zone load balancing for target groups".
func newTable(s groupSettings, targets []*target) *table {
	if !s.zonal {
		return drawTable(s, targets)
	}
	within := func(zone string) (near []*target) {
		for _, t := range targets {
			if t.everywhere() || t.desired.Zone == zone {
				near = append(near, t)
			}
		}
		return near
	}
	other := drawTable(s, within(""))
	other.zones = map[string]*table{}
	for _, t := range targets {
		if zone := t.desired.Zone; !t.everywhere() && other.zones[zone] == nil {
			other.zones[zone] = drawTable(s, within(zone))
		}
	}
	return other
}

// everywhere reports whether a target is in no zone of its own.
func (t *target) everywhere() bool { return t.desired.Zone == "" || t.desired.Zone == "all" }

func drawTable(s groupSettings, targets []*target) *table {
	next := &table{groupSettings: s}
	var all, fit []*target
	for _, t := range targets {
		if t.draining.Load() {
			continue
		}
		all = append(all, t)
		if routable(t.mu.state) {
			fit = append(fit, t)
		}
	}
	next.eligible, next.known, next.healthy = fit, len(all), len(fit)
	if len(fit) < next.minimumCount || len(fit)*100 < len(all)*next.minimumPercent {
		next.eligible, next.failOpen = all, true
	}
	next.byToken = make(map[string]*target, len(next.eligible))
	for _, t := range next.eligible {
		next.byToken[t.token] = t
	}
	next.slow = next.slowStart > 0 && !next.failOpen
	return next
}

// near is the table of a zone.
func (t *table) near(zone string) *table {
	if near := t.zones[zone]; near != nil {
		return near
	}
	return t
}
