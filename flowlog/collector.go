package flowlog

import (
	"time"

	"fargo/host"
)

// A collector adds up what crosses a router. It does not know whose the addresses are.
type collector struct {
	flows map[uint32]*seen // by the kernel's ids
	now   tallies          // since the last take
	lost  bool             // since the last take
}

// seen is a flow, and what has been added up of it.
type seen struct {
	host.Flow
	since  time.Time // what is not added up is from then on
	absent bool      // it was not in the last list
}

// newCollector begins with the flows that there are, whose packets so far are nobody's.
func newCollector(flows []host.Flow, now time.Time) *collector {
	c := &collector{flows: map[uint32]*seen{}, now: tallies{}}
	for _, f := range flows {
		c.flows[f.ID] = &seen{Flow: f, since: now}
	}
	return c
}

// observe takes in a report of the router.
func (c *collector) observe(e host.FlowEvent, now time.Time) {
	switch {
	case e.Lost:
		c.lost = true
	case e.Rejected != nil:
		c.now.addRejection(e.Rejected, now)
	case e.Begun != nil && c.flows[e.Begun.ID] == nil:
		begun := *e.Begun
		begun.Sent, begun.Answered = host.Traffic{}, host.Traffic{}
		c.flows[begun.ID] = &seen{Flow: begun, since: now}
	case e.Ended != nil:
		c.count(e.Ended, now)
		delete(c.flows, e.Ended.ID)
	}
}

// sample takes in the list of all flows. One that is missing may have ended with its
// report still on the way: it is forgotten when it is missing again.
func (c *collector) sample(flows []host.Flow, now time.Time) {
	gone := map[uint32]bool{}
	for id, s := range c.flows {
		gone[id] = s.absent
		s.absent = true
	}
	for i := range flows {
		delete(gone, flows[i].ID)
		c.count(&flows[i], now)
	}
	for id, twice := range gone {
		if twice {
			delete(c.flows, id)
		}
	}
}

// count adds what a flow has carried since it was counted last. An id that stands for
// another flow by now begins anew.
func (c *collector) count(f *host.Flow, now time.Time) {
	s := c.flows[f.ID]
	if s == nil || s.Original != f.Original || s.Reply != f.Reply || f.Sent.Packets < s.Sent.Packets || f.Answered.Packets < s.Answered.Packets {
		since := now
		if s != nil && s.Original == f.Original && s.Sent.Packets == 0 {
			since = s.since
		}
		s = &seen{Flow: *f, since: since}
		s.Sent, s.Answered = host.Traffic{}, host.Traffic{}
		c.flows[f.ID] = s
	}
	c.now.addFlow(f, less(f.Sent, s.Sent), less(f.Answered, s.Answered), s.since, now)
	s.Flow, s.since, s.absent = *f, now, false
}

func less(a, b host.Traffic) host.Traffic {
	return host.Traffic{Packets: a.Packets - b.Packets, Bytes: a.Bytes - min(a.Bytes, b.Bytes)}
}

// take gives what has been added up since the last take, and whether that is not all.
func (c *collector) take() (all tallies, lost bool) {
	all, lost = c.now, c.lost
	c.now, c.lost = tallies{}, false
	all.settle()
	return all, lost
}
