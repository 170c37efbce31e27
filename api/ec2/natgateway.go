package ec2

import (
	"context"
	"net/netip"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxNATGateways is how many NAT gateways there may be in a zone.
// Source: VPC user guide, "Amazon VPC quotas".
const maxNATGateways = 5

// CreateNatGateway asks for a NAT gateway. Whether it can be had shows in its state: the
// controller gives it what it needs.
func (s *Server) CreateNatGateway(ctx context.Context, in *ec2.CreateNatGatewayInput) (*ec2.CreateNatGatewayOutput, error) {
	if err := refuseSet(map[string]bool{
		"AvailabilityMode regional": in.AvailabilityMode == ec2.AvailabilityModeRegional,
		"AvailabilityZoneAddresses": len(in.AvailabilityZoneAddresses) > 0,
	}); err != nil {
		return nil, err
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeNatgateway)
	if err != nil {
		return nil, err
	}
	if err := checkNATGateway(in); err != nil {
		return nil, err
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var g *record.EC2NATGateway
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		g, err = repeatedOne(request, store.EC2NATGateways.Prefix(tx, scope.Key()))
		if g != nil || err != nil {
			return err
		}
		n, err := findSubnet(tx, scope, *in.SubnetId)
		if err != nil {
			return err
		}
		if err := checkNATGatewayCount(tx, scope, *n.Subnet.AvailabilityZone); err != nil {
			return err
		}
		if !n.Prefix().IsValid() { // ours
			return badParameter("The subnet %s has no IPv4 addresses, and a NAT gateway needs one.", *in.SubnetId)
		}
		addresses := natAddresses(in)
		if err := checkPrivateAddresses(n, addresses); err != nil {
			return err
		}
		g = &record.EC2NATGateway{Scope: scope, EC2Request: request, Gateway: ec2.NatGateway{
			NatGatewayId: new(fargo.NewEC2ID("nat")), SubnetId: in.SubnetId, VpcId: n.Subnet.VpcId, CreateTime: &now,
			State: ec2.NatGatewayStatePending, ConnectivityType: connectivity(in), AvailabilityMode: ec2.AvailabilityModeZonal,
			NatGatewayAddresses: addresses, Tags: tags,
		}}
		store.EC2NATGateways.Put(tx, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateNatGatewayOutput{NatGateway: &g.Gateway, ClientToken: in.ClientToken}, nil
}

func connectivity(in *ec2.CreateNatGatewayInput) ec2.ConnectivityType {
	if in.ConnectivityType == "" {
		return ec2.ConnectivityTypePublic
	}
	return in.ConnectivityType
}

// checkNATGateway checks that the parameters are those of the kind of gateway.
func checkNATGateway(in *ec2.CreateNatGatewayInput) error {
	public := connectivity(in) == ec2.ConnectivityTypePublic
	switch {
	case in.SubnetId == nil:
		return missingParameter("SubnetId")
	case public && in.AllocationId == nil:
		return missingParameter("AllocationId")
	case !public && (in.AllocationId != nil || len(in.SecondaryAllocationIds) > 0):
		return protocol.Errorf("InvalidParameterCombination", "A private NAT gateway cannot have an AllocationId.")
	case public && in.SecondaryPrivateIpAddressCount != nil:
		return protocol.Errorf("InvalidParameterCombination", "SecondaryPrivateIpAddressCount is for private NAT gateways.")
	case in.SecondaryPrivateIpAddressCount != nil && len(in.SecondaryPrivateIpAddresses) > 0:
		return protocol.Errorf("InvalidParameterCombination", "SecondaryPrivateIpAddresses and SecondaryPrivateIpAddressCount cannot both be specified.")
	case public && len(in.SecondaryPrivateIpAddresses) > len(in.SecondaryAllocationIds):
		return badParameter("A public NAT gateway needs an Elastic IP address for each of its private ones.")
	case public && 1+len(in.SecondaryAllocationIds) > maxNATAddresses:
		return tooManyNATAddresses(maxNATAddresses)
	case !public && 1+len(in.SecondaryPrivateIpAddresses)+int(aws.Value(in.SecondaryPrivateIpAddressCount)) > maxPrivateNATAddresses:
		return tooManyNATAddresses(maxPrivateNATAddresses)
	}
	return nil
}

// natAddresses are the addresses that a new gateway shall have, the primary first.
func natAddresses(in *ec2.CreateNatGatewayInput) []ec2.NatGatewayAddress {
	if connectivity(in) == ec2.ConnectivityTypePublic {
		primary := comingElastic(in.AllocationId, in.PrivateIpAddress)
		primary.IsPrimary = new(true)
		return append([]ec2.NatGatewayAddress{primary}, comingElastics(in.SecondaryAllocationIds, in.SecondaryPrivateIpAddresses)...)
	}
	primary := comingPrivate(in.PrivateIpAddress)
	primary.IsPrimary = new(true)
	return append([]ec2.NatGatewayAddress{primary}, comingPrivates(in.SecondaryPrivateIpAddresses, in.SecondaryPrivateIpAddressCount)...)
}

func checkPrivateAddresses(n *record.EC2Subnet, addresses []ec2.NatGatewayAddress) error {
	for _, a := range addresses {
		if a.PrivateIp == nil {
			continue
		}
		addr, err := netip.ParseAddr(*a.PrivateIp)
		switch {
		case err != nil || !addr.Is4():
			return badValue("Value (%s) for parameter privateIpAddress is invalid. Invalid IPv4 address.", *a.PrivateIp)
		case !plan.Assignable(n.Prefix(), addr):
			return badValue("Address %s does not fall within the subnet's address range", addr)
		}
	}
	return nil
}

func checkNATGatewayCount(r store.Reader, scope fargo.Scope, zone string) error {
	count := 0
	for g := range store.EC2NATGateways.Prefix(r, scope.Key()) {
		if g.Gateway.State == ec2.NatGatewayStateFailed || g.Gateway.State == ec2.NatGatewayStateDeleted {
			continue
		}
		if n, ok := store.EC2Subnets.Get(r, scope.Key(*g.Gateway.SubnetId)); ok && *n.Subnet.AvailabilityZone == zone {
			count++
		}
	}
	if count >= maxNATGateways {
		return protocol.Errorf("NatGatewayLimitExceeded", "Performing this operation would exceed the limit of %d NAT gateways", maxNATGateways)
	}
	return nil
}

// findNATGateway finds a gateway that has not been deleted.
func findNATGateway(r store.Reader, scope fargo.Scope, id string) (*record.EC2NATGateway, error) {
	g, ok := store.EC2NATGateways.Get(r, scope.Key(id))
	if !ok || g.Gateway.State == ec2.NatGatewayStateDeleted {
		return nil, noSuch("nat")(id)
	}
	return g, nil
}

// DeleteNatGateway begins to delete a gateway. Its Elastic IP addresses stay allocated,
// and routes to it become blackholes.
func (s *Server) DeleteNatGateway(ctx context.Context, in *ec2.DeleteNatGatewayInput) (*ec2.DeleteNatGatewayOutput, error) {
	return &ec2.DeleteNatGatewayOutput{NatGatewayId: in.NatGatewayId}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		g, err := findNATGateway(tx, scope, *in.NatGatewayId)
		if err != nil || g.Gateway.State == ec2.NatGatewayStateDeleting {
			return err
		}
		c := *g
		c.Gateway.State, c.Gateway.DeleteTime = ec2.NatGatewayStateDeleting, &now
		store.EC2NATGateways.Put(tx, &c)
		return nil
	})
}

var natGatewayFields = fields[ec2.NatGateway]{
	operation: "DescribeNatGateways",
	names: map[string]func(ec2.NatGateway) []string{
		"nat-gateway-id": one(func(g ec2.NatGateway) *string { return g.NatGatewayId }),
		"state":          func(g ec2.NatGateway) []string { return []string{string(g.State)} },
		"subnet-id":      one(func(g ec2.NatGateway) *string { return g.SubnetId }),
		"vpc-id":         one(func(g ec2.NatGateway) *string { return g.VpcId }),
	},
	tags: func(g ec2.NatGateway) []ec2.Tag { return g.Tags },
}

// DescribeNatGateways shows NAT gateways, for an hour also those that were deleted.
func (s *Server) DescribeNatGateways(ctx context.Context, in *ec2.DescribeNatGatewaysInput) (*ec2.DescribeNatGatewaysOutput, error) {
	all := func(yield func(ec2.NatGateway) bool) {
		for g := range store.EC2NATGateways.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()) {
			if !yield(g.Gateway) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.NatGatewayIds, in.Filter, pages.Ask(in, in.NextToken, in.MaxResults)}, natGatewayFields,
		func(g ec2.NatGateway) string { return *g.NatGatewayId }, noSuch("nat"))
	return &ec2.DescribeNatGatewaysOutput{NatGateways: aws.List(out), NextToken: next}, err
}
