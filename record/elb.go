package record

import (
	"slices"
	"strconv"
	"time"

	"fargo"
	"fargo/aws/acm"
	"fargo/aws/elbv2"
	"fargo/desired"
)

// The ELB nouns are what the Elastic Load Balancing API knows; Balancer and
// BalancerGroup (balancer.go) are what a node must run of it. Each holds the
// shape that Describe shows. What others decide or observe is in other fields.

// ELBLoadBalancer is a load balancer.
type ELBLoadBalancer struct {
	Scope        fargo.Scope
	LoadBalancer elbv2.LoadBalancer
	Attributes   map[string]string // every key AWS shows, defaults included
	Tags         []elbv2.Tag
	// Interfaces are its network interfaces, one for each subnet, in the order
	// of LoadBalancer.AvailabilityZones. They are made and deleted with it.
	Interfaces []desired.Interface
	// Nodes are the ids of the nodes that the interfaces are on, by the interfaces'
	// ids; one that is missing is on none. The load balancer controller writes it.
	Nodes map[string]string `json:",omitempty"`
}

// Key is the load balancer's place in the store.
func (l *ELBLoadBalancer) Key() string { return *l.LoadBalancer.LoadBalancerArn }

// Zones are those that the load balancer is enabled in, in the order of Interfaces.
func (l *ELBLoadBalancer) Zones() []string {
	zones := make([]string, len(l.LoadBalancer.AvailabilityZones))
	for i, z := range l.LoadBalancer.AvailabilityZones {
		zones[i] = *z.ZoneName
	}
	return zones
}

// ELBListener is a listener of a load balancer. Its default actions are in it.
type ELBListener struct {
	Scope      fargo.Scope
	Listener   elbv2.Listener
	Attributes map[string]string
	Tags       []elbv2.Tag
	// Certificates are the ARNs of the additional certificates, which SNI chooses.
	Certificates []string
}

// Key is the listener's place in the store.
func (l *ELBListener) Key() string { return *l.Listener.ListenerArn }

// TargetGroups are the ARNs of the groups that the default actions forward to.
func (l *ELBListener) TargetGroups() []string { return forwardedTo(l.Listener.DefaultActions) }

// AllCertificates are the ARNs of the default and the additional certificates.
func (l *ELBListener) AllCertificates() []string {
	var arns []string
	for _, c := range l.Listener.Certificates {
		arns = append(arns, *c.CertificateArn)
	}
	return append(arns, l.Certificates...)
}

// ELBRule is a rule of a listener, other than the default one.
type ELBRule struct {
	Scope    fargo.Scope
	Listener string // ARN
	Priority int    // 1 to 50000
	Rule     elbv2.Rule
	Tags     []elbv2.Tag
}

// Key is the rule's place in the store.
func (r *ELBRule) Key() string { return *r.Rule.RuleArn }

// TargetGroups are the ARNs of the groups that the rule forwards to.
func (r *ELBRule) TargetGroups() []string { return forwardedTo(r.Rule.Actions) }

// forwardedTo are the groups that actions name, each once.
func forwardedTo(actions []elbv2.Action) []string {
	var arns []string
	add := func(arn *string) {
		if arn != nil && !slices.Contains(arns, *arn) {
			arns = append(arns, *arn)
		}
	}
	for _, a := range actions {
		add(a.TargetGroupArn)
		if a.ForwardConfig != nil {
			for _, g := range a.ForwardConfig.TargetGroups {
				add(g.TargetGroupArn)
			}
		}
	}
	return arns
}

// ELBTargetGroup is a target group. LoadBalancerArns in it is not kept: it
// follows from the listeners and rules that name the group.
type ELBTargetGroup struct {
	Scope       fargo.Scope
	TargetGroup elbv2.TargetGroup
	Attributes  map[string]string
	Tags        []elbv2.Tag
}

// Key is the target group's place in the store.
func (g *ELBTargetGroup) Key() string { return *g.TargetGroup.TargetGroupArn }

// IPv6 reports whether the group's targets have IPv6 addresses.
func (g *ELBTargetGroup) IPv6() bool {
	return g.TargetGroup.IpAddressType == elbv2.TargetGroupIpAddressTypeEnumIpv6
}

// DeregistrationDelay is how long a target that is leaving may finish what it
// has begun.
func (g *ELBTargetGroup) DeregistrationDelay() time.Duration {
	s, err := strconv.Atoi(g.Attributes["deregistration_delay.timeout_seconds"])
	if err != nil {
		s = 300
	}
	return time.Duration(s) * time.Second
}

// ELBTarget is a target registered in a group. Registration belongs to the API
// and to ECS; Health to the node that checks it.
type ELBTarget struct {
	Group        string // ARN
	ID           string // an address, for groups of type ip
	Port         int
	Zone         string `json:",omitzero"`
	RegisteredAt time.Time
	// DrainingSince is set when the target was deregistered: it takes no new
	// requests, and is deleted after the group's deregistration delay.
	DrainingSince time.Time `json:",omitzero"`
	// Health is what the node reported last: State, Reason and Description. Nil before
	// the first report.
	Health *elbv2.TargetHealth `json:",omitzero"`
}

// Key is the target's place in the store: a target is an id and a port.
func (t *ELBTarget) Key() string { return fargo.TargetKey(t.Group, t.ID, t.Port) }

// Certificate is an ACM certificate with its private key. Its table is sealed.
type Certificate struct {
	Scope       fargo.Scope
	Certificate acm.CertificateDetail
	Body        string // PEM
	Chain       string // PEM, may be empty
	PrivateKey  string // PEM
	Tags        []acm.Tag
	// Token is the idempotency token of the request that made it.
	Token string `json:",omitzero"`
	// Exported is set when its owner was given the private key.
	Exported bool `json:",omitzero"`
}

// Key is the certificate's place in the store.
func (c *Certificate) Key() string { return *c.Certificate.CertificateArn }

// CertificateAuthority is what certificates that ACM is asked for are issued
// by, in Amazon's place. Its table is sealed.
type CertificateAuthority struct {
	Account     string
	Certificate string // PEM
	PrivateKey  string // PEM
}

// Key is the authority's place in the store: an account has one, in all regions,
// so that clients need to trust no more than one.
func (a *CertificateAuthority) Key() string { return a.Account }
