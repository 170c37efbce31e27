package plan

import (
	"net/netip"
	"slices"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// What stands for any address of the Internet, and for any of AWS's own: addresses of
// AWS in us-east-1. Source: AWS's ip-ranges.json, service AMAZON.
var (
	internetIPv4 = netip.MustParseAddr("52.94.0.1")
	internetIPv6 = netip.MustParseAddr("2600:1f00::1")
)

// WayOut reports whether what an interface in the subnet sends to an address outside of
// its VPC gets there and can be answered, by the route tables: over the Internet gateway
// with a public address of its own (public) or an IPv6 address, through a NAT gateway
// that has one, through an egress-only gateway, or through a gateway endpoint. Security
// groups and network ACLs are not asked.
func WayOut(v NetworkView, subnet string, public bool, to netip.Addr) bool {
	return wayOut(routesOf(v, subnet), public, to)
}

func wayOut(routes []desired.Route, public bool, to netip.Addr) bool {
	for _, r := range routes {
		if !r.To.Contains(to) {
			continue
		}
		switch r.Target {
		case desired.RouteInternet:
			return public || r.NAT != "" || to.Is6()
		case desired.RouteEgressOnly, desired.RouteService:
			return true
		}
		return false
	}
	return false
}

// routesOf are the resolved routes of a subnet.
func routesOf(v NetworkView, subnet string) []desired.Route {
	s := subnetOf(v, subnet)
	if s == nil {
		return nil
	}
	vpc, t := vpcOf(v, *s.Subnet.VpcId), RouteTableOf(v.RouteTables, *s.Subnet.VpcId, subnet)
	if vpc == nil || t == nil {
		return nil
	}
	return routeTable(v, vpc, t).Routes
}

func subnetOf(v NetworkView, id string) *record.EC2Subnet {
	for _, s := range v.Subnets {
		if *s.Subnet.SubnetId == id {
			return s
		}
	}
	return nil
}

// ReachesInternet reports whether an interface in the subnet may open connections
// beyond its VPC.
// Source: VPC user guide, "Enable internet access".
func ReachesInternet(v NetworkView, subnet string, public bool) bool {
	to := internetIPv4
	if s := subnetOf(v, subnet); s != nil && aws.Value(s.Subnet.Ipv6Native) {
		to = internetIPv6
	}
	return WayOut(v, subnet, public, to)
}

// ReachesService reports whether an interface in the subnet reaches a service of AWS in
// its region, by the name it has in those of endpoints ("ecr.api", "logs", "s3"): through
// an interface endpoint that has the service's name in the VPC, through a gateway
// endpoint that the subnet's route table leads to, or as it reaches the Internet.
// Source: ECS developer guide, "Fargate task networking" and "Amazon ECR interface VPC
// endpoints".
func ReachesService(v NetworkView, subnet string, public bool, service string) bool {
	s := subnetOf(v, subnet)
	if s == nil {
		return false
	}
	vpc := *s.Subnet.VpcId
	reached := func(e *record.EC2VPCEndpoint) bool {
		if *e.Endpoint.VpcId != vpc || !available(e) || *e.Endpoint.ServiceName != "com.amazonaws."+e.Scope.Region+"."+service {
			return false
		}
		if e.Endpoint.VpcEndpointType == ec2.VpcEndpointTypeGateway {
			return leadsTo(RouteTableOf(v.RouteTables, vpc, subnet), *e.Endpoint.VpcEndpointId)
		}
		return e.Endpoint.VpcEndpointType == ec2.VpcEndpointTypeInterface && aws.Value(e.Endpoint.PrivateDnsEnabled)
	}
	return slices.ContainsFunc(v.Endpoints, reached) || ReachesInternet(v, subnet, public)
}

// leadsTo reports whether a table has a route to a gateway.
func leadsTo(t *record.EC2RouteTable, gateway string) bool {
	return t != nil && slices.ContainsFunc(t.RouteTable.Routes, func(r ec2.Route) bool {
		return aws.Value(r.GatewayId) == gateway
	})
}
