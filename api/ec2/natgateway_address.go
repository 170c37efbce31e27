package ec2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// How many addresses a NAT gateway may have.
// Source: VPC user guide, "Amazon VPC quotas".
const (
	maxNATAddresses        = 2 // Elastic IP addresses of a public gateway
	maxPrivateNATAddresses = 8
)

func tooManyNATAddresses(most int) error {
	return protocol.Errorf("NatGatewayAddressLimitExceeded", "Performing this operation would exceed the limit of %d addresses for a NAT gateway", most)
}

// comingElastic is an Elastic IP address on its way to a gateway, with the private
// address that it shall have, if that matters.
func comingElastic(allocation, private *string) ec2.NatGatewayAddress {
	return ec2.NatGatewayAddress{AllocationId: allocation, PrivateIp: private, IsPrimary: new(false), Status: ec2.NatGatewayAddressStatusAssociating}
}

func comingElastics(allocations, private []string) (out []ec2.NatGatewayAddress) {
	for i := range allocations {
		var address *string
		if i < len(private) {
			address = &private[i]
		}
		out = append(out, comingElastic(&allocations[i], address))
	}
	return out
}

// comingPrivate is a private address on its way to a gateway; nil for any.
func comingPrivate(address *string) ec2.NatGatewayAddress {
	return ec2.NatGatewayAddress{PrivateIp: address, IsPrimary: new(false), Status: ec2.NatGatewayAddressStatusAssigning}
}

// comingPrivates are those that are named, and as many more as are asked for.
func comingPrivates(named []string, more *int32) (out []ec2.NatGatewayAddress) {
	for i := range named {
		out = append(out, comingPrivate(&named[i]))
	}
	for range aws.Value(more) {
		out = append(out, comingPrivate(nil))
	}
	return out
}

// changeNATAddresses commits what change makes of a copy of the addresses of a gateway
// of this kind that is available, and gives the changed ones.
func (s *Server) changeNATAddresses(ctx context.Context, id string, kind ec2.ConnectivityType, change func(*store.Tx, *record.EC2NATGateway) (changed []ec2.NatGatewayAddress, err error)) ([]ec2.NatGatewayAddress, error) {
	var changed []ec2.NatGatewayAddress
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findNATGateway(tx, scope, id)
		switch {
		case err != nil:
			return err
		case g.Gateway.State != ec2.NatGatewayStateAvailable:
			return protocol.Errorf("IncorrectState", "The NAT gateway %s is in the state %s, and must be available.", id, g.Gateway.State)
		case g.Gateway.ConnectivityType != kind:
			return badParameter("The NAT gateway %s is %s: this operation is for those that are %s.", id, g.Gateway.ConnectivityType, kind)
		}
		c := *g
		c.Gateway.NatGatewayAddresses = slices.Clone(g.Gateway.NatGatewayAddresses)
		if changed, err = change(tx, &c); err != nil {
			return err
		}
		store.EC2NATGateways.Put(tx, &c)
		return nil
	})
	return changed, err
}

// addNATAddresses gives a gateway addresses that are on their way.
func addNATAddresses(tx *store.Tx, g *record.EC2NATGateway, coming []ec2.NatGatewayAddress, most int) ([]ec2.NatGatewayAddress, error) {
	n, err := findSubnet(tx, g.Scope, *g.Gateway.SubnetId)
	if err != nil {
		return nil, err
	}
	if err := checkPrivateAddresses(n, coming); err != nil {
		return nil, err
	}
	g.Gateway.NatGatewayAddresses = append(g.Gateway.NatGatewayAddresses, coming...)
	has := 0
	for _, a := range g.Gateway.NatGatewayAddresses {
		if a.Status != ec2.NatGatewayAddressStatusFailed {
			has++
		}
	}
	if has > most {
		return nil, tooManyNATAddresses(most)
	}
	return coming, nil
}

// AssociateNatGatewayAddress gives a public gateway further Elastic IP addresses.
func (s *Server) AssociateNatGatewayAddress(ctx context.Context, in *ec2.AssociateNatGatewayAddressInput) (*ec2.AssociateNatGatewayAddressOutput, error) {
	if err := refuseSet(map[string]bool{"AvailabilityZone": in.AvailabilityZone != nil, "AvailabilityZoneId": in.AvailabilityZoneId != nil}); err != nil {
		return nil, err
	}
	if len(in.PrivateIpAddresses) > len(in.AllocationIds) {
		return nil, badParameter("A public NAT gateway needs an Elastic IP address for each of its private ones.")
	}
	changed, err := s.changeNATAddresses(ctx, *in.NatGatewayId, ec2.ConnectivityTypePublic, func(tx *store.Tx, g *record.EC2NATGateway) ([]ec2.NatGatewayAddress, error) {
		return addNATAddresses(tx, g, comingElastics(in.AllocationIds, in.PrivateIpAddresses), maxNATAddresses)
	})
	return &ec2.AssociateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId, NatGatewayAddresses: changed}, err
}

// AssignPrivateNatGatewayAddress gives a private gateway further addresses.
func (s *Server) AssignPrivateNatGatewayAddress(ctx context.Context, in *ec2.AssignPrivateNatGatewayAddressInput) (*ec2.AssignPrivateNatGatewayAddressOutput, error) {
	switch {
	case len(in.PrivateIpAddresses) == 0 && in.PrivateIpAddressCount == nil:
		return nil, missingEither("PrivateIpAddresses", "PrivateIpAddressCount")
	case len(in.PrivateIpAddresses) > 0 && in.PrivateIpAddressCount != nil:
		return nil, protocol.Errorf("InvalidParameterCombination", "PrivateIpAddresses and PrivateIpAddressCount cannot both be specified.")
	}
	changed, err := s.changeNATAddresses(ctx, *in.NatGatewayId, ec2.ConnectivityTypePrivate, func(tx *store.Tx, g *record.EC2NATGateway) ([]ec2.NatGatewayAddress, error) {
		return addNATAddresses(tx, g, comingPrivates(in.PrivateIpAddresses, in.PrivateIpAddressCount), maxPrivateNATAddresses)
	})
	return &ec2.AssignPrivateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId, NatGatewayAddresses: changed}, err
}

// removeNATAddresses marks the addresses of a gateway that ids name by what of them gives.
func removeNATAddresses(g *record.EC2NATGateway, ids []string, status ec2.NatGatewayAddressStatus, of func(*ec2.NatGatewayAddress) *string, missing func(string) error) ([]ec2.NatGatewayAddress, error) {
	var changed []ec2.NatGatewayAddress
	for _, id := range ids {
		i := slices.IndexFunc(g.Gateway.NatGatewayAddresses, func(a ec2.NatGatewayAddress) bool { return aws.Value(of(&a)) == id })
		if i < 0 {
			return nil, missing(id)
		}
		a := &g.Gateway.NatGatewayAddresses[i]
		if aws.Value(a.IsPrimary) {
			return nil, badParameter("The primary address of the NAT gateway %s cannot be removed.", *g.Gateway.NatGatewayId)
		}
		a.Status = status
		changed = append(changed, *a)
	}
	return changed, nil
}

// DisassociateNatGatewayAddress takes secondary Elastic IP addresses from a public
// gateway.
func (s *Server) DisassociateNatGatewayAddress(ctx context.Context, in *ec2.DisassociateNatGatewayAddressInput) (*ec2.DisassociateNatGatewayAddressOutput, error) {
	changed, err := s.changeNATAddresses(ctx, *in.NatGatewayId, ec2.ConnectivityTypePublic, func(_ *store.Tx, g *record.EC2NATGateway) ([]ec2.NatGatewayAddress, error) {
		return removeNATAddresses(g, in.AssociationIds, ec2.NatGatewayAddressStatusDisassociating,
			func(a *ec2.NatGatewayAddress) *string { return a.AssociationId }, noSuch("eipassoc"))
	})
	return &ec2.DisassociateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId, NatGatewayAddresses: changed}, err
}

// UnassignPrivateNatGatewayAddress takes secondary addresses from a private gateway.
func (s *Server) UnassignPrivateNatGatewayAddress(ctx context.Context, in *ec2.UnassignPrivateNatGatewayAddressInput) (*ec2.UnassignPrivateNatGatewayAddressOutput, error) {
	changed, err := s.changeNATAddresses(ctx, *in.NatGatewayId, ec2.ConnectivityTypePrivate, func(_ *store.Tx, g *record.EC2NATGateway) ([]ec2.NatGatewayAddress, error) {
		return removeNATAddresses(g, in.PrivateIpAddresses, ec2.NatGatewayAddressStatusUnassigning,
			func(a *ec2.NatGatewayAddress) *string { return a.PrivateIp },
			func(address string) error {
				return badValue("The NAT gateway %s does not have the address %s.", *in.NatGatewayId, address)
			})
	})
	return &ec2.UnassignPrivateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId, NatGatewayAddresses: changed}, err
}
