package store

import (
	"slices"

	"fargo"
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
var ELBLoadBalancers = NewTable("elbloadbalancer", (*fargo.ELBLoadBalancer).Key)

// ELBListeners are the listeners, by ARN.
var ELBListeners = NewTable("elblistener", (*fargo.ELBListener).Key,
	Index[fargo.ELBListener]{ListenerByLoadBalancer, func(l *fargo.ELBListener) []string { return []string{*l.Listener.LoadBalancerArn} }},
	Index[fargo.ELBListener]{ListenerByTargetGroup, (*fargo.ELBListener).TargetGroups},
	Index[fargo.ELBListener]{ListenerByCertificate, (*fargo.ELBListener).AllCertificates})

// ELBRules are the rules that are not default ones, by ARN.
var ELBRules = NewTable("elbrule", (*fargo.ELBRule).Key,
	Index[fargo.ELBRule]{RuleByListener, func(r *fargo.ELBRule) []string { return []string{r.Listener} }},
	Index[fargo.ELBRule]{RuleByTargetGroup, (*fargo.ELBRule).TargetGroups})

// ELBTargetGroups are the target groups, by ARN.
var ELBTargetGroups = NewTable("elbtargetgroup", (*fargo.ELBTargetGroup).Key)

// ELBTargets are the targets, by group, id and port.
var ELBTargets = NewTable("elbtarget", (*fargo.ELBTarget).Key,
	Index[fargo.ELBTarget]{TargetByGroup, func(t *fargo.ELBTarget) []string { return []string{t.Group} }})

// Certificates are ACM's certificates with their keys, by ARN.
var Certificates = NewTable("certificate", (*fargo.Certificate).Key).Sealed()

// CertificateAuthorities are the issuers of certificates, by account.
var CertificateAuthorities = NewTable("certificateauthority", (*fargo.CertificateAuthority).Key).Sealed()

// LoadBalancersOfGroup are the ARNs of the load balancers with a listener or a
// rule that forwards to a target group, each once. There is at most one, as
// long as the API is asked; none means that the group is not in use.
func LoadBalancersOfGroup(r Reader, group string) []string {
	var arns []string
	add := func(l *fargo.ELBListener) {
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
