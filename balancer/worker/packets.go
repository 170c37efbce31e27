package worker

import (
	"time"

	"fargo/balancer/metrics"
	"fargo/desired"
)

// peakEvery is how long packets are counted for the rate that may be the highest. Source:
// NLB user guide, "CloudWatch metrics", PeakPacketsPerSecond.
const peakEvery = 10 * time.Second

// interfaces is the name under which snapshots have what interfaces have counted.
const interfaces = "interfaces"

// packets knows how many packets have come to the interfaces of network load balancers,
// from clients and from targets. The kernel counts them, for as long as an interface is
// there.
type packets struct {
	received func(interfaceID string) (uint64, error)
	windows  map[string]*window // by interface
}

// window is a time in which packets are counted.
type window struct {
	began   time.Time
	packets uint64  // when it began
	peak    float64 // the highest rate since it was asked for, in packets a second
}

// turn ends a window of each interface and begins the next.
func (p *packets) turn(balancers []desired.Balancer, now time.Time) {
	next := map[string]*window{}
	p.each(balancers, func(id string, _ metrics.Key, n uint64) {
		w := p.windows[id]
		if w == nil {
			w = &window{}
		} else if took := now.Sub(w.began); n >= w.packets && took > 0 {
			w.peak = max(w.peak, float64(n-w.packets)/took.Seconds())
		}
		w.began, w.packets = now, n
		next[id] = w
	})
	p.windows = next
}

// counted is what interfaces have counted, with the peaks since it was called last.
func (p *packets) counted(balancers []desired.Balancer) (all []metrics.Counted) {
	p.each(balancers, func(id string, key metrics.Key, n uint64) {
		c := metrics.Counted{Key: key, State: &metrics.State{}}
		if n > 0 {
			c.Counts = map[string]uint64{"ProcessedPackets": n}
		}
		if w := p.windows[id]; w != nil && w.peak > 0 {
			c.State.Sums = map[string]int64{"PeakPacketsPerSecond": int64(w.peak)}
			w.peak = 0
		}
		all = append(all, c)
	})
	return all
}

// each calls yield for each interface of a network load balancer that is there.
func (p *packets) each(balancers []desired.Balancer, yield func(id string, key metrics.Key, n uint64)) {
	if p.received == nil {
		return
	}
	for i := range balancers {
		b := &balancers[i]
		if !b.Network {
			continue
		}
		for j := range min(len(b.Interfaces), len(b.Zones)) {
			id := b.Interfaces[j].ID
			if n, err := p.received(id); err == nil {
				yield(id, metrics.Key{Balancer: b.ARN, Zone: b.Zones[j]}, n)
			}
		}
	}
}
