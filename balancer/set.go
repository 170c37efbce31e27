package balancer

import (
	"errors"
	"fmt"

	"fargo/balancer/health"
	"fargo/balancer/listener"
	"fargo/balancer/settings"
	"fargo/balancer/targetgroup"
	"fargo/desired"
	"fargo/secret"
)

// Set makes the load balancers and target groups given the only ones, and known all
// that is known of their targets' health. The same value may come again. What is
// wrong in a part is told in the error and does not keep the rest from being done; a
// port that cannot be opened is tried again while Run runs.
//
// A listener that stays keeps its socket and its clients' connections, and each
// request meets either the old configuration of its listener or the new one,
// targets included. Requests under way finish, on targets and listeners that
// are gone too; only a target that was draining and is gone now has had its
// time, and what it still does is cut.
func (s *Server) Set(balancers []desired.Balancer, groups []desired.BalancerGroup, known []health.Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return errors.New("balancer: closed")
	}
	s.mu.known = health.Index(known)
	views, removed := s.setGroups(groups)
	var errs []error
	s.mu.wanted = map[socketKey]*listener.Listener{}
	kept := map[string]*listener.LoadBalancer{}
	use := usage{}
	for i := range balancers {
		b, err := s.setBalancer(&balancers[i], views, use)
		kept[b.ARN] = b
		errs = append(errs, err)
	}
	s.setMetrics(use)
	for arn, b := range s.mu.balancers {
		if kept[arn] == nil {
			errs = append(errs, b.FlushLogs(true))
		}
	}
	s.mu.balancers = kept
	errs = append(errs, s.bindLocked(true))
	for _, g := range s.mu.groups {
		g.DrainConns()
		g.SetHealth(s.mu.known)
	}
	for _, t := range removed {
		t.End()
	}
	return errors.Join(errs...)
}

// setGroups gives each group its configuration, seen in a new view that no rule
// holds yet.
func (s *Server) setGroups(desired []desired.BalancerGroup) (views map[string]*targetgroup.View, removed []*targetgroup.Target) {
	views = make(map[string]*targetgroup.View, len(desired))
	kept := make(map[string]*targetgroup.Group, len(desired))
	for i := range desired {
		d := &desired[i]
		g := s.mu.groups[d.ARN]
		if g == nil {
			g = targetgroup.New(d.ARN, s.turn)
		}
		v := targetgroup.NewView(g)
		removed = append(removed, g.Set(settings.ReadGroup(d, s.pace), d.Targets, s.mu.known, v)...)
		views[d.ARN], kept[d.ARN] = v, g
	}
	for arn, g := range s.mu.groups {
		if kept[arn] == nil {
			removed = append(removed, g.Set(settings.Group{}, nil, nil, targetgroup.NewView(g))...)
		}
	}
	s.mu.groups = kept
	return views, removed
}

// setBalancer compiles a load balancer's listeners and adds them to those wanted.
func (s *Server) setBalancer(d *desired.Balancer, views map[string]*targetgroup.View, use usage) (*listener.LoadBalancer, error) {
	b := s.mu.balancers[d.ARN]
	if b == nil {
		b = listener.NewLoadBalancer(d, s.turn)
	}
	errs := []error{b.SetLogs(s.logs, d)}
	use.balancer(d)
	for i := range d.Listeners {
		l, err := b.Compile(d, i, views, s.mu.secrets)
		errs = append(errs, err)
		for j := range d.Interfaces {
			for _, network := range networksOf(l.Protocol) {
				s.mu.wanted[socketKey{d.Interfaces[j].ID, zoneOf(d, j), d.Interfaces[j].Address, d.Interfaces[j].IPv6, network, l.Port}] = l
			}
		}
		l.Groups(func(g *targetgroup.Group) { use.groups(d, g) })
	}
	if err := errors.Join(errs...); err != nil {
		return b, fmt.Errorf("load balancer %s: %w", d.Name, err)
	}
	return b, nil
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

// SetHealth makes what is known of the targets' health this, in place of what
// was known before.
func (s *Server) SetHealth(known []health.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.known = health.Index(known)
	for _, g := range s.mu.groups {
		g.SetHealth(s.mu.known)
	}
}

// SetTickets gives secrets from which the keys of TLS session tickets are made:
// the first for new tickets, the others for those that clients still have.
// Servers with the same secrets resume each other's sessions.
func (s *Server) SetTickets(secrets []secret.Text) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.secrets.Tickets = secrets
	var errs []error
	for _, b := range s.mu.balancers {
		errs = append(errs, b.SetTickets(secrets))
	}
	return errors.Join(errs...)
}

// SetKeys gives the private keys of all certificates that Set is told of next.
func (s *Server) SetKeys(keys map[desired.SecretID]secret.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.secrets.Keys = keys
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
				k.Listener.Store(l)
			} else {
				s.retire(key, k)
				k.closeIdle()
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
