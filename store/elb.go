package store

import (
	"slices"

	"fargo/record"
)

// The indexes of the load balancing tables.
const (
	ListenerByLoadBalancer = "loadbalancer" // by the load balancer's ARN
	ListenerByTargetGroup  = "targetgroup"  // by the ARNs its default actions name
	ListenerByCertificate  = "certificate"  // by the ARNs of all its certificates
	RuleByListener         = "listener"     // by the listener's ARN
	RuleByTargetGroup      = "targetgroup"  // by the ARNs its actions name
	TargetByGroup          = "group"        // by the target group's ARN
)

// ELBLoadBalancers are the load balancers, by ARN.
var ELBLoadBalancers = NewTable("elbloadbalancer", (*record.ELBLoadBalancer).Key)

// ELBListeners are the listeners, by ARN.
var ELBListeners = NewTable("elblistener", (*record.ELBListener).Key,
	Index[record.ELBListener]{ListenerByLoadBalancer, func(l *record.ELBListener) []string { return []string{*l.Listener.LoadBalancerArn} }},
	Index[record.ELBListener]{ListenerByTargetGroup, (*record.ELBListener).TargetGroups},
	Index[record.ELBListener]{ListenerByCertificate, (*record.ELBListener).AllCertificates})

// ELBRules are the rules that are not default ones, by ARN.
var ELBRules = NewTable("elbrule", (*record.ELBRule).Key,
	Index[record.ELBRule]{RuleByListener, func(r *record.ELBRule) []string { return []string{r.Listener} }},
	Index[record.ELBRule]{RuleByTargetGroup, (*record.ELBRule).TargetGroups})

// ELBTargetGroups are the target groups, by ARN.
var ELBTargetGroups = NewTable("elbtargetgroup", (*record.ELBTargetGroup).Key)

// ELBTargets are the targets, by group, id and port.
var ELBTargets = NewTable("elbtarget", (*record.ELBTarget).Key,
	Index[record.ELBTarget]{TargetByGroup, func(t *record.ELBTarget) []string { return []string{t.Group} }})

// Certificates are ACM's certificates with their keys, by ARN.
var Certificates = NewTable("certificate", (*record.Certificate).Key).Sealed()

// CertificateAuthorities are the issuers of certificates, by account.
var CertificateAuthorities = NewTable("certificateauthority", (*record.CertificateAuthority).Key).Sealed()

// LoadBalancersOfGroup are the ARNs of the load balancers with a listener or a
// rule that forwards to a target group, each once. There is at most one, as
// long as the API is asked; none means that the group is not in use.
func LoadBalancersOfGroup(r Reader, group string) []string {
	var arns []string
	add := func(l *record.ELBListener) {
		if arn := *l.Listener.LoadBalancerArn; !slices.Contains(arns, arn) {
			arns = append(arns, arn)
		}
	}
	for l := range ELBListeners.By(r, ListenerByTargetGroup, group) {
		add(l)
	}
	for rule := range ELBRules.By(r, RuleByTargetGroup, group) {
		if l, ok := ELBListeners.Get(r, rule.Listener); ok {
			add(l)
		}
	}
	return arns
}

// ZonesOfGroup are those that the load balancer of a target group is enabled in; none
// means that the group is not in use.
func ZonesOfGroup(r Reader, group string) (zones []string) {
	for _, arn := range LoadBalancersOfGroup(r, group) {
		if lb, ok := ELBLoadBalancers.Get(r, arn); ok {
			zones = append(zones, lb.Zones()...)
		}
	}
	return zones
}
