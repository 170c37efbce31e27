package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// routeTarget is what a call says that a route leads through.
type routeTarget struct {
	gateway, nat, egressOnly, peering, networkInterface, instance *string

	local bool // back to the VPC itself
}

const oneTarget = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId or instanceId"

// set checks the target, and gives it to a route of table t.
func (g routeTarget) set(r store.Reader, t *record.EC2RouteTable, route *ec2.Route) error {
	given := countSet(g.gateway, g.nat, g.egressOnly, g.peering, g.networkInterface, g.instance)
	if g.local {
		given++
	}
	switch {
	case given == 0:
		return protocol.Errorf("MissingParameter", oneTarget)
	case given > 1:
		return protocol.Errorf("InvalidParameterCombination", oneTarget)
	case g.local:
		return setLocal(t, route)
	}
	if g.networkInterface == nil && g.instance == nil {
		if err := refuseInside(r, t, route); err != nil {
			return err
		}
	}
	switch {
	case g.gateway != nil:
		return setGateway(r, t, route, g.gateway)
	case g.nat != nil:
		return setNATGateway(r, t, route, g.nat)
	case g.egressOnly != nil:
		return setEgressOnlyGateway(r, t, route, g.egressOnly)
	case g.peering != nil:
		return setPeering(r, t, route, g.peering)
	case g.networkInterface != nil:
		return setInterface(r, t, route, g.networkInterface)
	}
	return noSuch("i")(*g.instance) // there are no instances
}

// setLocal gives a local route its target back.
func setLocal(t *record.EC2RouteTable, route *ec2.Route) error {
	if route.Origin != ec2.RouteOriginCreateRouteTable {
		return badValue("Only a local route of route table %s can have the local target.", *t.RouteTable.RouteTableId)
	}
	route.GatewayId = new(localTarget)
	return nil
}

// refuseInside refuses destinations in the VPC itself, which only interfaces and
// instances can be targets for.
// Source: VPC user guide, "Route tables": "more specific than the local route".
func refuseInside(r store.Reader, t *record.EC2RouteTable, route *ec2.Route) error {
	to, err := netip.ParsePrefix(aws.Value(route.DestinationCidrBlock) + aws.Value(route.DestinationIpv6CidrBlock))
	if err != nil {
		return nil // a prefix list
	}
	for i := range t.RouteTable.Routes {
		local := &t.RouteTable.Routes[i]
		if local.Origin != ec2.RouteOriginCreateRouteTable {
			continue
		}
		block, err := netip.ParsePrefix(destinationOf(local))
		if err == nil && block.Contains(to.Addr()) && to.Bits() >= block.Bits() {
			return badValue("Route target is not supported. This route only supports interface and instance targets.")
		}
	}
	return nil
}

// otherNetwork is the error of a target in or at another VPC than the table's.
func otherNetwork(t *record.EC2RouteTable, kind, id string) error {
	return badValue("route table %s and %s %s belong to different networks", *t.RouteTable.RouteTableId, kind, id)
}

func setGateway(r store.Reader, t *record.EC2RouteTable, route *ec2.Route, id *string) error {
	if strings.HasPrefix(*id, "vpce-") {
		return badValue("Routes to the VPC endpoint %s come and go with its route tables: use ModifyVpcEndpoint.", *id)
	}
	g, ok := store.EC2InternetGateways.Get(r, t.Scope.Key(*id))
	if !ok {
		return protocol.Errorf("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", *id)
	}
	if len(g.Gateway.Attachments) == 0 || *g.Gateway.Attachments[0].VpcId != *t.RouteTable.VpcId {
		return otherNetwork(t, "network gateway", *id)
	}
	route.GatewayId = id
	return nil
}

func setNATGateway(r store.Reader, t *record.EC2RouteTable, route *ec2.Route, id *string) error {
	g, ok := store.EC2NATGateways.Get(r, t.Scope.Key(*id))
	switch {
	case !ok, g.Gateway.State == ec2.NatGatewayStateDeleted:
		return protocol.Errorf("InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", *id)
	case *g.Gateway.VpcId != *t.RouteTable.VpcId:
		return otherNetwork(t, "network gateway", *id)
	case route.DestinationIpv6CidrBlock != nil: // it would be for NAT64
		return protocol.Errorf("UnsupportedOperation", "Fargo does not implement NAT64: a NAT gateway cannot be the target of an IPv6 route.")
	}
	route.NatGatewayId = id
	return nil
}

func setEgressOnlyGateway(r store.Reader, t *record.EC2RouteTable, route *ec2.Route, id *string) error {
	g, err := findEgressOnlyGateway(r, t.Scope, *id)
	if err != nil {
		return err
	}
	six := route.DestinationIpv6CidrBlock != nil
	if route.DestinationPrefixListId != nil {
		l, err := findPrefixList(r, t.Scope, *route.DestinationPrefixListId)
		if err != nil {
			return err
		}
		six = *l.List.AddressFamily == familyIPv6
	}
	switch {
	case !six:
		return badValue("The egress-only Internet gateway %s can be the target of IPv6 routes only.", *id)
	case *g.Gateway.Attachments[0].VpcId != *t.RouteTable.VpcId:
		return otherNetwork(t, "network gateway", *id)
	}
	route.EgressOnlyInternetGatewayId = id
	return nil
}

// setPeering takes a connection that waits to be accepted, too: its route is a
// blackhole. Source: VPC peering guide, "Update your route tables".
func setPeering(r store.Reader, t *record.EC2RouteTable, route *ec2.Route, id *string) error {
	for p := range store.EC2Peerings.By(r, store.PeeringByID, *id) {
		ends := []string{*p.Connection.RequesterVpcInfo.VpcId, *p.Connection.AccepterVpcInfo.VpcId}
		if !slices.Contains(ends, *t.RouteTable.VpcId) {
			return otherNetwork(t, "VPC peering connection", *id)
		}
		route.VpcPeeringConnectionId = id
		return nil
	}
	return noSuch("pcx")(*id)
}

// setInterface keeps a route to an interface. Nothing here forwards packets that are not
// its own, so that the route is a blackhole, see [plan.RouteState].
func setInterface(r store.Reader, t *record.EC2RouteTable, route *ec2.Route, id *string) error {
	i, ok := store.EC2NetworkInterfaces.Get(r, t.Scope.Key(*id))
	switch {
	case !ok:
		return noInterface(*id)
	case *i.Interface.VpcId != *t.RouteTable.VpcId:
		return otherNetwork(t, "interface", *id)
	}
	route.NetworkInterfaceId = id
	return nil
}
