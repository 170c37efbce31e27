package balancer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"fargo"
)

// Set makes the load balancers and target groups given the only ones. The same
// value may come again. What is wrong in a part is told in the error and does
// not keep the rest from being done; a port that cannot be opened is tried
// again while Run runs.
//
// A listener that stays keeps its socket and its clients' connections, and each
// request meets either the old configuration of its listener or the new one,
// targets included. Requests under way finish, on targets and listeners that
// are gone too; only a target that was draining and is gone now has had its
// time, and what it still does is cut.
func (s *Server) Set(ctx context.Context, balancers []fargo.Balancer, groups []fargo.BalancerGroup) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return errors.New("balancer: closed")
	}
	views, removed, err := s.setGroups(groups)
	errs := []error{err}
	s.mu.wanted = map[socketKey]*listener{}
	s.mu.from = map[*group]string{}
	kept := map[string]*balancer{}
	for i := range balancers {
		b, err := s.setBalancer(&balancers[i], views)
		kept[b.arn] = b
		errs = append(errs, err)
	}
	for arn, b := range s.mu.balancers {
		if kept[arn] == nil {
			errs = append(errs, b.flushLogs(true))
		}
	}
	s.mu.balancers = kept
	errs = append(errs, s.bindLocked(true))
	s.superviseChecks()
	for _, t := range removed {
		s.forget(t)
	}
	s.healthChanged()
	return errors.Join(errs...)
}

// setGroups gives each group its configuration, seen in a new view that no rule
// holds yet.
func (s *Server) setGroups(desired []fargo.BalancerGroup) (views map[string]*view, removed []*target, err error) {
	views = make(map[string]*view, len(desired))
	kept := make(map[string]*group, len(desired))
	var errs []error
	for i := range desired {
		d := &desired[i]
		g := s.mu.groups[d.ARN]
		if g == nil {
			g = newGroup(d.ARN)
		}
		settings, err := readGroup(d, s.pace)
		if err != nil {
			errs = append(errs, fmt.Errorf("target group %s: %w", d.ARN, err))
		}
		if !reflect.DeepEqual(settings.check, g.check()) {
			g.stopChecks()
		}
		v := newView(g)
		removed = append(removed, g.set(settings, d.Targets, v)...)
		views[d.ARN], kept[d.ARN] = v, g
	}
	for arn, g := range s.mu.groups {
		if kept[arn] == nil {
			removed = append(removed, g.set(groupSettings{}, nil, newView(g))...)
		}
	}
	s.mu.groups = kept
	return views, removed, errors.Join(errs...)
}

// setBalancer compiles a balancer's listeners and wants them.
func (s *Server) setBalancer(d *fargo.Balancer, views map[string]*view) (*balancer, error) {
	b := s.mu.balancers[d.ARN]
	if b == nil {
		b = &balancer{arn: d.ARN, turns: map[string]*atomic.Uint64{}, tls: map[string]*tlsTerms{}}
		b.name, b.network = d.Name, d.Network
	}
	errs := []error{b.setLogs(s.accessLogs, d.Attributes)}
	zones := zonesOf(d)
	for i := range d.Listeners {
		l, err := b.compile(&d.Listeners[i], d.Attributes, views, s.logger)
		l.zones = zones
		errs = append(errs, err)
		for j := range d.Interfaces {
			for _, network := range networksOf(l.protocol) {
				s.mu.wanted[socketKey{d.Interfaces[j].ID, network, l.port}] = l
			}
		}
		if len(d.Interfaces) > 0 {
			l.groups(func(g *group) {
				if s.mu.from[g] == "" {
					s.mu.from[g] = d.Interfaces[0].ID
				}
				g.balancer.Store(&b.name)
			})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return b, fmt.Errorf("load balancer %s: %w", d.Name, err)
	}
	return b, nil
}

// zonesOf are the zones of a balancer's interfaces, by interface.
func zonesOf(d *fargo.Balancer) map[string]string {
	zones := make(map[string]string, len(d.Zones))
	for i := range min(len(d.Zones), len(d.Interfaces)) {
		zones[d.Interfaces[i].ID] = d.Zones[i]
	}
	return zones
}

func networksOf(protocol string) []string {
	switch protocol {
	case "UDP":
		return []string{"udp"}
	case "TCP_UDP":
		return []string{"tcp", "udp"}
	}
	return []string{"tcp"}
}

func (s *Server) bind(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.bindLocked(all); err != nil {
		s.logger.Debug("sockets are not open yet", "error", err)
	}
}

// bindLocked opens the sockets that are wanted and not open. With all, those
// that are open get their listener's new configuration, and those not wanted
// are closed. The caller holds mu.
func (s *Server) bindLocked(all bool) error {
	if all {
		for key, k := range s.mu.sockets {
			if l := s.mu.wanted[key]; l != nil {
				k.listener.Store(l)
			} else {
				s.retire(key, k)
			}
		}
	}
	var errs []error
	for key, l := range s.mu.wanted {
		if s.mu.sockets[key] != nil {
			continue
		}
		k, err := s.open(key, l)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.mu.sockets[key] = k
	}
	return errors.Join(errs...)
}

// superviseChecks starts and stops the checks of targets: those of groups in
// use that do not drain are checked. The caller holds mu.
func (s *Server) superviseChecks() {
	for _, g := range s.mu.groups {
		from, used := s.mu.from[g]
		g.mu.Lock()
		for _, t := range g.mu.ordered {
			draining := t.draining.Load()
			if draining {
				t.idle.close()
				t.streams.closeIdle()
			} else {
				t.idle.open()
			}
			check := used && !draining && g.mu.settings.check.enabled
			if t.stop != nil && (!check || t.checkedFrom != from) {
				t.stop()
				t.stop = nil
			}
			if check && t.stop == nil {
				s.startChecks(g, t, from)
			}
			if !used && g.mu.settings.check.enabled {
				t.mu.health = health{}
			}
		}
		g.mu.Unlock()
	}
}

func (s *Server) startChecks(g *group, t *target, from string) {
	ctx, cancel := context.WithCancel(s.ctx)
	t.stop, t.checkedFrom = cancel, from
	s.tasks.Go(func() { s.checkForEver(ctx, g, t, from) })
}

// checkForEver checks a target at once and then at its interval.
func (s *Server) checkForEver(ctx context.Context, g *group, t *target, from string) {
	var drained <-chan time.Time // when its time as unhealthy.draining is over
	for {
		began := time.Now()
		settings := g.check()
		o := settings.check(ctx, s.network, from, t.key.address)
		if ctx.Err() != nil {
			return
		}
		before, after := g.checked(t, o, time.Now())
		s.noteHealth(g, t, before, after)
		switch {
		case !after.draining():
			drained = nil
		case drained == nil:
			drained = time.After(settings.drain)
		}
		for next := time.After(settings.interval - time.Since(began)); next != nil; {
			select {
			case <-ctx.Done():
				return
			case <-next:
				next = nil
			case <-drained:
				before, after := g.become(t, time.Now(), health.drained)
				s.noteHealth(g, t, before, after)
				drained = nil
			}
		}
	}
}

// noteHealth does and tells what follows from a change of a target's health.
func (s *Server) noteHealth(g *group, t *target, before, after health) {
	before.run, after.run = 0, 0
	if before == after {
		return
	}
	g.cutUnhealthy(t, before, after)
	s.logger.Info("target health changed", "group", g.arn, "target", t.address, "state", after.state, "reason", after.reason, "description", after.description)
	s.healthChanged()
}

// forget ends what a target that is no longer configured has.
func (s *Server) forget(t *target) {
	if t.stop != nil {
		t.stop()
	}
	t.idle.close()
	t.streams.closeIdle()
	if t.draining.Load() && t.cutWhenGone {
		t.conns.closeAll()
	}
}
