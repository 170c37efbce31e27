package listener

import (
	"errors"
	"fmt"
	"sync/atomic"

	"fargo/balancer/objectlog"
	"fargo/balancer/routing"
	"fargo/balancer/settings"
	"fargo/balancer/targetgroup"
	"fargo/balancer/tlsconfig"
	"fargo/desired"
)

// Rule is a rule with the groups that its forward action names, in that order.
type Rule struct {
	*routing.Rule
	Groups []*targetgroup.View
}

// bind compiles a rule. A group that is not known is one without targets, and an
// error.
func bind(d *desired.BalancerRule, groups map[string]*targetgroup.View, turn *atomic.Uint64) (*Rule, error) {
	r, err := routing.Compile(d, func(arn string) bool { return groups[arn] != nil }, turn)
	if r == nil {
		return nil, err
	}
	bound := &Rule{Rule: r}
	if r.Action.Forward != nil {
		for _, arn := range r.Action.Forward.Groups {
			v := groups[arn]
			if v == nil {
				v = targetgroup.NewView(targetgroup.New(arn, 0))
			}
			bound.Groups = append(bound.Groups, v)
		}
	}
	return bound, err
}

// Listener is a listener's configuration, compiled. It is never changed.
type Listener struct {
	settings.Listener
	Balancer    *LoadBalancer
	Log         *objectlog.Log // of requests; nil for none
	Connections *objectlog.Log // nil for none
	ARN         string
	Protocol    string
	Port        uint16
	Rules       []*Rule
	TLS         *tlsconfig.ServerConfig // of HTTPS and TLS; nil for others
}

// IsHTTP reports whether it is one of an application load balancer.
func (l *Listener) IsHTTP() bool { return l.Protocol == "HTTP" || l.Protocol == "HTTPS" }

// Compile reads the listener with index i. Parts that are wrong are left out, and told
// in the error; a default rule that is wrong answers 503.
func (b *LoadBalancer) Compile(config *desired.Balancer, i int, groups map[string]*targetgroup.View, secrets tlsconfig.Secrets) (*Listener, error) {
	d := &config.Listeners[i]
	l := &Listener{
		Listener: settings.ReadListener(config.Attributes, d.Attributes),
		Balancer: b, Log: b.log, Connections: b.connections, ARN: d.ARN, Protocol: d.Protocol, Port: d.Port,
	}
	var errs []error
	if d.Protocol == "HTTPS" || d.Protocol == "TLS" {
		var err error
		l.TLS, err = b.tlsOf(d, l.protocols(d.ALPN), secrets)
		errs = append(errs, err)
	}
	for i := range d.Rules {
		r, err := bind(&d.Rules[i], groups, b.turnOf(d.Rules[i].ARN))
		errs = append(errs, err)
		if r != nil {
			l.Rules = append(l.Rules, r)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return l, fmt.Errorf("listener %s: %w", d.ARN, err)
	}
	return l, nil
}

// protocols are those offered to clients in a TLS handshake.
func (l *Listener) protocols(policy []string) []string {
	if l.Protocol == "HTTPS" {
		if l.HTTP2 {
			return []string{"h2", "http/1.1"}
		}
		return []string{"http/1.1"}
	}
	return tlsconfig.Protocols(policy)
}

// Groups calls yield for each group the listener may send to.
func (l *Listener) Groups(yield func(*targetgroup.Group)) {
	for _, r := range l.Rules {
		for _, g := range r.Groups {
			yield(g.Group)
		}
	}
}

// Route finds the rule for a request, which is the last at the latest, and how
// many were looked at until then.
func (l *Listener) Route(r *routing.Request) (found *Rule, evaluated int) {
	for i, rule := range l.Rules {
		if rule.Match(r) {
			return rule, i + 1
		}
	}
	return nil, 0
}
