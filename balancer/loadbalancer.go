package balancer

import (
	"errors"
	"sync/atomic"

	"fargo/desired"
)

// balancer is a load balancer, for as long as it is in the configuration.
type balancer struct {
	arn     string
	name    string
	network bool
	metrics balancerCounters
	log     *objectLog // of requests; nil for none; guarded by the server
	// connections is the log of connections; nil for none; guarded by the server.
	connections *objectLog
	tls         map[string]*tlsTerms      // by listener; guarded by the server
	turns       map[string]*atomic.Uint64 // of rules, by ARN; guarded by the server
	turn        uint64                    // where they begin
}

// turnOf is the count of turns of a rule's forward action, which goes on when
// the rule is compiled anew.
func (b *balancer) turnOf(rule string) *atomic.Uint64 {
	if b.turns[rule] == nil {
		b.turns[rule] = new(atomic.Uint64)
		b.turns[rule].Store(b.turn)
	}
	return b.turns[rule]
}

// termsOf compiles a listener's TLS, or gives what it was compiled to before:
// clients may then resume their sessions.
func (b *balancer) termsOf(l *desired.BalancerListener, offered []string, secrets tlsSecrets) (*tlsTerms, error) {
	t := b.tls[l.ARN]
	if t != nil && t.of(l, offered) {
		return t, nil
	}
	t = compileTerms(l, offered, secrets.keys)
	b.tls[l.ARN] = t
	return t, errors.Join(t.err, t.setTickets(l.ARN, secrets.tickets))
}
