package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxRoutes is how many routes a table may have for IPv4, and for IPv6; the local ones
// do not count. Source: VPC user guide, "Amazon VPC quotas".
const maxRoutes = 500

// changeRoutes commits what change makes of a copy of a table's routes.
func (s *Server) changeRoutes(ctx context.Context, table string, change func(tx *store.Tx, t *record.EC2RouteTable, routes []ec2.Route) ([]ec2.Route, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		t, err := findRouteTable(tx, scope, table)
		if err != nil {
			return err
		}
		c := *t
		if c.RouteTable.Routes, err = change(tx, t, slices.Clone(t.RouteTable.Routes)); err != nil {
			return err
		}
		store.EC2RouteTables.Put(tx, &c)
		return nil
	})
}

// destination is what a call says that a route leads to.
type destination struct{ block, block6, list *string }

// route gives a route to the destination, without a target.
func (d destination) route(r store.Reader, scope fargo.Scope) (ec2.Route, error) {
	route := ec2.Route{Origin: ec2.RouteOriginCreateRoute, State: ec2.RouteStateActive}
	switch given := countSet(d.block, d.block6, d.list); {
	case given == 0:
		return route, protocol.Errorf("MissingParameter", "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId")
	case given > 1:
		return route, protocol.Errorf("InvalidParameterCombination", "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId")
	case d.list != nil:
		if _, err := findPrefixList(r, scope, *d.list); err != nil {
			return route, err
		}
		route.DestinationPrefixListId = d.list
	case d.block6 != nil:
		p, err := netip.ParsePrefix(*d.block6)
		if err != nil || !p.Addr().Is6() {
			return route, badValue("Value (%s) for parameter destinationIpv6CidrBlock is invalid. This is not a valid CIDR block.", *d.block6)
		}
		route.DestinationIpv6CidrBlock = new(p.Masked().String())
	default:
		p, err := netip.ParsePrefix(*d.block)
		if err != nil || !p.Addr().Is4() {
			return route, badValue("Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", *d.block)
		}
		route.DestinationCidrBlock = new(p.Masked().String())
	}
	return route, nil
}

func countSet(values ...*string) (n int) {
	for _, v := range values {
		if v != nil {
			n++
		}
	}
	return n
}

// index finds the route to the destination; -1 when there is none.
func (d destination) index(routes []ec2.Route) int {
	return slices.IndexFunc(routes, func(r ec2.Route) bool {
		return sameBlock(r.DestinationCidrBlock, d.block) && sameBlock(r.DestinationIpv6CidrBlock, d.block6) &&
			aws.Value(r.DestinationPrefixListId) == aws.Value(d.list)
	})
}

// sameBlock compares a route's block with a given one, which may have bits behind its
// prefix or be written in another way.
func sameBlock(has, given *string) bool {
	p, err := netip.ParsePrefix(aws.Value(given))
	if err != nil {
		return aws.Value(has) == aws.Value(given)
	}
	return aws.Value(has) == p.Masked().String()
}

// missing is the error of a destination that a table has no route to.
func (d destination) missing(table string) error {
	switch {
	case d.list != nil:
		return protocol.Errorf("InvalidRoute.NotFound", "no route with destination-prefix-list-id %s in route table %s", *d.list, table)
	case d.block6 != nil:
		return protocol.Errorf("InvalidRoute.NotFound", "no route with destination-ipv6-cidr-block %s in route table %s", *d.block6, table)
	}
	return protocol.Errorf("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", aws.Value(d.block), table)
}

// CreateRoute adds a route.
func (s *Server) CreateRoute(ctx context.Context, in *ec2.CreateRouteInput) (*ec2.CreateRouteOutput, error) {
	if err := refuseSet(map[string]bool{
		"TransitGatewayId": in.TransitGatewayId != nil, "VpcEndpointId": in.VpcEndpointId != nil, "CarrierGatewayId": in.CarrierGatewayId != nil,
		"LocalGatewayId": in.LocalGatewayId != nil, "CoreNetworkArn": in.CoreNetworkArn != nil, "OdbNetworkArn": in.OdbNetworkArn != nil,
	}); err != nil {
		return nil, err
	}
	to := destination{in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId}
	by := routeTarget{
		gateway: in.GatewayId, nat: in.NatGatewayId, egressOnly: in.EgressOnlyInternetGatewayId,
		peering: in.VpcPeeringConnectionId, networkInterface: in.NetworkInterfaceId, instance: in.InstanceId,
	}
	err := s.changeRoutes(ctx, *in.RouteTableId, func(tx *store.Tx, t *record.EC2RouteTable, routes []ec2.Route) ([]ec2.Route, error) {
		r, err := to.route(tx, t.Scope)
		if err != nil {
			return nil, err
		}
		if err := by.set(tx, t, &r); err != nil {
			return nil, err
		}
		if to.index(routes) >= 0 {
			return nil, protocol.Errorf("RouteAlreadyExists", "The route identified by %s already exists.", destinationOf(&r))
		}
		routes = append(routes, r)
		return routes, checkRouteCount(tx, t.Scope, routes)
	})
	return &ec2.CreateRouteOutput{Return: new(err == nil)}, err
}

// checkRouteCount holds a table's routes against the quota. One to a prefix list counts
// for as many as the list may have entries.
// Source: VPC user guide, "Prefix lists concepts and rules".
func checkRouteCount(r store.Reader, scope fargo.Scope, routes []ec2.Route) error {
	var four, six int
	for i := range routes {
		switch route := &routes[i]; {
		case isLocal(route), strings.HasPrefix(aws.Value(route.GatewayId), "vpce-"):
		case route.DestinationPrefixListId != nil:
			l, err := findPrefixList(r, scope, *route.DestinationPrefixListId)
			if err != nil {
				return err
			}
			if *l.List.AddressFamily == familyIPv6 {
				six += plan.PrefixListWeight(l)
			} else {
				four += plan.PrefixListWeight(l)
			}
		case route.DestinationIpv6CidrBlock != nil:
			six++
		default:
			four++
		}
	}
	if four > maxRoutes || six > maxRoutes {
		return protocol.Errorf("RouteLimitExceeded", "The maximum number of routes has been reached.")
	}
	return nil
}

// ReplaceRoute gives a route another target.
func (s *Server) ReplaceRoute(ctx context.Context, in *ec2.ReplaceRouteInput) (*ec2.ReplaceRouteOutput, error) {
	if err := refuseSet(map[string]bool{
		"TransitGatewayId": in.TransitGatewayId != nil, "VpcEndpointId": in.VpcEndpointId != nil, "CarrierGatewayId": in.CarrierGatewayId != nil,
		"LocalGatewayId": in.LocalGatewayId != nil, "CoreNetworkArn": in.CoreNetworkArn != nil, "OdbNetworkArn": in.OdbNetworkArn != nil,
	}); err != nil {
		return nil, err
	}
	to := destination{in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId}
	by := routeTarget{
		gateway: in.GatewayId, nat: in.NatGatewayId, egressOnly: in.EgressOnlyInternetGatewayId,
		peering: in.VpcPeeringConnectionId, networkInterface: in.NetworkInterfaceId, instance: in.InstanceId,
		local: aws.Value(in.LocalTarget),
	}
	return &ec2.ReplaceRouteOutput{}, s.changeRoutes(ctx, *in.RouteTableId, func(tx *store.Tx, t *record.EC2RouteTable, routes []ec2.Route) ([]ec2.Route, error) {
		r, err := to.route(tx, t.Scope)
		if err != nil {
			return nil, err
		}
		i := to.index(routes)
		switch {
		case i < 0:
			return nil, to.missing(*in.RouteTableId)
		case isEndpointRoute(&routes[i]):
			return nil, badValue("cannot replace VPC endpoint route %s in route table %s", destinationOf(&routes[i]), *t.RouteTable.RouteTableId)
		}
		r.Origin = routes[i].Origin
		if err := by.set(tx, t, &r); err != nil {
			return nil, err
		}
		routes[i] = r
		return routes, nil
	})
}

// DeleteRoute takes a route away.
func (s *Server) DeleteRoute(ctx context.Context, in *ec2.DeleteRouteInput) (*ec2.DeleteRouteOutput, error) {
	to := destination{in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId}
	return &ec2.DeleteRouteOutput{}, s.changeRoutes(ctx, *in.RouteTableId, func(_ *store.Tx, t *record.EC2RouteTable, routes []ec2.Route) ([]ec2.Route, error) {
		i := to.index(routes)
		switch {
		case i < 0:
			return nil, to.missing(*in.RouteTableId)
		case routes[i].Origin == ec2.RouteOriginCreateRouteTable:
			return nil, badValue("cannot remove local route %s in route table %s", destinationOf(&routes[i]), *t.RouteTable.RouteTableId)
		case isEndpointRoute(&routes[i]):
			return nil, badValue("cannot remove VPC endpoint route %s in route table %s", destinationOf(&routes[i]), *t.RouteTable.RouteTableId)
		}
		return slices.Delete(routes, i, i+1), nil
	})
}

// isEndpointRoute reports whether a route came with a gateway endpoint.
func isEndpointRoute(r *ec2.Route) bool { return strings.HasPrefix(aws.Value(r.GatewayId), "vpce-") }
