package plan

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// RouteState is whether a route of a table leads anywhere: it is a blackhole when its
// target is gone, is not attached to the VPC, or cannot take what the route is for.
// Routes to network interfaces and instances are blackholes: nothing here forwards what
// is not its own.
// Source: VPC user guide, "Route tables": "blackhole".
func RouteState(v NetworkView, t *record.EC2RouteTable, r *ec2.Route) ec2.RouteState {
	vpc := vpcOf(v, *t.RouteTable.VpcId)
	to := destinations(v, t.Scope.Region, r)
	if len(to) == 0 { // an empty list
		to = []netip.Prefix{anyIPv4}
	}
	for _, to := range to {
		if vpc == nil || nextHop(v, vpc, r, to).target == desired.RouteBlackhole {
			return ec2.RouteStateBlackhole
		}
	}
	return ec2.RouteStateActive
}

// hop is where a route leads, before what is behind a NAT gateway has been looked up.
type hop struct {
	target desired.RouteTarget // "" when nat is set
	nat    *record.EC2NATGateway
	peer   string
}

var blackhole = hop{target: desired.RouteBlackhole}

// nextHop is where a route of the VPC leads packets to a block of its destination.
func nextHop(v NetworkView, vpc *record.EC2VPC, r *ec2.Route, to netip.Prefix) hop {
	id := *vpc.VPC.VpcId
	switch gateway := aws.Value(r.GatewayId); {
	case gateway == "local":
		if slices.ContainsFunc(blocks(vpc), func(c netip.Prefix) bool { return within(to, c) }) {
			return hop{target: desired.RouteLocal}
		}
	case strings.HasPrefix(gateway, "vpce-"):
		if hasGatewayEndpoint(v, id, gateway) {
			return hop{target: desired.RouteService}
		}
	case gateway != "":
		if slices.ContainsFunc(v.InternetGateways, func(g *record.EC2InternetGateway) bool {
			return *g.Gateway.InternetGatewayId == gateway && attached(g.Gateway.Attachments, id)
		}) {
			return hop{target: desired.RouteInternet}
		}
	case r.EgressOnlyInternetGatewayId != nil && to.Addr().Is6():
		if slices.ContainsFunc(v.EgressOnlyGateways, func(g *record.EC2EgressOnlyGateway) bool {
			return *g.Gateway.EgressOnlyInternetGatewayId == *r.EgressOnlyInternetGatewayId && attached(g.Gateway.Attachments, id)
		}) {
			return hop{target: desired.RouteEgressOnly}
		}
	case r.NatGatewayId != nil && to.Addr().Is4():
		if g := natGateway(v, id, *r.NatGatewayId); g != nil {
			return hop{nat: g}
		}
	case r.VpcPeeringConnectionId != nil:
		if peer := peerOver(v, id, *r.VpcPeeringConnectionId); peer != "" {
			return hop{target: desired.RoutePeer, peer: peer}
		}
	}
	return blackhole
}

func hasGatewayEndpoint(v NetworkView, vpc, id string) bool {
	return slices.ContainsFunc(v.Endpoints, func(e *record.EC2VPCEndpoint) bool {
		return *e.Endpoint.VpcEndpointId == id && *e.Endpoint.VpcId == vpc && available(e) &&
			e.Endpoint.VpcEndpointType == ec2.VpcEndpointTypeGateway
	})
}

// available reports whether an endpoint works. EC2 writes the state in either case.
func available(e *record.EC2VPCEndpoint) bool {
	return strings.EqualFold(string(e.Endpoint.State), string(ec2.StateAvailable))
}

func attached(attachments []ec2.InternetGatewayAttachment, vpc string) bool {
	return slices.ContainsFunc(attachments, func(a ec2.InternetGatewayAttachment) bool { return aws.Value(a.VpcId) == vpc })
}

// vpcOf is a VPC of the view, nil when it has none of that id.
func vpcOf(v NetworkView, id string) *record.EC2VPC {
	for _, vpc := range v.VPCs {
		if *vpc.VPC.VpcId == id {
			return vpc
		}
	}
	return nil
}

// destinations are the blocks that a route is for: those of its prefix list, or its one.
func destinations(v NetworkView, region string, r *ec2.Route) []netip.Prefix {
	if r.DestinationPrefixListId != nil {
		return prefixList(v, region, *r.DestinationPrefixListId)
	}
	p, err := netip.ParsePrefix(aws.Value(r.DestinationCidrBlock) + aws.Value(r.DestinationIpv6CidrBlock))
	if err != nil {
		return nil
	}
	return []netip.Prefix{p.Masked()}
}

// prefixList are the blocks of a customer's list or one of AWS's in the region, none of a
// list that is not there.
func prefixList(v NetworkView, region, id string) (out []netip.Prefix) {
	for _, lists := range [][]*record.EC2PrefixList{v.PrefixLists, AWSPrefixLists(region)} {
		i := slices.IndexFunc(lists, func(l *record.EC2PrefixList) bool { return *l.List.PrefixListId == id })
		if i < 0 {
			continue
		}
		for _, e := range lists[i].Entries() {
			if p, err := netip.ParsePrefix(*e.Cidr); err == nil {
				out = append(out, p.Masked())
			}
		}
		return out
	}
	return nil
}

// RouteTableOf is the one of some route tables that a subnet has: the one that is associated
// with it, else the VPC's main one; nil without either.
func RouteTableOf(tables []*record.EC2RouteTable, vpc, subnet string) (table *record.EC2RouteTable) {
	for _, t := range tables {
		if *t.RouteTable.VpcId != vpc {
			continue
		}
		for _, a := range t.RouteTable.Associations {
			switch {
			case aws.Value(a.SubnetId) == subnet:
				return t
			case aws.Value(a.Main):
				table = t
			}
		}
	}
	return table
}

// directRoute is a route to one block.
type directRoute struct {
	to netip.Prefix
	hop
}

// directRoutes are the routes of a table, one for each block, in the order in which they
// are tried: the longest prefix first. Of routes to one block the first counts: those
// that name the block, then that to the VPC itself, then those of prefix lists by their
// ids.
// Source: VPC user guide, "Route priority".
func directRoutes(v NetworkView, vpc *record.EC2VPC, t *record.EC2RouteTable) []directRoute {
	var out []directRoute
	add := func(r *ec2.Route) {
		for _, to := range destinations(v, vpc.Scope.Region, r) {
			out = append(out, directRoute{to, nextHop(v, vpc, r, to)})
		}
	}
	var lists []*ec2.Route
	if t != nil {
		for i := range t.RouteTable.Routes {
			r := &t.RouteTable.Routes[i]
			if r.DestinationPrefixListId != nil {
				lists = append(lists, r)
				continue
			}
			add(r)
		}
	}
	for _, c := range blocks(vpc) {
		out = append(out, directRoute{c, hop{target: desired.RouteLocal}})
	}
	slices.SortFunc(lists, func(a, b *ec2.Route) int {
		return strings.Compare(*a.DestinationPrefixListId, *b.DestinationPrefixListId)
	})
	for _, r := range lists {
		add(r)
	}
	slices.SortStableFunc(out, func(a, b directRoute) int { return longestFirst(a.to, b.to) })
	return slices.CompactFunc(out, func(a, b directRoute) bool { return a.to == b.to })
}

// longestFirst orders blocks as routes to them are tried.
func longestFirst(a, b netip.Prefix) int {
	return cmp.Or(
		cmp.Compare(a.Addr().BitLen(), b.Addr().BitLen()),
		cmp.Compare(b.Bits(), a.Bits()),
		a.Addr().Compare(b.Addr()),
	)
}

// blocks are all address ranges of a VPC, IPv4 first.
func blocks(vpc *record.EC2VPC) []netip.Prefix { return slices.Concat(vpc.CIDRs(), vpc.CIDRs6()) }

// within reports whether all addresses of p are in q.
func within(p, q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }
