package control

import (
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// vpcSet is a set of VPCs, by their ids: in which scope each is.
type vpcSet map[string]fargo.Scope

func allVPCs(r store.Reader) vpcSet {
	all := vpcSet{}
	for v := range store.EC2VPCs.All(r) {
		all[*v.VPC.VpcId] = v.Scope
	}
	return all
}

func (s vpcSet) has(id string) bool { _, ok := s[id]; return ok }

// addIn adds the VPCs whose networks a changed record is a part of, or was; ok is false
// when records of its table are a part of none.
func (s vpcSet) addIn(before, after store.Reader, c store.Change) (ok bool) {
	in, ok := networkParts[c.Table]
	if ok {
		in(s, before, c.Key)
		in(s, after, c.Key)
	}
	return ok
}

// addOf adds the VPCs of the load balancers that have changed: what they have decides
// about open groups.
func (s vpcSet) addOf(r store.Reader, all []desired.Balancer, changed desired.Change[desired.Balancer]) {
	for _, b := range all {
		if !slices.Contains(changed.Gone, b.ARN) && !slices.ContainsFunc(changed.Put, func(p desired.Balancer) bool { return p.ARN == b.ARN }) {
			continue
		}
		lb, ok := store.ELBLoadBalancers.Get(r, b.ARN)
		if !ok {
			continue
		}
		for _, i := range b.Interfaces {
			s[i.VPC] = lb.Scope
		}
	}
}

// networkParts are the tables whose records are a part of networks. Each finds the VPCs
// of a record by its key. Interfaces are not among them: their groups' members change by
// themselves.
var networkParts = map[string]func(vpcs vpcSet, r store.Reader, key string){
	store.EC2VPCs.Name():           part(store.EC2VPCs, func(s vpcSet, v *record.EC2VPC) { s[*v.VPC.VpcId] = v.Scope }),
	store.EC2Subnets.Name():        part(store.EC2Subnets, func(s vpcSet, n *record.EC2Subnet) { s[*n.Subnet.VpcId] = n.Scope }),
	store.EC2SecurityGroups.Name(): part(store.EC2SecurityGroups, func(s vpcSet, g *record.EC2SecurityGroup) { s[*g.Group.VpcId] = g.Scope }),
	store.EC2RouteTables.Name():    part(store.EC2RouteTables, func(s vpcSet, t *record.EC2RouteTable) { s[*t.RouteTable.VpcId] = t.Scope }),
	store.EC2NATGateways.Name():    part(store.EC2NATGateways, func(s vpcSet, g *record.EC2NATGateway) { s[*g.Gateway.VpcId] = g.Scope }),
	store.EC2NetworkACLs.Name():    part(store.EC2NetworkACLs, func(s vpcSet, a *record.EC2NetworkACL) { s[*a.ACL.VpcId] = a.Scope }),
	store.EC2InternetGateways.Name(): part(store.EC2InternetGateways, func(s vpcSet, g *record.EC2InternetGateway) {
		s.addAttached(g.Scope, g.Gateway.Attachments)
	}),
	store.EC2EgressOnlyGateways.Name(): part(store.EC2EgressOnlyGateways, func(s vpcSet, g *record.EC2EgressOnlyGateway) {
		s.addAttached(g.Scope, g.Gateway.Attachments)
	}),
	store.EC2VPCEndpoints.Name(): part(store.EC2VPCEndpoints, func(s vpcSet, e *record.EC2VPCEndpoint) {
		if e.Endpoint.VpcEndpointType == ec2.VpcEndpointTypeGateway {
			s[*e.Endpoint.VpcId] = e.Scope
		}
	}),
	store.EC2Peerings.Name(): part(store.EC2Peerings, func(s vpcSet, p *record.EC2Peering) {
		for _, end := range []*ec2.VpcPeeringConnectionVpcInfo{p.Connection.RequesterVpcInfo, p.Connection.AccepterVpcInfo} {
			s[*end.VpcId] = fargo.Scope{Account: aws.Value(end.OwnerId), Region: aws.Value(end.Region)}
		}
	}),
	store.EC2PrefixLists.Name(): func(s vpcSet, r store.Reader, key string) {
		if l, ok := store.EC2PrefixLists.Get(r, key); ok {
			s.addNaming(r, l)
		}
	},
}

func part[T any](t *store.Table[T], add func(vpcSet, *T)) func(vpcSet, store.Reader, string) {
	return func(s vpcSet, r store.Reader, key string) {
		if v, ok := t.Get(r, key); ok {
			add(s, v)
		}
	}
}

func (s vpcSet) addAttached(scope fargo.Scope, attachments []ec2.InternetGatewayAttachment) {
	for _, a := range attachments {
		s[*a.VpcId] = scope
	}
}

// addNaming adds the VPCs with routes or rules that name a prefix list.
func (s vpcSet) addNaming(r store.Reader, l *record.EC2PrefixList) {
	id := *l.List.PrefixListId
	for t := range store.EC2RouteTables.Prefix(r, l.Scope.Key()) {
		if slices.ContainsFunc(t.RouteTable.Routes, func(o ec2.Route) bool { return aws.Value(o.DestinationPrefixListId) == id }) {
			s[*t.RouteTable.VpcId] = t.Scope
		}
	}
	for g := range store.EC2SecurityGroups.Prefix(r, l.Scope.Key()) {
		if slices.ContainsFunc(g.Rules, func(o ec2.SecurityGroupRule) bool { return aws.Value(o.PrefixListId) == id }) {
			s[*g.Group.VpcId] = g.Scope
		}
	}
}

// networks gives those of the VPCs that there are, with all members of their groups.
func (p *Plane) networks(r store.Reader, of vpcSet) (out []desired.VPC) {
	for id, scope := range of {
		v := store.Routing(r, scope, id)
		if len(v.VPCs) == 0 {
			continue
		}
		v.Groups = slices.Collect(store.EC2SecurityGroups.By(r, store.ByVPC, id))
		v.Interfaces = slices.Collect(store.EC2NetworkInterfaces.By(r, store.ByVPC, id))
		out = append(out, plan.Networks(v)...)
	}
	if p.StrictEgress {
		plan.ClosePlatform(out)
	}
	slices.SortFunc(out, func(a, b desired.VPC) int { return strings.Compare(a.ID, b.ID) })
	return out
}
