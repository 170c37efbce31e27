package elbv2

import (
	"fargo"
	"fargo/api/arn"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// The kinds of resources that calls name by an ARN. One of another account or region
// is not found, as the whole ARN is looked up.
var (
	loadBalancerARNs = kind("loadbalancer", "load balancer")
	listenerARNs     = kind("listener", "listener")
	ruleARNs         = kind("listener-rule", "listener rule")
	targetGroupARNs  = kind("targetgroup", "target group")
)

func kind(name, called string) *arn.Kind {
	return &arn.Kind{Service: service, Prefix: name + "/", NotOne: func(given string) error {
		return invalid("'%s' is not a valid %s ARN", given, called)
	}}
}

// The functions below give a resource of the caller's, or the error that it is not
// there.

func loadBalancer(r store.Reader, scope fargo.Scope, arn string) (*record.ELBLoadBalancer, error) {
	if err := loadBalancerARNs.Check(scope, arn); err != nil {
		return nil, err
	}
	if lb, ok := store.ELBLoadBalancers.Get(r, arn); ok && lb.Scope == scope {
		return lb, nil
	}
	return nil, elbv2.LoadBalancerNotFoundException("Load balancer '%s' not found", arn)
}

func listener(r store.Reader, scope fargo.Scope, arn string) (*record.ELBListener, error) {
	if err := listenerARNs.Check(scope, arn); err != nil {
		return nil, err
	}
	if l, ok := store.ELBListeners.Get(r, arn); ok && l.Scope == scope {
		return l, nil
	}
	return nil, elbv2.ListenerNotFoundException("One or more listeners not found")
}

func targetGroup(r store.Reader, scope fargo.Scope, arn string) (*record.ELBTargetGroup, error) {
	if err := targetGroupARNs.Check(scope, arn); err != nil {
		return nil, err
	}
	if g, ok := store.ELBTargetGroups.Get(r, arn); ok && g.Scope == scope {
		return g, nil
	}
	return nil, elbv2.TargetGroupNotFoundException("Target groups '%s' not found", arn)
}
