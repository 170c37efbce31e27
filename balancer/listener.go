package balancer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"fargo/desired"
)

// listener is a listener's configuration, compiled. It is never changed.
type listener struct {
	settings
	balancer     *balancer
	logger       *slog.Logger
	log          *objectLog // of requests; nil for none
	connections  *objectLog // nil for none
	arn          string
	protocol     string
	port         uint16
	rules        []*rule
	tls          *tls.Config // for HTTPS and TLS
	certificates []string    // ARNs of tls.Certificates
	// zones are those of the balancer's interfaces, by interface.
	zones map[string]string
}

func (l *listener) isHTTP() bool { return l.protocol == "HTTP" || l.protocol == "HTTPS" }

// compile reads a listener. Parts that are wrong are left out and told; a
// default rule that is wrong answers 503.
func (b *balancer) compile(d *desired.BalancerListener, attributes attributes, groups map[string]*view, secrets tlsSecrets, logger *slog.Logger) (*listener, error) {
	l := &listener{
		settings: readSettings(attributes, d.Attributes),
		balancer: b, logger: logger, log: b.log, connections: b.connections, arn: d.ARN, protocol: d.Protocol, port: d.Port,
	}
	var errs []error
	if d.Protocol == "HTTPS" || d.Protocol == "TLS" {
		terms, err := b.termsOf(d, l.protocols(d.ALPN), secrets)
		l.tls, l.certificates = terms.config, terms.arns
		errs = append(errs, err)
	}
	for i := range d.Rules {
		r, err := compileRule(&d.Rules[i], groups, b.turnOf(d.Rules[i].ARN))
		errs = append(errs, err)
		if r != nil {
			l.rules = append(l.rules, r)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return l, fmt.Errorf("listener %s: %w", d.ARN, err)
	}
	return l, nil
}

// protocols are those offered to clients in a TLS handshake.
func (l *listener) protocols(policy []string) []string {
	if l.protocol == "HTTPS" {
		if l.http2 {
			return []string{"h2", "http/1.1"}
		}
		return []string{"http/1.1"}
	}
	return alpnOf(policy)
}

// groups calls yield for each group the listener may send to.
func (l *listener) groups(yield func(*group)) {
	for _, r := range l.rules {
		if f := r.action.forward; f != nil {
			for _, g := range f.groups {
				yield(g.group)
			}
		}
	}
}

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
