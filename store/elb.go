package store

import "fargo"

// The indexes of the load balancing tables.
const (
	ListenerByLoadBalancer = "loadbalancer" // by the load balancer's ARN
	RuleByListener         = "listener"     // by the listener's ARN
	TargetByGroup          = "group"        // by the target group's ARN
)

// ELBLoadBalancers are the load balancers, by ARN.
var ELBLoadBalancers = NewTable("elbloadbalancer", (*fargo.ELBLoadBalancer).Key)

// ELBListeners are the listeners, by ARN.
var ELBListeners = NewTable("elblistener", (*fargo.ELBListener).Key,
	Index[fargo.ELBListener]{ListenerByLoadBalancer, func(l *fargo.ELBListener) []string { return []string{*l.Listener.LoadBalancerArn} }})

// ELBRules are the rules that are not default ones, by ARN.
var ELBRules = NewTable("elbrule", (*fargo.ELBRule).Key,
	Index[fargo.ELBRule]{RuleByListener, func(r *fargo.ELBRule) []string { return []string{r.Listener} }})

// ELBTargetGroups are the target groups, by ARN.
var ELBTargetGroups = NewTable("elbtargetgroup", (*fargo.ELBTargetGroup).Key)

// ELBTargets are the targets, by group, id and port.
var ELBTargets = NewTable("elbtarget", (*fargo.ELBTarget).Key,
	Index[fargo.ELBTarget]{TargetByGroup, func(t *fargo.ELBTarget) []string { return []string{t.Group} }})

// Certificates are ACM's certificates with their keys, by ARN.
var Certificates = NewTable("certificate", (*fargo.Certificate).Key).Sealed()
