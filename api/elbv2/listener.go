package elbv2

import (
	"context"
	"reflect"
	"slices"
	"time"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// maxListeners is how many a load balancer may have.
// Source: ELB user guide, "Quotas for your Application Load Balancers".
const maxListeners = 50

// CreateListener makes a listener. Asking again for the same gives the one
// there is.
func (s *Server) CreateListener(ctx context.Context, in *elbv2.CreateListenerInput) (*elbv2.CreateListenerOutput, error) {
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	out := &elbv2.CreateListenerOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		lb, err := loadBalancer(tx, scope, *in.LoadBalancerArn)
		if err != nil {
			return err
		}
		switch {
		case in.Protocol == "":
			return invalid("A listener protocol must be specified")
		case in.Port == nil:
			return invalid("A listener port must be specified")
		}
		shape := elbv2.Listener{
			LoadBalancerArn: in.LoadBalancerArn, Port: in.Port, Protocol: in.Protocol, Certificates: in.Certificates,
			SslPolicy: in.SslPolicy, DefaultActions: in.DefaultActions, AlpnPolicy: in.AlpnPolicy, MutualAuthentication: in.MutualAuthentication,
		}
		if err := completeListener(tx, lb, &shape); err != nil {
			return err
		}
		n := 0
		for old := range store.ELBListeners.By(tx, store.ListenerByLoadBalancer, lb.Key()) {
			n++
			if *old.Listener.Port != *shape.Port {
				continue
			}
			if !sameListener(old, shape, in.Tags) {
				return duplicateListener(lb)
			}
			out.Listeners = []elbv2.Listener{old.Listener}
			return nil
		}
		if n >= maxListeners {
			return elbv2.TooManyListenersException("The maximum number of listeners per load balancer is '%d'", maxListeners)
		}
		shape.ListenerArn = new(listenerARN(lb, fargo.NewHex(16)))
		store.ELBListeners.Put(tx, &record.ELBListener{
			Scope: scope, Listener: shape, Attributes: listenerAttributes(shape.Protocol).defaults(), Tags: aws.List(in.Tags),
		})
		out.Listeners = []elbv2.Listener{shape}
		return checkUse(tx, lb)
	})
}

func duplicateListener(lb *record.ELBLoadBalancer) error {
	return elbv2.DuplicateListenerException("A listener already exists on this port for this load balancer '%s'", lb.Key())
}

func sameListener(old *record.ELBListener, wanted elbv2.Listener, tags []elbv2.Tag) bool {
	wanted.ListenerArn = old.Listener.ListenerArn
	return reflect.DeepEqual(old.Listener, wanted) && sameTags(old.Tags, tags)
}

// listenerARN is the name of a load balancer's listener with an id.
func listenerARN(lb *record.ELBLoadBalancer, id string) string {
	a, _ := fargo.ParseARN(lb.Key())
	return lb.Scope.ARN(service, "listener"+a.Resource[len("loadbalancer"):]+"/"+id)
}

// completeListener checks a listener of lb, and gives it what it was not given.
// The groups that it forwards to are checked by checkUse, once it is stored.
// Source: ELBv2 API, CreateListener.
func completeListener(r store.Reader, lb *record.ELBLoadBalancer, l *elbv2.Listener) error {
	network := lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumNetwork
	switch {
	case !network && !speaksHTTP(l.Protocol):
		return invalid("Listener protocol '%s' must be one of 'HTTP, HTTPS'", l.Protocol)
	case network && (l.Protocol == elbv2.ProtocolEnumQuic || l.Protocol == elbv2.ProtocolEnumTcpQuic):
		return notImplemented("listeners with the " + string(l.Protocol) + " protocol")
	case network && !slices.Contains(networkProtocols, l.Protocol):
		return invalid("Listener protocol '%s' must be one of 'TCP, QUIC, TCP_QUIC, UDP, TCP_UDP, TLS'", l.Protocol)
	}
	if err := checkListenerFamily(lb, l.Protocol); err != nil {
		return err
	}
	if err := completeTLS(r, lb, l); err != nil {
		return err
	}
	actions, err := completeActions(r, lb, l, l.DefaultActions)
	if err != nil {
		return err
	}
	l.DefaultActions = actions
	return nil
}

// encrypted reports whether a protocol needs a certificate.
func encrypted(p elbv2.ProtocolEnum) bool {
	return p == elbv2.ProtocolEnumHttps || p == elbv2.ProtocolEnumTls
}

// ModifyListener changes what it names of a listener.
func (s *Server) ModifyListener(ctx context.Context, in *elbv2.ModifyListenerInput) (*elbv2.ModifyListenerOutput, error) {
	out := &elbv2.ModifyListenerOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := listener(tx, scope, *in.ListenerArn)
		if err != nil {
			return err
		}
		lb, ok := store.ELBLoadBalancers.Get(tx, *l.Listener.LoadBalancerArn)
		if !ok {
			return elbv2.ListenerNotFoundException("One or more listeners not found")
		}
		c := *l
		modifyListener(&c.Listener, in)
		if err := completeListener(tx, lb, &c.Listener); err != nil {
			return err
		}
		for rule := range store.ELBRules.By(tx, store.RuleByListener, l.Key()) {
			if _, err := completeActions(tx, lb, &c.Listener, rule.Rule.Actions); err != nil {
				return err
			}
		}
		if !encrypted(c.Listener.Protocol) {
			c.Certificates = nil
		}
		for other := range store.ELBListeners.By(tx, store.ListenerByLoadBalancer, lb.Key()) {
			if other.Key() != c.Key() && *other.Listener.Port == *c.Listener.Port {
				return duplicateListener(lb)
			}
		}
		c.Attributes = listenerAttributes(c.Listener.Protocol).fill(c.Attributes)
		store.ELBListeners.Put(tx, &c)
		out.Listeners = []elbv2.Listener{c.Listener}
		return checkUse(tx, lb)
	})
}

// modifyListener lays a change over a listener. What only the old protocol had
// goes with it.
func modifyListener(l *elbv2.Listener, in *elbv2.ModifyListenerInput) {
	set(&l.Port, in.Port)
	if in.Protocol != "" && in.Protocol != l.Protocol {
		l.Protocol = in.Protocol
		l.MutualAuthentication = nil
		if !encrypted(in.Protocol) {
			l.Certificates, l.SslPolicy = nil, nil
		}
		if in.Protocol != elbv2.ProtocolEnumTls {
			l.AlpnPolicy = nil
		}
	}
	set(&l.SslPolicy, in.SslPolicy)
	set(&l.MutualAuthentication, in.MutualAuthentication)
	if len(in.Certificates) > 0 {
		l.Certificates = in.Certificates
	}
	if len(in.DefaultActions) > 0 {
		l.DefaultActions = in.DefaultActions
	}
	if len(in.AlpnPolicy) > 0 {
		l.AlpnPolicy = in.AlpnPolicy
	}
}

// DeleteListener deletes a listener and its rules.
func (s *Server) DeleteListener(ctx context.Context, in *elbv2.DeleteListenerInput) (*elbv2.DeleteListenerOutput, error) {
	return &elbv2.DeleteListenerOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := listener(tx, scope, *in.ListenerArn)
		if err != nil {
			return err
		}
		deleteListener(tx, l)
		return nil
	})
}

func deleteListener(tx *store.Tx, l *record.ELBListener) {
	for rule := range store.ELBRules.By(tx, store.RuleByListener, l.Key()) {
		store.ELBRules.Delete(tx, rule.Key())
	}
	store.ELBListeners.Delete(tx, l.Key())
}

// DescribeListeners shows the listeners of a load balancer, or those named.
func (s *Server) DescribeListeners(ctx context.Context, in *elbv2.DescribeListenersInput) (*elbv2.DescribeListenersOutput, error) {
	if (in.LoadBalancerArn == nil) == (len(in.ListenerArns) == 0) {
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	}
	r, scope := s.view(ctx)
	var found []*record.ELBListener
	for _, arn := range in.ListenerArns {
		l, err := listener(r, scope, arn)
		if err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	if in.LoadBalancerArn != nil {
		lb, err := loadBalancer(r, scope, *in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		found = slices.Collect(store.ELBListeners.By(r, store.ListenerByLoadBalancer, lb.Key()))
	}
	found, next, err := page.Of(pages.Ask(in, in.Marker, in.PageSize), slices.Values(found), (*record.ELBListener).Key)
	out := &elbv2.DescribeListenersOutput{Listeners: []elbv2.Listener{}, NextMarker: next}
	for _, l := range found {
		out.Listeners = append(out.Listeners, l.Listener)
	}
	return out, err
}
