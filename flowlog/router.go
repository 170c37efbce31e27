package flowlog

import (
	"sync"
	"time"

	"fargo/host"
)

// A router is a VPC's, as far as it is observed.
type router struct {
	observer host.FlowObserver
	done     chan struct{} // closed when all events have been read

	mu        sync.Mutex
	collector *collector
}

// observe begins to observe a router.
func observe(network Network, vpc string) (*router, error) {
	o, err := network.ObserveFlows(vpc)
	if err != nil {
		return nil, err
	}
	flows, err := o.Flows()
	if err != nil {
		o.Close()
		return nil, err
	}
	r := &router{observer: o, done: make(chan struct{}), collector: newCollector(flows, time.Now())}
	go func() {
		defer close(r.done)
		for e := range o.Events() {
			r.mu.Lock()
			r.collector.observe(e, time.Now())
			r.mu.Unlock()
		}
	}()
	return r, nil
}

// ended reports whether the observer has ended by itself.
func (r *router) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// take gives what has crossed the router since the last time, and whether that is not
// all.
func (r *router) take() (tallies, bool) {
	flows, err := r.observer.Flows()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.collector.sample(flows, time.Now())
	}
	all, lost := r.collector.take()
	return all, lost || err != nil
}

func (r *router) close() error {
	err := r.observer.Close()
	<-r.done
	return err
}
