package listener

import (
	"errors"
	"sync/atomic"

	"fargo/balancer/objectlog"
	"fargo/balancer/tlsconfig"
	"fargo/desired"
	"fargo/secret"
)

// LoadBalancer is a load balancer, for as long as it is in the configuration.
type LoadBalancer struct {
	ARN  string
	Name string
	log  *objectlog.Log // of requests; nil for none; guarded by the server
	// connections is the log of connections; nil for none; guarded by the server.
	connections *objectlog.Log
	tls         map[string]*tlsconfig.ServerConfig // by listener; guarded by the server
	turns       map[string]*atomic.Uint64          // of rules, by ARN; guarded by the server
	turn        uint64                             // where they begin
}

// NewLoadBalancer makes a load balancer without listeners. turn is where turns begin,
// of rules that have several groups.
func NewLoadBalancer(d *desired.Balancer, turn uint64) *LoadBalancer {
	return &LoadBalancer{
		ARN: d.ARN, Name: d.Name, turn: turn,
		turns: map[string]*atomic.Uint64{}, tls: map[string]*tlsconfig.ServerConfig{},
	}
}

// SetTickets has clients of all listeners resume sessions that any server began
// that has the same secrets.
func (b *LoadBalancer) SetTickets(secrets []secret.Text) error {
	var errs []error
	for arn, terms := range b.tls {
		errs = append(errs, terms.SetTickets(arn, secrets))
	}
	return errors.Join(errs...)
}

// turnOf is the count of turns of a rule's forward action, which goes on when
// the rule is compiled anew.
func (b *LoadBalancer) turnOf(rule string) *atomic.Uint64 {
	if b.turns[rule] == nil {
		b.turns[rule] = new(atomic.Uint64)
		b.turns[rule].Store(b.turn)
	}
	return b.turns[rule]
}

// tlsOf compiles a listener's TLS, or gives what it was compiled to before:
// clients may then resume their sessions.
func (b *LoadBalancer) tlsOf(l *desired.BalancerListener, offered []string, secrets tlsconfig.Secrets) (*tlsconfig.ServerConfig, error) {
	t := b.tls[l.ARN]
	if t != nil && t.Matches(l, offered) {
		return t, nil
	}
	t = tlsconfig.Compile(l, offered, secrets.Keys)
	b.tls[l.ARN] = t
	return t, errors.Join(t.Err, t.SetTickets(l.ARN, secrets.Tickets))
}
