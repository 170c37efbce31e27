package ec2

import (
	"net/netip"
	"slices"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
)

// localTarget is the target of the routes to the VPC itself, which every table has.
const localTarget = "local"

func isLocal(r *ec2.Route) bool { return aws.Value(r.GatewayId) == localTarget }

// withLocal gives a copy of a table with a route to a block of its VPC, behind the
// other local routes.
func withLocal(t *record.EC2RouteTable, block netip.Prefix) *record.EC2RouteTable {
	route := ec2.Route{GatewayId: new(localTarget), Origin: ec2.RouteOriginCreateRouteTable, State: ec2.RouteStateActive}
	if block.Addr().Is4() {
		route.DestinationCidrBlock = new(block.String())
	} else {
		route.DestinationIpv6CidrBlock = new(block.String())
	}
	c, last := *t, 0
	for i := range t.RouteTable.Routes {
		if isLocal(&t.RouteTable.Routes[i]) {
			last = i + 1
		}
	}
	c.RouteTable.Routes = slices.Insert(slices.Clone(t.RouteTable.Routes), last, route)
	return &c
}

// withoutLocal gives a copy of a table without the route to a block that its VPC no
// longer has.
func withoutLocal(t *record.EC2RouteTable, block netip.Prefix) *record.EC2RouteTable {
	c := *t
	c.RouteTable.Routes = slices.DeleteFunc(slices.Clone(t.RouteTable.Routes), func(r ec2.Route) bool {
		return r.Origin == ec2.RouteOriginCreateRouteTable && destinationOf(&r) == block.String()
	})
	return &c
}

// destinationOf is what a route leads to: a block, or a prefix list.
func destinationOf(r *ec2.Route) string {
	return aws.Value(r.DestinationCidrBlock) + aws.Value(r.DestinationIpv6CidrBlock) + aws.Value(r.DestinationPrefixListId)
}
