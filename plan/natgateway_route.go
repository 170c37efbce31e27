package plan

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// natGateway is a NAT gateway of the VPC that translates, nil when there is none of that
// id: it is available and has an address and a subnet.
func natGateway(v NetworkView, vpc, id string) *record.EC2NATGateway {
	for _, g := range v.NATGateways {
		if *g.Gateway.NatGatewayId == id && *g.Gateway.VpcId == vpc && translates(g) {
			return g
		}
	}
	return nil
}

func translates(g *record.EC2NATGateway) bool {
	return g.Gateway.State == ec2.NatGatewayStateAvailable && g.Gateway.SubnetId != nil && len(natAddresses(g)) > 0
}

// natGateways are those of the VPC that translate.
func natGateways(v NetworkView, vpc string) (out []desired.NATGateway) {
	for _, g := range v.NATGateways {
		if *g.Gateway.VpcId == vpc && translates(g) {
			out = append(out, desired.NATGateway{ID: *g.Gateway.NatGatewayId, Subnet: *g.Gateway.SubnetId, Addresses: natAddresses(g)})
		}
	}
	slices.SortFunc(out, func(a, b desired.NATGateway) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// natAddresses are the addresses that a gateway translates to now. A public gateway
// does not use those that have no public address yet.
func natAddresses(g *record.EC2NATGateway) (out []desired.NATAddress) {
	for _, a := range g.Gateway.NatGatewayAddresses {
		if a.PrivateIp == nil || a.Status != ec2.NatGatewayAddressStatusSucceeded {
			continue
		}
		private, err := netip.ParseAddr(*a.PrivateIp)
		if err != nil {
			continue
		}
		var public netip.Addr
		if g.Gateway.ConnectivityType != ec2.ConnectivityTypePrivate {
			if a.PublicIp == nil {
				continue
			}
			if public, err = netip.ParseAddr(*a.PublicIp); err != nil {
				continue
			}
		}
		out = append(out, desired.NATAddress{Private: private, Public: public})
	}
	return out
}

// routeTable resolves a route table: what leads to a NAT gateway leads where the route
// table of the gateway's subnet says, block by block.
func routeTable(v NetworkView, vpc *record.EC2VPC, t *record.EC2RouteTable) desired.RouteTable {
	direct := directRoutes(v, vpc, t)
	out := desired.RouteTable{ID: *t.RouteTable.RouteTableId}
	for _, r := range direct {
		if r.nat == nil {
			out.Routes = append(out.Routes, desired.Route{To: r.to, Target: r.target, Peer: r.peer})
			continue
		}
		behind := directRoutes(v, vpc, RouteTableOf(v.RouteTables, *vpc.VPC.VpcId, *r.nat.Gateway.SubnetId))
		for _, b := range behindGateway(r, behind) {
			if b.To == r.to || !slices.ContainsFunc(direct, func(own directRoute) bool { return hides(own.to, b.To, r.to) }) {
				out.Routes = append(out.Routes, b)
			}
		}
	}
	slices.SortStableFunc(out.Routes, func(a, b desired.Route) int { return longestFirst(a.To, b.To) })
	return out
}

// hides reports whether a table's own route decides about a block of what lies behind a
// NAT gateway: it is for all of the block, and longer than the route to the gateway.
func hides(own, block, toGateway netip.Prefix) bool {
	return within(block, own) && own.Bits() > toGateway.Bits()
}

// behindGateway are the routes that packets to the block of r take behind its NAT
// gateway, whose subnet has the routes behind. What those do not reach is a blackhole:
// no other route of the packet's own table is for it.
func behindGateway(r directRoute, behind []directRoute) (out []desired.Route) {
	rest := blackhole
	for _, b := range slices.Backward(behind) {
		if within(r.to, b.to) {
			rest = b.hop // the longest is the last one here
		}
	}
	out = append(out, translated(r, r.to, rest))
	for _, b := range behind {
		if within(b.to, r.to) && b.to != r.to {
			out = append(out, translated(r, b.to, b.hop))
		}
	}
	return out
}

// translated is a route through the gateway of r. A second gateway does not translate
// what a first has, and a gateway without a public address reaches no Internet.
func translated(r directRoute, to netip.Prefix, behind hop) desired.Route {
	switch {
	case behind.nat != nil, behind.target == desired.RouteBlackhole,
		behind.target == desired.RouteInternet && !natAddresses(r.nat)[0].Public.IsValid():
		return desired.Route{To: to, Target: desired.RouteBlackhole}
	}
	return desired.Route{To: to, Target: behind.target, NAT: *r.nat.Gateway.NatGatewayId, Peer: behind.peer}
}
