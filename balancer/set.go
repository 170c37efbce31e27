package balancer

import (
	"errors"
	"fmt"
	"sync/atomic"

	"fargo/desired"
	"fargo/secret"
)

// Set makes the load balancers and target groups given the only ones, and known
// all that is known of their targets' health. The same
// value may come again. What is wrong in a part is told in the error and does
// not keep the rest from being done; a port that cannot be opened is tried
// again while Run runs.
//
// A listener that stays keeps its socket and its clients' connections, and each
// request meets either the old configuration of its listener or the new one,
// targets included. Requests under way finish, on targets and listeners that
// are gone too; only a target that was draining and is gone now has had its
// time, and what it still does is cut.
func (s *Server) Set(balancers []desired.Balancer, groups []desired.BalancerGroup, known []TargetHealth) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return errors.New("balancer: closed")
	}
	s.mu.known = index(known)
	views, removed := s.setGroups(groups)
	var errs []error
	s.mu.wanted = map[socketKey]*listener{}
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
	for _, g := range s.mu.groups {
		g.drainConns()
		g.setHealth(s.mu.known)
	}
	for _, t := range removed {
		t.end()
	}
	return errors.Join(errs...)
}

// setGroups gives each group its configuration, seen in a new view that no rule
// holds yet.
func (s *Server) setGroups(desired []desired.BalancerGroup) (views map[string]*view, removed []*target) {
	views = make(map[string]*view, len(desired))
	kept := make(map[string]*group, len(desired))
	for i := range desired {
		d := &desired[i]
		g := s.mu.groups[d.ARN]
		if g == nil {
			g = newGroup(d.ARN)
			g.turn.Store(s.turn)
		}
		v := newView(g)
		removed = append(removed, g.set(readGroup(d, s.pace), d.Targets, s.mu.known, v)...)
		views[d.ARN], kept[d.ARN] = v, g
	}
	for arn, g := range s.mu.groups {
		if kept[arn] == nil {
			removed = append(removed, g.set(groupSettings{}, nil, nil, newView(g))...)
		}
	}
	s.mu.groups = kept
	return views, removed
}

// setBalancer compiles a balancer's listeners and wants them.
func (s *Server) setBalancer(d *desired.Balancer, views map[string]*view) (*balancer, error) {
	b := s.mu.balancers[d.ARN]
	if b == nil {
		b = &balancer{arn: d.ARN, turn: s.turn, turns: map[string]*atomic.Uint64{}, tls: map[string]*tlsTerms{}}
		b.name, b.network = d.Name, d.Network
	}
	errs := []error{b.setLogs(s.accessLogs, d)}
	zones := zonesOf(d)
	for i := range d.Listeners {
		l, err := b.compile(&d.Listeners[i], d.Attributes, views, s.mu.secrets, s.logger)
		l.zones = zones
		errs = append(errs, err)
		for j := range d.Interfaces {
			for _, network := range networksOf(l.protocol) {
				s.mu.wanted[socketKey{d.Interfaces[j].ID, network, l.port}] = l
			}
		}
		if len(d.Interfaces) > 0 {
			l.groups(func(g *group) { g.balancer.Store(&b.name) })
		}
	}
	if err := errors.Join(errs...); err != nil {
		return b, fmt.Errorf("load balancer %s: %w", d.Name, err)
	}
	return b, nil
}

// zonesOf are the zones of a balancer's interfaces, by interface.
func zonesOf(d *desired.Balancer) map[string]string {
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

// SetHealth makes what is known of the targets' health this, in place of what
// was known before.
func (s *Server) SetHealth(known []TargetHealth) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.known = index(known)
	for _, g := range s.mu.groups {
		g.setHealth(s.mu.known)
	}
}

// SetTickets gives secrets from which the keys of TLS session tickets are made:
// the first for new tickets, the others for those that clients still have.
// Servers with the same secrets resume each other's sessions.
func (s *Server) SetTickets(secrets [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.secrets.tickets = secrets
	var errs []error
	for _, b := range s.mu.balancers {
		for arn, terms := range b.tls {
			errs = append(errs, terms.setTickets(arn, secrets))
		}
	}
	return errors.Join(errs...)
}

// SetKeys gives the private keys of all certificates that Set is told of next.
func (s *Server) SetKeys(keys map[desired.SecretID]secret.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.secrets.keys = keys
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
				k.rest()
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
