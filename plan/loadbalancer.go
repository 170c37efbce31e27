package plan

import (
	"net/netip"
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

// ELBView is all that Balancers needs to see, in any order.
type ELBView struct {
	LoadBalancers []*record.ELBLoadBalancer // all there are
	Listeners     []*record.ELBListener
	Rules         []*record.ELBRule
	Groups        []*record.ELBTargetGroup
	Targets       []*record.ELBTarget
	Certificates  []*record.Certificate
}

// Balancers gives the load balancers as a node must run them, each with those of its
// interfaces that are on the node, and the target groups that they use. What belongs
// to no load balancer of the view is left out, as are load balancers that are not on
// the node. The result is sorted, so that equal views give equal values.
func Balancers(v ELBView, node string) ([]desired.Balancer, []desired.BalancerGroup) {
	v.LoadBalancers = slices.DeleteFunc(slices.Clone(v.LoadBalancers), func(lb *record.ELBLoadBalancer) bool { return !On(lb, node) })
	p := newELBPlan(v)
	var balancers []desired.Balancer
	for _, lb := range v.LoadBalancers {
		balancers = append(balancers, p.balancer(lb, node))
	}
	var groups []desired.BalancerGroup
	for _, g := range v.Groups {
		lb, used := p.users[g.Key()]
		if !used {
			continue
		}
		shape := g.TargetGroup
		shape.LoadBalancerArns = nil
		groups = append(groups, desired.BalancerGroup{
			ARN: g.Key(), Name: resource(g.Key()), Group: shape, Attributes: g.Attributes,
			Targets: balancerTargets(p.targets[g.Key()], lb.Zones()), Zonal: !CrossesZones(lb, g),
		})
	}
	slices.SortFunc(balancers, func(a, b desired.Balancer) int { return strings.Compare(a.ARN, b.ARN) })
	slices.SortFunc(groups, func(a, b desired.BalancerGroup) int { return strings.Compare(a.ARN, b.ARN) })
	return balancers, groups
}

// elbPlan is a view in the order it is looked things up in.
type elbPlan struct {
	listeners    map[string][]*record.ELBListener // by load balancer
	rules        map[string][]*record.ELBRule     // by listener
	targets      map[string][]*record.ELBTarget   // by group
	certificates map[string]*record.Certificate
	groups       map[string]*record.ELBTargetGroup
	users        map[string]*record.ELBLoadBalancer // of each group in use
}

func newELBPlan(v ELBView) *elbPlan {
	p := &elbPlan{
		listeners: map[string][]*record.ELBListener{}, rules: map[string][]*record.ELBRule{},
		targets: map[string][]*record.ELBTarget{}, certificates: map[string]*record.Certificate{},
		groups: map[string]*record.ELBTargetGroup{}, users: map[string]*record.ELBLoadBalancer{},
	}
	for _, l := range v.Listeners {
		p.listeners[*l.Listener.LoadBalancerArn] = append(p.listeners[*l.Listener.LoadBalancerArn], l)
	}
	for _, r := range v.Rules {
		p.rules[r.Listener] = append(p.rules[r.Listener], r)
	}
	for _, t := range v.Targets {
		p.targets[t.Group] = append(p.targets[t.Group], t)
	}
	for _, c := range v.Certificates {
		p.certificates[c.Key()] = c
	}
	for _, g := range v.Groups {
		p.groups[g.Key()] = g
	}
	for _, lb := range v.LoadBalancers {
		for _, g := range p.used(lb) {
			p.users[g] = lb
		}
	}
	return p
}

// used are the ARNs of the groups that a load balancer forwards to.
func (p *elbPlan) used(lb *record.ELBLoadBalancer) (groups []string) {
	for _, l := range p.listeners[lb.Key()] {
		groups = append(groups, l.TargetGroups()...)
		for _, r := range p.rules[l.Key()] {
			groups = append(groups, r.TargetGroups()...)
		}
	}
	return groups
}

func (p *elbPlan) balancer(lb *record.ELBLoadBalancer, node string) desired.Balancer {
	b := desired.Balancer{
		ARN: lb.Key(), Name: strings.TrimPrefix(resource(lb.Key()), "loadbalancer/"),
		Network: lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumNetwork, Attributes: lb.Attributes,
	}
	zones := lb.Zones()
	for n, i := range lb.Interfaces {
		if lb.Nodes[i.ID] != node {
			continue
		}
		if len(i.Groups) == 0 {
			i.Groups = []string{OpenGroup}
		}
		i.DenyGateway = i.IPv6.IsValid() && lb.Attributes[DenyGateway] == "true"
		b.Interfaces = append(b.Interfaces, i)
		b.Zones = append(b.Zones, zones[n])
	}
	for _, l := range p.listeners[lb.Key()] {
		b.Listeners = append(b.Listeners, p.listener(l))
	}
	slices.SortFunc(b.Listeners, func(x, y desired.BalancerListener) int { return int(x.Port) - int(y.Port) })
	return b
}

func (p *elbPlan) listener(l *record.ELBListener) desired.BalancerListener {
	out := desired.BalancerListener{
		ARN: l.Key(), Protocol: string(l.Listener.Protocol), Port: uint16(aws.Value(l.Listener.Port)),
		SSLPolicy: aws.Value(l.Listener.SslPolicy), ALPN: l.Listener.AlpnPolicy, Attributes: l.Attributes,
	}
	for _, arn := range l.AllCertificates() {
		// The API keeps a certificate for as long as a listener has it.
		if c, ok := p.certificates[arn]; ok {
			out.Certificates = append(out.Certificates, Certificate(c))
		}
	}
	for _, r := range Rules(l, p.rules[l.Key()]) {
		out.Rules = append(out.Rules, desired.BalancerRule{
			ARN: *r.RuleArn, Priority: *r.Priority, Conditions: r.Conditions, Transforms: r.Transforms, Actions: InOrder(r.Actions),
		})
	}
	return out
}

// Certificate is a certificate as a load balancer needs it. Its private key is named,
// and not in it.
func Certificate(c *record.Certificate) desired.Certificate {
	chain := strings.TrimRight(c.Body, "\n") + "\n" + c.Chain
	return desired.Certificate{ARN: c.Key(), Chain: chain, KeyID: desired.CertificateKeyOf(chain)}
}

// resource is the part of an ARN that the metrics know a thing by.
func resource(arn string) string {
	a, _ := fargo.ParseARN(arn)
	return a.Resource
}

// DenyGateway is the attribute of load balancers that closes their IPv6 addresses to
// what comes through the Internet gateway. Source: ELBv2 API, LoadBalancerAttribute.
const DenyGateway = "ipv6.deny_all_igw_traffic"

// OpenGroup is the id of a security group that lets everything pass: what a
// network load balancer without security groups has in their place. No user's
// group is called so.
const OpenGroup = "open"

// OpenTo adds the open group to the VPCs that an interface of the balancers in
// it needs.
func OpenTo(vpcs []desired.VPC, balancers []desired.Balancer) {
	open := map[string][]netip.Addr{}
	for _, b := range balancers {
		for _, i := range b.Interfaces {
			if slices.Contains(i.Groups, OpenGroup) {
				open[i.VPC] = append(open[i.VPC], i.Addresses()...)
			}
		}
	}
	var everything []desired.Rule
	for _, a := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		everything = append(everything, desired.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: netip.PrefixFrom(a, 0)})
	}
	for n := range vpcs {
		v := &vpcs[n]
		members, ok := open[v.ID]
		if !ok {
			continue
		}
		slices.SortFunc(members, netip.Addr.Compare)
		v.Groups = append([]desired.SecurityGroup{{
			ID: OpenGroup, Ingress: everything, Egress: everything, Members: members,
		}}, v.Groups...)
	}
}

// InterfaceAt makes an interface in a subnet. wanted is the address it must have;
// the zero Addr means any. ok is false when there is no such address free.
func InterfaceAt(id string, c Candidate, wanted netip.Addr, groups []string) (i desired.Interface, ok bool) {
	addr := wanted
	if !wanted.IsValid() {
		addr, ok = FreeAddress(c.Prefix, id, c.Taken)
	} else {
		ok = Assignable(c.Prefix, wanted) && !c.Taken(wanted)
	}
	return desired.Interface{
		ID: id, VPC: c.VPC, Subnet: c.Subnet, Prefix: c.Prefix, Address: addr,
		MAC: macAddress(id), Groups: groups, Internet: c.Internet,
	}, ok
}
