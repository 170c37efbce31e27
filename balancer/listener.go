package balancer

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"fargo/desired"
)

// boundRule is a rule with the groups that its forward action names, in that
// order.
type boundRule struct {
	*rule
	groups []*view
}

// bindRule compiles a rule. A group that is not known is one without targets, and
// an error.
func bindRule(d *desired.BalancerRule, groups map[string]*view, turn *atomic.Uint64) (*boundRule, error) {
	r, err := compileRule(d, func(arn string) bool { return groups[arn] != nil }, turn)
	if r == nil {
		return nil, err
	}
	bound := &boundRule{rule: r}
	if r.action.forward != nil {
		for _, arn := range r.action.forward.groups {
			v := groups[arn]
			if v == nil {
				v = newView(newGroup(arn))
			}
			bound.groups = append(bound.groups, v)
		}
	}
	return bound, err
}

// listener is a listener's configuration, compiled. It is never changed.
type listener struct {
	settings
	balancer    *balancer
	logger      *slog.Logger
	log         *objectLog // of requests; nil for none
	connections *objectLog // nil for none
	arn         string
	protocol    string
	port        uint16
	rules       []*boundRule
	tls         *tlsTerms // of HTTPS and TLS; nil for others
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
		var err error
		l.tls, err = b.termsOf(d, l.protocols(d.ALPN), secrets)
		errs = append(errs, err)
	}
	for i := range d.Rules {
		r, err := bindRule(&d.Rules[i], groups, b.turnOf(d.Rules[i].ARN))
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
		for _, g := range r.groups {
			yield(g.group)
		}
	}
}

// route finds the rule for a request, which is the last at the latest, and how
// many were looked at until then.
func (l *listener) route(r *request) (found *boundRule, evaluated int) {
	for i, rule := range l.rules {
		if rule.match(r) {
			return rule, i + 1
		}
	}
	return nil, 0
}

// tableOf is the table of a group for what comes in by an interface.
func (l *listener) tableOf(g *view, interfaceID string) *table {
	t := g.table.Load()
	if t.zones == nil {
		return t
	}
	return t.near(l.zones[interfaceID])
}
